//! Search in stored lines, with an index in a file of its own that follows the file of lines. It
//! shares no transaction with that file, so no commit waits for it.

mod finder;
mod index;
mod indexer;
mod turns;
mod words;

pub(crate) use finder::IndexedSearch;

#[cfg(test)]
mod tests;
