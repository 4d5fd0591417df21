//! Prints messages, each as one whole line. No text can end the line early, add a control
//! character, or make the line too long. Knows no command.

/// The longest message in bytes, behind its tags and without its ending.
pub const MESSAGE_BYTES_MAX: usize = 510;

/// The bytes of CTCP around the text of an action.
pub const ACTION_BYTES: usize = b"\x01ACTION \x01".len();

/// The largest number of bytes that [`MessageWriter::text`] can append as the only parameter after
/// a target.
pub fn text_bytes_max(source: &str, command: &str, target: &str) -> usize {
    let before = [":", source, " ", command, " ", target, " :"];
    MESSAGE_BYTES_MAX.saturating_sub(before.iter().map(|part| part.len()).sum())
}

/// How blanks in a text are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blanks {
    Kept,
    /// As `_`, because a blank would end the parameter.
    Replaced,
}

/// A message behind its tags, at the end of a buffer. Its line ends when it is dropped.
///
/// Controls are left out of all texts, except that a tab becomes a blank. A message is cut
/// between characters at [`MESSAGE_BYTES_MAX`], so split a long text first.
#[must_use = "the line ends when this is dropped"]
pub struct MessageWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The length of the buffer at which the message is full.
    end: usize,
}

impl<'a> MessageWriter<'a> {
    /// Begins a message at the end of a buffer, behind its tags if it has any.
    pub fn new(out: &'a mut Vec<u8>, source: Option<&str>, command: &str) -> MessageWriter<'a> {
        let end = out.len() + MESSAGE_BYTES_MAX;
        let mut message = MessageWriter { out, end };
        if let Some(source) = source {
            message.put_all(":", source, Blanks::Replaced);
            message.put(" ", Blanks::Kept);
        }
        let is_mark = |c: char| matches!(c, '@' | ':') || c.is_ascii_control();
        let command = command.trim_start_matches(is_mark);
        message.put(if command.is_empty() { "*" } else { command }, Blanks::Replaced);
        message
    }

    /// Adds a parameter before the last one. It is a word: an empty one becomes `*`, a blank `_`,
    /// and a colon at the beginning gets a `0` before it, as in the address `0::1`.
    pub fn with(mut self, word: &str) -> MessageWriter<'a> {
        let mark = match word.bytes().find(|byte| *byte == b'\t' || !byte.is_ascii_control()) {
            None => " *",
            Some(b':') => " 0",
            Some(_) => " ",
        };
        self.put_all(mark, word, Blanks::Replaced);
        self
    }

    /// Adds the last parameter, with a colon if it needs one.
    pub fn last(mut self, text: &str) {
        let is_plain = |byte: u8| byte > b' ' && byte != 0x7f;
        let is_word = !text.is_empty() && !text.starts_with(':') && text.bytes().all(is_plain);
        self.put_all(if is_word { " " } else { " :" }, text, Blanks::Kept);
    }

    /// Adds the last parameter, always with a colon: small clients find a text by it.
    pub fn text(mut self, text: &str) {
        self.put_all(" :", text, Blanks::Kept);
    }

    /// Adds all parameters of the message.
    pub fn all(self, parameters: &[&str]) {
        if let Some((last, words)) = parameters.split_last() {
            words.iter().fold(self, |message, word| message.with(word)).last(last);
        }
    }

    /// Adds the last parameter: a command of CTCP, such as `ACTION`, with its text.
    pub fn ctcp(mut self, command: &str, text: &str) {
        self.end = self.end.saturating_sub(1);
        if !self.put_all(" :\x01", command, Blanks::Replaced) {
            return;
        }
        if !text.is_empty() {
            self.put_all(" ", text, Blanks::Kept);
        }
        self.out.push(1); // there is space for it
    }

    /// Ends the message, which has no more parameters.
    pub fn end(self) {}

    /// Appends the mark in front of a part, and the part; nothing, now and later, if there is no
    /// space for the mark. Returns whether there is.
    fn put_all(&mut self, mark: &str, part: &str, blanks: Blanks) -> bool {
        let fits = self.out.len() + mark.len() <= self.end;
        if fits {
            self.out.extend_from_slice(mark.as_bytes());
            self.put(part, blanks);
        } else {
            self.end = self.out.len();
        }
        fits
    }

    /// Appends a text without its controls, up to the end of the message.
    fn put(&mut self, text: &str, blanks: Blanks) {
        let least = if blanks == Blanks::Kept { b' ' } else { b'!' };
        // Without an early exit the compiler can check many bytes in one step.
        let is_plain = text.bytes().fold(true, |plain, b| plain & (b >= least) & (b != 0x7f));
        if is_plain {
            return self.put_plain(text);
        }
        for c in text.chars() {
            match c {
                ' ' | '\t' if blanks == Blanks::Replaced => self.put_plain("_"),
                '\t' => self.put_plain(" "),
                c if c.is_ascii_control() => {}
                c => self.put_plain(c.encode_utf8(&mut [0; 4])),
            }
        }
    }

