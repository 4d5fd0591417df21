//! The memory that a value takes beside its own bytes.

/// The bytes that the allocator adds to a piece of memory, with the counts of its owners: the length
/// of the piece, and up to 15 bytes behind it.
pub(crate) const PIECE_BYTES: usize = 16;
