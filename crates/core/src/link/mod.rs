//! The link between a connection and the broadcaster: requests, answers, seats, mail and what a dialect
//! must be able to do. Knows no socket.

pub mod answer;
pub mod backlog;
pub mod client;
pub mod command;
pub mod dialect;
mod filter;
pub mod inbox;
pub mod mailbox;
pub mod seat;

pub use answer::{
    Answer, Notice, PEOPLE_MAX, Password, People, Present, ROOMS_MAX, Refusal, RoomInfo, Roster,
    WHO_MAX,
};
pub use backlog::{BATCHES_MAX, Backlog, Rooms};
pub use client::{Client, Link};
pub use command::{COMMANDS, Command, Group, Spec, command_names, slipped};
pub use dialect::{Decoder, Encoder, Input, Next, Start};
pub(crate) use inbox::Letter;
pub use inbox::{Inbox, Outcome, Request};
pub use mailbox::{BYTES_MAX, ITEMS_MAX, Item, Mark};
pub(crate) use seat::Place;
pub use seat::{Entered, Listener, Listening, Replay, Resumed, Seat, View};
