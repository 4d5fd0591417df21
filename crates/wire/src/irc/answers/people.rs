//! People who are looked for, as numerics: WHOIS, WHOWAS, ISON, USERHOST. Knows no command.

use parlor_core::link::{Bygone, RankedRoom, Sighting, Whois};

use super::names::{lines_of, signs};
use super::whox::Card;
use crate::irc::protocol::{Cap, Caps, IrcServer, Numeric, TEXT_BYTES_MAX, channel, nick};
use crate::irc::reply::Replies;

/// Adds a person.
pub(crate) fn put_whois(whois: &Whois, server: &IrcServer, caps: Caps, replies: &mut Replies) {
    let nick = &*nick(&whois.who.name);
    put_card(Numeric::RPL_WHOISUSER, &Card::of(&whois.who), replies);
    let rooms = whois.rooms.iter().map(|RankedRoom { room, is_keeper, has_voice }| {
        let signs = signs(*is_keeper, *has_voice, caps.has(Cap::MultiPrefix));
        format!("{signs}{}", channel(room))
    });
    for line in lines_of(&rooms.collect::<Vec<_>>(), TEXT_BYTES_MAX) {
        replies.numeric(Numeric::RPL_WHOISCHANNELS, &[nick], &line);
    }
    replies.numeric(Numeric::RPL_WHOISSERVER, &[nick, &server.name], &server.network);
    if whois.is_server_keeper {
        replies.numeric(Numeric::RPL_WHOISOPERATOR, &[nick], "is a keeper of the server");
    }
    if let Some(away) = &whois.away {
        replies.numeric(Numeric::RPL_AWAY, &[nick], away.as_str());
    }
    if let Some(account) = &whois.who.account {
        let words = [nick, account.as_str()];
        replies.numeric(Numeric::RPL_WHOISACCOUNT, &words, "is logged in as");
    }
    if whois.who.profile.as_ref().is_some_and(|profile| profile.is_bot()) {
        replies.numeric(Numeric::RPL_WHOISBOT, &[nick], "is a program");
    }
    if let Some(address) = whois.address {
        let words = [nick, &address.ip().to_string()];
        replies.numeric(Numeric::RPL_WHOISACTUALLY, &words, "is connected from this address");
    }
    let silent = whois.silent.as_secs().to_string();
    match whois.since {
        Some(since) => {
            let words = [nick, &silent, &since.0.div_euclid(1_000).to_string()];
            let text = "seconds of silence, time of the arrival";
            replies.numeric(Numeric::RPL_WHOISIDLE, &words, text);
        }
        None => replies.numeric(Numeric::RPL_WHOISIDLE, &[nick, &silent], "seconds of silence"),
    }
}

/// Adds a person's user, host and real name.
fn put_card(numeric: Numeric, card: &Card, replies: &mut Replies) {
    replies.numeric(numeric, &[&card.nick, &card.user, &card.host, "*"], &card.realname);
}

/// Adds the people who had a nick, the latest first, as many as are wanted.
pub(crate) fn put_whowas(
    people: &[Bygone],
    (nick, wanted): (&str, &str),
    server: &IrcServer,
    replies: &mut Replies,
) {
    let most = wanted.parse().ok().filter(|most| *most > 0).unwrap_or(people.len());
    for Bygone { who, at } in people.iter().take(most) {
        let (card, time) = (Card::of(who), server.clock.moment(*at));
        put_card(Numeric::RPL_WHOWASUSER, &card, replies);
        replies.numeric(Numeric::RPL_WHOISSERVER, &[&card.nick, &server.name], &time);
    }
    if people.is_empty() {
        replies.numeric(Numeric::ERR_WASNOSUCHNICK, &[nick], "Nobody had this nick lately");
    }
}

/// Adds the answer to ISON: the nicks of those who are here.
pub(crate) fn put_ison(sightings: &[Sighting], replies: &mut Replies) {
    let here = sightings.iter().filter_map(|sighting| sighting.who.as_ref());
    let nicks: Vec<_> = here.map(|who| nick(&who.name)).collect();
    replies.numeric(Numeric::RPL_ISON, &[], &nicks.join(" "));
}

/// Adds the answer to USERHOST.
pub(crate) fn put_userhost(sightings: &[Sighting], replies: &mut Replies) {
    let hosts = sightings.iter().filter_map(|sighting| {
        let Card { nick, user, host, .. } = Card::of(sighting.who.as_ref()?);
        let sign = if sighting.is_server_keeper { "*" } else { "" };
        let here = if sighting.is_away { "-" } else { "+" };
        Some(format!("{nick}{sign}={here}{user}@{host}"))
    });
    let lines = lines_of(&hosts.collect::<Vec<_>>(), TEXT_BYTES_MAX);
    if lines.is_empty() {
        replies.numeric(Numeric::RPL_USERHOST, &[], "");
    }
    for line in lines {
        replies.numeric(Numeric::RPL_USERHOST, &[], &line);
    }
}
