//! Prints the tags of a message. Knows no tag.

use super::tags::{Tags, escape, is_passable};
use super::writer::MessageWriter;

/// The longest tags of a message to a client, in bytes, with the `@` and the blank behind them.
pub const TAGS_BYTES_MAX: usize = 8_191;

/// The tags of a message, at the end of a buffer. The message has to follow.
#[must_use = "tags without a message are no line"]
pub struct TagWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The length of the buffer before the tags.
    start: usize,
}

impl<'a> TagWriter<'a> {
    /// Begins a message at the end of a buffer.
    pub fn new(out: &'a mut Vec<u8>) -> TagWriter<'a> {
        let start = out.len();
        TagWriter { out, start }
    }

    /// Adds a tag of the server. A tag for which there is no space is left out.
    pub fn tag(self, key: &str, value: &str) -> TagWriter<'a> {
        self.put(|out| {
            out.extend(key.bytes().filter(|byte| byte.is_ascii_graphic() && *byte != b';'));
            if !value.is_empty() {
                out.push(b'=');
                escape(value, out);
            }
        })
    }

    /// Adds tags as a client has sent them. A tag for which there is no space is left out.
    pub fn client_tags(self, tags: Tags<'_>) -> TagWriter<'a> {
        let passable = tags.iter().filter(|tag| is_passable(tag.as_str()));
        passable
            .fold(self, |tags, tag| tags.put(|out| out.extend_from_slice(tag.as_str().as_bytes())))
    }

    /// Adds one tag if the tags, with the blank behind them, are then not too long.
    fn put(self, put: impl FnOnce(&mut Vec<u8>)) -> TagWriter<'a> {
        let before = self.out.len();
        self.out.push(if before == self.start { b'@' } else { b';' });
        put(self.out);
        if self.out.len() == before + 1 || self.out.len() - self.start >= TAGS_BYTES_MAX {
            self.out.truncate(before);
        }
        self
    }

    /// Ends the tags and begins the message behind them.
    pub fn message(self, source: Option<&str>, command: &str) -> MessageWriter<'a> {
        if self.out.len() > self.start {
            self.out.push(b' ');
        }
        MessageWriter::new(self.out, source, command)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    /// The line that a message becomes.
    fn line(put: impl FnOnce(TagWriter<'_>)) -> String {
        let mut out = b"before\r\n".to_vec();
        put(TagWriter::new(&mut out));
        let text = String::from_utf8(out).unwrap();
        text.strip_prefix("before\r\n").unwrap().strip_suffix("\r\n").unwrap().to_owned()
    }

    #[test]
    fn tags_stand_in_front_with_their_escapes() {
        let tagged = |key, value| line(|tags| tags.tag(key, value).message(None, "X").end());
        assert_eq!(tagged("urgent", ""), "@urgent X");
        assert_eq!(tagged("time", "2011-10-19T16:40:51.620Z"), "@time=2011-10-19T16:40:51.620Z X");
        assert_eq!(tagged("a", "\\ ;\r\n=:\u{1}\0"), r"@a=\\\s\:\r\n=: X");
        assert_eq!(tagged("", ""), "X");
        let both = line(|tags| {
            let passed = Tags::new("+b=2;;+c\u{1};+d");
            tags.tag("a", "1").client_tags(passed).message(Some("al"), "X").last("y")
        });
        assert_eq!(both, "@a=1;+b=2;+d :al X y");
    }

    #[test]
    fn a_tag_without_space_is_left_out() {
        let long = "x".repeat(4_000);
        let printed = line(|tags| {
            let tags = tags.tag("a", &long).tag("b", &long).tag("c", &long).tag("d", "1");
            tags.message(None, "X").end();
        });
        assert_eq!(printed, format!("@a={long};b={long};d=1 X"));
        let longest = "x".repeat(TAGS_BYTES_MAX - "@a= ".len());
        for (value, passes) in [(longest.clone(), true), (longest + "x", false)] {
            let printed = line(|tags| tags.tag("a", &value).message(None, "X").end());
            assert_eq!(printed.len() == TAGS_BYTES_MAX + 1, passes);
        }
    }
}
