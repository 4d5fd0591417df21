//! Answers of the server as replies, by the command that they answer. What has no reply of its own
//! is told in the words of the line dialect. Knows no connection.

use parlor_core::link::{Answer, Occupant, RoomInfo};
use parlor_core::model::{Act, Line, RoomName, TopicSet};

use super::account::{put_logged_in, put_registered};
use super::list::put_list;
use super::marker::put_marker;
use super::monitor::put_watched;
use super::names::{listed_name, put_end_of_names, put_names};
use super::own_modes::{put_modes_changed, put_own_modes};
use super::people::{put_ison, put_userhost, put_whois, put_whowas};
use super::refusal::put_refusal;
use super::room_modes::put_modes;
use super::totals::put_totals;
use super::whox::put_people;
use crate::irc::protocol::{
    Caps, IrcServer, Numeric, TEXT_BYTES_MAX, acts, channel, nick, shortened,
};
use crate::irc::reply::{BANS, OpenCommand, Replies};
use crate::style::{LineMode, Storage, counted};
use crate::words;

/// The number of rooms in the message of the day.
const MOTD_ROOMS_MAX: usize = 10;

/// A client, as far as answers depend on it.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) server: &'a IrcServer,
    pub(crate) storage: Storage,
    pub(crate) caps: Caps,
    pub(crate) nick: &'a str,
    pub(crate) source: &'a str,
}

/// Adds an answer to a command, or to none.
pub(crate) fn put_answer(
    answer: &Answer,
    command: Option<&OpenCommand>,
    asker: Asker<'_>,
    replies: &mut Replies,
) {
    if let Answer::Refused(refusal) = answer {
        return put_refusal(refusal, command, (asker.server, asker.caps), replies);
    }
    let asked = command.map(|command| (command.word.as_str(), command.target.as_str()));
    match (answer, asked) {
        (Answer::Topic { room, text, set }, Some(("TOPIC", _))) => {
            put_topic(room, text.as_ref(), set.as_ref(), replies);
        }
        (Answer::Rules { room, rules, is_topic_locked, since }, Some(("MODE", _))) => {
            put_modes(room, rules, *is_topic_locked, replies);
            if let Some(since) = since {
                let words = [&*channel(room), &seconds(since.0)];
                replies.numeric_words(Numeric::RPL_CREATIONTIME, &words);
            }
        }
        (Answer::People(page), Some(("NAMES", _))) => {
            let name = |person: &Occupant| {
                listed_name(&person.who, (person.is_keeper, person.has_voice), asker.caps)
            };
            let names: Vec<_> = page.people.iter().map(name).collect();
            let whose = (asker.server.name.as_str(), asker.nick);
            put_names((&channel(&page.room), page.is_secret), &names, whose, replies);
            if page.next.is_none() {
                put_end_of_names(command.map_or("", |command| &command.target), replies);
            }
        }
        (Answer::People(_) | Answer::Present(_) | Answer::Findable(_), Some(("WHO", target))) => {
            let options = command.map_or("", |command| &command.arguments);
            let whose = (asker.server.name.as_str(), asker.caps);
            put_people(answer, (target, options), whose, replies);
        }
        (Answer::Whois(whois), Some(("WHOIS", _))) => {
            put_whois(whois, asker.server, asker.caps, replies);
        }
        (Answer::Whowas { people, .. }, Some(("WHOWAS", nick))) => {
            let wanted = command.map_or("", |command| &command.arguments);
            put_whowas(people, (nick, wanted), asker.server, replies);
        }
        (Answer::Present(sightings), Some(("ISON", _))) => put_ison(sightings, replies),
        (Answer::Present(sightings), Some(("USERHOST", _))) => put_userhost(sightings, replies),
        (Answer::Totals(totals), Some(("LUSERS", _))) => put_totals(*totals, replies),
        (Answer::Modes(modes), Some(("MODE", _))) => put_own_modes(*modes, replies),
        (Answer::ModesChanged { set, removed }, Some((word @ ("MODE" | "OPER"), _))) => {
            put_modes_changed((*set, *removed), asker.nick, word == "OPER", replies);
        }
        (Answer::Watched(watched), Some(("MONITOR", _))) => put_watched(watched, replies),
        (Answer::Invited { who, room }, Some(("INVITE", _))) => {
            replies.numeric_words(Numeric::RPL_INVITING, &[&nick(who), &channel(room)]);
        }
        (Answer::Invitations(rooms), Some(("INVITE", _))) => {
            for room in rooms {
                replies.numeric_words(Numeric::RPL_INVITEDTO, &[&channel(room)]);
            }
            replies.numeric(Numeric::RPL_ENDOFINVITEDTO, &[], "End of /INVITE list");
        }
        (Answer::AllRooms(page), Some(("LIST", filter))) => {
            put_list(&page.rooms, filter, replies);
        }
        (Answer::Rooms { rooms, .. }, Some(("MOTD", _))) => put_rooms_of_motd(rooms, replies),
        (Answer::Bans { bans, .. }, Some(("MODE", target))) => put_bans(bans, target, replies),
        (Answer::NothingStored, Some(("CHATHISTORY", _))) => {}
        (Answer::Marker { conversation, read }, Some(("MARKREAD", _))) => {
            put_marker(conversation, *read, replies);
        }
        (Answer::Away(text), _) => put_away(text.is_some(), replies),
        (Answer::IsAway { name, text }, _) => {
            replies.numeric(Numeric::RPL_AWAY, &[&nick(name)], text.as_str());
        }
        (Answer::LoggedIn(account), Some(("AUTHENTICATE", _))) => {
            put_logged_in(account, asker.source, command, replies);
        }
        (Answer::Registered(account), Some(("REGISTER", _))) => {
            put_registered(account, asker.source, replies);
        }
        _ => put_sentences(answer, command, asker, replies),
    }
    if let (Answer::LoggedIn(account) | Answer::Registered(account), Some(("PRIVMSG", _))) =
        (answer, asked)
    {
        put_logged_in(account, asker.source, command, replies);
    }
}

