//! Messages of the server to one client, made without the client's nick. Knows no command.
//!
//! A nick may change while a message is on its way. So such a message is a line without source and
//! nick, and both are put in when the line is sent.

use crate::irc::protocol::{MESSAGE_BYTES_MAX, MessageWriter, Numeric, parts};

/// The nick in messages to a client that has not registered.
pub(crate) const NO_NICK: &str = "*";

/// The longest part of a sentence in one notice: with the longest nick it still fits.
const SENTENCE_BYTES_MAX: usize = 300;

/// Messages to one client, each a line without its nick.
#[derive(Debug, Default)]
pub(crate) struct Replies(Vec<u8>);

impl Replies {
    /// Adds a reply or an error: words, and a text.
    pub(crate) fn numeric(&mut self, numeric: Numeric, words: &[&str], text: &str) {
        self.message(&numeric.to_string(), words, text);
    }

    /// Adds a message: words, and a text, which has a colon before it.
    pub(crate) fn message(&mut self, command: &str, words: &[&str], text: &str) {
        let message = MessageWriter::new(&mut self.0, None, command);
        words.iter().fold(message, |message, word| message.with(word)).text(text);
    }

    /// Adds a message of words, of which the last may be empty or have blanks.
    pub(crate) fn words(&mut self, command: &str, words: &[&str]) {
        MessageWriter::new(&mut self.0, None, command).all(words);
    }

    /// Adds a message of words from somebody else than the server.
    pub(crate) fn words_from(&mut self, source: &str, command: &str, words: &[&str]) {
        MessageWriter::new(&mut self.0, Some(source), command).all(words);
    }

    /// Adds a reply of words.
    pub(crate) fn numeric_words(&mut self, numeric: Numeric, words: &[&str]) {
        self.words(&numeric.to_string(), words);
    }

    /// Adds a sentence about a channel.
    pub(crate) fn notice_to(&mut self, channel: &str, text: &str) {
        self.message("NOTICE", &[channel], text);
    }

    /// Adds a sentence of a service.
    pub(crate) fn notice_from(&mut self, source: &str, text: &str) {
        for part in parts(text, SENTENCE_BYTES_MAX) {
            MessageWriter::new(&mut self.0, Some(source), "NOTICE").text(part);
        }
    }

    /// Adds a sentence of the server.
    pub(crate) fn notice(&mut self, text: &str) {
        for part in parts(text, SENTENCE_BYTES_MAX) {
            self.message("NOTICE", &[], part);
        }
    }

    /// Adds a standard reply (IRCv3, "Standard Replies"): `FAIL`, its command and code, the words
    /// that it is about, and a sentence.
    pub(crate) fn fail(&mut self, command: &str, code: &str, about: &[&str], text: &str) {
        self.message("FAIL", &[&[command, code], about].concat(), text);
    }

    /// Whether there is no message.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The messages as bytes, for [`complete`].
    pub(crate) fn into_bytes(self) -> Box<[u8]> {
        self.0.into()
    }

    /// Appends the messages as a client with this nick reads them.
    pub(crate) fn send(self, server: &str, nick: &str, out: &mut Vec<u8>) {
        complete(&self.0, server, nick, out);
    }
}

/// Appends [`Replies`] in bytes as a client with this nick reads them.
pub(crate) fn complete(replies: &[u8], server: &str, nick: &str, out: &mut Vec<u8>) {
    for line in replies.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        let (source, line) = match line.strip_prefix(b":") {
            Some(sourced) => cut_at_blank(sourced),
            None => (server.as_bytes(), line),
        };
        let (command, rest) = cut_at_blank(line);
        let start = out.len();
        out.extend_from_slice(b":");
        out.extend_from_slice(source);
        out.extend_from_slice(b" ");
        out.extend_from_slice(command);
        let words = [nick.as_bytes(), rest];
        let words = if has_nick(command, rest) { &words[..] } else { &words[1..] };
        for word in words.iter().filter(|word| !word.is_empty()) {
            out.extend_from_slice(b" ");
            out.extend_from_slice(word);
        }
        out.truncate(start + whole_characters(out.get(start..).unwrap_or_default()));
        out.extend_from_slice(b"\r\n");
    }
}

/// Whether the nick of its reader is the first parameter of a message, before these others.
fn has_nick(command: &[u8], rest: &[u8]) -> bool {
    match command {
        b"CAP" => true,
        b"NOTICE" => rest.starts_with(b":"),
        _ => command.iter().all(u8::is_ascii_digit),
    }
}

/// The text before the first blank, and the text behind it.
fn cut_at_blank(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', text) {
        Some(blank) => {
            let (before, behind) = text.split_at(blank);
            (before, behind.get(1..).unwrap_or_default())
        }
        None => (text, b""),
    }
}

/// The largest number of bytes of a message that may be sent and that end with a whole character.
fn whole_characters(message: &[u8]) -> usize {
    if message.len() <= MESSAGE_BYTES_MAX {
        return message.len();
    }
    let is_start = |byte: &u8| byte & 0xc0 != 0x80;
    let starts = message.iter().take(MESSAGE_BYTES_MAX + 1).rposition(is_start);
    starts.unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    /// The lines that `alice` reads.
    fn read(put: impl FnOnce(&mut Replies)) -> String {
        let mut replies = Replies::default();
        put(&mut replies);
        let mut out = Vec::new();
        replies.send("irc.local", "alice", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn source_and_nick_are_put_in_where_they_belong() {
        let all = read(|replies| {
            replies.numeric(Numeric::ERR_NEEDMOREPARAMS, &["JOIN"], "Not enough parameters");
            replies.numeric_words(Numeric::RPL_UMODEIS, &["+i"]);
            replies.message("CAP", &["LIST"], "");
            replies.words("PONG", &["irc.local", "x"]);
            replies.words("PONG", &["irc.local", "a b"]);
            replies.notice_from("parlor!parlor@irc.local", "Hi");
            replies.notice_to("#tea", "Hi");
            replies.fail("BATCH", "INVALID", &["+1"], "No");
            replies.message("NOTE", &[], "x");
        });
        assert_eq!(
            all,
            ":irc.local 461 alice JOIN :Not enough parameters\r\n\
             :irc.local 221 alice +i\r\n\
             :irc.local CAP alice LIST :\r\n\
             :irc.local PONG irc.local x\r\n\
             :irc.local PONG irc.local :a b\r\n\
             :parlor!parlor@irc.local NOTICE alice :Hi\r\n\
             :irc.local NOTICE #tea :Hi\r\n\
             :irc.local FAIL BATCH INVALID +1 :No\r\n\
             :irc.local NOTE :x\r\n"
        );
    }

    #[test]
    fn no_message_is_too_long() {
        for text in ["x".repeat(600), "é".repeat(300), "xé".repeat(300), "世".repeat(200)] {
            let line = read(|replies| replies.message("NOTICE", &[], &text));
            let bytes = line.len() - "\r\n".len();
            assert!((507..=510).contains(&bytes), "{bytes}");
        }
    }
}
