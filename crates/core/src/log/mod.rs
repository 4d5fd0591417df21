//! The lines of a room, stored once for all readers, and the bells that wake the readers. Knows no
//! broadcaster.

mod batch;
mod bell;
mod group;
mod made;
mod person_bits;
mod sync;
mod tail;

pub use batch::{Batch, Cursor, Encoded, Encoding, EncodingKey, Scene, Slice, Slices};
pub use bell::Bell;
pub use group::{Group, Rung};
pub(crate) use sync::{AtomicU64, AtomicUsize, Mutex, Ordering, lock};
pub use tail::{Fallen, Log};
