//! Deletes lines: those that are too old, and those whose owner wants them gone.

mod eraser;
mod request;
mod rows;

pub(crate) use eraser::Eraser;
pub(crate) use request::{Forgetting, Owner};
