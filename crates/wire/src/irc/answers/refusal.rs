//! Refusals as numerics, by the command and its target. What has no numeric is a standard reply, or
//! a notice for clients that know none.

use parlor_core::link::Refusal;
use parlor_core::model::Name;

use super::account::{advice, refusal_code};
use crate::irc::protocol::{Cap, Caps, IrcServer, Numeric, Service, nick};
use crate::irc::reply::{BANS, OpenCommand, Replies};
use crate::words::refusal_row;

/// Adds the refusal of a command to a client with these capabilities.
pub(crate) fn put_refusal(
    refusal: &Refusal,
    command: Option<&OpenCommand>,
    (server, caps): (&IrcServer, Caps),
    replies: &mut Replies,
) {
    let row = refusal_row(refusal, &server.clock);
    let sentence = row.for_irc.as_deref().unwrap_or(&row.sentence);
    let numeric = row.numeric.map(Numeric::new);
    let Some(command) = command else {
        return replies.notice(sentence);
    };
    let (word, target) = (command.word.as_str(), command.target.as_str());
    if is_silent(refusal, command) {
        return;
    }
    if let Some(service) = command.service() {
        let advice = advice(refusal).filter(|_| service == Service::NickServ);
        let source = service.source(&server.name);
        return replies.notice_from(&source, advice.as_deref().unwrap_or(sentence));
    }
    if word == "AWAY" {
        return replies.notice(sentence);
    }
    if word == "SETNAME" {
        return replies.fail(word, "CANNOT_CHANGE_REALNAME", &[], sentence);
    }
    if word == "AUTHENTICATE" {
        return replies.numeric(Numeric::ERR_SASLFAIL, &[], sentence);
    }
    if word == "REGISTER" {
        let account = if target.is_empty() { "*" } else { target };
        let advice = advice(refusal);
        let sentence = advice.as_deref().unwrap_or(sentence);
        return replies.fail(word, refusal_code(refusal), &[account], sentence);
    }
    if word == "CHATHISTORY" {
        let subcommand = command.arguments.split(' ').next().unwrap_or_default();
        let code = match refusal {
            Refusal::NoRoom(_) | Refusal::NotThere | Refusal::NoSeat => "INVALID_TARGET",
            Refusal::NoSuchLine => "INVALID_PARAMS",
            _ => "MESSAGE_ERROR",
        };
        return replies.fail(word, code, &[subcommand, target], sentence);
    }
    if word == "MARKREAD" {
        return replies.fail(word, "INTERNAL_ERROR", &[target], sentence);
    }
    match numeric.map(|numeric| by_command(numeric, refusal, word, target)) {
        Some(Numeric::ERR_NOPRIVILEGES) => {
            replies.numeric(Numeric::ERR_NOPRIVILEGES, &[], sentence);
        }
        Some(numeric @ Numeric::ERR_NOSUCHNICK) => {
            replies.numeric(numeric, &[concerned(refusal).as_deref().unwrap_or(target)], sentence);
        }
        Some(numeric @ (Numeric::ERR_USERNOTINCHANNEL | Numeric::ERR_USERONCHANNEL)) => {
            let person = concerned(refusal);
            replies.numeric(numeric, &[person.as_deref().unwrap_or("*"), target], sentence);
        }
        Some(
            numeric @ (Numeric::ERR_UNKNOWNCOMMAND
            | Numeric::ERR_NEEDMOREPARAMS
            | Numeric::RPL_TRYAGAIN),
        ) => {
            replies.numeric(numeric, &[word], sentence);
        }
        Some(
            numeric @ (Numeric::ERR_PASSWDMISMATCH
            | Numeric::ERR_NOOPERHOST
            | Numeric::ERR_USERSDONTMATCH
            | Numeric::ERR_INPUTTOOLONG),
        ) => {
            replies.numeric(numeric, &[], sentence);
        }
        Some(numeric) => replies.numeric(numeric, &[target], sentence),
        None if caps.has(Cap::StandardReplies) => {
            let code = row.code.replace('-', "_").to_ascii_uppercase();
            let about = [target].into_iter().filter(|target| !target.is_empty());
            replies.fail(word, &code, &about.collect::<Vec<_>>(), sentence);
        }
        None => replies.notice(sentence),
    }
    if let Refusal::NameOwned(_) = refusal {
        let text = format!("If it is yours, type /msg NickServ IDENTIFY {target} PASSWORD first");
        replies.notice(&text);
    }
}

/// Whether nothing is answered: the state is as wanted, or a list is empty.
fn is_silent(refusal: &Refusal, command: &OpenCommand) -> bool {
    match command.word.as_str() {
        "NOTICE" => true,
        "NAMES" | "WHO" => !matches!(refusal, Refusal::ListOutdated),
        "JOIN" => matches!(refusal, Refusal::AlreadyIn(_)),
        // Clients ask for the bans without being told to, and only keepers read them.
        "MODE" if command.arguments == BANS => matches!(refusal, Refusal::NotKeeper),
        "MODE" => matches!(
            refusal,
            Refusal::NotBanned(_)
                | Refusal::NotMuted(_)
                | Refusal::AlreadyKeeper(_)
                | Refusal::IsSoAlready
        ),
        _ => false,
    }
}

/// The numeric of a reason, where another command has another numeric for it.
fn by_command(numeric: Numeric, refusal: &Refusal, word: &str, target: &str) -> Numeric {
    let is_message = matches!(word, "PRIVMSG" | "TAGMSG" | "BATCH");
    match numeric {
        _ if word == "TOPIC" && matches!(refusal, Refusal::Moderated(_) | Refusal::Muted(_)) => {
            Numeric::ERR_CHANOPRIVSNEEDED
        }
        Numeric::ERR_NOTONCHANNEL | Numeric::ERR_BANNEDFROMCHAN if is_message => {
            Numeric::ERR_CANNOTSENDTOCHAN
        }
        // Too many wrong passwords of a room.
        Numeric::ERR_PASSWDMISMATCH if word == "JOIN" => Numeric::ERR_BADCHANNELKEY,
        Numeric::ERR_CHANOPRIVSNEEDED if !target.starts_with('#') => Numeric::ERR_NOPRIVILEGES,
        numeric => numeric,
    }
}

/// The nick of the person concerned.
fn concerned(refusal: &Refusal) -> Option<String> {
    let shown = |name: &Name| nick(name).into_owned();
    match refusal {
        Refusal::NobodyCalled(typed) => Some(typed.to_string()),
        Refusal::Away(name)
        | Refusal::MessagesFull(name)
        | Refusal::NotReading(name)
        | Refusal::NoAnswer(name)
        | Refusal::IsThere(name, _)
        | Refusal::Elsewhere(name, _) => Some(shown(name)),
        _ => None,
    }
}
