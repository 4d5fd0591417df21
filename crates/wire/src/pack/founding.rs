//! The first message of the order of several nodes, as bytes: a number for its format, now 1, and
//! the name of the log.

use super::bytes::{Packed, Packer, TooLarge, UnpackError, Unpacker};

/// The newest format, which is the one that is written.
pub const FORMAT: u64 = 1;

/// The largest name of a log, in bytes.
const LOG_BYTES_MAX: usize = 64;

/// The bytes of a founding.
///
/// # Errors
/// The name is too long.
pub fn pack(log: &str) -> Result<Vec<u8>, TooLarge> {
    let mut packer = Packer::default();
    FORMAT.pack(&mut packer);
    packer.text(log, LOG_BYTES_MAX);
    packer.finish(usize::MAX)
}

/// The name of the log in these bytes.
///
/// # Errors
/// The format is newer than this version of the program, or these bytes are no founding.
pub fn unpack(bytes: &[u8]) -> Result<String, UnpackError> {
    let mut unpacker = Unpacker::new(bytes, 2 * LOG_BYTES_MAX)?;
    unpacker.format(FORMAT)?;
    let log = unpacker.text(LOG_BYTES_MAX)?.to_owned();
    unpacker.finish()?;
    Ok(log)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::{pack, unpack};

    #[test]
    fn a_founding_comes_back_and_nothing_else_is_one() {
        let bytes = pack("0123456789abcdef").unwrap();
        assert_eq!(unpack(&bytes).unwrap(), "0123456789abcdef");
        assert!(pack(&"a".repeat(65)).is_err());
        for end in 0..bytes.len() {
            assert!(unpack(&bytes[..end]).is_err());
        }
        assert!(unpack(&[bytes, vec![0]].concat()).is_err());
    }
}
