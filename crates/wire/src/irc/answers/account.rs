//! Answers about accounts: logging in and registering. Knows no password.

use parlor_core::link::Refusal;
use parlor_core::model::Name;

use crate::irc::protocol::Numeric;
use crate::irc::reply::{OpenCommand, Replies};

/// Adds the answer to a person with this source who has proved to own an account.
pub(crate) fn put_logged_in(
    account: &Name,
    source: &str,
    command: Option<&OpenCommand>,
    replies: &mut Replies,
) {
    let text = format!("You are now logged in as {account}");
    replies.numeric(Numeric::RPL_LOGGEDIN, &[source, account.as_str()], &text);
    if command.is_some_and(|command| command.word == "AUTHENTICATE") {
        let text = "SASL authentication successful";
        replies.numeric(Numeric::RPL_SASLSUCCESS, &[], text);
    }
}

/// Adds the answer to a REGISTER that has made an account.
pub(crate) fn put_registered(account: &Name, source: &str, replies: &mut Replies) {
    let text = "Your nick needs this password from now on";
    replies.message("REGISTER", &["SUCCESS", account.as_str()], text);
    put_logged_in(account, source, None, replies);
}

/// The code of a refused REGISTER (IRCv3, "Account Registration").
pub(crate) fn refusal_code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::HasAccount(_) => "ALREADY_AUTHENTICATED",
        Refusal::NameOwned(_) => "ACCOUNT_EXISTS",
        Refusal::NoNameToOwn => "NEED_NICK",
        Refusal::PasswordTooShort(_) => "WEAK_PASSWORD",
        Refusal::PasswordNotText | Refusal::PasswordIsCommand | Refusal::NoPassword => {
            "UNACCEPTABLE_PASSWORD"
        }
        _ => "TEMPORARILY_UNAVAILABLE",
    }
}

/// The sentence about the refusal of a REGISTER or of a message to NickServ, where it can name the command that helps.
pub(crate) fn advice(refusal: &Refusal) -> Option<String> {
    Some(match refusal {
        Refusal::NoAccount(name) => format!(
            "{name} is not a registered name: log in to one that is with IDENTIFY NAME PASSWORD, or \
             register your nick with REGISTER PASSWORD"
        ),
        Refusal::HasAccount(name) => format!(
            "You are logged in as {name}, which is registered: nothing is changed. /msg \
             NickServ SET PASSWORD OLD NEW changes its password. To register another name, connect \
             again without logging in"
        ),
        Refusal::NotOwner => {
            "You are not logged in: first type IDENTIFY PASSWORD, or IDENTIFY NAME PASSWORD"
                .to_owned()
        }
        _ => return None,
    })
}
