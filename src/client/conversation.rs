//! The client's view of the chat: the person's name and room, and the people there. Knows no
//! connection and no terminal.

use std::mem;

use parlor_core::link::command_names;

use super::catch_up::CatchUp;
use super::server_line::{ServerLine, split_time};
use crate::terminal::{Colours, last_word, paint_line};

/// Enough names for a conversation, and few enough that a hostile server cannot fill the memory.
const NAMES_MAX: usize = 1_000;

/// The state of the chat, as the server's lines tell it.
#[derive(Default)]
pub(crate) struct Conversation {
    /// The answer to the next name question; if there is none, the person answers.
    answer: Option<String>,
    /// The return code, if the server gave one. It is tried before the name.
    code: Option<String>,
    /// Whether the code answers the next name question.
    may_resume: bool,
    /// Whether the client, and not the person, asked for the code.
    awaits_code: bool,
    /// The name that the server gave or confirmed last.
    me: String,
    /// The person's room; after a lost connection, the room to go back to.
    room: Option<String>,
    /// Whether the next roster may be that of another room, because everybody enters through the
    /// lobby.
    returning: bool,
    /// Whether this is a new connection that has not reached the room. The person has read its
    /// first lines before.
    is_back: bool,
    /// Whether there was a connection before this one.
    was_here: bool,
    catch_up: CatchUp,
    colours: Colours,
    /// Everybody whose name was seen, the latest at the end.
    others: Vec<String>,
    /// Whether the server closed the connection on purpose, so that the client does not reconnect
    /// by itself.
    pub(crate) away: bool,
}

/// The effects of a line, apart from its display.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reaction {
    /// The connection works again, and the person is in a room.
    pub(crate) back: bool,
    /// An answer to send at once, before anything typed: the name, or the way back to the room.
    pub(crate) answer: Option<String>,
    /// The line answers a request that the client made by itself, so it is not shown.
    pub(crate) hidden: bool,
    /// The next line that the person types is a secret.
    pub(crate) secret: bool,
    /// The person must give a name.
    pub(crate) asked: bool,
    /// A new line mentions the person's name.
    pub(crate) mentioned: bool,
}

impl Conversation {
    pub(crate) fn new(name: Option<String>) -> Self {
        Self { answer: name, ..Self::default() }
    }

    /// Whether the client must answer first, before it sends the lines that the person types.
    pub(crate) fn expects_more(&self) -> bool {
        self.answer.is_some() || self.may_resume || self.returning
    }

