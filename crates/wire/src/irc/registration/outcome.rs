//! The outcome of a log-in or of an attempt to come in, for a client that registers. Knows no
//! command.

use parlor_core::link::Refusal;
use parlor_core::model::{Line, Name};

use super::machine::{HOST, Login, Registration, put_error};
use crate::irc::protocol::{Numeric, name};
use crate::irc::reply::{NO_NICK, Replies};
use crate::words::refusal_row;

impl Registration {
    /// Appends the answer to a log-in.
    pub fn logged_in(&mut self, outcome: Result<&Name, &Refusal>, out: &mut Vec<u8>) {
        let mut replies = Replies::default();
        match (outcome, self.login) {
            (Ok(account), login) => {
                let user = self.user.as_ref().map_or("*", |[user, _]| user.as_str());
                let nick = self.nick.as_ref().map(|nick| name::nick(&nick.name));
                let source = name::source(nick.as_deref().unwrap_or(NO_NICK), user, HOST);
                let text = format!("You are now logged in as {account}");
                let account = account.as_str();
                replies.numeric(Numeric::RPL_LOGGEDIN, &[&source, account], &text);
                if login == Login::Authenticate {
                    let text = "SASL authentication successful";
                    replies.numeric(Numeric::RPL_SASLSUCCESS, &[], text);
                }
            }
            (Err(refusal), Login::Authenticate) => {
                replies.numeric(Numeric::ERR_SASLFAIL, &[], &self.sentence(refusal));
            }
            (Err(refusal), Login::Pass) => {
                replies.numeric(Numeric::ERR_PASSWDMISMATCH, &[], &self.sentence(refusal));
            }
        }
        self.send(replies, out);
    }

    /// Appends the reason why the client may not come in. Returns whether it may try again, with
    /// another nick or password; otherwise the connection ends.
    pub fn refused(&mut self, refusal: &Refusal, out: &mut Vec<u8>) -> bool {
        let (sentence, mut replies) = (self.sentence(refusal), Replies::default());
        let typed = self.nick.take().map(|nick| nick.typed);
        let nick = typed.as_ref().map_or(NO_NICK, Line::as_str);
        match refusal {
            Refusal::NameTaken(_) => {}
            Refusal::NameOwned(_) if self.takes_passwords => {
                let text = format!(
                    "If it is yours, log in with SASL, with PASS, or under another nick with \
                     /msg NickServ IDENTIFY {nick} PASSWORD"
                );
                replies.message("NOTICE", &[], &text);
            }
            Refusal::NameOwned(_) => {}
            Refusal::WrongPassword(_)
            | Refusal::NameReleased(_)
            | Refusal::TooManyTries(_)
            | Refusal::Busy
            | Refusal::PlainPassword => {
                self.password = None;
                replies.numeric(Numeric::ERR_PASSWDMISMATCH, &[], &sentence);
            }
            Refusal::Misread(_) => {
                replies.numeric(Numeric::ERR_ERRONEUSNICKNAME, &[nick], &sentence);
                self.send(replies, out);
                return true;
            }
            _ => {
                if let Refusal::Banned(_) = refusal {
                    replies.numeric(Numeric::ERR_YOUREBANNEDCREEP, &[], &sentence);
                    self.send(replies, out);
                }
                put_error(&format!("Closing Link: {sentence}"), out);
                return false;
            }
        }
        replies.numeric(Numeric::ERR_NICKNAMEINUSE, &[nick], &sentence);
        self.send(replies, out);
        true
    }

    fn sentence(&self, refusal: &Refusal) -> String {
        let row = refusal_row(refusal, &self.server.clock);
        row.for_irc.unwrap_or_else(|| row.sentence.into_owned())
    }
}
