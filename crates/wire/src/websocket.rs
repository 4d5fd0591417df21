//! WebSocket frames (RFC 6455), as a server reads and writes them. Knows no message's meaning.

use std::ops::ControlFlow;

/// A message of a client may have this many bytes, in however many frames: a long paste, and 10,000 clients at it take
/// 160 MiB.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// A control frame's payload may have this many bytes (section 5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// The longest header of a client's frame: two bytes, eight for the length, four for the mask.
const HEADER_BYTES_MAX: usize = 14;

/// What a frame is (section 11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// Goes on with the message that was begun.
    Continuation = 0,
    /// Text, in UTF-8: the beginning of a message, or all of it.
    Text = 1,
    /// Bytes.
    Binary = 2,
    /// The last frame.
    Close = 8,
    /// Is to be answered.
    Ping = 9,
    /// The answer.
    Pong = 10,
}

impl Opcode {
    fn of(bits: u8) -> Option<Opcode> {
        Some(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return None,
        })
    }

    fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// Why a connection is closed (section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// All is said.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// The server ends.
    pub const GOING_AWAY: CloseCode = CloseCode(1001);
    /// The frames make no sense.
    pub const PROTOCOL: CloseCode = CloseCode(1002);
    /// Bytes have no meaning here.
    pub const NO_TEXT: CloseCode = CloseCode(1003);
    /// Text that is no UTF-8.
    pub const NO_UTF8: CloseCode = CloseCode(1007);
    /// A message that is too large.
    pub const TOO_LARGE: CloseCode = CloseCode(1009);

    /// Whether an endpoint may say so (section 7.4.2).
    fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

/// Appends a server's frame with the payload that `put` appends.
pub fn frame(opcode: Opcode, out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    put(out);
    let length = out.len() - start;
    let first = 0x80 | opcode as u8; // whole
    let mut header = [first, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let used = match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => {
            header[1] = length;
            2
        }
        (_, Ok(length)) => {
            header[1] = 126;
            header[2..4].copy_from_slice(&length.to_be_bytes());
            4
        }
        _ => {
            header[1] = 127;
            header[2..].copy_from_slice(&(length as u64).to_be_bytes());
            10
        }
    };
    out.splice(start..start, header.into_iter().take(used));
}

/// The frame with which a server closes.
pub fn close(code: CloseCode) -> Vec<u8> {
    let mut out = Vec::new();
    frame(Opcode::Close, &mut out, |out| {
        out.extend_from_slice(&code.0.to_be_bytes());
    });
    out
}

/// Something a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A message.
    Text(String),
    /// Is to be answered with the same.
    Ping(Vec<u8>),
    /// The client is there.
    Pong,
    /// It is over: the client closes, or has to be closed, with this code.
    Over(CloseCode),
}

/// From bytes to messages. Holds the beginning of one message, and nothing between two.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// The header of the frame that comes, as far as it has come.
    header: Vec<u8>,
    /// The frame whose payload comes.
    payload: Option<Payload>,
    /// The message of which the data frames are, as far as it has come.
    message: Option<Vec<u8>>,
    is_over: bool,
}

#[derive(Debug)]
struct Payload {
    opcode: Opcode,
    is_last: bool,
    mask: [u8; 4],
    /// How many bytes of it have come.
    come: usize,
    /// And how many have yet to.
    left: usize,
    /// Those of a control frame; others go into the message.
    control: Vec<u8>,
}

