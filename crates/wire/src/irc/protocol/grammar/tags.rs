//! Message tags: additions in front of a message, each a key with a value (IRCv3, "Message Tags").
//! Knows no command.

use std::borrow::Cow;

/// The longest tags from a client, in bytes, without the `@` and the blank behind them.
pub const CLIENT_TAGS_BYTES_MAX: usize = 4_094;

/// The tags of a message, as they were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags<'a>(&'a str);

impl<'a> Tags<'a> {
    /// The tags in this text, without the `@`.
    pub fn new(text: &'a str) -> Tags<'a> {
        Tags(text)
    }

    /// The text itself.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// All tags in order. A key may come more than once; the last one counts.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Tag<'a>> {
        self.0.split(';').filter(|text| !text.is_empty()).map(Tag)
    }

    /// The value of a tag, without its escapes; none if there is no such tag.
    pub fn get(self, key: &str) -> Option<Cow<'a, str>> {
        if self.0.is_empty() {
            return None; // nearly every message returns here
        }
        self.iter().rev().find(|tag| tag.key() == key).map(Tag::value)
    }

    /// The tags that clients send to clients, unchanged and ready to be passed on.
    pub fn client_only(self) -> String {
        let mut passed = String::new();
        for tag in self.iter().filter(|tag| tag.is_client_only()) {
            if !passed.is_empty() {
                passed.push(';');
            }
            passed.push_str(tag.as_str());
        }
        passed
    }
}

/// One tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a>(&'a str);

impl<'a> Tag<'a> {
    /// The tag as it was sent.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The key, with the `+` of a client-only tag and with the vendor.
    pub fn key(self) -> &'a str {
        self.0.split('=').next().unwrap_or(self.0)
    }

    /// The value without its escapes. An empty value and a missing one are the same.
    pub fn value(self) -> Cow<'a, str> {
        unescape(self.0.split_once('=').map_or("", |(_, value)| value))
    }

    /// Whether it is well formed, and from one client to another.
    pub fn is_client_only(self) -> bool {
        self.key().strip_prefix('+').is_some_and(is_key) && is_passable(self.0)
    }
}

/// Whether this is a key without the `+`: a vendor's host name, a slash, letters, digits, hyphens.
fn is_key(key: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/');
    !key.is_empty() && key.bytes().all(allowed)
}

/// Whether no character of a tag ends it or is a control.
pub(crate) fn is_passable(tag: &str) -> bool {
    !tag.contains(|c: char| c.is_ascii_control() || matches!(c, ' ' | ';'))
}

/// The value of a tag, from its escaped form. A backslash at the end, or before a character that
/// needs none, is left out.
fn unescape(escaped: &str) -> Cow<'_, str> {
    if !escaped.contains('\\') {
        return Cow::Borrowed(escaped);
    }
    let mut value = String::with_capacity(escaped.len());
    let mut characters = escaped.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        value.extend(characters.next().map(|c| match c {
            ':' => ';',
            's' => ' ',
            'r' => '\r',
            'n' => '\n',
            other => other,
        }));
    }
    Cow::Owned(value)
}

/// Appends a value in its escaped form. Controls other than CR and LF have none and are left out.
pub(crate) fn escape(value: &str, out: &mut Vec<u8>) {
    let is_plain = |byte: u8| byte > b' ' && byte != 0x7f && byte != b';' && byte != b'\\';
    // Without an early exit the compiler can check many bytes in one step.
    if value.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
        return out.extend_from_slice(value.as_bytes());
    }
    for c in value.chars() {
        match c {
            ';' => out.extend_from_slice(b"\\:"),
            ' ' => out.extend_from_slice(b"\\s"),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\n' => out.extend_from_slice(b"\\n"),
            c if c.is_ascii_control() => {}
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lose_their_escapes_one_character_after_the_other() {
        for (escaped, value) in [
            ("plain", "plain"),
            (r"one\stwo", "one two"),
            (r"a\:b", "a;b"),
            (r"\\\s\r\n", "\\ \r\n"),
            (r"back\\slash", r"back\slash"),
            (r"\\n", r"\n"),
            (r"\a\b", "ab"),
            (r"end\", "end"),
            (r"\\", r"\"),
            ("a=b", "a=b"),
            ("žluť", "žluť"),
        ] {
            assert_eq!(unescape(escaped), value, "{escaped}");
        }
    }

    #[test]
    fn the_last_tag_of_a_key_counts_and_vendors_have_their_own() {
        let tags = Tags::new("id=1;urgent;id=2;example.org/id=3;empty=;+id=4;;");
        for (key, value) in [
            ("id", Some("2")),
            ("urgent", Some("")),
            ("empty", Some("")),
            ("example.org/id", Some("3")),
            ("+id", Some("4")),
            ("i", None),
            ("", None),
        ] {
            assert_eq!(tags.get(key).as_deref(), value, "{key}");
        }
    }

    #[test]
    fn only_well_formed_tags_of_clients_are_passed_on() {
        for (sent, passed) in [
            ("+typing=active", "+typing=active"),
            ("label=1;+draft/reply=x\\:y;time=now;+react", "+draft/reply=x\\:y;+react"),
            ("+", ""),
            ("+=1;+ä=1;+a b=1;++a", ""),
            ("+a=1\u{7f};+a=\u{2}", ""),
            ("", ""),
        ] {
            assert_eq!(Tags::new(sent).client_only(), passed, "{sent:?}");
        }
    }
}
