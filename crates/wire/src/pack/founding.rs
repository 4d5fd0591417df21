//! The first message of the order of several nodes, as bytes: a number for its format, and the name
//! of the log.
//!
//! | format | the order behind it |
//! |---|---|
//! | 1 | begins with the first boot of a node |
//! | 2 | begins with the past: what the first node has stored as a server without other nodes |

use super::bytes::{Packed, Packer, TooLarge, UnpackError, Unpacker};

/// The format without a past.
const NEW: u64 = 1;

/// The newest format.
pub const FORMAT: u64 = 2;

/// The largest name of a log, in bytes.
const LOG_BYTES_MAX: usize = 64;

/// The first message of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founding {
    /// The name of the log.
    pub log: String,
    /// Whether the order begins with what the first node has stored before.
    pub has_past: bool,
}

/// The bytes of a founding.
///
/// # Errors
/// The name is too long.
pub fn pack(Founding { log, has_past }: &Founding) -> Result<Vec<u8>, TooLarge> {
    let mut packer = Packer::default();
    let format = if *has_past { FORMAT } else { NEW };
    format.pack(&mut packer);
    packer.text(log, LOG_BYTES_MAX);
    packer.finish(usize::MAX)
}

/// The founding in these bytes.
///
/// # Errors
/// The format is newer than this version of the program, or these bytes are no founding.
pub fn unpack(bytes: &[u8]) -> Result<Founding, UnpackError> {
    let mut unpacker = Unpacker::new(bytes, 2 * LOG_BYTES_MAX)?;
    let has_past = unpacker.format(FORMAT)? > NEW;
    let log = unpacker.text(LOG_BYTES_MAX)?.to_owned();
    unpacker.finish()?;
    Ok(Founding { log, has_past })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::{Founding, UnpackError, pack, unpack};

    fn founding(log: &str, has_past: bool) -> Founding {
        Founding { log: log.to_owned(), has_past }
    }

    #[test]
    fn a_founding_comes_back_and_nothing_else_is_one() {
        for (has_past, format) in [(false, 1), (true, 2)] {
            let founding = founding("0123456789abcdef", has_past);
            let bytes = pack(&founding).unwrap();
            assert_eq!((bytes[0], unpack(&bytes).unwrap()), (format, founding));
            for end in 0..bytes.len() {
                assert!(unpack(&bytes[..end]).is_err());
            }
            assert!(unpack(&[&bytes[..], &[0]].concat()).is_err());
            let newer = unpack(&[&[3], &bytes[1..]].concat());
            assert_eq!(newer, Err(UnpackError::NewerFormat(3)));
        }
        assert!(pack(&founding(&"a".repeat(65), false)).is_err());
    }
}
