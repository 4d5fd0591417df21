//! Private messages from one node to another as bytes: a number for the format, now 1, and a record
//! whose row below has the order of the fields.

use parlor_core::link::CarriedMessage;

use super::bytes::{Packed, Packer, TooLarge, UnpackError, Unpacker, record};

/// The newest format, which is the one that is written.
pub const FORMAT: u64 = 1;

/// The largest message, in bytes: lines that are sent together have less.
pub const BYTES_MAX: usize = 512 << 10;

record!(CarriedMessage { after, from, to, invitation, lines, is_for_programs });

/// The bytes of a message.
///
/// # Errors
/// It has more than [`BYTES_MAX`] bytes.
pub fn pack(message: &CarriedMessage) -> Result<Vec<u8>, TooLarge> {
    let mut packer = Packer::default();
    FORMAT.pack(&mut packer);
    message.pack(&mut packer);
    packer.finish(BYTES_MAX)
}

/// The message in these bytes.
///
/// # Errors
/// The format is newer than this version of the program, or these bytes are no message.
pub fn unpack(bytes: &[u8]) -> Result<CarriedMessage, UnpackError> {
    let mut unpacker = Unpacker::new(bytes, BYTES_MAX)?;
    unpacker.format(FORMAT)?;
    let message = CarriedMessage::unpack(&mut unpacker)?;
    unpacker.finish()?;
    Ok(message)
}
