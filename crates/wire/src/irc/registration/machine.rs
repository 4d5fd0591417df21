//! The way to the welcome: CAP, PASS, NICK, USER and AUTHENTICATE, as a machine that takes messages
//! and gives answers and steps. Knows no connection and no account.

use std::sync::Arc;

use parlor_core::model::{Line, Name, Profile};

use super::authenticate::{Authentication, Credentials, NO_PASSWORDS};
use super::cap_command::{CapEffect, answer_cap};
use crate::first_line::opening;
use crate::irc::protocol::{
    Cap, Caps, IrcFrame, IrcMessage, IrcServer, MessageWriter, Negotiation, Numeric, name, plain,
};
use crate::irc::reply::{NO_NICK, Replies};

/// The host in the source of a person with an IRC client.
pub(super) const HOST: &str = "irc";

/// The sentence for a client of another protocol.
const FOREIGN: &str = "This port speaks IRC";

/// A client that has not registered.
pub struct Registration {
    pub(super) server: Arc<IrcServer>,
    /// Whether passwords are accepted on this connection.
    pub(super) takes_passwords: bool,
    /// The port at which people with netcat are welcome.
    pub(crate) line_port: Option<u16>,
    /// The value of the capability `sts`.
    pub(crate) sts: Option<String>,
    negotiation: Negotiation,
    /// Whether the welcome waits for the end of the negotiation.
    is_negotiating: bool,
    authentication: Authentication,
    /// The command that asked for the log-in that is under way.
    pub(super) login: Login,
    /// The password of the nick.
    pub(super) password: Option<Line>,
    pub(super) nick: Option<Nick>,
    /// The user and the real name.
    pub(super) user: Option<[Line; 2]>,
}

/// The nick that a client asks for.
pub(super) struct Nick {
    /// As it was typed.
    pub(super) typed: Line,
    pub(super) name: Name,
}

/// The command that asked for a log-in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Authenticate,
    Pass,
}

/// The next step of a client that registers.
pub enum RegistrationStep {
    /// None: the line is only answered.
    None,
    /// The client logs in; tell the outcome with [`Registration::logged_in`].
    LogIn {
        /// The account, as typed.
        account: Line,
        /// The password.
        password: Line,
    },
    /// The client comes in; tell a refusal with [`Registration::refused`].
    Enter {
        /// The name.
        name: Name,
        /// The password of the name, if the client gave one.
        password: Option<Line>,
        /// The profile.
        profile: Arc<Profile>,
    },
    /// The connection ends: the client wants that, or speaks another protocol.
    End,
}

impl Registration {
    /// A client that has sent nothing yet.
    pub fn new(server: Arc<IrcServer>, takes_passwords: bool) -> Registration {
        Registration {
            server,
            takes_passwords,
            line_port: None,
            sts: None,
            negotiation: Negotiation::default(),
            is_negotiating: false,
            authentication: Authentication::default(),
            login: Login::Pass,
            password: None,
            nick: None,
            user: None,
        }
    }

    /// The capabilities that a server offers on a connection: all, or those that need no password.
    pub fn offered(takes_passwords: bool) -> Caps {
        match takes_passwords {
            true => Caps::OFFERED,
            false => Caps::OFFERED.without(Caps::of(&[Cap::Sasl, Cap::AccountRegistration])),
        }
    }

    /// The negotiation of the client, which goes on after the welcome.
    pub fn negotiation(&self) -> Negotiation {
        self.negotiation
    }

    /// Takes the next line, appends the answers, and returns the step to which it leads.
    pub fn hear(&mut self, frame: &IrcFrame<'_>, out: &mut Vec<u8>) -> RegistrationStep {
        let bytes = match frame {
            IrcFrame::Line(line) => line.as_bytes(),
            IrcFrame::InvalidUtf8(bytes) => bytes,
            IrcFrame::TooLong => b"",
        };
        if opening(bytes).is_some() {
            put_error(FOREIGN, out);
            return RegistrationStep::End;
        }
        let mut replies = Replies::default();
        let step = match frame {
            IrcFrame::Line(line) => {
                let message = IrcMessage::parse(line);
                message.and_then(|message| self.obey(&message, &mut replies))
            }
            IrcFrame::InvalidUtf8(_) => {
                replies.fail("*", "INVALID_UTF8", &[], "Message rejected: it is not UTF-8");
                None
            }
            IrcFrame::TooLong => {
                replies.numeric(Numeric::ERR_INPUTTOOLONG, &[], "Input line was too long");
                None
            }
        };
        self.send(replies, out);
        if let Some(RegistrationStep::End) = step {
            put_error("Closing Link: Quit", out);
        }
        step.unwrap_or(RegistrationStep::None)
    }

    /// Takes the unfinished line: some protocols have no lines.
    pub fn hear_unfinished(&self, tail: &[u8], out: &mut Vec<u8>) -> Option<RegistrationStep> {
        opening(tail)?;
        put_error(FOREIGN, out);
        Some(RegistrationStep::End)
    }

