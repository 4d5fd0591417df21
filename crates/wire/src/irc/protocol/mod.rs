//! The protocol itself: how messages are written, what their words stand for, and what clients can
//! ask for. Knows no session.

mod capability;
mod grammar;
mod terms;

pub use capability::{Cap, Caps, Class, MULTILINE_BYTES_MAX, Negotiation};
pub(crate) use grammar::escape;
pub use grammar::{
    ACTION_BYTES, CLIENT_TAGS_BYTES_MAX, Ctcp, IrcFrame, IrcFramer, IrcMessage, MESSAGE_BYTES_MAX,
    MessageWriter, Numeric, PARAMETERS_MAX, TAGS_BYTES_MAX, Tag, TagWriter, Tags, parts, plain,
    text_bytes_max,
};
pub use terms::{
    BanMask, CHANGES_MAX, ChannelMode, Glob, HISTORY_MAX, IrcServer, Isupport, MONITOR_MAX,
    MaskError, ModeChange, ModeError, ModeKind, ModeRequest, MsgId, MsgPlace, Selector,
    TARGETS_MAX, TEXT_BYTES_MAX, USERHOSTS_MAX, UserMode, channel_letters, channel_modes, letters,
    name, server_time, user_modes,
};
pub(crate) use terms::{
    LIST_TARGETS_MAX, REALNAME_BYTES_MAX, Service, WhoMasks, WhoTargets, acts, author, channel,
    nick, realname, shortened, source_of, source_under,
};
