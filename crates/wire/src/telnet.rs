//! Separates telnet's commands from text, byte by byte. Knows no lines. It supports one option, the
//! echo, and refuses all others.
//!
//! UTF-8 never contains the byte 255, so each one is an IAC. The commands are those of RFC 854.
//! After RFC 1143, two rules end a loop of answers: no offer or request is refused twice, and there
//! are at most [`ANSWERS_MAX`] answers.

/// "Interpret as command": the byte that begins every telnet command. UTF-8 never contains it.
pub const IAC: u8 = 255;

/// The largest number of answers on one connection. A real client offers fewer than 20 options; the
/// other answers are for interrupts.
pub const ANSWERS_MAX: usize = 64;

/// The longest subnegotiation in bytes, with its option; IAC IAC counts as one. The server invites
/// none, because it refuses every option. Those that clients send unasked (window size, terminal
/// type, environment) have a few hundred bytes.
pub const SUBNEGOTIATION_BYTES_MAX: u16 = 1024;

/// The lowest byte that is a command after IAC: End of File (RFC 1184).
const FIRST_COMMAND: u8 = 236;
const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;

/// RFC 857: the side that echoes shows typed characters.
const ECHO: u8 = 1;

/// RFC 860. It is not a state but a question: each one waits for its answer.
const TIMING_MARK: u8 = 6;

/// The meaning of one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TelnetEvent {
    /// A byte of text.
    Text(u8),
    /// A part of a command: nothing to show and nothing to do.
    Nothing,
    /// The end of a command, which gets these bytes as its answer.
    Answer([u8; 3]),
    /// A subnegotiation has passed [`SUBNEGOTIATION_BYTES_MAX`] and counts as over: the peer does
    /// not speak telnet, or attacks. The next bytes are text again. Discard the current line up to
    /// its newline, so that nobody sees the rest of the payload. (A newline does not end a
    /// subnegotiation: the size of a window with 10 rows contains one.)
    Endless,
}

/// The telnet side of one connection. It needs no buffer, however long a command is.
#[derive(Debug, Default)]
pub struct Telnet {
    state: TelnetState,
    /// All answers of this connection, at most [`ANSWERS_MAX`], so that none is given twice.
    answered: Vec<[u8; 3]>,
    /// This side shows typed characters, or has offered to.
    echoes: bool,
}

/// The state after the last byte.
#[derive(Debug, Default, Clone, Copy)]
enum TelnetState {
    #[default]
    Text,
    /// After IAC.
    Command,
    /// After IAC and WILL, WONT, DO or DONT: the option comes next.
    Negotiation { verb: u8 },
    /// After IAC SB; `iac` if the last byte was an IAC, which SE turns into the end.
    Subnegotiation { bytes: u16, iac: bool },
}

impl Telnet {
    /// Whether a command has begun: then the next byte belongs to it, even if it looks like text.
    pub(crate) fn in_command(&self) -> bool {
        !matches!(self.state, TelnetState::Text)
    }

    /// The command by which this side takes over the echo, or gives it back.
    pub(crate) fn take_over_echo(&mut self, is_over_here: bool) -> [u8; 3] {
        self.echoes = is_over_here;
        let verb = if is_over_here { WILL } else { WONT };
        [IAC, verb, ECHO]
    }

    /// Takes the next byte from the peer.
    pub fn hear(&mut self, byte: u8) -> TelnetEvent {
        match self.state {
            TelnetState::Text if byte == IAC => self.go_on(TelnetState::Command),
            TelnetState::Text => TelnetEvent::Text(byte),
            TelnetState::Command => self.command(byte),
            TelnetState::Negotiation { verb } => {
                self.state = TelnetState::Text;
                self.answer(verb, byte)
            }
            TelnetState::Subnegotiation { iac: true, .. } if byte == SE => {
                self.go_on(TelnetState::Text)
            }
            TelnetState::Subnegotiation { bytes, iac: false } if byte == IAC => {
                self.go_on(TelnetState::Subnegotiation { bytes, iac: true })
            }
            TelnetState::Subnegotiation { bytes, .. } if bytes >= SUBNEGOTIATION_BYTES_MAX => {
                self.state = TelnetState::Text;
                TelnetEvent::Endless
            }
            // Also after an IAC: the second of two is payload. An IAC before any other command is
            // the peer's error; to obey it would show the rest of the payload.
            TelnetState::Subnegotiation { bytes, .. } => self
                .go_on(TelnetState::Subnegotiation { bytes: bytes.saturating_add(1), iac: false }),
        }
    }

    /// The byte after IAC.
    fn command(&mut self, byte: u8) -> TelnetEvent {
        match byte {
            WILL | WONT | DO | DONT => self.go_on(TelnetState::Negotiation { verb: byte }),
            SB => self.go_on(TelnetState::Subnegotiation { bytes: 0, iac: false }),
            // Two of them stand for the byte itself, which is as invalid in UTF-8 as other stray
            // bytes.
            IAC => self.say(IAC),
            // Interrupts, erasures and similar commands are for a program in a terminal; there is
            // none here.
            FIRST_COMMAND.. => self.go_on(TelnetState::Text),
            // Not a command: the 255 was a stray byte, or the byte after it was urgent data and is
            // lost. To drop this byte could lose a newline.
            _ => self.say(byte),
        }
    }

