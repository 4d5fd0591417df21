//! Commands about the connection: capabilities, log-in, nick, end.

use parlor_core::link::{Command, Input, Refusal};
use parlor_core::model::{Line, Name};

use super::run::CommandRun;
use crate::irc::protocol::Numeric;
use crate::irc::registration::{NO_PASSWORDS, answer_cap};

/// CAP
pub(super) fn cap(run: &mut CommandRun<'_>) {
    let before = run.client.caps();
    let offered = run.client.offered();
    let offer = (&*run.client.server.name, offered);
    answer_cap(run.message, &mut run.client.negotiation, offer, None, &mut run.inputs.replies);
    let after = run.client.caps();
    if after == before {
        return;
    }
    run.inputs.caps_changed = Some(after.bits());
    let has_names = !after.has_no_implicit_names();
    if has_names == before.has_no_implicit_names() {
        run.inputs.add(Input::WantRoster(has_names));
    }
}

/// AUTHENTICATE
pub(super) fn authenticate(run: &mut CommandRun<'_>) {
    let is_offered = run.client.takes_passwords;
    let replies = &mut run.inputs.replies;
    let Some(given) = run.client.authentication.hear(run.message, is_offered, replies) else {
        return;
    };
    run.inputs.about(given.account.as_str());
    run.inputs.add(Input::LogIn { name: Some(given.account), password: given.password });
}

/// REGISTER: the account is the nick. Only the encoder knows whose nick it is.
pub(super) fn register(run: &mut CommandRun<'_>) {
    let (account, password) = match run.message.parameters() {
        [account, _, password] => (account, password),
        [account, _, _, _, ..] => {
            let (code, about) = ("UNACCEPTABLE_PASSWORD", &[*account]);
            let text = "A password with blanks needs a colon before it: nothing is registered";
            return run.inputs.replies.fail("REGISTER", code, about, text);
        }
        _ => return run.need_more(),
    };
    if !run.client.takes_passwords {
        let about = &[*account];
        let replies = &mut run.inputs.replies;
        return replies.fail("REGISTER", "TEMPORARILY_UNAVAILABLE", about, NO_PASSWORDS);
    }
    let is_own = *account == "*" || run.client.nick.eq_ignore_ascii_case(account);
    if !is_own {
        let text = "The account is your nick";
        let (code, about) = ("ACCOUNT_NAME_MUST_BE_NICK", &[*account]);
        return run.inputs.replies.fail("REGISTER", code, about, text);
    }
    run.inputs.about(account);
    let password = Line::sanitise(password.as_bytes());
    run.inputs.add(Input::Register(password));
}

/// VERIFY
pub(super) fn verify(run: &mut CommandRun<'_>) {
    let account = run.given(0).unwrap_or("*");
    let text = "Accounts need no verification here";
    run.inputs.replies.fail("VERIFY", "INVALID_CODE", &[account], text);
}

/// NICK
pub(super) fn nick(run: &mut CommandRun<'_>) {
    let Some(typed) = run.given(0) else {
        return run.reply(Numeric::ERR_NONICKNAMEGIVEN, &[], "No nickname given");
    };
    run.inputs.about(typed);
    match Name::parse_owned(typed) {
        Ok(_) => {
            run.client.note_nick(typed);
            run.inputs.add(Input::Command(Command::Name(Line::sanitise(typed.as_bytes()))));
        }
        Err(error) => run.inputs.add(Input::Refused(Refusal::from(error))),
    }
}

/// PASS and USER, which come too late.
pub(super) fn register_again(run: &mut CommandRun<'_>) {
    run.reply(Numeric::ERR_ALREADYREGISTERED, &[], "You have registered already");
}

/// PING
pub(super) fn ping(run: &mut CommandRun<'_>) {
    match run.message.parameter(0) {
        Some(token) => run.inputs.replies.words("PONG", &[&run.client.server.name, token]),
        None => run.need_more(),
    }
}

/// QUIT. Its client is about to go, so words that are too long are no reason to refuse it: others read
/// their beginning.
pub(super) fn quit(run: &mut CommandRun<'_>) {
    let words = run.words(0);
    run.inputs.add_alone(Input::Command(Command::Quit(words)));
}

/// Any other command.
pub(super) fn unknown(run: &mut CommandRun<'_>) {
    run.reply(Numeric::ERR_UNKNOWNCOMMAND, &[run.message.command], "Unknown command");
}
