//! What the client remembers of the chat: one's own name, where one is and who is here. Knows no connection and no terminal.

use std::mem;

use parlor_core::link::command_names;

use super::catch_up::CatchUp;
use super::heard::{Heard, split_time};
use crate::terminal::{Colours, last_word, paint};

/// Enough for the people one talks with; keeps a hostile server from filling the memory.
const NAMES_MAX: usize = 1_000;

/// The person on this side, and those on the other.
#[derive(Default)]
pub(crate) struct Guest {
    /// Answers the next name question; the person is asked when it is `None`.
    answer: Option<String>,
    /// With what one comes back, if the server has such a thing; tried before the name.
    code: Option<String>,
    /// Whether the code is to answer the next name question.
    may_resume: bool,
    /// Whether the code has been asked for, and the person has not.
    awaits_code: bool,
    /// The name that the server gave or confirmed last.
    me: String,
    /// Where one is, or belongs while one is on the way back.
    room: Option<String>,
    /// Whether the next roster may be that of another room than one belongs in: a server lets everybody enter by the lobby.
    returning: bool,
    /// Whether this is another connection, up to the room: what it begins with was read before.
    is_back: bool,
    /// Whether there was a connection before this one.
    was_here: bool,
    catch_up: CatchUp,
    colours: Colours,
    /// Everybody heard of, who was heard of last at the end.
    others: Vec<String>,
    /// Whether the server closed, or is about to, and means it: a program that came back by itself would be in the way.
    pub(crate) away: bool,
}

/// What a line does besides being shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reaction {
    /// The connection is there again, and one is in a room.
    pub(crate) back: bool,
    /// To be sent at once, before anything that was typed: the name that is asked for, or the way back to one's room.
    pub(crate) answer: Option<String>,
    /// What the program does by itself, and is nothing for the person to read.
    pub(crate) hidden: bool,
    /// What the person types next is for nobody to read.
    pub(crate) secret: bool,
    /// The person is to give a name.
    pub(crate) asked: bool,
    /// Somebody else mentions one's name, now and not in the past.
    pub(crate) mentioned: bool,
}

impl Guest {
    pub(crate) fn new(name: Option<String>) -> Self {
        Self {
            answer: name,
            ..Self::default()
        }
    }

    /// Whether something is to be answered without the person, before what that types.
    pub(crate) fn expects_more(&self) -> bool {
        self.answer.is_some() || self.may_resume || self.returning
    }

    /// Prepares for another connection, which is to be entered with the name one had, up to the room one was in.
    pub(crate) fn come_back(&mut self) {
        let had_name = !self.me.is_empty() && !self.me.contains(':');
        self.answer = had_name.then(|| self.me.clone()).or(self.answer.take());
        self.returning = self.room.is_some();
        self.may_resume = self.code.is_some();
        self.awaits_code = false;
        (self.is_back, self.was_here) = (true, true);
        self.catch_up.break_off();
    }

    /// Learns from a line of the server.
    pub(crate) fn hear(&mut self, line: &str) -> Reaction {
        let (time, said) = split_time(line);
        let heard = Heard::of(said);
        let mut reaction = Reaction::default();
        match &heard {
            Heard::YouAre(name) => {
                reaction.hidden = self.is_back && (*name == self.me || name.contains(':'));
                // The address stands for the name until that is confirmed.
                if !reaction.hidden || !name.contains(':') {
                    self.me = (*name).to_owned();
                }
            }
            Heard::NameQuestion => {
                reaction.answer = self.resume().or_else(|| self.answer.take());
                reaction.asked = reaction.answer.is_none();
                reaction.hidden = self.is_back && !reaction.asked;
            }
            Heard::Kept => {
                self.awaits_code = true;
                reaction.answer = Some("/code".to_owned());
                reaction.hidden = self.was_here;
            }
            Heard::Ended => self.away = true,
            Heard::Help => reaction.hidden = self.was_here,
            Heard::Password => reaction.secret = true,
            Heard::Code(code) => {
                self.code = Some((*code).to_owned());
                reaction.hidden = mem::take(&mut self.awaits_code);
            }
            Heard::Said { by, to, text } if *by != self.me && time.is_empty() => {
                reaction.mentioned = *to == Some(self.me.as_str()) || mentions(text, &self.me);
            }
            Heard::Roster { room, .. } => {
                self.others.clear();
                reaction.back = mem::take(&mut self.is_back);
                self.away = false; // removed from a room, one is in the lobby
                reaction.answer = self.arrive(room);
            }
            _ => {}
        }
        self.remember(&heard);
        reaction
    }

    /// What leads back to one's place, once for each connection.
    fn resume(&mut self) -> Option<String> {
        let code = self
            .code
            .as_ref()
            .filter(|_| mem::take(&mut self.may_resume));
        code.map(|code| format!("/resume {code}"))
    }

