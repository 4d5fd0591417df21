//! core

mod line;

pub use line::Line;
