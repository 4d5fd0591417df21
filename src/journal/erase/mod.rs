//! Deletes old lines, and the lines of owners who ask for it.

mod eraser;
mod request;
mod rows;

pub(crate) use eraser::Eraser;
pub(crate) use request::{Forgetting, Owner};
