//! The IRC dialect: from lines to requests of a session, and from entries and answers to messages.
//!
//! It follows RFC 1459 and RFC 2812 as clients read them today (modern.ircdocs.horse), and IRCv3.

mod answers;
mod commands;
mod decoder;
mod encoder;
mod entries;
mod history;
mod protocol;
mod registration;
mod reply;
mod voice;

pub use decoder::IrcDecoder;
pub use encoder::IrcEncoder;
pub use entries::IrcEncoding;
pub use protocol::{
    ACTION_BYTES, BanMask, CHANGES_MAX, CLIENT_TAGS_BYTES_MAX, Cap, Caps, ChannelMode, Class, Ctcp,
    Glob, HISTORY_MAX, IrcFrame, IrcFramer, IrcMessage, IrcServer, Isupport, MESSAGE_BYTES_MAX,
    MONITOR_MAX, MULTILINE_BYTES_MAX, MaskError, MessageWriter, ModeChange, ModeError, ModeKind,
    ModeRequest, MsgId, MsgPlace, Negotiation, Numeric, PARAMETERS_MAX, Selector, TAGS_BYTES_MAX,
    TARGETS_MAX, TEXT_BYTES_MAX, Tag, TagWriter, Tags, USERHOSTS_MAX, UserMode, channel_letters,
    channel_modes, letters, name, parts, plain, server_time, text_bytes_max, user_modes,
};
pub use registration::{Registration, RegistrationStep, SaslPiece, SaslPlain, SaslResponse};
