//! The framer and telnet once more, in the simplest way: all bytes at once, without a limit on
//! memory. It shares only constants with the code that it checks.

use parlor_wire::framer::Frame;
use parlor_wire::telnet::{ANSWERS_MAX, SUBNEGOTIATION_BYTES_MAX, TelnetEvent};

/// The frames of bytes without an IAC.
pub(crate) fn lines(line_bytes_max: usize, bytes: &[u8]) -> Vec<Frame<'static>> {
    let mut pieces = vec![vec![]];
    for &byte in bytes {
        let piece = pieces.last_mut().unwrap();
        match (byte, piece.last()) {
            (b'\n', _) | (0, Some(b'\r')) => pieces.push(vec![]),
            _ => piece.push(byte),
        }
    }
    pieces.pop_if(|unfinished| unfinished.is_empty());
    pieces.iter().map(|piece| line(line_bytes_max, piece)).collect()
}

fn line(line_bytes_max: usize, bytes: &[u8]) -> Frame<'static> {
    let line = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    if line.len() > line_bytes_max { Frame::TooLong } else { Frame::Line(line.to_vec().into()) }
}

/// The frames of any bytes.
pub(crate) fn frames(line_bytes_max: usize, bytes: &[u8]) -> Vec<Frame<'static>> {
    let mut frames = Vec::new();
    let mut text = Vec::new();
    let mut told = false;
    for heard in heard(bytes) {
        match heard {
            TelnetEvent::Text(b'\n') => {}
            TelnetEvent::Text(0) if text.ends_with(b"\r") => {}
            TelnetEvent::Text(byte) => {
                text.push(byte);
                if !told && line(line_bytes_max, &text) == Frame::TooLong {
                    frames.push(Frame::TooLong);
                    told = true;
                }
                continue;
            }
            TelnetEvent::Answer(bytes) => {
                frames.push(Frame::Reply(bytes));
                continue;
            }
            TelnetEvent::Endless => {
                frames.extend((!told).then_some(Frame::TooLong));
                told = true;
                continue;
            }
            TelnetEvent::Nothing => continue,
        }
        frames.extend((!told).then(|| line(line_bytes_max, &text)));
        text.clear();
        told = false;
    }
    if !told && !text.is_empty() {
        frames.push(line(line_bytes_max, &text));
    }
    frames
}

/// The events in any bytes, without `TelnetEvent::Nothing`.
pub(crate) fn heard(mut bytes: &[u8]) -> Vec<TelnetEvent> {
    let mut all = Vec::new();
    let mut answered = Vec::new();
    loop {
        let (heard, rest) = match bytes {
            [] | [255] | [255, 251..=254] => return all,
            [255, 250, rest @ ..] => match subnegotiation(rest) {
                Some(found) => found,
                None => return all,
            },
            [255, verb @ (251 | 253), option, rest @ ..] => {
                let answer = [255, if *verb == 251 { 254 } else { 252 }, *option];
                let new = !answered.contains(&answer) || answer == [255, 252, 6];
                let answer = (new && answered.len() < ANSWERS_MAX).then_some(answer);
                answered.extend(answer);
                (answer.map_or(TelnetEvent::Nothing, TelnetEvent::Answer), rest)
            }
            [255, 252 | 254, _, rest @ ..] | [255, 236..=249, rest @ ..] => {
                (TelnetEvent::Nothing, rest)
            }
            [255, byte, rest @ ..] | [byte, rest @ ..] => (TelnetEvent::Text(*byte), rest),
        };
        all.extend((heard != TelnetEvent::Nothing).then_some(heard));
        bytes = rest;
    }
}

/// The event in the bytes after IAC SB, and the bytes after it; `None` if it is incomplete.
fn subnegotiation(bytes: &[u8]) -> Option<(TelnetEvent, &[u8])> {
    let mut at = 0;
    for _ in 0..=SUBNEGOTIATION_BYTES_MAX {
        match bytes.get(at..)? {
            [255, 240, rest @ ..] => return Some((TelnetEvent::Nothing, rest)),
            [255, _, ..] => at += 2,
            [0..=254, ..] => at += 1,
            _ => return None,
        }
    }
    Some((TelnetEvent::Endless, bytes.get(at..)?))
}
