//! Checks that must hold for any bytes. Each body runs in the fuzz target of its name in `fuzz/`,
//! in the replay of that target's corpus, and in proptest.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod carried;
pub(crate) mod certificate;
pub(crate) mod first_line;
pub(crate) mod forwarded;
pub(crate) mod framer;
pub(crate) mod irc;
pub(crate) mod irc_client;
pub(crate) mod keys;
pub(crate) mod lines;
pub(crate) mod proposal;
pub(crate) mod proxy;
pub(crate) mod reference;
pub(crate) mod snapshot;
pub(crate) mod telnet;
pub(crate) mod web;
pub(crate) mod websocket;