    /// Appends a text that has no controls, up to the end of the message.
    fn put_plain(&mut self, text: &str) {
        let space = self.end.saturating_sub(self.out.len());
        if text.len() <= space {
            return self.out.extend_from_slice(text.as_bytes());
        }
        let fitting = text.get(..text.floor_char_boundary(space)).unwrap_or_default();
        self.out.extend_from_slice(fitting.as_bytes());
        self.end = self.out.len();
    }
}

impl Drop for MessageWriter<'_> {
    fn drop(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;
    use crate::irc::protocol::grammar::IrcMessage;

    /// The line that a message becomes.
    fn line(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b"before\r\n".to_vec();
        put(&mut out);
        let text = String::from_utf8(out).unwrap();
        text.strip_prefix("before\r\n").unwrap().strip_suffix("\r\n").unwrap().to_owned()
    }

    #[test]
    fn messages_are_printed_as_clients_read_them() {
        let bare = |source, parameters: &[&str]| {
            line(|out| MessageWriter::new(out, source, "X").all(parameters))
        };
        assert_eq!(bare(None, &[]), "X");
        assert_eq!(bare(Some("al"), &[]), ":al X");
        assert_eq!(bare(Some("al"), &[""]), ":al X :");
        assert_eq!(bare(Some("al"), &["a", "b", "c"]), ":al X a b c");
        assert_eq!(bare(None, &["a", "b", "c d"]), "X a b :c d");
        assert_eq!(bare(None, &["a", ":-)"]), "X a ::-)");
        assert_eq!(bare(None, &["a", " a  b "]), "X a : a  b ");
        assert_eq!(bare(None, &["a", "b:c"]), "X a b:c");
        assert_eq!(line(|out| MessageWriter::new(out, None, "X").with("a").text("b")), "X a :b");
        assert_eq!(line(|out| MessageWriter::new(out, None, "X").with("a").end()), "X a");
    }

    #[test]
    fn no_text_leaves_its_place() {
        let evil = "a\r\nQUIT :b\0\u{7f}\tc";
        let printed =
            line(|out| MessageWriter::new(out, Some(evil), evil).with(evil).with("").last(evil));
        assert_eq!(printed, ":aQUIT_:b_c aQUIT_:b_c aQUIT_:b_c * :aQUIT :b c");
        let printed = line(|out| {
            MessageWriter::new(out, None, ":@").with("::1").with("\u{1}:").last("\u{1}:")
        });
        assert_eq!(printed, "* 0::1 0: ::");
        assert_eq!(line(|out| MessageWriter::new(out, None, "\u{1}:X").end()), "X");
        assert_eq!(line(|out| MessageWriter::new(out, None, "X").text("a\u{1}b\u{2}")), "X :ab");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        for text in ["x".repeat(600), "é".repeat(300), "xé".repeat(300), "世".repeat(200)] {
            for printed in [
                line(|out| MessageWriter::new(out, Some("al"), "X").with("y").text(&text)),
                line(|out| MessageWriter::new(out, Some(&text), "X").with("y").text("z")),
                line(|out| MessageWriter::new(out, None, "X").with(&text).with("y").text("z")),
                line(|out| MessageWriter::new(out, None, "X").ctcp("ACTION", &text)),
            ] {
                let bytes = printed.len();
                assert!((507..=510).contains(&bytes), "{bytes}");
            }
        }
        assert!(
            line(|out| MessageWriter::new(out, None, "X").ctcp("A", &"x".repeat(600)))
                .ends_with("x\u{1}")
        );
        let full = "x".repeat(507);
        for bytes in 500..=507 {
            let printed =
                line(|out| MessageWriter::new(out, None, &full[..bytes]).ctcp("ACTION", "y"));
            assert_eq!(printed.matches('\u{1}').count() % 2, 0, "{printed}");
        }
    }

    #[test]
    fn an_action_stands_between_its_marks() {
        let action = line(|out| {
            MessageWriter::new(out, Some("al"), "PRIVMSG").with("#a").ctcp("ACTION", "is\u{1}")
        });
        assert_eq!(action, ":al PRIVMSG #a :\u{1}ACTION is\u{1}");
        let version = line(|out| {
            MessageWriter::new(out, Some("al"), "NOTICE").with("bo").ctcp("VERSION", "")
        });
        assert_eq!(version, ":al NOTICE bo :\u{1}VERSION\u{1}");
    }

    #[test]
    fn a_text_that_fits_arrives_whole() {
        let text = "x".repeat(text_bytes_max("al!al@irc", "PRIVMSG", "#tea"));
        let put = |text: &str| {
            line(|out| {
                MessageWriter::new(out, Some("al!al@irc"), "PRIVMSG").with("#tea").text(text)
            })
        };
        assert_eq!(IrcMessage::parse(&put(&text)).unwrap().parameter(1), Some(&*text));
        assert_eq!(put(&text).len(), MESSAGE_BYTES_MAX);
        assert_eq!(put(&(text + "x")).len(), MESSAGE_BYTES_MAX);
        assert_eq!(text_bytes_max(&"x".repeat(600), "PRIVMSG", "#tea"), 0);
    }
}
