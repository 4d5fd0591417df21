//! Chunks of a snapshot as bytes: each is a message of a stream, and says to which whole it belongs.
//!
//! | part | bytes |
//! |---|---|
//! | format | a number, now 1 |
//! | number of the chunk | a number, counted from 0 |
//! | number of all chunks | a number |
//! | checksum of the whole | a number below 2^32 (CRC-32) |
//! | checksum of the message of the order after which the ledger was so | a number below 2^32 (CRC-32) |
//! | bytes of the snapshot | all that follows |

use super::bytes::{Packed, Packer, TooLarge, UnpackError, Unpacker, record};
use super::snapshot;

/// The newest format, which is the one that is written.
pub const FORMAT: u64 = 1;

/// How many bytes of the snapshot a chunk has; the last one may have fewer.
pub const CHUNK_BYTES: usize = 256 << 10;

/// The largest number of chunks.
const COUNT_MAX: usize = snapshot::BYTES_MAX.div_ceil(CHUNK_BYTES);

/// The space for the numbers before the bytes.
const HEAD_BYTES_MAX: usize = 64;

/// The whole to which a chunk belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The number of its chunks.
    pub count: usize,
    /// Its checksum.
    pub checksum: u32,
    /// The checksum of the message of the order after which the ledger was so.
    pub message: u32,
}

/// A chunk of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its number, counted from 0.
    pub number: usize,
    /// The whole.
    pub whole: Whole,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

record!(Whole { count, checksum, message });

/// The bytes of a chunk.
///
/// # Errors
/// It has more than [`CHUNK_BYTES`] bytes.
pub fn pack(number: usize, whole: Whole, bytes: &[u8]) -> Result<Vec<u8>, TooLarge> {
    let mut packer = Packer::default();
    FORMAT.pack(&mut packer);
    number.pack(&mut packer);
    whole.pack(&mut packer);
    packer.raw(bytes);
    packer.finish(if bytes.len() > CHUNK_BYTES { 0 } else { usize::MAX })
}

/// The chunk in these bytes.
///
/// # Errors
/// The format is newer than this version of the program, or these bytes are no chunk.
pub fn unpack(bytes: &[u8]) -> Result<Chunk, UnpackError> {
    let mut unpacker = Unpacker::new(bytes, CHUNK_BYTES + HEAD_BYTES_MAX)?;
    unpacker.format(FORMAT)?;
    let number = usize::unpack(&mut unpacker)?;
    let whole = Whole::unpack(&mut unpacker)?;
    if whole.count > COUNT_MAX || number >= whole.count {
        return Err(UnpackError::Malformed("a chunk has no place in its whole"));
    }
    let bytes = unpacker.rest();
    if bytes.len() > CHUNK_BYTES {
        return Err(UnpackError::Malformed("a chunk is too long"));
    }
    Ok(Chunk { number, whole, bytes: bytes.to_vec() })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::{CHUNK_BYTES, Whole, pack, unpack};

    const WHOLE: Whole = Whole { count: 4_096, checksum: u32::MAX, message: 0 };

    #[test]
    fn the_largest_chunk_comes_back_and_a_larger_one_is_refused() {
        let bytes = vec![0xff; CHUNK_BYTES];
        let chunk = unpack(&pack(4_095, WHOLE, &bytes).unwrap()).unwrap();
        assert_eq!((chunk.number, chunk.whole, chunk.bytes), (4_095, WHOLE, bytes.clone()));
        assert!(pack(0, WHOLE, &[bytes.clone(), vec![0]].concat()).is_err());
        let packed = [pack(0, WHOLE, &bytes).unwrap(), vec![0]].concat();
        assert!(unpack(&packed).is_err());
    }

    #[test]
    fn a_chunk_without_a_place_in_its_whole_is_none() {
        for (number, count) in [(4, 4), (0, 0), (0, 4_097)] {
            assert!(unpack(&pack(number, Whole { count, ..WHOLE }, &[]).unwrap()).is_err());
        }
        assert!(unpack(&[2, 0, 1, 0, 0]).is_err());
        assert!(unpack(&[1, 0, 1, 0]).is_err());
    }
}
