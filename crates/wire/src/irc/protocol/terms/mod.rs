//! The terms of IRC: nicks, channels, sources, masks, modes, ids, and what they stand for here.

pub(crate) mod acts;
mod glob;
mod isupport;
mod masks;
mod modes;
mod msgid;
pub mod name;
mod people;
mod server;
mod who;

pub use glob::Glob;
pub use isupport::{
    HISTORY_MAX, Isupport, MONITOR_MAX, TARGETS_MAX, TEXT_BYTES_MAX, USERHOSTS_MAX,
};
pub(crate) use isupport::{LIST_TARGETS_MAX, REALNAME_BYTES_MAX};
pub use masks::{BanMask, MaskError};
pub use modes::{
    CHANGES_MAX, ChannelMode, ModeChange, ModeError, ModeKind, ModeRequest, UserMode,
    channel_letters, channel_modes, letters, user_modes,
};
pub use msgid::{MsgId, MsgPlace, Selector, server_time};
pub(crate) use name::{Service, channel, nick};
pub(crate) use people::{author, realname, shortened, source_of, source_under};
pub use server::IrcServer;
pub(crate) use who::{WhoMasks, WhoTargets};
