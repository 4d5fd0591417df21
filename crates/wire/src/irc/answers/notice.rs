//! Notices of the server that nobody asked for. Knows no connection.

use parlor_core::link::{Answer, Notice};
use parlor_core::model::{Missed, Modes, Reach, Verb};

use super::answer::Asker;
use super::monitor::{put_came, put_went};
use super::own_modes::put_modes_changed;
use crate::irc::protocol::{Cap, MsgId, MsgPlace, Numeric, channel};
use crate::irc::reply::Replies;
use crate::style::LineMode;
use crate::words;

/// Adds a notice for a client. Returns the words with which the connection ends after it, if it
/// does.
pub(crate) fn put_notice(
    notice: &Notice,
    Asker { server, storage, caps, nick, source, .. }: Asker<'_>,
    replies: &mut Replies,
) -> Option<String> {
    let text =
        words::answer(&Answer::Notice(notice.clone()), LineMode::Named, storage, &server.clock);
    let sentence = text.lines.concat();
    match notice {
        Notice::Idle { .. } => replies.message("PING", &[], &server.name),
        Notice::IdleClosed(silent) => {
            return Some(format!("Ping timeout: {} seconds", silent.as_secs()));
        }
        Notice::GoingDown => return Some(sentence),
        Notice::Act(act) if matches!(act.deed.verb, Verb::Kick | Verb::Ban) => {
            // The departure from a room is a KICK, which says the reason.
            if act.reach != Reach::Server {
                return None;
            }
            if act.deed.verb == Verb::Ban {
                replies.numeric(Numeric::ERR_YOUREBANNEDCREEP, &[], &sentence);
            }
            return Some(sentence);
        }
        Notice::Skipped(missed) => {
            replies.notice_to(&channel(&missed.room), &sentence);
            if caps.has(Cap::Chathistory) {
                put_skipped(missed, &server.log, replies);
            }
        }
        Notice::PassedOver(missed) | Notice::LeftTheLog(missed) => {
            replies.notice_to(&channel(&missed.room), &sentence);
        }
        Notice::LoggedOut(_) => replies.numeric(Numeric::RPL_LOGGEDOUT, &[source], &sentence),
        Notice::ServerRanked { is_keeper } => {
            let (none, operator) = (Modes::NONE, Modes::OPERATOR);
            let changed = if *is_keeper { (operator, none) } else { (none, operator) };
            put_modes_changed(changed, nick, false, replies);
        }
        Notice::RulesEnd(_) => {} // modes that end with their channel are usual with IRC
        Notice::Damaged(damage) => replies.notice_to(&channel(&damage.room), &sentence),
        Notice::Came(who) => put_came(who, replies),
        Notice::Went(name) => put_went(name, replies),
        Notice::Apart(_) => {} // told as in a room
        Notice::Wallops { .. }
        | Notice::Invited { .. } // told as messages of the other person
        | Notice::DiskSlow | Notice::Act(_) | Notice::Contact(_) | Notice::NameGone { .. } => {
            replies.notice(&sentence);
        }
    }
    None
}

/// Adds the ids of skipped lines, for a client that can ask for them.
fn put_skipped(missed: &Missed, log: &str, replies: &mut Replies) {
    let id = |seq| MsgId { log, place: MsgPlace::Line { room: missed.room.as_str(), seq } };
    let [first, last] = [missed.first, missed.last].map(|seq| id(seq).to_string());
    let words = ["*", "SKIPPED", &channel(&missed.room), &first, &last];
    replies.message("NOTE", &words, "These lines were skipped");
}