    fn obey(
        &mut self,
        message: &IrcMessage<'_>,
        replies: &mut Replies,
    ) -> Option<RegistrationStep> {
        let command = message.command.to_ascii_uppercase();
        match command.as_str() {
            "CAP" => self.negotiate(message, replies),
            "PASS" => return self.pass(message, replies),
            "NICK" => self.choose_nick(message.parameter(0), replies),
            "USER" => self.describe(message, replies),
            "AUTHENTICATE" => {
                let credentials =
                    self.authentication.hear(message, self.takes_passwords, replies)?;
                return Some(self.log_in(credentials, Login::Authenticate));
            }
            "PING" => match message.parameter(0) {
                Some(token) => replies.words("PONG", &[&self.server.name, token]),
                None => need_more(&command, replies),
            },
            "PONG" => {}
            "QUIT" => return Some(RegistrationStep::End),
            "REGISTER" => {
                let text = "First finish registering the connection";
                let account = message.parameter(0).unwrap_or("*");
                replies.fail(&command, "COMPLETE_CONNECTION_REQUIRED", &[account], text);
            }
            _ => {
                let at = self.line_port.map(|port| format!("; with netcat, use port {port}"));
                let text = format!("You have not registered{}", at.unwrap_or_default());
                replies.numeric(Numeric::ERR_NOTREGISTERED, &[&command], &text);
            }
        }
        self.enter(replies)
    }

    fn negotiate(&mut self, message: &IrcMessage<'_>, replies: &mut Replies) {
        let offer = (&*self.server.name, Registration::offered(self.takes_passwords));
        let sts = self.sts.as_deref();
        match answer_cap(message, &mut self.negotiation, offer, sts, replies) {
            CapEffect::Begins => self.is_negotiating = true,
            CapEffect::Ends => self.is_negotiating = false,
            CapEffect::None => {}
        }
    }

    /// PASS with a password of the nick, or with `NAME:PASSWORD` of an account.
    fn pass(
        &mut self,
        message: &IrcMessage<'_>,
        replies: &mut Replies,
    ) -> Option<RegistrationStep> {
        let Some(given) = message.parameter(0).filter(|given| !given.is_empty()) else {
            need_more("PASS", replies);
            return None;
        };
        if !self.takes_passwords {
            replies.message("NOTICE", &[], NO_PASSWORDS);
            return None;
        }
        let line = |text: &str| Line::sanitise(text.as_bytes());
        if let Some((account, password)) = given.split_once(':') {
            let credentials = Credentials { account: line(account), password: line(password) };
            return Some(self.log_in(credentials, Login::Pass));
        }
        (self.password, self.login) = (Some(line(given)), Login::Pass);
        None
    }

    fn log_in(&mut self, credentials: Credentials, login: Login) -> RegistrationStep {
        self.login = login;
        let Credentials { account, password } = credentials;
        RegistrationStep::LogIn { account, password }
    }

    fn choose_nick(&mut self, typed: Option<&str>, replies: &mut Replies) {
        let Some(typed) = typed.filter(|typed| !typed.is_empty()) else {
            return replies.numeric(Numeric::ERR_NONICKNAMEGIVEN, &[], "No nickname given");
        };
        match name::claimed(typed) {
            Ok(name) => {
                let typed = Line::sanitise(typed.as_bytes());
                self.nick = Some(Nick { typed, name });
            }
            Err(error) => {
                let text = error.to_string();
                replies.numeric(Numeric::ERR_ERRONEUSNICKNAME, &[typed], &text);
            }
        }
    }

    fn describe(&mut self, message: &IrcMessage<'_>, replies: &mut Replies) {
        match message.parameters() {
            [user, _, _, realname, ..] if !user.is_empty() && !realname.is_empty() => {
                let line = |text: &str| Line::sanitise(text.as_bytes());
                self.user = Some([line(&name::user(user)), line(&plain(realname))]);
            }
            _ => need_more("USER", replies),
        }
    }

    /// The step into the server, if the client has said everything.
    fn enter(&mut self, replies: &mut Replies) -> Option<RegistrationStep> {
        let (nick, [user, realname]) = self.nick.as_ref().zip(self.user.as_ref())?;
        if self.is_negotiating {
            return None;
        }
        self.authentication.abort(replies);
        let host = Line::sanitise(HOST.as_bytes());
        Some(RegistrationStep::Enter {
            name: nick.name.clone(),
            password: self.password.clone(),
            profile: Profile::new([user.clone(), realname.clone(), host], false).into(),
        })
    }

    pub(super) fn send(&self, replies: Replies, out: &mut Vec<u8>) {
        replies.send(&self.server.name, NO_NICK, out);
    }
}

/// Appends the last message.
pub(crate) fn put_error(text: &str, out: &mut Vec<u8>) {
    MessageWriter::new(out, None, "ERROR").text(text);
}

fn need_more(command: &str, replies: &mut Replies) {
    replies.numeric(Numeric::ERR_NEEDMOREPARAMS, &[command], "Not enough parameters");
}
