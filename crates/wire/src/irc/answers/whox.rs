//! The answers to WHO, with the usual fields or with those that a client chooses. Knows no room.

use parlor_core::link::{Answer, Findable, Occupant, Sighting};
use parlor_core::model::{Name, Who};

use super::names::signs;
use crate::irc::protocol::{Cap, Caps, Numeric, WhoMasks, channel, realname, source_of};
use crate::irc::reply::Replies;

/// A person as the parts of a source, and the real name.
pub(super) struct Card {
    pub(super) nick: String,
    pub(super) user: String,
    pub(super) host: String,
    pub(super) realname: String,
}

impl Card {
    pub(super) fn of(who: &Who) -> Card {
        let source = source_of(who);
        let (nick, address) = source.split_once('!').unwrap_or((&source, ""));
        let (user, host) = address.split_once('@').unwrap_or((address, ""));
        let [nick, user, host] = [nick, user, host].map(str::to_owned);
        Card { nick, user, host, realname: realname(who).into_owned() }
    }
}

/// Adds people in a channel, people who were looked for, or those among all people for whom a mask
/// of the WHO stands.
pub(super) fn put_people(
    answer: &Answer,
    (target, options): (&str, &str),
    (server, caps): (&str, Caps),
    replies: &mut Replies,
) {
    match answer {
        Answer::People(page) => {
            let channel = &*channel(&page.room);
            for Occupant { who, is_keeper, is_server_keeper, has_voice, is_away } in &page.people {
                let signs = signs(*is_keeper, *has_voice, caps.has(Cap::MultiPrefix));
                let (is_server_keeper, is_away) = (*is_server_keeper, *is_away);
                let entry = WhoEntry { channel, who, signs, is_server_keeper, is_away };
                put_who(&entry, options, server, replies);
            }
        }
        Answer::Present(sightings) => {
            for Sighting { who, is_server_keeper, is_away, .. } in sightings {
                let Some(who) = who else { continue };
                let entry = WhoEntry::outside(who, *is_server_keeper, *is_away);
                put_who(&entry, options, server, replies);
            }
        }
        Answer::Findable(page) => {
            let masks = WhoMasks::parse(target, options);
            for Findable { who, is_server_keeper, is_away } in &page.people {
                if are_for(&masks, who, server) {
                    let entry = WhoEntry::outside(who, *is_server_keeper, *is_away);
                    put_who(&entry, options, server, replies);
                }
            }
        }
        _ => {}
    }
}

/// Whether one of the masks stands for a person.
fn are_for(masks: &WhoMasks, who: &Who, server: &str) -> bool {
    let (source, card) = (source_of(who), Card::of(who));
    let values = [
        ('n', card.nick.as_str()),
        ('u', &card.user),
        ('h', &card.host),
        ('s', server),
        ('r', &card.realname),
        ('a', who.account.as_ref().map_or("", Name::as_str)),
    ];
    masks.match_person(&source, &values)
}

/// A person in an answer to WHO.
struct WhoEntry<'a> {
    /// The channel; `*` outside of one.
    channel: &'a str,
    who: &'a Who,
    /// The signs of the person in the channel.
    signs: &'a str,
    /// Whether the person has authority on the whole server.
    is_server_keeper: bool,
    /// Whether the person is away.
    is_away: bool,
}

impl<'a> WhoEntry<'a> {
    /// A person who was found outside of any channel.
    fn outside(who: &'a Who, is_server_keeper: bool, is_away: bool) -> WhoEntry<'a> {
        WhoEntry { channel: "*", who, signs: "", is_server_keeper, is_away }
    }
}

/// Adds a person, if the options of the WHO want this one.
fn put_who(entry: &WhoEntry<'_>, options: &str, server: &str, replies: &mut Replies) {
    let (flags, chosen) = match options.split_once('%') {
        Some((flags, chosen)) => (flags, Some(chosen)),
        None => (options, None),
    };
    if flags.contains('o') && !entry.is_server_keeper {
        return;
    }
    let operator = if entry.is_server_keeper { "*" } else { "" };
    let is_bot = entry.who.profile.as_ref().is_some_and(|profile| profile.is_bot());
    let here = if entry.is_away { "G" } else { "H" }; // gone, or here
    let flags = format!("{here}{operator}{}{}", entry.signs, if is_bot { "B" } else { "" });
    let card = Card::of(entry.who);
    let Some(chosen) = chosen else {
        let words = [entry.channel, &card.user, &card.host, server, &card.nick, &flags];
        return replies.numeric(Numeric::RPL_WHOREPLY, &words, &format!("0 {}", card.realname));
    };
    let (fields, token) = chosen.split_once(',').unwrap_or((chosen, ""));
    let account = entry.who.account.as_ref().map_or("0", Name::as_str);
    // In this order, in whichever one they are chosen.
    let values = [
        ('t', if token.is_empty() { "0" } else { token }),
        ('c', entry.channel),
        ('u', &card.user),
        ('i', "255.255.255.255"), // nobody's address is shown here
        ('h', &card.host),
        ('s', server),
        ('n', &card.nick),
        ('f', &flags),
        ('d', "0"),
        ('l', "0"),
        ('a', account),
        ('o', "n/a"),
    ];
    let words = values.iter().filter(|(field, _)| fields.contains(*field));
    let words: Vec<_> = words.map(|(_, value)| *value).collect();
    match fields.contains('r') {
        true => replies.numeric(Numeric::RPL_WHOSPCRPL, &words, &card.realname),
        false => replies.numeric_words(Numeric::RPL_WHOSPCRPL, &words),
    }
}