    /// Refuses an offer or a request. Never answers a refusal: two peers that did would never stop.
    fn answer(&mut self, verb: u8, option: u8) -> TelnetEvent {
        let refusal = match verb {
            DO if option == ECHO && self.echoes => return TelnetEvent::Nothing, // it accepts
            WILL => DONT,
            DO => WONT,
            _ => return TelnetEvent::Nothing,
        };
        let answer = [IAC, refusal, option];
        // After an interrupt a client shows nothing until its timing mark is answered, each time.
        let again = self.answered.contains(&answer) && answer != [IAC, WONT, TIMING_MARK];
        if again || self.answered.len() >= ANSWERS_MAX {
            return TelnetEvent::Nothing;
        }
        self.answered.push(answer);
        TelnetEvent::Answer(answer)
    }

    fn go_on(&mut self, state: TelnetState) -> TelnetEvent {
        self.state = state;
        TelnetEvent::Nothing
    }

    fn say(&mut self, byte: u8) -> TelnetEvent {
        self.state = TelnetState::Text;
        TelnetEvent::Text(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text in `bytes`, and the answers to them.
    fn hear(telnet: &mut Telnet, bytes: &[u8]) -> (Vec<u8>, Vec<[u8; 3]>) {
        let (mut text, mut answers) = (Vec::new(), Vec::new());
        for &byte in bytes {
            match telnet.hear(byte) {
                TelnetEvent::Text(byte) => text.push(byte),
                TelnetEvent::Answer(bytes) => answers.push(bytes),
                TelnetEvent::Nothing => {}
                TelnetEvent::Endless => text.extend(b"(endless)"),
            }
        }
        (text, answers)
    }

    fn text(bytes: &[u8]) -> Vec<u8> {
        hear(&mut Telnet::default(), bytes).0
    }

    fn answers(bytes: &[u8]) -> Vec<[u8; 3]> {
        hear(&mut Telnet::default(), bytes).1
    }

    #[test]
    fn offers_and_requests_are_refused_and_refusals_are_not_answered() {
        assert_eq!(answers(&[IAC, WILL, 31]), [[IAC, DONT, 31]]);
        assert_eq!(answers(&[IAC, DO, 1]), [[IAC, WONT, 1]]);
        assert!(answers(&[IAC, WONT, 31, IAC, DONT, 1]).is_empty());
        assert!(text(&[IAC, WILL, 31, IAC, WONT, 10, IAC, DO, 0, IAC, DONT, 13]).is_empty());
    }

    #[test]
    fn each_option_is_refused_once_per_kind() {
        let bytes = [IAC, WILL, 3, IAC, DO, 3, IAC, WILL, 3, IAC, WONT, 3, IAC, WILL, 3];
        assert_eq!(answers(&bytes), [[IAC, DONT, 3], [IAC, WONT, 3]]);
    }

    #[test]
    fn every_interrupt_of_a_telnet_client_is_answered() {
        let ctrl_c = [IAC, 244, IAC, DO, TIMING_MARK];
        let mut telnet = Telnet::default();
        for _ in 0..10 {
            let heard = hear(&mut telnet, &ctrl_c);
            assert_eq!(heard, (vec![], vec![[IAC, WONT, TIMING_MARK]]));
        }
    }

    #[test]
    fn a_loop_of_a_million_gets_at_most_64_answers() {
        let mut telnet = Telnet::default();
        let mut answers = 0;
        for round in 0..1_000_000_u32 {
            let option = round.to_le_bytes()[0];
            let verb = if round & 0x100 == 0 { WILL } else { DO };
            answers += hear(&mut telnet, &[IAC, verb, option]).1.len();
            answers += hear(&mut telnet, &[IAC, DO, TIMING_MARK]).1.len();
        }
        assert_eq!(answers, ANSWERS_MAX);
    }

    #[test]
    fn commands_are_skipped() {
        for command in (FIRST_COMMAND..=249).chain([FIRST_COMMAND]) {
            assert_eq!(text(&[b'a', IAC, command, b'b']), b"ab", "{command}");
        }
    }

    #[test]
    fn an_escaped_255_is_a_byte_of_text() {
        assert_eq!(text(b"a\xff\xffb\xff\xff\xff\xff"), b"a\xffb\xff\xff");
    }

    #[test]
    fn a_stray_255_takes_nothing_with_it() {
        assert_eq!(text(b"na\xffve\xff\n\xff\xc3\xa9"), "nave\né".as_bytes());
    }

    #[test]
    fn the_payload_of_a_subnegotiation_is_not_text() {
        assert_eq!(text(b"a\xff\xfa\x18\0xterm\r\n\xff\xf0b"), b"ab");
        assert_eq!(text(b"a\xff\xfa\x18\xff\xff\xf0c\xff\xfb\x01d\xff\xf0b"), b"ab");
        assert!(answers(b"a\xff\xfa\x18\xff\xfb\x01\xff\xf0b").is_empty());
    }

    #[test]
    fn a_subnegotiation_without_an_end_is_given_up() {
        let longest = vec![b'x'; usize::from(SUBNEGOTIATION_BYTES_MAX)];
        let ended = [b"a\xff\xfa", &longest[..], b"\xff\xf0b"].concat();
        assert_eq!(text(&ended), b"ab");
        let longer = [b"a\xff\xfa", &longest[..], b"xb"].concat();
        assert_eq!(text(&longer), b"a(endless)b");
    }
}
