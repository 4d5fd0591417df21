//! WebSocket frames (RFC 6455), as a server reads and writes them. Does not know what messages
//! mean.

/// The longest message of a client in bytes, all its frames together: a long paste. If 10,000
/// clients send one, they take 160 MiB.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// The longest payload of a control frame in bytes (section 5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// The longest header of a client's frame: two bytes, eight for the length, four for the mask.
const HEADER_BYTES_MAX: usize = 14;

/// The kind of a frame (section 11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// The next part of a message.
    Continuation = 0,
    /// A message in UTF-8, or its beginning.
    Text = 1,
    /// A message of bytes, or its beginning.
    Binary = 2,
    /// The last frame of a connection.
    Close = 8,
    /// A request for a pong.
    Ping = 9,
    /// The answer to a ping.
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

/// The reason why a connection is closed (section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The conversation is over.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// The server stops.
    pub const GOING_AWAY: CloseCode = CloseCode(1001);
    /// The frames break the protocol.
    pub const PROTOCOL: CloseCode = CloseCode(1002);
    /// A message of bytes, which has no meaning here.
    pub const NO_TEXT: CloseCode = CloseCode(1003);
    /// Text that is not UTF-8.
    pub const NO_UTF8: CloseCode = CloseCode(1007);
    /// A message that is too large.
    pub const TOO_LARGE: CloseCode = CloseCode(1009);

    /// Whether an endpoint may send it (section 7.4.2).
    fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

/// Appends a frame of the server, with the payload that `put` appends.
pub fn frame(opcode: Opcode, out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    put(out);
    let length = out.len() - start;
    let first = 0x80 | opcode as u8; // it is the only frame of its message
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => drop(out.splice(start..start, [first, length])),
        (_, Ok(length)) => {
            let [high, low] = length.to_be_bytes();
            out.splice(start..start, [first, 126, high, low]);
        }
        _ => {
            let length = (length as u64).to_be_bytes();
            out.splice(start..start, [first, 127].into_iter().chain(length));
        }
    }
}

/// A frame of the server on its own.
pub(crate) fn one_frame(opcode: Opcode, put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    frame(opcode, &mut out, put);
    out
}

/// The frame with which the server closes a connection.
pub fn close(code: CloseCode) -> Vec<u8> {
    one_frame(Opcode::Close, |out| out.extend_from_slice(&code.0.to_be_bytes()))
}

/// A message or control frame of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A message.
    Text(String),
    /// A ping; the pong has the same payload.
    Ping(Vec<u8>),
    /// A pong: the client is alive.
    Pong,
    /// The end: the client closes the connection with this code, or the server must.
    Over(CloseCode),
}

/// From bytes to messages. It stores the beginning of a message, and nothing between two messages.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// The received part of the next header.
    header: Vec<u8>,
    /// The frame whose header is complete, but not its payload.
    payload: Option<Payload>,
    /// The received part of the message.
    message: Option<Vec<u8>>,
    is_over: bool,
}

#[derive(Debug)]
struct Payload {
    opcode: Opcode,
    is_last: bool,
    /// The mask, rotated so that its first byte is for the next byte of the payload.
    mask: [u8; 4],
    /// The number of bytes still to come.
    left: usize,
    /// The bytes of a control frame; the bytes of other frames go into the message.
    control: Vec<u8>,
}

impl FrameReader {
    /// Takes the next message or control frame from the front of `bytes`, or takes all of them and
    /// returns `None`. Nothing comes after the end.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Option<Received> {
        while !self.is_over {
            let received = self.step(bytes);
            let received = received.unwrap_or_else(|code| Some(Received::Over(code)));
            self.is_over = matches!(received, Some(Received::Over(_)));
            if received.is_some() || bytes.is_empty() {
                return received;
            }
        }
        *bytes = &[];
        None
    }

    /// Reads up to the end of a frame or of `bytes`. An error is the code to close with.
    fn step(&mut self, bytes: &mut &[u8]) -> Result<Option<Received>, CloseCode> {
        while self.payload.is_none() {
            let Some(byte) = bytes.split_off_first() else {
                return Ok(None);
            };
            self.header.push(*byte);
            self.payload = self.parse_header()?;
        }
        self.header = Vec::new(); // an idle connection holds no buffer
        self.read_payload(bytes)
    }

    /// The frame of the received header; `None` while a part of the header is missing.
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
        let Some((length, least, rest)) = parse_length(second & 0x7f, rest) else {
            return Ok(None);
        };
        let is_too_long_for_control = opcode.is_control() && length > CONTROL_BYTES_MAX as u64;
        if length < least || length >> 63 != 0 || is_too_long_for_control {
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
            left: length as usize,
            control: Vec::new(),
        }))
    }

    /// Whether a frame may come now (section 5.4): a control frame whole and at any time, any other
    /// frame only where its message continues or begins.
    fn may_follow(&self, opcode: Opcode, is_last: bool) -> bool {
        match opcode {
            Opcode::Continuation => self.message.is_some(),
            Opcode::Text | Opcode::Binary => self.message.is_none(),
            Opcode::Close | Opcode::Ping | Opcode::Pong => is_last,
        }
    }

    fn read_payload(&mut self, bytes: &mut &[u8]) -> Result<Option<Received>, CloseCode> {
        let Some(payload) = &mut self.payload else {
            return Ok(None);
        };
        let into = match payload.opcode.is_control() {
            true => &mut payload.control,
            false => self.message.get_or_insert_default(),
        };
        let (now, rest) = bytes.split_at(payload.left.min(bytes.len()));
        *bytes = rest;
        let mask = payload.mask.iter().cycle();
        into.extend(now.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        payload.mask.rotate_left(now.len() % 4);
        payload.left -= now.len();
        let Some(payload) = self.payload.take_if(|payload| payload.left == 0) else {
            return Ok(None);
        };
        Ok(match payload.opcode {
            Opcode::Ping => Some(Received::Ping(payload.control)),
            Opcode::Pong => Some(Received::Pong),
            Opcode::Close => Some(Received::Over(close_code(&payload.control)?)),
            Opcode::Continuation | Opcode::Text | Opcode::Binary if !payload.is_last => None,
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                let message = self.message.take().unwrap_or_default();
                let text = String::from_utf8(message).map_err(|_| CloseCode::NO_UTF8)?;
                Some(Received::Text(text))
            }
        })
    }
}

/// The length of a payload, the least length that may have this form (section 5.2), and the bytes
/// after it; `None` while a part of it is missing.
fn parse_length(short: u8, rest: &[u8]) -> Option<(u64, u64, &[u8])> {
    Some(match short {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*length)), 126, rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length), 1 << 16, rest)
        }
        short => (u64::from(short), 0, rest),
    })
}

/// The code in the client's close frame, which the server's close frame repeats (section 5.5.1).
fn close_code(payload: &[u8]) -> Result<CloseCode, CloseCode> {
    match payload {
        [] => Ok(CloseCode::NORMAL),
        [_, _, reason @ ..] if str::from_utf8(reason).is_err() => Err(CloseCode::NO_UTF8),
        [high, low, ..] => {
            let code = CloseCode(u16::from_be_bytes([*high, *low]));
            code.may_be_sent().then_some(code).ok_or(CloseCode::PROTOCOL)
        }
        [_] => Err(CloseCode::PROTOCOL),
    }
}