    /// Prepares for a new connection: the same name, and the way back to the same room.
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
        let heard = ServerLine::of(said);
        let mut reaction = Reaction::default();
        match &heard {
            ServerLine::YouAre(name) => {
                reaction.hidden = self.is_back && (*name == self.me || name.contains(':'));
                // The address stands for the name until the server confirms the name.
                if !reaction.hidden || !name.contains(':') {
                    self.me = (*name).to_owned();
                }
            }
            ServerLine::NameQuestion => {
                reaction.answer = self.resume().or_else(|| self.answer.take());
                reaction.asked = reaction.answer.is_none();
                reaction.hidden = self.is_back && !reaction.asked;
            }
            ServerLine::Kept => {
                self.awaits_code = true;
                reaction.answer = Some("/code".to_owned());
                reaction.hidden = self.was_here;
            }
            ServerLine::Ended => self.away = true,
            ServerLine::Help => reaction.hidden = self.was_here,
            ServerLine::Password => reaction.secret = true,
            ServerLine::Code(code) => {
                self.code = Some((*code).to_owned());
                reaction.hidden = mem::take(&mut self.awaits_code);
            }
            ServerLine::Said { by, to, text } if *by != self.me && time.is_empty() => {
                reaction.mentioned = *to == Some(self.me.as_str()) || mentions(text, &self.me);
            }
            ServerLine::Roster { room, .. } => {
                self.others.clear();
                reaction.back = mem::take(&mut self.is_back);
                self.away = false; // a person who was removed from a room is in the lobby now
                reaction.answer = self.arrive(room);
            }
            _ => {}
        }
        self.remember(&heard);
        reaction
    }

    /// The command that resumes with the code, once for each connection.
    fn resume(&mut self) -> Option<String> {
        let code = self.code.as_ref().filter(|_| mem::take(&mut self.may_resume));
        code.map(|code| format!("/resume {code}"))
    }

    /// Notes the room of a roster, and returns the command that leads back to the room before, if
    /// needed.
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

    fn remember(&mut self, heard: &ServerLine<'_>) {
        let names = heard.names();
        self.others.retain(|other| !names.contains(&other.as_str()));
        let here = match heard {
            ServerLine::Left(_) | ServerLine::YouAre(_) => return,
            ServerLine::Renamed { new, .. } => vec![*new],
            _ => names,
        };
        self.others.extend(here.into_iter().filter(|name| *name != self.me).map(str::to_owned));
        let surplus = self.others.len().saturating_sub(NAMES_MAX);
        self.others.drain(..surplus);
    }

    /// The lines to show after this one has arrived, without replayed lines that were shown before.
    pub(crate) fn shown(&mut self, line: &str) -> Vec<String> {
        self.catch_up.pass(line)
    }

    /// The line in colours: each name has its own, times and the server's sentences are dim, and a
    /// mention of the person is marked.
    pub(crate) fn paint(&mut self, line: &str, is_mention: bool) -> String {
        let (time, said) = split_time(line);
        if said.starts_with("-- ") {
            return format!("\x1b[2m{line}\x1b[22m");
        }
        let names = ServerLine::of(said).names();
        let here = [&self.me].into_iter().chain(&self.others);
        let colours = self.colours.of(&names, here.map(String::as_str));
        let painted = paint_line(said, &names, &colours);
        match (time, is_mention) {
            ("", _) => painted,
            (time, false) => format!("\x1b[2m{time}\x1b[22m{painted}"),
            (time, true) => format!("\x1b[7m{}\x1b[27m \x1b[1m{painted}\x1b[22m", time.trim_end()),
        }
    }

    /// Completions for the last word of `typed`: commands at the beginning of the line, else names,
    /// the latest speaker first.
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
        let fitting =
            self.others.iter().rev().filter(|name| name.to_lowercase().starts_with(&start));
        fitting.map(|name| format!("{name}{end}")).collect()
    }
}

