//! Questions between nodes, and answers, as bytes: a number for the format, and the value. Its row
//! below has the order of the fields.
//!
//! | format | value |
//! |---|---|
//! | of a question: 1 | a message |
//! | of a question: 2 | another question |
//! | of an answer: 1 | another answer than that to a message |
//!
//! The answer to a message is one byte: the digit 1 if somebody reads it, else 0. So nodes that know
//! only messages understand each other and the newer ones.

use std::net::SocketAddr;

use parlor_core::link::{CarriedMessage, ConnectionFacts, NodeAnswer, NodeQuestion};

use super::bytes::{Packed, Packer, TooLarge, UnpackError, Unpacker, choice, record};

/// The newest format of questions.
pub const FORMAT: u64 = 2;

/// The format of messages.
const MESSAGE: u64 = 1;

/// The format of answers.
const ANSWER: u64 = 1;

/// The answer to a message that somebody reads, and to one that nobody reads.
const READ: &[u8] = b"1";
const NOT_READ: &[u8] = b"0";

/// The largest question or answer, in bytes: lines that are sent together have less.
pub const BYTES_MAX: usize = 512 << 10;

record!(CarriedMessage { after, from, to, invitation, lines, is_for_programs });

choice!(NodeQuestion, "a question", { 0 => Message(message), 1 => Reading { person, room }, 2 => Connections { after, people } });

choice!(NodeAnswer, "an answer", { 0 => IsRead(is_read), 1 => ReadTo(seq), 2 => Connections(facts) });

record!(ConnectionFacts { address, silent });

impl Packed for SocketAddr {
    fn pack(&self, to: &mut Packer) {
        self.ip().pack(to);
        self.port().pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<SocketAddr, UnpackError> {
        Ok(SocketAddr::new(Packed::unpack(from)?, Packed::unpack(from)?))
    }
}

/// The bytes of a question.
///
/// # Errors
/// It has more than [`BYTES_MAX`] bytes.
pub fn pack(question: &NodeQuestion) -> Result<Vec<u8>, TooLarge> {
    let mut packer = Packer::default();
    match question {
        NodeQuestion::Message(message) => {
            MESSAGE.pack(&mut packer);
            message.pack(&mut packer);
        }
        question => {
            FORMAT.pack(&mut packer);
            question.pack(&mut packer);
        }
    }
    packer.finish(BYTES_MAX)
}

/// The question in these bytes.
///
/// # Errors
/// The format is newer than this version of the program, or these bytes are no question.
pub fn unpack(bytes: &[u8]) -> Result<NodeQuestion, UnpackError> {
    let mut unpacker = Unpacker::new(bytes, BYTES_MAX)?;
    let question = match unpacker.format(FORMAT)? {
        MESSAGE => NodeQuestion::Message(Packed::unpack(&mut unpacker)?),
        _ => match Packed::unpack(&mut unpacker)? {
            NodeQuestion::Message(_) => {
                return Err(UnpackError::Malformed("a message has format 1"));
            }
            question => question,
        },
    };
    unpacker.finish()?;
    Ok(question)
}

/// The bytes of an answer.
///
/// # Errors
/// It has more than [`BYTES_MAX`] bytes.
pub fn pack_answer(answer: &NodeAnswer) -> Result<Vec<u8>, TooLarge> {
    let mut packer = Packer::default();
    match answer {
        NodeAnswer::IsRead(true) => packer.raw(READ),
        NodeAnswer::IsRead(false) => packer.raw(NOT_READ),
        answer => {
            ANSWER.pack(&mut packer);
            answer.pack(&mut packer);
        }
    }
    packer.finish(BYTES_MAX)
}

/// The answer in these bytes.
///
/// # Errors
/// The format is newer than this version of the program, or these bytes are no answer.
pub fn unpack_answer(bytes: &[u8]) -> Result<NodeAnswer, UnpackError> {
    match bytes {
        READ => return Ok(NodeAnswer::IsRead(true)),
        NOT_READ => return Ok(NodeAnswer::IsRead(false)),
        _ => {}
    }
    let mut unpacker = Unpacker::new(bytes, BYTES_MAX)?;
    unpacker.format(ANSWER)?;
    let answer = NodeAnswer::unpack(&mut unpacker)?;
    unpacker.finish()?;
    match answer {
        NodeAnswer::IsRead(_) => Err(UnpackError::Malformed("this answer is one byte")),
        answer => Ok(answer),
    }
}
