//! How far a node has come in the order, as bytes: a number for the format, now 1, and a record
//! whose row below has the order of the fields.

use parlor_core::sequencer::NodeReach;

use super::bytes::{Packed, Packer, TooLarge, UnpackError, Unpacker, record};

/// The newest format, which is the one that is written.
pub const FORMAT: u64 = 1;

/// The largest message, in bytes: a name and a few numbers have less.
const BYTES_MAX: usize = 128;

record!(NodeReach { node, after, position, asks });

/// The bytes of a message.
///
/// # Errors
/// There is none: a name is never too long.
pub fn pack(reach: &NodeReach) -> Result<Vec<u8>, TooLarge> {
    let mut packer = Packer::default();
    FORMAT.pack(&mut packer);
    reach.pack(&mut packer);
    packer.finish(BYTES_MAX)
}

/// The message in these bytes.
///
/// # Errors
/// The format is newer than this version of the program, or these bytes are no message.
pub fn unpack(bytes: &[u8]) -> Result<NodeReach, UnpackError> {
    let mut unpacker = Unpacker::new(bytes, BYTES_MAX)?;
    unpacker.format(FORMAT)?;
    let reach = NodeReach::unpack(&mut unpacker)?;
    unpacker.finish()?;
    Ok(reach)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use parlor_core::model::NodeName;

    use super::{NodeReach, pack, unpack};

    #[test]
    fn a_reach_comes_back_and_nothing_else_is_one() {
        let node = NodeName::parse(&"a".repeat(NodeName::BYTES_MAX)).unwrap();
        let reach = NodeReach { node, after: 7, position: u64::MAX, asks: true };
        let bytes = pack(&reach).unwrap();
        assert_eq!(unpack(&bytes).unwrap(), reach);
        for end in 0..bytes.len() {
            assert!(unpack(&bytes[..end]).is_err());
        }
        assert!(unpack(&[bytes, vec![0]].concat()).is_err());
    }
}