    /// Notes the room one has come to; returns what leads from there to where one belongs.
    fn arrive(&mut self, room: &str) -> Option<String> {
        let returning = mem::take(&mut self.returning);
        match &self.room {
            Some(left) if returning && left != room => Some(format!("/join {left}")),
            _ => {
                if self.room.as_deref() != Some(room) {
                    self.catch_up.forget();
                }
                self.room = Some(room.to_owned());
                None
            }
        }
    }

    fn remember(&mut self, heard: &Heard<'_>) {
        let names = heard.names();
        self.others.retain(|other| !names.contains(&other.as_str()));
        let here = match heard {
            Heard::Left(_) | Heard::YouAre(_) => return,
            Heard::Renamed { new, .. } => vec![*new],
            _ => names,
        };
        self.others.extend(
            here.into_iter()
                .filter(|name| *name != self.me)
                .map(str::to_owned),
        );
        let surplus = self.others.len().saturating_sub(NAMES_MAX);
        self.others.drain(..surplus);
    }

    /// The lines that are to be shown now that this one has come: none of a replay that were shown before.
    pub(crate) fn shown(&mut self, line: &str) -> Vec<String> {
        self.catch_up.pass(line)
    }

    /// The line in colours: each name in its own, the server's words and times dimmed, a mention of one's own name marked.
    pub(crate) fn paint(&mut self, line: &str, is_mention: bool) -> String {
        let (time, said) = split_time(line);
        if said.starts_with("-- ") {
            return format!("\x1b[2m{line}\x1b[22m");
        }
        let names = Heard::of(said).names();
        let here = [&self.me].into_iter().chain(&self.others);
        let colours = self.colours.of(&names, here.map(String::as_str));
        let painted = paint::paint(said, &names, &colours);
        match (time, is_mention) {
            ("", _) => painted,
            (time, false) => format!("\x1b[2m{time}\x1b[22m{painted}"),
            (time, true) => format!(
                "\x1b[7m{}\x1b[27m \x1b[1m{painted}\x1b[22m",
                time.trim_end()
            ),
        }
    }

    /// What the last word of `typed` may become: commands at the beginning of the line, else names, who spoke last first.
    pub(crate) fn complete(&self, typed: &str) -> Vec<String> {
        let word = last_word(typed);
        if word.is_empty() {
            return Vec::new();
        }
        let first = word.len() == typed.len();
        if let Some(start) = word.strip_prefix('/').filter(|_| first) {
            let fitting = command_names().filter(|command| command.starts_with(start));
            return fitting.map(|command| format!("/{command} ")).collect();
        }
        let end = if first { ": " } else { " " };
        let start = word.to_lowercase();
        let fitting = self
            .others
            .iter()
            .rev()
            .filter(|name| name.to_lowercase().starts_with(&start));
        fitting.map(|name| format!("{name}{end}")).collect()
    }
}

/// Whether `name` stands in `text` as a word: `al` is not meant by `also`.
fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let mut found = text.match_indices(&name);
    !name.is_empty()
        && found.any(|(at, _)| {
            let (before, after) = (text.get(..at), text.get(at + name.len()..));
            !before.is_some_and(|before| before.ends_with(char::is_alphanumeric))
                && !after.is_some_and(|after| after.starts_with(char::is_alphanumeric))
        })
}

#[cfg(test)]
mod tests {
    use super::{Guest, Reaction};

    fn guest(lines: &[&str]) -> Guest {
        let mut guest = Guest::default();
        for line in lines {
            guest.hear(line);
        }
        guest
    }

    #[test]
    fn names_are_learned_and_forgotten() {
        let here = guest(&[
            "You are alice",
            "In lobby: bob, carol, bernd",
            "bea has arrived",
            "carol: bruno has arrived",
        ]);
        assert_eq!(here.complete("b"), ["bea: ", "bernd: ", "bob: "]);
        let later = guest(&[
            "In lobby: bob, carol",
            "bob has left (bye)",
            "carol is now known as caro",
            "[12:01] Ben: hi",
        ]);
        assert_eq!(later.complete("b"), ["Ben: "]);
        assert_eq!(later.complete("hi CA"), ["caro "]);
        assert!(
            guest(&["You are alice", "alice: hi"])
                .complete("al")
                .is_empty()
        );
        assert!(
            guest(&["In lobby: bob", "In games: carol"])
                .complete("b")
                .is_empty()
        );
    }

    #[test]
    fn commands_are_offered_at_the_beginning_only() {
        let guest = guest(&[]);
        assert_eq!(
            guest.complete("/m"),
            ["/me ", "/msg ", "/missed ", "/mute "]
        );
        assert!(guest.complete("see /m").is_empty());
        assert!(guest.complete("").is_empty());
    }

