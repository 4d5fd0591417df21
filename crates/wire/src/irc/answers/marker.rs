//! Read markers as MARKREAD. Knows no connection.

use parlor_core::model::{ConversationId, WallTime};

use crate::irc::protocol::{channel, nick, server_time};
use crate::irc::reply::Replies;

/// Adds how far a conversation is read.
pub(crate) fn put_marker(
    conversation: &ConversationId,
    read: Option<WallTime>,
    replies: &mut Replies,
) {
    let target = match conversation {
        ConversationId::Room(room) => channel(room).into(),
        ConversationId::With(name) => nick(name),
    };
    let time = read.map_or("*".to_owned(), |read| format!("timestamp={}", server_time(read)));
    replies.words("MARKREAD", &[&target, &time]);
}
