//! For any bytes in any pieces: the messages of the reference, and nothing after the end.

use parlor_wire::websocket::{CloseCode, FrameReader, MESSAGE_BYTES_MAX, Received};

/// The first byte is the size of a piece; the client sends the others.
pub(crate) fn run(data: &[u8]) {
    let [piece, bytes @ ..] = data else {
        return;
    };
    let expected = reference(bytes);
    assert_eq!(received([bytes]), expected);
    let pieces = bytes.chunks(usize::from(*piece).max(1));
    assert_eq!(received(pieces), expected);
}

/// The messages in bytes that arrive in these pieces; each one is checked.
pub(crate) fn received<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Received> {
    let mut reader = FrameReader::default();
    let mut all = Vec::new();
    for mut input in pieces {
        while let Some(received) = reader.next(&mut input) {
            assert!(!matches!(all.last(), Some(Received::Over(_))), "{all:?}");
            if let Received::Text(text) = &received {
                assert!(text.len() <= MESSAGE_BYTES_MAX);
            }
            all.push(received);
        }
        assert!(input.is_empty());
    }
    all
}

/// A whole frame of the server at the front of some bytes: its first byte, its payload, and the
/// bytes after it.
pub(crate) fn parse_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length), rest)
        }
        short => (u64::from(short), rest),
    };
    let is_shortest = match short {
        ..126 => true,
        126 => length >= 126,
        127 => length >= 65_536,
        _ => false, // masked
    };
    let (payload, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    is_shortest.then_some((first, payload, rest))
}

/// The reader once more, in the simplest way: all bytes at once.
fn reference(mut bytes: &[u8]) -> Vec<Received> {
    let mut all = Vec::new();
    let mut message: Option<Vec<u8>> = None;
    loop {
        match step(&mut bytes, &mut message) {
            Ok(Some(received)) => {
                let is_over = matches!(received, Received::Over(_));
                all.push(received);
                if is_over {
                    return all;
                }
            }
            Ok(None) if bytes.is_empty() => return all,
            Ok(None) => {}
            Err(code) => {
                all.push(Received::Over(CloseCode(code)));
                return all;
            }
        }
    }
}

/// One frame; `None` if it is not whole, and no byte is left.
fn step(bytes: &mut &[u8], message: &mut Option<Vec<u8>>) -> Result<Option<Received>, u16> {
    let all = std::mem::take(bytes);
    let [first, second, rest @ ..] = all else {
        return Ok(None);
    };
    let (is_last, opcode) = (first >> 7 == 1, first & 15);
    let is_control = opcode >= 8;
    let fits = match opcode {
        0 => message.is_some(),
        1 | 2 => message.is_none(),
        8..=10 => is_last,
        _ => false,
    };
    if !fits || first & 0x70 != 0 || second >> 7 == 0 {
        return Err(1002);
    }
    if opcode == 2 {
        return Err(1003);
    }
    let size = match second & 127 {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some((long, rest)) = rest.split_at_checked(size) else {
        return Ok(None);
    };
    let long = long.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let length = match size {
        0 => u64::from(second & 127),
        2 if long >= 126 => long,
        8 if (65_536..1 << 63).contains(&long) => long,
        _ => return Err(1002),
    };
    if is_control && length > 125 {
        return Err(1002);
    }
    let held = message.as_ref().map_or(0, Vec::len) as u64;
    if !is_control && length > MESSAGE_BYTES_MAX as u64 - held {
        return Err(1009);
    }
    let Some((mask, rest)) = rest.split_at_checked(4) else {
        return Ok(None);
    };
    let Some((payload, rest)) = rest.split_at_checked(length as usize) else {
        return Ok(None);
    };
    *bytes = rest;
    let payload = payload.iter().enumerate();
    let payload: Vec<u8> = payload.map(|(at, byte)| byte ^ mask[at % 4]).collect();
    match opcode {
        8 => closed(&payload).map(|code| Some(Received::Over(CloseCode(code)))),
        9 => Ok(Some(Received::Ping(payload))),
        10 => Ok(Some(Received::Pong)),
        _ => {
            message.get_or_insert_default().extend(payload);
            if !is_last {
                return Ok(None);
            }
            let text = String::from_utf8(message.take().unwrap());
            text.map(|text| Some(Received::Text(text))).map_err(|_| 1007)
        }
    }
}

fn closed(payload: &[u8]) -> Result<u16, u16> {
    match payload {
        [] => Ok(1000),
        [_] => Err(1002),
        [_, _, reason @ ..] if str::from_utf8(reason).is_err() => Err(1007),
        [high, low, ..] => match u16::from_be_bytes([*high, *low]) {
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => Ok(code),
            _ => Err(1002),
        },
    }
}
