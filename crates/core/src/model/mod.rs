//! The vocabulary of the whole program: lines, names, people, times, entries, acts and limits.
//! Knows no log and no connection.

pub mod act;
pub mod author;
mod conversation;
mod counting;
mod entry;
mod erasable;
pub mod hashed;
mod keys;
pub mod limits;
pub mod line;
mod modes;
pub mod name;
pub mod nearest;
pub mod node;
mod piece;
pub mod rate;
pub mod room_rules;
pub mod span;
pub mod time;
pub mod topic;
mod weight;
pub mod who;
pub mod whom;

pub use act::{Act, Deed, Here, Keeping, Reach, Verb};
pub use author::{Author, By, Rank};
pub use conversation::ConversationId;
pub use counting::Counting;
pub use entry::{
    ActOf, Entry, PersonChange, PersonEvent, RankChange, Renaming, RoomRank, Said, Telling,
    Together, TopicSet,
};
pub use erasable::{Blank, Erasable, Seal, SealKey};
pub use hashed::Hashed;
pub use keys::apply_keys;
pub(crate) use keys::apply_shown_keys;
pub use limits::{Capacity, Census, Limits};
pub use line::Line;
pub(crate) use line::{is_picture, is_unseen};
pub use modes::Modes;
pub use name::{Looks, NAME_CHARS_MAX, Name, NameError, OwnedName, RoomName, fold};
pub use nearest::nearest;
pub use node::{Format, NodeName, NodeProgram, NodeStatus};
pub(crate) use piece::PIECE_BYTES;
pub use rate::{Bucket, Rate, network};
pub use room_rules::{
    PEOPLE_LIMIT_MAX, ROOM_PASSWORD_BYTES_MAX, RoomPasswordError, RoomRules, check_room_password,
};
pub use span::{Damage, End, Flaw, Missed};
pub use time::{Now, WallTime};
pub use topic::Topic;
pub use who::{
    AWAY_BYTES_MAX, Claim, Extras, InGroup, Manner, PROFILE_BYTES_MAX, PersonId, Profile, Proof,
    ProvenAccount, RoomId, Spoken, Who,
};
pub use whom::{Net, Whom};
