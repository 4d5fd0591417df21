//! AUTHENTICATE, before a client has registered and after it. Knows no account.

use parlor_core::model::Line;

use super::sasl::{PIECE_BYTES, SaslPiece, SaslPlain, SaslResponse};
use crate::irc::protocol::{IrcMessage, Numeric};
use crate::irc::reply::Replies;

/// The mechanism that the server has.
const MECHANISM: &str = "PLAIN";

/// The sentence for a log-in that fails because of its form.
const MALFORMED: &str = "SASL authentication failed: this is no response of PLAIN";

/// The sentence for a client from which no password is accepted.
pub(crate) const NO_PASSWORDS: &str =
    "Passwords are accepted only where nobody can read them on the way, and where lines are stored";

/// An account, and the password with which a client logs in to it.
pub(crate) struct Credentials {
    pub(crate) account: Line,
    pub(crate) password: Line,
}

/// The log-in of one client, while it is under way.
#[derive(Default)]
pub(crate) struct Authentication(Option<Box<SaslResponse>>);

impl Authentication {
    /// Takes an AUTHENTICATE of a client that may log in here, or may not. Returns what the client
    /// gives for its log-in, when all of it has come.
    pub(crate) fn hear(
        &mut self,
        message: &IrcMessage<'_>,
        is_offered: bool,
        replies: &mut Replies,
    ) -> Option<Credentials> {
        let Some(parameter) = message.parameter(0) else {
            replies.numeric(
                Numeric::ERR_NEEDMOREPARAMS,
                &["AUTHENTICATE"],
                "Not enough parameters",
            );
            return None;
        };
        if !is_offered {
            replies.numeric(Numeric::ERR_SASLFAIL, &[], NO_PASSWORDS);
            return None;
        }
        match self.0.take() {
            Some(response) => self.take_piece(response, parameter, replies),
            None => {
                self.choose(parameter, replies);
                None
            }
        }
    }

    /// Takes the choice of a mechanism.
    fn choose(&mut self, mechanism: &str, replies: &mut Replies) {
        if mechanism.eq_ignore_ascii_case(MECHANISM) {
            self.0 = Some(Box::default());
            replies.words("AUTHENTICATE", &["+"]);
        } else if mechanism == "*" {
            replies.numeric(Numeric::ERR_SASLABORTED, &[], "SASL authentication aborted");
        } else {
            let text = "are available SASL mechanisms";
            replies.numeric(Numeric::RPL_SASLMECHS, &[MECHANISM], text);
            let text = "SASL authentication failed: there is no such mechanism";
            replies.numeric(Numeric::ERR_SASLFAIL, &[], text);
        }
    }

    fn take_piece(
        &mut self,
        mut response: Box<SaslResponse>,
        piece: &str,
        replies: &mut Replies,
    ) -> Option<Credentials> {
        let (numeric, text) = match response.hear(piece) {
            SaslPiece::More => {
                self.0 = Some(response);
                return None;
            }
            SaslPiece::Whole(bytes) => match SaslPlain::parse(&bytes) {
                Some(plain) if plain.is_for_itself() => return Some(credentials(&plain)),
                _ => (Numeric::ERR_SASLFAIL, MALFORMED),
            },
            SaslPiece::Aborted => (Numeric::ERR_SASLABORTED, "SASL authentication aborted"),
            SaslPiece::TooLong if piece.len() > PIECE_BYTES => {
                (Numeric::ERR_SASLTOOLONG, "SASL message too long")
            }
            SaslPiece::TooLong | SaslPiece::Malformed => (Numeric::ERR_SASLFAIL, MALFORMED),
        };
        replies.numeric(numeric, &[], text);
        None
    }

    /// Ends a log-in that is under way, because the client does something else.
    pub(crate) fn abort(&mut self, replies: &mut Replies) {
        if self.0.take().is_some() {
            replies.numeric(Numeric::ERR_SASLABORTED, &[], "SASL authentication aborted");
        }
    }
}

fn credentials(plain: &SaslPlain<'_>) -> Credentials {
    let line = |text: &str| Line::sanitise(text.as_bytes());
    Credentials { account: line(plain.account), password: line(plain.password) }
}
