//! Search in stored lines, with an index in its own file that follows the file of lines. They share
//! no transaction, so no commit waits for the index.

mod finder;
mod index;
mod indexer;
mod turns;
mod words;

pub(crate) use finder::IndexedSearch;

#[cfg(test)]
mod tests;
