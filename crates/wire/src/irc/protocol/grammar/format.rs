//! Codes within a text: formatting, which is taken off, and CTCP. Knows no message.

use std::borrow::Cow;

/// Takes the codes for colours and styles out of a text, as mIRC has made them usual: 02 bold, 03 a
/// colour, 04 a colour in hexadecimal, 0F plain, 11 monospace, 16 reverse, 1D italic, 1E struck
/// through, 1F underlined.
pub fn plain(text: &str) -> Cow<'_, str> {
    // Without an early exit the compiler can check many bytes in one step.
    if !text.bytes().fold(false, |found, byte| found | (byte < b' ')) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(is_code) {
        plain.push_str(before);
        rest = match rest.as_bytes().get(before.len()) {
            Some(3) => behind_colours(behind, decimal_colour),
            Some(4) => behind_colours(behind, hexadecimal_colour),
            _ => behind,
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn is_code(c: char) -> bool {
    matches!(c, '\x02' | '\x03' | '\x04' | '\x0f' | '\x11' | '\x16' | '\x1d' | '\x1e' | '\x1f')
}

/// The text behind a colour, and behind a comma and a second colour. A comma without a colour
/// belongs to the text. `colour` is the length of the colour at the beginning of a text, or 0.
fn behind_colours(text: &str, colour: fn(&str) -> usize) -> &str {
    let length = |text: &str| Some(colour(text)).filter(|length| *length > 0);
    let Some(rest) = length(text).and_then(|length| text.get(length..)) else { return text };
    let second = rest.strip_prefix(',').and_then(|text| text.get(length(text)?..));
    second.unwrap_or(rest)
}

/// One or two digits.
fn decimal_colour(text: &str) -> usize {
    text.bytes().take(2).take_while(u8::is_ascii_digit).count()
}

/// Six digits.
fn hexadecimal_colour(text: &str) -> usize {
    match text.bytes().take(6).take_while(u8::is_ascii_hexdigit).count() {
        6 => 6,
        _ => 0,
    }
}

/// A message of CTCP: a command for the client of the reader, in place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ctcp<'a> {
    /// The command, such as `ACTION`, in any case.
    pub command: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl<'a> Ctcp<'a> {
    /// Parses a text that begins with 01; none if it does not, or has no command. The 01 at the end
    /// may be missing, and what is behind it is nothing.
    pub fn parse(text: &'a str) -> Option<Ctcp<'a>> {
        let inside = text.strip_prefix('\x01')?;
        let inside = inside.split_once('\x01').map_or(inside, |(inside, _)| inside);
        let (command, text) = inside.split_once(' ').unwrap_or((inside, ""));
        (!command.is_empty()).then_some(Ctcp { command, text })
    }

    /// Whether it is a line of the person, in the third person.
    pub fn is_action(self) -> bool {
        self.command.eq_ignore_ascii_case("ACTION")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatting_is_taken_off() {
        for (sent, shown) in [
            ("plain, 12 grüße", "plain, 12 grüße"),
            ("\x02b\x02 \x1di\x1d \x1fu\x1f \x1es\x1e \x11m\x11 \x16r\x16\x0f.", "b i u s m r."),
            ("\x034red\x03 and \x0304,07both\x03.", "red and both."),
            ("\x03123", "3"),
            ("\x034,x", ",x"),
            ("\x03,4", ",4"),
            ("\x034,123", "3"),
            ("\x03٣", "٣"),
            ("\x04ff0000red\x04 \x04Ff0000,00fF00both", "red both"),
            ("\x04ff000red", "ff000red"),
            ("\x04ff0000,00ff0x", ",00ff0x"),
            ("a\x03", "a"),
            ("a\x03\x034\x02\x0fb", "ab"),
            ("\x01ACTION \x02waves\x01", "\x01ACTION waves\x01"),
            ("\x07\x1b[1m", "\x07\x1b[1m"),
        ] {
            assert_eq!(plain(sent), shown, "{sent:?}");
        }
    }

    #[test]
    fn ctcp_has_a_command_and_a_text() {
        for (sent, command, text) in [
            ("\x01ACTION waves\x01", "ACTION", "waves"),
            ("\x01action  waves ", "action", " waves "),
            ("\x01VERSION\x01", "VERSION", ""),
            ("\x01PING 1\x01 more\x01", "PING", "1"),
        ] {
            assert_eq!(Ctcp::parse(sent), Some(Ctcp { command, text }), "{sent:?}");
        }
        for none in ["", "ACTION waves", "\x01", "\x01\x01", "\x01 waves\x01", " \x01ACTION x\x01"]
        {
            assert_eq!(Ctcp::parse(none), None, "{none:?}");
        }
        let is_action = |sent| Ctcp::parse(sent).is_some_and(Ctcp::is_action);
        assert!(is_action("\x01Action x\x01") && !is_action("\x01ACTIONS x\x01"));
    }
}
