//! Gives a name to the server without a person. Knows the order of a greeting, but no connection
//! and no clock.

use super::server_line::ServerLine;
use crate::config::Address;

/// The length up to which the server's reason is shown.
const REASON_CHARS_MAX: usize = 200;

/// The advice for a registered name, because no person is there to type its password.
const OWNED: &str = "give another --name, or speak with curl -u NAME:TOKEN";

/// The advice for the port for browsers, and for servers of another kind.
pub(super) const LINE_PORT: &str = "join the port for lines, usually 8000, or 8043 with tls://";

/// The beginnings of the first lines of other protocols' servers. A later line of Parlor may begin
/// like this, but never the first one.
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

/// The beginning of an alert of TLS (RFC 8446), with which a server answers what is not encrypted.
const TLS_ALERT: &[u8] = b"\x15\x03";

/// The advice about a server that speaks TLS, if its first bytes say so.
pub(super) fn tls_advice(first: &[u8], server: &Address) -> Option<String> {
    let speaks_tls = first.starts_with(TLS_ALERT);
    speaks_tls.then(|| format!("The server at {server} speaks TLS: parlor join tls://{server}"))
}

/// The first line of a server of another protocol, if it is known to be one.
pub(super) fn foreign_words(line: &str) -> Option<String> {
    let is_foreign = has_status(line) || FOREIGN.iter().any(|start| line.starts_with(start));
    is_foreign.then(|| line.chars().take(REASON_CHARS_MAX).collect())
}

/// Whether a line begins like those of SMTP, FTP and NNTP: with three digits and a space or a
/// hyphen.
fn has_status(line: &str) -> bool {
    matches!(line.as_bytes(), [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..])
}

/// The state of the exchange with the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HandshakeState {
    /// The server has sent no greeting.
    Silent,
    /// The server has sent `You are ADDR`. If it wants a name, it asks for it next.
    Greeted,
    /// The server has received the name.
    Answered,
}

/// The next step after a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HandshakeStep {
    /// Read the next line.
    Wait,
    /// Send the name.
    Answer,
    /// Start sending: the server has accepted the name, or does not ask for one.
    In,
    /// Give up, with advice: the server refuses the name, or it does not speak lines.
    Refused(&'static str),
}

/// The exchange with the server until it accepts the name.
pub(super) struct Handshake {
    stage: HandshakeState,
    /// The server's last sentence: the reason, if it refuses.
    reason: String,
}

impl Handshake {
    pub(super) fn new() -> Self {
        Self { stage: HandshakeState::Silent, reason: String::new() }
    }

    /// Learns from a sanitised line of the server.
    pub(super) fn hear(&mut self, line: &str) -> HandshakeStep {
        let heard = ServerLine::of(line);
        if let Some(words) = line.strip_prefix("-- ") {
            self.reason = words.chars().take(REASON_CHARS_MAX).collect();
            return match heard {
                ServerLine::Password => HandshakeStep::Refused(OWNED),
                _ => HandshakeStep::Wait,
            };
        }
        match (heard, self.stage) {
            (ServerLine::NameQuestion, HandshakeState::Answered) => {
                HandshakeStep::Refused("give another --name")
            }
            (ServerLine::NameQuestion, _) => {
                self.stage = HandshakeState::Answered;
                HandshakeStep::Answer
            }
            (ServerLine::YouAre(_), HandshakeState::Silent) => {
                self.stage = HandshakeState::Greeted;
                HandshakeStep::Wait
            }
            // The server is not Parlor, and would misread the next lines.
            (_, HandshakeState::Silent) => {
                self.reason = line.chars().take(REASON_CHARS_MAX).collect();
                HandshakeStep::Refused(LINE_PORT)
            }
            _ => HandshakeStep::In,
        }
    }

    /// Whether the server has sent its greeting: it asks for a name directly after it, or never.
    pub(super) fn is_greeted(&self) -> bool {
        self.stage == HandshakeState::Greeted
    }

    /// The server's reason, if it gave one.
    pub(super) fn reason(&self) -> Option<&str> {
        Some(self.reason.as_str()).filter(|reason| !reason.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::{Handshake, HandshakeStep, LINE_PORT, OWNED, REASON_CHARS_MAX, foreign_words};

    const PASSWORD: &str = "-- al is registered: type its password (Enter to go without this name)";

    fn steps(lines: &[&str]) -> (Vec<HandshakeStep>, Option<String>) {
        let mut handshake = Handshake::new();
        let steps = lines.iter().map(|line| handshake.hear(line)).collect();
        (steps, handshake.reason().map(str::to_owned))
    }

    #[test]
    fn a_question_is_answered_and_the_answer_accepted() {
        let lines = ["You are [::1]:64208", "What is your name? (Enter", "You are al"];
        let expected = vec![HandshakeStep::Wait, HandshakeStep::Answer, HandshakeStep::In];
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
        assert!(matches!(steps.last(), Some(HandshakeStep::Refused(_))));
        assert_eq!(reason.as_deref(), Some("al is taken"));
    }

    #[test]
    fn a_server_that_asks_nothing_gets_no_name() {
        for line in ["In lobby: bob", "al: What is your name?", "bob has arrived"] {
            let expected = vec![HandshakeStep::Wait, HandshakeStep::In];
            assert_eq!(steps(&["You are [::1]:64208", line]), (expected, None));
        }
    }

    #[test]
    fn a_password_and_a_door_for_browsers_are_refusals_at_once() {
        let owned = ["You are [::1]:64208", "What is your name? (Enter", PASSWORD];
        assert_eq!(steps(&owned).0.last(), Some(&HandshakeStep::Refused(OWNED)));
        let web = steps(&["HTTP/1.1 400 Bad Request"]);
        assert_eq!(web.0, [HandshakeStep::Refused(LINE_PORT)]);
    }

    #[test]
    fn a_server_that_does_not_greet_like_parlor_gets_no_name() {
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
            let refused = (vec![HandshakeStep::Refused(LINE_PORT)], Some(line.to_owned()));
            assert_eq!(steps(&[line]), refused);
            assert_eq!(foreign_words(line).as_deref(), Some(line));
        }
        for line in ["Welcome to a server of another kind", "", "bob: hello"] {
            assert_eq!(steps(&[line]).0, [HandshakeStep::Refused(LINE_PORT)]);
            assert_eq!(foreign_words(line), None);
        }
        for line in ["You are [::1]:64208", "-- The server is full", "220", "a: 220 "] {
            assert_eq!(foreign_words(line), None);
        }
    }

    #[test]
    fn a_long_reason_is_cut() {
        let (_, reason) = steps(&[&format!("-- {}", "ä".repeat(9_999))]);
        assert_eq!(reason.unwrap_or_default().chars().count(), REASON_CHARS_MAX);
    }
}
