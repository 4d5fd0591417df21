//! A server in this process, and people who join it, for conversations.
#![allow(dead_code, reason = "no test binary needs all of it")]

mod book;
mod guest;
mod irc;
mod server;
mod visitor;

use std::time::Duration;

pub(crate) use book::{Chat, Netcat3};
pub(crate) use guest::Guest;
pub(crate) use irc::{Chatter, Message};
pub(crate) use server::TestServer;
pub(crate) use visitor::{Visitor, numbers};

/// The longest wait of a test, unless the test has failed.
pub(crate) const DEADLINE: Duration = Duration::from_mins(3);
