//! The link between a connection and the broadcaster: requests, answers, seats, mail, and the
//! interface of a dialect. Knows no socket.

mod answer;
mod asked;
mod backlog;
mod client;
mod dialect;
mod filter;
mod inbox;
mod mailbox;
mod moment;
mod neighbours;
mod outcome;
mod reading;
mod recall;
mod request;
mod roster;
mod seat;
mod sighting;
mod view;
mod visitor;
mod watch;

pub use crate::command::{
    COMMANDS, Command, CommandGroup, Misread, Spec, command_names, is_meant_as_time, parse_time,
    slipped,
};
pub use crate::refusal::Refusal;
pub(crate) use answer::BANS_SHOWN_MAX;
pub use answer::{
    Answer, Contact, Notice, PEOPLE_MAX, PasswordFor, PeoplePage, Present, PrivateMessage,
    ROOMS_MAX, RoomKeepers, WHO_MAX,
};
pub use asked::{Asked, WhyDeparted};
pub use backlog::{BATCHES_MAX, Backlog, Rooms};
pub use client::Client;
pub(crate) use client::address_name;
pub use dialect::{Attempt, Decoder, Encoder, Excerpt, Input, Start};
pub(crate) use inbox::InboxItem;
pub use inbox::{Inbox, Link};
pub use mailbox::{BYTES_MAX, Full, ITEMS_MAX, Mail};
pub use neighbours::{
    Carried, CarriedMessage, ConnectionFacts, Neighbours, NodeAnswer, NodeQuestion,
};
pub use outcome::{NewSeat, Outcome};
pub use recall::{Recall, Spot};
pub use request::{AccountChange, Change, CodeChange, FirstRoom, MessageChange, Query, Request};
pub use roster::{FullRoster, Occupant};
pub use seat::{Listener, Presence, Seat, Seats};
pub(crate) use sighting::{BYGONE_MAX, SIGHTINGS_MAX};
pub use sighting::{
    Bygone, Findable, FindablePage, RankedRoom, RoomInfo, RoomsPage, Sighting, Totals, Whois,
};
pub(crate) use view::Place;
pub use view::{Entered, Listening, Mark, Replay, Resumed, View};
pub(crate) use visitor::VISITORS_MAX;
pub use visitor::{Visitor, VisitorPage};
pub use watch::{WATCHED_MAX, WatchRequest, Watched};