/// Whether `text` has `name` as a word: `also` does not mention `al`.
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
    use super::{Conversation, Reaction};

    fn conversation(lines: &[&str]) -> Conversation {
        let mut conversation = Conversation::default();
        for line in lines {
            conversation.hear(line);
        }
        conversation
    }

    #[test]
    fn names_are_learned_and_forgotten() {
        let here = conversation(&[
            "You are alice",
            "In lobby: bob, carol, bernd",
            "bea has arrived",
            "carol: bruno has arrived",
        ]);
        assert_eq!(here.complete("b"), ["bea: ", "bernd: ", "bob: "]);
        let later = conversation(&[
            "In lobby: bob, carol",
            "bob has left (bye)",
            "carol is now known as caro",
            "[12:01] Ben: hi",
        ]);
        assert_eq!(later.complete("b"), ["Ben: "]);
        assert_eq!(later.complete("hi CA"), ["caro "]);
        assert!(conversation(&["You are alice", "alice: hi"]).complete("al").is_empty());
        assert!(conversation(&["In lobby: bob", "In games: carol"]).complete("b").is_empty());
    }

    #[test]
    fn commands_are_offered_at_the_beginning_only() {
        let conversation = conversation(&[]);
        assert_eq!(conversation.complete("/m"), ["/me ", "/msg ", "/missed ", "/mute "]);
        assert!(conversation.complete("see /m").is_empty());
        assert!(conversation.complete("").is_empty());
    }

    #[test]
    fn the_name_question_is_answered_once_for_each_connection() {
        let mut conversation = Conversation::new(Some("al".to_owned()));
        assert_eq!(conversation.hear("You are 127.0.0.1:64208"), Reaction::default());
        assert_eq!(
            conversation.hear("What is your name? (Enter ...").answer,
            Some("al".to_owned())
        );
        assert_eq!(
            conversation.hear("What is your name? (Enter ...").answer,
            None,
            "refused: the person answers"
        );
        conversation.hear("You are alan");
        conversation.come_back();
        assert_eq!(
            conversation.hear("What is your name? (Enter ...").answer,
            Some("alan".to_owned())
        );
    }

    #[test]
    fn names_have_colours_and_mentions_are_marked() {
        let mut conversation = conversation(&["You are al"]);
        for line in ["al changed the topic to: bo has left", "al cleared the topic"] {
            let painted = conversation.paint(line, false);
            let end = line.strip_prefix("al").unwrap_or_default();
            assert!(painted.starts_with("\x1b[38;5;"), "{painted:?}");
            assert!(painted.ends_with(&format!("mal\x1b[39m{end}")), "{painted:?}");
        }
        let marked = conversation.paint("[12:01] bob: hi al", true);
        assert!(marked.starts_with("\x1b[7m[12:01]\x1b[27m "), "{marked:?}");
        let dim = conversation.paint("-- Nobody here is called x", false);
        assert!(dim.starts_with("\x1b[2m-- "), "{dim:?}");
    }

    #[test]
    fn lines_read_before_a_reconnection_are_hidden() {
        let mut conversation = conversation(&["You are al", "In lobby: bob"]);
        conversation.come_back();
        for line in ["You are 127.0.0.1:64208", "What is your name? (Enter ...", "You are al"] {
            assert!(conversation.hear(line).hidden, "{line}");
        }
        assert!(!conversation.hear("In lobby: bob").hidden);
        assert!(conversation.hear("-- Lines here are stored").hidden);
        assert!(!conversation.hear("You are alan").hidden);
    }

    #[test]
    fn the_client_does_not_reconnect_by_itself_after_a_deliberate_end() {
        for line in [
            "-- You came back on another connection; this one is closed",
            "-- You were removed by the operator",
            "-- You are banned by the operator",
        ] {
            assert!(conversation(&[line]).away, "{line}");
        }
        let moved = conversation(&["-- You were removed from tea by bob", "In lobby: bob"]);
        assert!(!moved.away);
    }

    #[test]
    fn reconnecting_leads_back_to_the_same_room() {
        let mut conversation = conversation(&["You are al", "In lobby: bob", "In tea: carol"]);
        for _ in 0..2 {
            conversation.come_back(); // the second time from the lobby, half-way
            conversation.hear("What is your name? (Enter ...");
            conversation.hear("You are al");
            assert!(conversation.expects_more());
            let answer = conversation.hear("In lobby: bob").answer;
            assert_eq!(answer.as_deref(), Some("/join tea"));
            assert!(!conversation.expects_more());
        }
        assert_eq!(conversation.hear("In tea: carol").answer, None);
        assert_eq!(conversation.hear("In lobby: bob").answer, None, "by one's own will");
        conversation.come_back();
        assert_eq!(conversation.hear("In lobby: bob").answer, None);
    }

    #[test]
    fn a_code_is_asked_for_and_tried_once_for_each_connection() {
        let mut conversation = conversation(&["You are al"]);
        let asked = conversation.hear("-- Lines here are stored");
        assert_eq!(asked.answer.as_deref(), Some("/code"));
        let code = "-- Your return code is ab-cd: if you lose";
        assert!(conversation.hear(code).hidden);
        assert!(!conversation.hear(code).hidden, "the person has asked");
        for _ in 0..2 {
            conversation.come_back();
            let question = "What is your name? (Enter ...";
            let answer = conversation.hear(question).answer;
            assert_eq!(answer.as_deref(), Some("/resume ab-cd"));
            assert!(conversation.expects_more());
            assert_eq!(conversation.hear(question).answer.as_deref(), Some("al"));
            assert!(!conversation.expects_more());
            assert!(conversation.hear(question).asked);
        }
    }

    #[test]
    fn the_bell_rings_when_others_say_the_persons_name_in_a_new_line() {
        let mut conversation = conversation(&["You are al"]);
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
            assert_eq!(conversation.hear(line).mentioned, mentioned, "{line}");
        }
    }

    #[test]
    fn a_server_cannot_fill_the_memory_with_names() {
        let mut conversation = conversation(&[]);
        for n in 0..3_000 {
            conversation.hear(&format!("conversation{n}: hi"));
        }
        assert_eq!(conversation.others.len(), super::NAMES_MAX);
    }
}
