//! One message, parsed from its line (RFC 1459, section 2.3; IRCv3, "Message Tags"). Knows no
//! command.

use super::tags::Tags;

/// The largest number of parameters. The last one is the rest of the line, blanks included.
pub const PARAMETERS_MAX: usize = 15;

/// A message, borrowed from its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IrcMessage<'a> {
    /// The tags.
    pub tags: Tags<'a>,
    /// The source, without its colon. Servers ignore that of a client.
    pub source: Option<&'a str>,
    /// The command: a word in any case, or three digits.
    pub command: &'a str,
    parameters: [&'a str; PARAMETERS_MAX],
    count: usize,
}

impl<'a> IrcMessage<'a> {
    /// Parses a line without its ending; none if it has no command. Blanks before the message and
    /// between its parts may be repeated; other white space is a part of a word.
    pub fn parse(line: &'a str) -> Option<IrcMessage<'a>> {
        let (tags, rest) = marked_word('@', line.trim_start_matches(' '));
        let (source, rest) = marked_word(':', rest);
        let (command, rest) = word(rest);
        if command.is_empty() || command.starts_with(['@', ':']) {
            return None;
        }
        let tags = Tags::new(tags.unwrap_or_default());
        let (parameters, count) = parameters(rest);
        Some(IrcMessage { tags, source, command, parameters, count })
    }

    /// All parameters, the last one without its colon.
    pub fn parameters(&self) -> &[&'a str] {
        self.parameters.get(..self.count).unwrap_or_default()
    }

    /// The parameter with this index, the first of which is 0.
    pub fn parameter(&self, index: usize) -> Option<&'a str> {
        self.parameters().get(index).copied()
    }

    /// Whether it is this command, in any case.
    pub fn is(&self, command: &str) -> bool {
        self.command.eq_ignore_ascii_case(command)
    }
}

/// The first word, if it begins with this mark, without the mark; and the rest of the line.
fn marked_word(mark: char, line: &str) -> (Option<&str>, &str) {
    match line.strip_prefix(mark) {
        Some(marked) => {
            let (word, rest) = word(marked);
            (Some(word), rest)
        }
        None => (None, line),
    }
}

/// The first word, and the line behind it and its blanks.
fn word(line: &str) -> (&str, &str) {
    let end = memchr::memchr(b' ', line.as_bytes()).unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    (word, rest.trim_start_matches(' '))
}

/// The parameters in the rest of a line, and their number.
fn parameters(mut rest: &str) -> ([&str; PARAMETERS_MAX], usize) {
    let mut found = [""; PARAMETERS_MAX];
    let mut count = 0;
    for parameter in &mut found {
        if rest.is_empty() {
            break;
        }
        count += 1;
        if let Some(text) = rest.strip_prefix(':') {
            *parameter = text;
            break;
        }
        (*parameter, rest) = if count < PARAMETERS_MAX { word(rest) } else { (rest, "") };
    }
    (found, count)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    /// A line, its tags, its source, its command and its parameters.
    type Case<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, &'a [&'a str]);

    #[test]
    fn lines_are_taken_apart() {
        let cases: [Case<'_>; 22] = [
            ("LIST", "", None, "LIST", &[]),
            ("kick #tea bob", "", None, "kick", &["#tea", "bob"]),
            ("TOPIC #tea :five o'clock", "", None, "TOPIC", &["#tea", "five o'clock"]),
            ("TOPIC #tea :", "", None, "TOPIC", &["#tea", ""]),
            ("TOPIC #tea ::-)", "", None, "TOPIC", &["#tea", ":-)"]),
            ("TOPIC #tea :  a  b ", "", None, "TOPIC", &["#tea", "  a  b "]),
            ("TOPIC #tea :a :b", "", None, "TOPIC", &["#tea", "a :b"]),
            ("TOPIC #tea a:b", "", None, "TOPIC", &["#tea", "a:b"]),
            (":bob PART #tea", "", Some("bob"), "PART", &["#tea"]),
            (":bob PART :#tea", "", Some("bob"), "PART", &["#tea"]),
            (":bob QUIT", "", Some("bob"), "QUIT", &[]),
            (":bob QUIT  ", "", Some("bob"), "QUIT", &[]),
            (": QUIT", "", Some(""), "QUIT", &[]),
            (":b\tb QUIT a\tb", "", Some("b\tb"), "QUIT", &["a\tb"]),
            (":bob!b@\u{3}04irc 001 x", "", Some("bob!b@\u{3}04irc"), "001", &["x"]),
            ("@a=1;b TAGMSG #tea", "a=1;b", None, "TAGMSG", &["#tea"]),
            ("@a=1 :bob TAGMSG #tea", "a=1", Some("bob"), "TAGMSG", &["#tea"]),
            ("@ QUIT", "", None, "QUIT", &[]),
            ("  @a   :bob   MODE   #tea   +t   ", "a", Some("bob"), "MODE", &["#tea", "+t"]),
            ("MODE #tea :+t", "", None, "MODE", &["#tea", "+t"]),
            ("MODE #tea +oo al :bob", "", None, "MODE", &["#tea", "+oo", "al", "bob"]),
            ("\u{1b} grüße 世", "", None, "\u{1b}", &["grüße", "世"]),
        ];
        for (line, tags, source, command, parameters) in cases {
            let message = IrcMessage::parse(line).unwrap();
            assert_eq!(message.tags, Tags::new(tags), "{line}");
            assert_eq!(message.source, source, "{line}");
            assert_eq!(message.command, command, "{line}");
            assert_eq!(message.parameters(), parameters, "{line}");
        }
    }

    #[test]
    fn the_fifteenth_parameter_is_the_rest_of_the_line() {
        let message = IrcMessage::parse("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15  16 :17 ").unwrap();
        assert_eq!(message.parameters().len(), 15);
        assert_eq!(message.parameter(13), Some("14"));
        assert_eq!(message.parameter(14), Some("15  16 :17 "));
        assert_eq!(message.parameter(15), None);
        let message = IrcMessage::parse("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 :15 16").unwrap();
        assert_eq!(message.parameter(14), Some("15 16"));
    }

    #[test]
    fn a_line_without_a_command_is_no_message() {
        for line in
            ["", "   ", ":bob", ":bob  ", "@a=1", "@a=1 ", "@a=1 :bob ", ":a :b c", "@a @b c"]
        {
            assert_eq!(IrcMessage::parse(line), None, "{line}");
        }
    }

    #[test]
    fn commands_have_no_case() {
        let message = IrcMessage::parse("PrivMsg bob :hi").unwrap();
        assert!(message.is("PRIVMSG") && !message.is("NOTICE"));
    }
}