    #[test]
    fn the_name_question_is_answered_once_for_each_connection() {
        let mut guest = Guest::new(Some("al".to_owned()));
        assert_eq!(guest.hear("You are 127.0.0.1:64208"), Reaction::default());
        assert_eq!(
            guest.hear("What is your name? (Enter ...").answer,
            Some("al".to_owned())
        );
        assert_eq!(
            guest.hear("What is your name? (Enter ...").answer,
            None,
            "refused: the person answers"
        );
        guest.hear("You are alan");
        guest.come_back();
        assert_eq!(
            guest.hear("What is your name? (Enter ...").answer,
            Some("alan".to_owned())
        );
    }

    #[test]
    fn names_have_colours_and_mentions_are_marked() {
        let mut guest = guest(&["You are al"]);
        for line in [
            "al changed the topic to: bo has left",
            "al cleared the topic",
        ] {
            let painted = guest.paint(line, false);
            let end = line.strip_prefix("al").unwrap_or_default();
            assert!(painted.starts_with("\x1b[38;5;"), "{painted:?}");
            assert!(
                painted.ends_with(&format!("mal\x1b[39m{end}")),
                "{painted:?}"
            );
        }
        let marked = guest.paint("[12:01] bob: hi al", true);
        assert!(marked.starts_with("\x1b[7m[12:01]\x1b[27m "), "{marked:?}");
        let dim = guest.paint("-- Nobody here is called x", false);
        assert!(dim.starts_with("\x1b[2m-- "), "{dim:?}");
    }

    #[test]
    fn what_one_read_before_is_hidden_on_coming_back() {
        let mut guest = guest(&["You are al", "In lobby: bob"]);
        guest.come_back();
        for line in [
            "You are 127.0.0.1:64208",
            "What is your name? (Enter ...",
            "You are al",
        ] {
            assert!(guest.hear(line).hidden, "{line}");
        }
        assert!(!guest.hear("In lobby: bob").hidden);
        assert!(guest.hear("-- Lines here are stored").hidden);
        assert!(!guest.hear("You are alan").hidden);
    }

    #[test]
    fn a_program_does_not_come_back_by_itself_where_the_end_is_meant() {
        for line in [
            "-- You came back on another connection; this one is closed",
            "-- You were removed by the operator",
            "-- You are banned by the operator",
        ] {
            assert!(guest(&[line]).away, "{line}");
        }
        let moved = guest(&["-- You were removed from tea by bob", "In lobby: bob"]);
        assert!(!moved.away);
    }

    #[test]
    fn the_way_back_leads_to_the_room_one_was_in() {
        let mut guest = guest(&["You are al", "In lobby: bob", "In tea: carol"]);
        for _ in 0..2 {
            guest.come_back(); // the second time from the lobby, half-way
            guest.hear("What is your name? (Enter ...");
            guest.hear("You are al");
            assert!(guest.expects_more());
            let answer = guest.hear("In lobby: bob").answer;
            assert_eq!(answer.as_deref(), Some("/join tea"));
            assert!(!guest.expects_more());
        }
        assert_eq!(guest.hear("In tea: carol").answer, None);
        assert_eq!(
            guest.hear("In lobby: bob").answer,
            None,
            "by one's own will"
        );
        guest.come_back();
        assert_eq!(guest.hear("In lobby: bob").answer, None);
    }

    #[test]
    fn a_code_is_asked_for_and_tried_once_for_each_connection() {
        let mut guest = guest(&["You are al"]);
        let asked = guest.hear("-- Lines here are stored");
        assert_eq!(asked.answer.as_deref(), Some("/code"));
        let code = "-- Your return code is ab-cd: if you lose";
        assert!(guest.hear(code).hidden);
        assert!(!guest.hear(code).hidden, "the person has asked");
        for _ in 0..2 {
            guest.come_back();
            let question = "What is your name? (Enter ...";
            let answer = guest.hear(question).answer;
            assert_eq!(answer.as_deref(), Some("/resume ab-cd"));
            assert!(guest.expects_more());
            assert_eq!(guest.hear(question).answer.as_deref(), Some("al"));
            assert!(!guest.expects_more());
            assert!(guest.hear(question).asked);
        }
    }

    #[test]
    fn the_bell_is_for_ones_own_name_said_by_others_now() {
        let mut guest = guest(&["You are al"]);
        for (line, mentioned) in [
            ("bob: hi al!", true),
            ("bob: AL?", true),
            ("bob: also", false),
            ("al: I am al", false),
            ("[12:01] bob: hi al", false),
            ("* bob waves at al", true),
            ("[bob -> al] psst", true),
            ("al has arrived", false),
        ] {
            assert_eq!(guest.hear(line).mentioned, mentioned, "{line}");
        }
    }

    #[test]
    fn a_server_cannot_fill_the_memory_with_names() {
        let mut guest = guest(&[]);
        for n in 0..3_000 {
            guest.hear(&format!("guest{n}: hi"));
        }
        assert_eq!(guest.others.len(), super::NAMES_MAX);
    }
}
