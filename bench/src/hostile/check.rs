//! Checks the bytes that a client reads. Knows no client.

use anyhow::ensure;

/// The longest message behind its tags, with its ending (RFC 1459).
const MESSAGE_BYTES_MAX: usize = 512;

/// The longest tags of a server's message (IRCv3, "Message Tags").
const TAGS_BYTES_MAX: usize = 8_191;

/// Checks whole messages of IRC: each ends in CR LF, fits, and has no control character but the two
/// around an action or another message between programs. Returns their number.
///
/// # Errors
/// One of them is wrong: the error shows it.
pub(super) fn check_messages(bytes: &[u8]) -> anyhow::Result<u64> {
    let mut count = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let message = line.strip_suffix(b"\r\n").unwrap_or(b"\n");
        let tags = match message.first() {
            Some(b'@') => message.iter().position(|byte| *byte == b' ').map_or(0, |end| end + 1),
            _ => 0,
        };
        let fits = tags <= TAGS_BYTES_MAX && message.len() - tags <= MESSAGE_BYTES_MAX - 2;
        let is_clean = !message.iter().any(u8::is_ascii_control) || is_ctcp(message);
        ensure!(fits && is_clean, "a client reads {:?}", String::from_utf8_lossy(line));
        count += 1;
    }
    Ok(count)
}

/// Checks whole lines of people with netcat: none has a control character.
///
/// # Errors
/// One of them is wrong: the error shows it.
pub(super) fn check_lines(bytes: &[u8]) -> anyhow::Result<u64> {
    let mut count = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(b"\n");
        let is_clean = !text.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
        ensure!(is_clean, "a person reads {:?}", String::from_utf8_lossy(line));
        count += 1;
    }
    Ok(count)
}

/// Whether the only controls stand around the whole text.
fn is_ctcp(message: &[u8]) -> bool {
    let text = message.windows(3).position(|three| three == b" :\x01").map(|start| start + 3);
    let parts = text.and_then(|text| message.split_at_checked(text));
    parts.is_some_and(|(before, text)| {
        let before = before.strip_suffix(b"\x01").unwrap_or(before);
        let text = text.strip_suffix(b"\x01").unwrap_or(b"\x01");
        !before.iter().chain(text).any(u8::is_ascii_control)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_found() {
        for message in ["PRIVMSG #tea :hi\r\n", ":a PRIVMSG #tea :\u{1}ACTION waves\u{1}\r\nX\r\n"]
        {
            assert!(check_messages(message.as_bytes()).is_ok(), "{message:?}");
        }
        for message in [
            "PRIVMSG #tea :hi\n",
            "PRIVMSG #tea :hi",
            "PRIVMSG #tea :h\ri\r\n",
            "PRIVMSG #tea :\u{1}ACTION waves\r\n",
            "PRIVMSG #tea :\u{1}ACTION \u{2}waves\u{1}\r\n",
            "PRIVMSG \u{1} :\u{1}ACTION waves\u{1}\r\n",
            "PRIVMSG #tea :\u{0}\r\n",
        ] {
            assert!(check_messages(message.as_bytes()).is_err(), "{message:?}");
        }
        assert!(
            check_messages(&[b'x'; 511].into_iter().chain(*b"\r\n").collect::<Vec<_>>()).is_err()
        );
        assert!(check_lines(b"ann: hi\n").is_ok() && check_lines(b"ann: \x1b\n").is_err());
    }
}
