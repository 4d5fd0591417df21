//! The core of Parlor: rooms, names, logs, and the broadcaster that owns them.
//!
//! This crate knows no socket, no runtime, no clock, no random source and no file. Time is an
//! argument, so a simulator can run the shipped code under a seed, and loom can check the log and
//! the bell.
//!
//! The folders are floors; each uses only those above it: [`model`], [`ledger`], [`log`],
//! [`journal`], [`link`], [`broadcaster`].

pub mod model;

mod command;
mod refusal;

pub mod intent;
pub mod ledger;
pub mod sequencer;

pub mod log;

pub mod journal;
pub mod link;

pub mod broadcaster;