impl FrameReader {
    /// Takes the next message or control frame from the front of `bytes`, or takes all of them and returns none. Behind
    /// the end nothing comes.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Option<Received> {
        while !self.is_over {
            let step = match &self.payload {
                None => self.read_header(bytes),
                Some(_) => self.read_payload(bytes),
            };
            match step {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(received)) => {
                    self.is_over = matches!(received, Some(Received::Over(_)));
                    return received;
                }
                Err(code) => {
                    self.is_over = true;
                    return Some(Received::Over(code));
                }
            }
        }
        *bytes = &[];
        None
    }

    fn read_header(&mut self, bytes: &mut &[u8]) -> Progress {
        loop {
            if let Some(payload) = self.parse_header()? {
                self.header = Vec::new(); // an idle connection holds no buffer
                self.payload = Some(payload);
                return Ok(ControlFlow::Continue(()));
            }
            let Some((&byte, rest)) = bytes.split_first() else {
                return Ok(ControlFlow::Break(None));
            };
            self.header.push(byte);
            *bytes = rest;
        }
    }

    /// The frame whose header has come; none while some of it is missing.
    fn parse_header(&self) -> Result<Option<Payload>, CloseCode> {
        debug_assert!(self.header.len() <= HEADER_BYTES_MAX);
        let [first, second, rest @ ..] = self.header.as_slice() else {
            return Ok(None);
        };
        let opcode = Opcode::of(first & 0x0f).ok_or(CloseCode::PROTOCOL)?;
        let is_last = first & 0x80 != 0;
        let (is_reserved, is_masked) = (first & 0x70 != 0, second & 0x80 != 0);
        if is_reserved || !is_masked || !self.may_follow(opcode, is_last) {
            return Err(CloseCode::PROTOCOL);
        }
        if opcode == Opcode::Binary {
            return Err(CloseCode::NO_TEXT);
        }
        let Some((length, rest)) = parse_length(second & 0x7f, rest)? else {
            return Ok(None);
        };
        if opcode.is_control() && length > CONTROL_BYTES_MAX as u64 {
            return Err(CloseCode::PROTOCOL);
        }
        let held = self.message.as_ref().map_or(0, Vec::len);
        if !opcode.is_control() && length > (MESSAGE_BYTES_MAX - held) as u64 {
            return Err(CloseCode::TOO_LARGE);
        }
        Ok(rest.try_into().ok().map(|mask| Payload {
            opcode,
            is_last,
            mask,
            come: 0,
            left: length as usize,
            control: Vec::new(),
        }))
    }

    /// Whether a frame may stand here: control frames whole and anywhere, others as the message has it (section 5.4).
    fn may_follow(&self, opcode: Opcode, is_last: bool) -> bool {
        match opcode {
            Opcode::Continuation => self.message.is_some(),
            Opcode::Text | Opcode::Binary => self.message.is_none(),
            Opcode::Close | Opcode::Ping | Opcode::Pong => is_last,
        }
    }

    fn read_payload(&mut self, bytes: &mut &[u8]) -> Progress {
        let Some(payload) = &mut self.payload else {
            return Ok(ControlFlow::Continue(()));
        };
        let (opcode, is_last) = (payload.opcode, payload.is_last);
        let into = match opcode.is_control() {
            true => &mut payload.control,
            false => self.message.get_or_insert_default(),
        };
        let (now, rest) = bytes.split_at(payload.left.min(bytes.len()));
        *bytes = rest;
        let mask = payload.mask.iter().cycle().skip(payload.come % 4);
        into.extend(now.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        payload.come += now.len();
        payload.left -= now.len();
        if payload.left > 0 {
            return Ok(ControlFlow::Break(None));
        }
        let control = std::mem::take(&mut payload.control);
        self.payload = None;
        match opcode {
            Opcode::Ping => Ok(ControlFlow::Break(Some(Received::Ping(control)))),
            Opcode::Pong => Ok(ControlFlow::Break(Some(Received::Pong))),
            Opcode::Close => Ok(ControlFlow::Break(Some(Received::Over(close_code(
                &control,
            )?)))),
            _ if !is_last => Ok(ControlFlow::Continue(())),
            _ => self.finish_message(),
        }
    }

    fn finish_message(&mut self) -> Progress {
        let bytes = self.message.take().unwrap_or_default();
        let text = String::from_utf8(bytes).map_err(|_| CloseCode::NO_UTF8)?;
        Ok(ControlFlow::Break(Some(Received::Text(text))))
    }
}

/// What comes of a step: it goes on, or something has been received, or all bytes have been taken; or it is over.
type Progress = Result<ControlFlow<Option<Received>>, CloseCode>;

/// The length of a payload, in as few bytes as it fits (section 5.2), and what stands behind it; none while some of it is
/// missing.
fn parse_length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, CloseCode> {
    let (length, least, rest) = match short {
        126 => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), 126, rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from_be_bytes(*length), 1 << 16, rest),
            None => return Ok(None),
        },
        short => (u64::from(short), 0, rest),
    };
    match length >= least && length >> 63 == 0 {
        true => Ok(Some((length, rest))),
        false => Err(CloseCode::PROTOCOL),
    }
}

/// With which code a client closes is answered with the same (section 5.5.1).
fn close_code(payload: &[u8]) -> Result<CloseCode, CloseCode> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok(CloseCode::NORMAL),
            _ => Err(CloseCode::PROTOCOL),
        };
    };
    let code = CloseCode(u16::from_be_bytes(*code));
    match str::from_utf8(reason) {
        Ok(_) if code.may_be_sent() => Ok(code),
        Ok(_) => Err(CloseCode::PROTOCOL),
        Err(_) => Err(CloseCode::NO_UTF8),
    }
}
