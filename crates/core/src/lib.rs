//! What Parlor is about: rooms, names, logs, and the broadcaster that owns them.
//!
//! This crate knows no socket, no runtime, no clock, no random source and no file. Time comes in
//! as an argument, so a simulator can run the shipped code under a seed, and loom can check the
//! log and the bell.
//!
//! Read the modules in this order: what people say ([`mod@line`], [`name`], [`entry`]), where it is
//! kept and read ([`batch`], [`log`], [`bell`]), who reads it ([`group`], [`client`], [`seat`], [`room`], [`backlog`]),
//! who orders it ([`inbox`], [`broadcaster`], [`journal`]), and what a door's dialect has to put
//! into words ([`dialect`], [`command`], [`answer`]).

pub mod line;
pub mod name;
pub mod nearest;
pub mod time;

pub mod batch;
pub mod bell;
pub mod entry;
pub mod log;

pub mod backlog;
pub mod client;
mod crowd;
mod filter;
pub mod group;
pub mod mailbox;
pub mod room;
pub mod seat;

pub mod broadcaster;
pub mod inbox;
pub mod journal;
pub mod keys;

pub mod answer;
pub mod ban;
pub mod command;
pub mod dialect;
pub mod order;
pub mod rate;

mod sync;
