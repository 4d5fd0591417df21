//! The numbers of people and rooms, as LUSERS has them. Knows no command.

use parlor_core::link::Totals;

use crate::irc::protocol::Numeric;
use crate::irc::reply::Replies;

/// Adds the numbers of people and rooms.
pub(crate) fn put_totals(totals: Totals, replies: &mut Replies) {
    let Totals { people, invisible, people_max, server_keepers, rooms } = totals;
    let visible = people.saturating_sub(invisible);
    let text = format!("There are {visible} users and {invisible} invisible on 1 servers");
    replies.numeric(Numeric::RPL_LUSERCLIENT, &[], &text);
    let keepers = server_keepers.to_string();
    replies.numeric(Numeric::RPL_LUSEROP, &[&keepers], "operator(s) online");
    replies.numeric(Numeric::RPL_LUSERCHANNELS, &[&rooms.to_string()], "channels formed");
    let text = format!("I have {people} clients and 0 servers");
    replies.numeric(Numeric::RPL_LUSERME, &[], &text);
    for (numeric, of) in [(Numeric::RPL_LOCALUSERS, "local"), (Numeric::RPL_GLOBALUSERS, "global")]
    {
        let words = [people, people_max].map(|number| number.to_string());
        let text = format!("Current {of} users {people}, max {people_max}");
        replies.numeric(numeric, &words.each_ref().map(String::as_str), &text);
    }
}
