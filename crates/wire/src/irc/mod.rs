//! The IRC dialect: messages, names, capabilities, modes, and what comes before the welcome.
//!
//! It follows RFC 1459 and RFC 2812 as clients read them today (modern.ircdocs.horse), and IRCv3.

mod acts;
mod authenticate;
mod cap_command;
mod caps;
mod class;
mod events;
mod format;
mod framer;
mod glob;
mod isupport;
mod masks;
mod message;
mod modes;
mod msgid;
pub mod name;
mod negotiation;
mod numeric;
mod people;
mod registering;
mod registration_outcome;
mod replies;
mod said;
mod sasl;
mod server;
mod split;
mod tag_writer;
mod tags;
mod writer;

pub use caps::{Cap, Caps, MULTILINE_BYTES_MAX};
pub use class::Class;
pub use events::IrcEncoding;
pub use format::{Ctcp, plain};
pub use framer::{IrcFrame, IrcFramer};
pub use glob::Glob;
pub use isupport::{Isupport, MONITOR_MAX, TARGETS_MAX, TEXT_BYTES_MAX, USERHOSTS_MAX};
pub use masks::{BanMask, MaskError};
pub use message::{IrcMessage, PARAMETERS_MAX};
pub use modes::{
    CHANGES_MAX, ChannelMode, ModeChange, ModeError, ModeKind, ModeRequest, UserMode,
    channel_letters, channel_modes, letters, user_modes,
};
pub use msgid::{MsgId, MsgPlace, Selector, server_time};
pub use negotiation::Negotiation;
pub use numeric::Numeric;
pub use registering::{Registration, RegistrationStep};
pub use sasl::{SaslPiece, SaslPlain, SaslResponse};
pub use server::IrcServer;
pub use split::parts;
pub use tag_writer::{TAGS_BYTES_MAX, TagWriter};
pub use tags::{CLIENT_TAGS_BYTES_MAX, Tag, Tags};
pub use writer::{ACTION_BYTES, MESSAGE_BYTES_MAX, MessageWriter, text_bytes_max};
