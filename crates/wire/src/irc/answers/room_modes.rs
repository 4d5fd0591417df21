//! The modes of a room, as MODE shows them. Knows no command.

use parlor_core::model::{Line, RoomName, RoomRules};

use crate::irc::protocol::{ChannelMode, Numeric, channel};
use crate::irc::reply::Replies;

/// Adds the modes of a room, with their parameters.
pub(super) fn put_modes(
    room: &RoomName,
    rules: &RoomRules,
    is_topic_locked: bool,
    replies: &mut Replies,
) {
    let RoomRules { is_invited_only, is_moderated, is_secret, password, people_max } = rules;
    let modes = [
        (*is_invited_only, ChannelMode::InvitedOnly),
        (password.is_some(), ChannelMode::Key),
        (people_max.is_some(), ChannelMode::Limit),
        (*is_moderated, ChannelMode::Moderated),
        (true, ChannelMode::NoOutside),
        (*is_secret, ChannelMode::Secret),
        (is_topic_locked, ChannelMode::TopicLock),
    ];
    let set = modes.iter().filter(|(is_set, _)| *is_set);
    let letters: String = set.map(|(_, mode)| mode.letter()).collect();
    let parameters =
        [password.as_ref().map(Line::to_string), people_max.map(|max| max.to_string())];
    let words = [channel(room), format!("+{letters}")];
    let words: Vec<_> = words.into_iter().chain(parameters.into_iter().flatten()).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    replies.numeric_words(Numeric::RPL_CHANNELMODEIS, &words);
}
