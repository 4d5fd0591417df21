//! Results: printed as tables, written as JSON, and made into a page of Markdown with pictures.
//! Measures nothing.

mod page;
mod picture;
mod table;

pub(crate) use page::{ReportOptions, write};
pub(crate) use table::{Cell, Chart, ResultTable, Results, VALID, Versions, YES, as_typed};
