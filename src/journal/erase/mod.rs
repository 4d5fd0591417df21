//! Deletes lines: those that are too old, and those whose owner wants them gone.

mod eraser;
mod remains;
pub(crate) mod retention_task;
mod rows;
mod takings;
pub(crate) mod task;

pub(crate) use eraser::Retention;
pub(crate) use takings::{Own, TakingId};
pub(crate) use task::{Forgetting, Owner};
