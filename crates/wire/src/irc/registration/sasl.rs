//! Logging in with AUTHENTICATE (IRCv3, "SASL Authentication"; RFC 4616, "PLAIN"). Knows no account.

use std::mem;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The length of a piece behind which another one follows, and of the longest piece.
pub(crate) const PIECE_BYTES: usize = 400;

/// The longest response in base64: two names and a password fit into half of it.
const RESPONSE_BYTES_MAX: usize = 4 * PIECE_BYTES;

/// The response of a client, which comes in pieces.
#[derive(Default)]
pub struct SaslResponse {
    /// The pieces so far, in base64.
    encoded: String,
}

/// The meaning of a piece.
#[derive(PartialEq, Eq)]
pub enum SaslPiece {
    /// Another piece follows.
    More,
    /// The response is whole.
    Whole(Vec<u8>),
    /// The client has given up.
    Aborted,
    /// The piece or the response is too long.
    TooLong,
    /// The response is not base64.
    Malformed,
}

impl SaslResponse {
    /// Takes the parameter of an AUTHENTICATE that follows the choice of a mechanism. After
    /// everything but [`SaslPiece::More`] a new response begins.
    pub fn hear(&mut self, piece: &str) -> SaslPiece {
        let mut encoded = mem::take(&mut self.encoded);
        match piece {
            "*" => return SaslPiece::Aborted,
            "+" => {}
            _ if piece.len() > PIECE_BYTES => return SaslPiece::TooLong,
            _ if encoded.len() + piece.len() > RESPONSE_BYTES_MAX => return SaslPiece::TooLong,
            _ => encoded.push_str(piece),
        }
        if piece.len() == PIECE_BYTES {
            self.encoded = encoded;
            return SaslPiece::More;
        }
        STANDARD.decode(encoded).map_or(SaslPiece::Malformed, SaslPiece::Whole)
    }
}

/// A response of the mechanism PLAIN.
#[derive(PartialEq, Eq)]
pub struct SaslPlain<'a> {
    /// The account to act as; empty if it is the one below.
    pub authorised: &'a str,
    /// The account to which the password belongs.
    pub account: &'a str,
    /// The password.
    pub password: &'a str,
}

impl<'a> SaslPlain<'a> {
    /// Parses a response; none if it is not UTF-8, has no account or no password, or has not three
    /// parts.
    pub fn parse(response: &'a [u8]) -> Option<SaslPlain<'a>> {
        let mut parts = str::from_utf8(response).ok()?.split('\0');
        let plain = SaslPlain {
            authorised: parts.next()?,
            account: parts.next()?,
            password: parts.next()?,
        };
        let is_whole = parts.next().is_none() && !plain.account.is_empty();
        (is_whole && !plain.password.is_empty()).then_some(plain)
    }

    /// Whether the client wants to act as the account that it proves.
    pub fn is_for_itself(&self) -> bool {
        self.authorised.is_empty() || self.authorised.eq_ignore_ascii_case(self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The meaning of the last of these pieces; the others ask for more.
    fn last(pieces: &[&str]) -> SaslPiece {
        let mut response = SaslResponse::default();
        let (last, before) = pieces.split_last().map_or(("+", &[][..]), |(last, all)| (*last, all));
        assert!(before.iter().all(|piece| response.hear(piece) == SaslPiece::More));
        let heard = response.hear(last);
        assert!(response.encoded.is_empty() || heard == SaslPiece::More);
        heard
    }

    #[test]
    fn pieces_are_put_together() {
        assert!(last(&["YWxpY2U="]) == SaslPiece::Whole(b"alice".to_vec()));
        assert!(last(&["+"]) == SaslPiece::Whole(Vec::new()));
        let piece = "YWFh".repeat(100);
        assert!(last(&[&piece]) == SaslPiece::More);
        assert!(last(&[&piece, "+"]) == SaslPiece::Whole(b"a".repeat(300)));
        assert!(last(&[&piece, "YWE="]) == SaslPiece::Whole(b"a".repeat(302)));
        assert!(last(&[&piece, "*"]) == SaslPiece::Aborted);
        assert!(last(&[&piece, &piece, &piece, &piece]) == SaslPiece::More);
    }

    #[test]
    fn wrong_and_endless_responses_end() {
        for malformed in ["YWxpY2U", "ä", "Y W=", "YWxpY2U=YWxpY2U=", "++"] {
            assert!(last(&[malformed]) == SaslPiece::Malformed, "{malformed}");
        }
        let piece = "YWFh".repeat(100);
        assert!(last(&[&(piece.clone() + "YWFh")]) == SaslPiece::TooLong);
        assert!(last(&[&piece, &piece, &piece, &piece, "YWFh"]) == SaslPiece::TooLong);
    }

    #[test]
    fn plain_has_three_parts() {
        let parsed = |response| {
            let plain = SaslPlain::parse(response)?;
            Some((plain.authorised, plain.account, plain.password, plain.is_for_itself()))
        };
        assert_eq!(parsed(b"\0alice\0secret"), Some(("", "alice", "secret", true)));
        assert_eq!(parsed(b"Alice\0alice\0 s "), Some(("Alice", "alice", " s ", true)));
        assert_eq!(parsed(b"bob\0alice\0secret"), Some(("bob", "alice", "secret", false)));
        for other in
            [&b""[..], b"alice", b"\0alice", b"\0alice\0", b"\0\0x", b"\0a\0b\0c", b"\0a\0\xff"]
        {
            assert_eq!(parsed(other), None, "{}", other.escape_ascii());
        }
    }
}
