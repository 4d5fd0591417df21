//! What the client remembers of the chat: one's own name and who is here. Knows no connection and no terminal.

use parlor_core::command::command_names;

use super::heard::{Heard, split_time};
use super::screen;
use super::text::last_word;

/// Enough for the people one talks with; keeps a hostile server from filling the memory.
const NAMES_MAX: usize = 1_000;

/// The person on this side, and those on the other.
#[derive(Default)]
pub(super) struct Guest {
    /// Answers the next name question; the person is asked when it is `None`.
    answer: Option<String>,
    /// The name that the server gave or confirmed last.
    me: String,
    /// Everybody heard of, who was heard of last at the end.
    others: Vec<String>,
    /// Whether the server closed, or is about to, for want of somebody typing.
    pub(super) away: bool,
}

/// What a line does besides being shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reaction {
    /// To be sent at once: the answer to the name question.
    pub(super) answer: Option<String>,
    /// Somebody else mentions one's name, now and not in the past.
    pub(super) mentioned: bool,
}

impl Guest {
    pub(super) fn new(name: Option<String>) -> Self {
        Self {
            answer: name,
            ..Self::default()
        }
    }

    /// Whether the next name question needs no person.
    pub(super) fn knows_answer(&self) -> bool {
        self.answer.is_some()
    }

    /// Prepares for another connection, which is to be entered with the name one had.
    pub(super) fn come_back(&mut self) {
        let had_name = !self.me.is_empty() && !self.me.contains(':');
        self.answer = had_name.then(|| self.me.clone()).or(self.answer.take());
    }

    /// Learns from a line of the server.
    pub(super) fn hear(&mut self, line: &str) -> Reaction {
        let (time, said) = split_time(line);
        let heard = Heard::of(said);
        self.away |= line.starts_with("-- Silent for ") || line.starts_with("-- No name given");
        let mut reaction = Reaction::default();
        match &heard {
            Heard::YouAre(name) => self.me = (*name).to_owned(),
            Heard::NameQuestion => reaction.answer = self.answer.take(),
            Heard::Said { by, to, text } if *by != self.me && time.is_empty() => {
                reaction.mentioned = *to == Some(self.me.as_str()) || mentions(text, &self.me);
            }
            Heard::Roster(_) => self.others.clear(),
            _ => {}
        }
        self.remember(&heard);
        reaction
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

    /// The line as it is shown, its names coloured.
    pub(super) fn paint(line: &str) -> String {
        let (time, said) = split_time(line);
        format!("{time}{}", screen::paint(said, &Heard::of(said).names()))
    }

    /// What the last word of `typed` may become: commands at the beginning of the line, else names, who spoke last first.
    pub(super) fn complete(&self, typed: &str) -> Vec<String> {
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
        assert_eq!(guest.complete("/m"), ["/me ", "/msg ", "/missed "]);
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
