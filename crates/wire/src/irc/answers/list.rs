//! The answer to LIST: the rooms that pass a filter. Knows no command.

use parlor_core::link::RoomInfo;

use crate::irc::protocol::{Glob, Numeric, TEXT_BYTES_MAX, channel, shortened};
use crate::irc::reply::Replies;

/// Adds the rooms that have people and pass a filter.
pub(super) fn put_list(rooms: &[RoomInfo], filter: &str, replies: &mut Replies) {
    let filter = ListFilter::parse(filter);
    let shown = rooms.iter().filter(|room| room.people > 0 && filter.passes(room));
    for room in shown {
        let topic = room.topic.as_ref().map(|topic| shortened(topic, TEXT_BYTES_MAX));
        let words = [&channel(&room.room), &room.people.to_string()];
        replies.numeric(Numeric::RPL_LIST, &words.map(String::as_str), &topic.unwrap_or_default());
    }
}

/// The filter of a LIST: channels and conditions, with commas. A room is one of the channels if
/// there are any, and meets all conditions.
struct ListFilter {
    /// The channels; a mask that no channel can have is none.
    channels: Vec<Option<Glob>>,
    conditions: Vec<Condition>,
}

/// A condition of a room.
enum Condition {
    MorePeopleThan(usize),
    FewerPeopleThan(usize),
    NotLike(Option<Glob>),
    /// No room meets what is no condition.
    Unknown,
}

impl ListFilter {
    fn parse(filter: &str) -> ListFilter {
        let (mut channels, mut conditions) = (Vec::new(), Vec::new());
        for part in filter.split(',').filter(|part| !part.is_empty()) {
            let number = |digits: &str| digits.parse().ok();
            conditions.push(if let Some(least) = part.strip_prefix('>') {
                number(least).map_or(Condition::Unknown, Condition::MorePeopleThan)
            } else if let Some(most) = part.strip_prefix('<') {
                number(most).map_or(Condition::Unknown, Condition::FewerPeopleThan)
            } else if let Some(mask) = part.strip_prefix('!') {
                Condition::NotLike(Glob::new(mask))
            } else {
                channels.push(Glob::new(part));
                continue;
            });
        }
        ListFilter { channels, conditions }
    }

    fn passes(&self, room: &RoomInfo) -> bool {
        let channel = channel(&room.room);
        let is_like =
            |mask: &Option<Glob>| mask.as_ref().is_some_and(|mask| mask.matches(&channel));
        let is_met = |condition: &Condition| match condition {
            Condition::MorePeopleThan(least) => room.people > *least,
            Condition::FewerPeopleThan(most) => room.people < *most,
            Condition::NotLike(mask) => !is_like(mask),
            Condition::Unknown => false,
        };
        let is_named = self.channels.is_empty() || self.channels.iter().any(is_like);
        is_named && self.conditions.iter().all(is_met)
    }
}
