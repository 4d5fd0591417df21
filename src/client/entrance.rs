//! Giving one's name without a person to ask. Knows the order of a greeting, but no connection and no clock.

use super::heard::Heard;

/// The reason that is passed on; the server may say more.
const REASON_CHARS_MAX: usize = 200;

/// What helps with a name that is registered: nobody is there to type the password.
const OWNED: &str = "give another --name, or speak with curl -u NAME:TOKEN";

/// What helps with the door for browsers, and with servers of another kind.
pub(super) const LINE_PORT: &str = "join the port for lines, usually 8000";

/// How servers of another kind begin. A line that people read in Parlor can begin like that, but not the first one.
const FOREIGN: [&str; 12] = [
    "HTTP/", "SSH-", "RFB ",  // VNC
    "+OK",   // POP3; Redis
    "-ERR",  // Redis; POP3
    "* OK",  // IMAP
    "* BYE", // IMAP
    ":",     // IRC
    "NOTICE ", "ERROR ", "INFO {", // NATS
    "@RSYNCD:",
];

/// What a server of another kind begins with, if it is known to be one.
pub(super) fn foreign_words(line: &str) -> Option<String> {
    let is_foreign = has_status(line) || FOREIGN.iter().any(|start| line.starts_with(start));
    is_foreign.then(|| line.chars().take(REASON_CHARS_MAX).collect())
}

/// Whether a line begins as those of SMTP, FTP and NNTP do: three digits, and a blank or a hyphen.
fn has_status(line: &str) -> bool {
    matches!(
        line.as_bytes(),
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..]
    )
}

/// What is known of the server so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has not greeted.
    Silent,
    /// It has said `You are ADDR`, after which a server that wants a name asks.
    Greeted,
    /// It has been told the name.
    Answered,
}

/// What to do after a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Read on.
    Wait,
    /// Give the name.
    Answer,
    /// Say what there is to say: the name is accepted, or nobody asks for one.
    In,
    /// Give up: this is not to be the name, or there is no server for lines. What to do about it.
    Refused(&'static str),
}

/// The way in, up to the name's being accepted.
pub(super) struct Entrance {
    stage: Stage,
    /// What the server said last in its own words: the reason, should it refuse.
    reason: String,
}

impl Entrance {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Silent,
            reason: String::new(),
        }
    }

    /// Learns from a sanitised line of the server.
    pub(super) fn hear(&mut self, line: &str) -> Step {
        let heard = Heard::of(line);
        if let Some(words) = line.strip_prefix("-- ") {
            self.reason = words.chars().take(REASON_CHARS_MAX).collect();
            return match heard {
                Heard::Password => Step::Refused(OWNED),
                _ => Step::Wait,
            };
        }
        match (heard, self.stage) {
            (Heard::NameQuestion, Stage::Answered) => Step::Refused("give another --name"),
            (Heard::NameQuestion, _) => {
                self.stage = Stage::Answered;
                Step::Answer
            }
            (Heard::YouAre(_), Stage::Silent) => {
                self.stage = Stage::Greeted;
                Step::Wait
            }
            // It is no Parlor, and takes what comes next for something else.
            (_, Stage::Silent) => {
                self.reason = line.chars().take(REASON_CHARS_MAX).collect();
                Step::Refused(LINE_PORT)
            }
            _ => Step::In,
        }
    }

    /// Whether nothing but a question, which comes at once, keeps one from being in.
    pub(super) fn is_greeted(&self) -> bool {
        self.stage == Stage::Greeted
    }

    /// The server's own words, if it had any.
    pub(super) fn reason(&self) -> Option<&str> {
        Some(self.reason.as_str()).filter(|reason| !reason.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::{Entrance, LINE_PORT, OWNED, REASON_CHARS_MAX, Step, foreign_words};

    const PASSWORD: &str = "-- al is registered: type its password (Enter to go without this name)";

    fn steps(lines: &[&str]) -> (Vec<Step>, Option<String>) {
        let mut entrance = Entrance::new();
        let steps = lines.iter().map(|line| entrance.hear(line)).collect();
        (steps, entrance.reason().map(str::to_owned))
    }

    #[test]
    fn a_question_is_answered_and_the_answer_accepted() {
        let lines = [
            "You are [::1]:64208",
            "What is your name? (Enter",
            "You are al",
        ];
        let expected = vec![Step::Wait, Step::Answer, Step::In];
        assert_eq!(steps(&lines), (expected, None));
    }

    #[test]
    fn a_second_question_is_a_refusal_with_a_reason() {
        let lines = [
            "You are [::1]:64208",
            "What is your name? (Enter",
            "-- al is taken",
            "What is your name? (Enter",
        ];
        let (steps, reason) = steps(&lines);
        assert!(matches!(steps.last(), Some(Step::Refused(_))));
        assert_eq!(reason.as_deref(), Some("al is taken"));
    }

    #[test]
    fn a_server_that_asks_nothing_gets_no_name() {
        for line in ["In lobby: bob", "al: What is your name?", "bob has arrived"] {
            let expected = vec![Step::Wait, Step::In];
            assert_eq!(steps(&["You are [::1]:64208", line]), (expected, None));
        }
    }

    #[test]
    fn a_password_and_a_door_for_browsers_are_refusals_at_once() {
        let owned = ["You are [::1]:64208", "What is your name? (Enter", PASSWORD];
        assert_eq!(steps(&owned).0.last(), Some(&Step::Refused(OWNED)));
        let web = steps(&["HTTP/1.1 400 Bad Request"]);
        assert_eq!(web.0, [Step::Refused(LINE_PORT)]);
    }

    #[test]
    fn what_does_not_greet_as_parlor_does_gets_no_name() {
        for line in [
            "HTTP/1.1 400 Bad Request",
            "SSH-2.0-OpenSSH_9.6",
            "220 mail.example.org ESMTP",
            "220-files.example.org",
            "+OK POP3 ready",
            "* OK IMAP4rev1 ready",
            "RFB 003.008",
            ":irc.example.org NOTICE * :*** Looking up your hostname...",
        ] {
            let refused = (vec![Step::Refused(LINE_PORT)], Some(line.to_owned()));
            assert_eq!(steps(&[line]), refused);
            assert_eq!(foreign_words(line).as_deref(), Some(line));
        }
        for line in ["Welcome to a server of another kind", "", "bob: hello"] {
            assert_eq!(steps(&[line]).0, [Step::Refused(LINE_PORT)]);
            assert_eq!(foreign_words(line), None);
        }
        for line in [
            "You are [::1]:64208",
            "-- The server is full",
            "220",
            "a: 220 ",
        ] {
            assert_eq!(foreign_words(line), None);
        }
    }

    #[test]
    fn a_reason_is_no_flood() {
        let (_, reason) = steps(&[&format!("-- {}", "ä".repeat(9_999))]);
        assert_eq!(reason.unwrap_or_default().chars().count(), REASON_CHARS_MAX);
    }
}