/// Adds the answer to AWAY.
fn put_away(is_away: bool, replies: &mut Replies) {
    let (numeric, text) = match is_away {
        true => (Numeric::RPL_NOWAWAY, "You have been marked as being away"),
        false => (Numeric::RPL_UNAWAY, "You are no longer marked as being away"),
    };
    replies.numeric(numeric, &[], text);
}

/// Adds the words of the line dialect, from the service that is asked, or from the server.
fn put_sentences(
    answer: &Answer,
    command: Option<&OpenCommand>,
    asker: Asker<'_>,
    replies: &mut Replies,
) {
    let text = words::answer(answer, LineMode::Named, asker.storage, &asker.server.clock);
    let service = command.and_then(OpenCommand::service);
    for line in text.lines {
        match service {
            Some(service) => replies.notice_from(&service.source(&asker.server.name), &line),
            None => replies.notice(&line),
        }
    }
}

/// Adds the topic of a room, and who set it; none is an answer, too.
pub(crate) fn put_topic(
    room: &RoomName,
    text: Option<&Line>,
    set: Option<&TopicSet>,
    replies: &mut Replies,
) {
    let channel = channel(room);
    match text {
        Some(text) => {
            let text = shortened(text, TEXT_BYTES_MAX);
            replies.numeric(Numeric::RPL_TOPIC, &[&channel], &text);
            if let Some(TopicSet { by, at }) = set {
                let words = [&*channel, &nick(by), &seconds(at.0)];
                replies.numeric_words(Numeric::RPL_TOPICWHOTIME, &words);
            }
        }
        None => replies.numeric(Numeric::RPL_NOTOPIC, &[&channel], "No topic is set"),
    }
}

/// Adds the rooms in which people are, the largest first.
fn put_rooms_of_motd(rooms: &[RoomInfo], replies: &mut Replies) {
    for room in rooms.iter().filter(|room| room.people > 0).take(MOTD_ROOMS_MAX) {
        let topic = room.topic.as_ref().map(|topic| format!(": {topic}")).unwrap_or_default();
        let people = counted(room.people, "person", "people");
        let text = format!("- {}, {people}{topic}", channel(&room.room));
        replies.numeric(Numeric::RPL_MOTD, &[], &text);
    }
}

/// Adds the bans of a channel.
fn put_bans(bans: &[Act], target: &str, replies: &mut Replies) {
    for act in bans {
        let Some(mask) = acts::listed(act) else { continue };
        let by = act.by.name().map_or("*".into(), nick);
        let words = [target, &mask.to_string(), &by, &seconds(act.at.0)];
        replies.numeric_words(Numeric::RPL_BANLIST, &words);
    }
}

/// A point in time in whole seconds, as numerics have it.
pub(crate) fn seconds(millis: i64) -> String {
    millis.div_euclid(1_000).to_string()
}

/// Adds what comes before the answers to a command.
pub(crate) fn put_beginning(command: &OpenCommand, replies: &mut Replies) {
    if command.word == "LIST" {
        replies.numeric(Numeric::RPL_LISTSTART, &["Channel"], "Users  Name");
    }
}

/// Adds what comes behind the answers to a command.
pub(crate) fn put_ending(command: &OpenCommand, storage: Storage, replies: &mut Replies) {
    let target = command.target.as_str();
    match command.word.as_str() {
        "LIST" => replies.numeric(Numeric::RPL_LISTEND, &[], "End of /LIST"),
        "NAMES" if command.is_ended || command.is_refused => {}
        "NAMES" => put_end_of_names(target, replies),
        "WHO" => replies.numeric(Numeric::RPL_ENDOFWHO, &[target], "End of /WHO list"),
        "WHOIS" => replies.numeric(Numeric::RPL_ENDOFWHOIS, &[target], "End of /WHOIS list"),
        "WHOWAS" => replies.numeric(Numeric::RPL_ENDOFWHOWAS, &[target], "End of /WHOWAS"),
        "MOTD" => {
            let stored = words::stored(storage);
            let stored = stored.strip_prefix("-- ").unwrap_or(&stored);
            replies.numeric(Numeric::RPL_MOTD, &[], &format!("- {stored}"));
            replies.numeric(Numeric::RPL_ENDOFMOTD, &[], "End of /MOTD command");
        }
        "MODE" if command.arguments == BANS && !command.is_refused => {
            replies.numeric(Numeric::RPL_ENDOFBANLIST, &[target], "End of channel ban list");
        }
        _ => {}
    }
}
