//! What must hold for any bytes at all. Knows not where they come from: each body is run by a fuzz
//! target of its name in `fuzz/`, by the replay of that target's corpus, and by proptest.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod first_line;
pub(crate) mod framer;
pub(crate) mod lines;
pub(crate) mod reference;
pub(crate) mod telnet;
pub(crate) mod web;
pub(crate) mod websocket;
