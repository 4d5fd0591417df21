//! What was said in a room, once for all readers, and the bells that wake them. Knows no broadcaster.

pub mod batch;
pub mod bell;
pub mod group;
mod sync;
pub mod tail;

pub use batch::{Encoding, Scene, Slice, Slot};
pub use bell::Bell;
pub use group::{Group, Rung};
pub(crate) use sync::{AtomicU64, AtomicUsize, Mutex, Ordering, lock};
pub use tail::{Capacity, Fallen, Log};
