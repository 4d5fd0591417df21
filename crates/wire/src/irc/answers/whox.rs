//! The answers to WHO, with the usual fields or with those that a client chooses. Knows no room.

use parlor_core::model::{Name, Who};

use crate::irc::protocol::{Numeric, realname, source_of};
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

/// A person in an answer to WHO.
pub(crate) struct WhoEntry<'a> {
    /// The channel; `*` outside of one.
    pub(crate) channel: &'a str,
    pub(crate) who: &'a Who,
    /// The signs of the person in the channel.
    pub(crate) signs: &'a str,
    /// Whether the person has authority on the whole server.
    pub(crate) is_server_keeper: bool,
    /// Whether the person is away.
    pub(crate) is_away: bool,
}

/// Adds a person, if the options of the WHO want this one.
pub(crate) fn put_who(entry: &WhoEntry<'_>, options: &str, server: &str, replies: &mut Replies) {
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
