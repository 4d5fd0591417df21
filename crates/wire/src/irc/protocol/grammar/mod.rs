//! The grammar of IRC: lines, messages, tags and texts. Knows no command.

mod format;
mod framer;
mod message;
mod numeric;
mod split;
mod tag_writer;
mod tags;
mod writer;

pub use format::{Ctcp, plain};
pub use framer::{IrcFrame, IrcFramer};
pub use message::{IrcMessage, PARAMETERS_MAX};
pub use numeric::Numeric;
pub use split::parts;
pub use tag_writer::{TAGS_BYTES_MAX, TagWriter};
pub(crate) use tags::escape;
pub use tags::{CLIENT_TAGS_BYTES_MAX, Tag, Tags};
pub use writer::{ACTION_BYTES, MESSAGE_BYTES_MAX, MessageWriter, text_bytes_max};
