//! The handshake of an IRC client: its registration leads into the server, without a room. Knows no
//! command.

use std::mem;
use std::sync::Arc;

use parlor_core::link::{Answer, Attempt, FirstRoom, Refusal};
use parlor_core::model::{Line, Name, Profile};
use parlor_wire::irc::{IrcDecoder, IrcEncoder, RegistrationStep};

use crate::door::handshake::{Arriving, LastWords};
use crate::session::{Doorway, LinePace, NotEntered, Step, Tell};

/// A client that registers.
pub(super) type Registering = Arriving<IrcDecoder, IrcEncoder>;

impl Registering {
    /// Takes the next line. Returns its step, or none if no whole line has come.
    fn hear(&mut self) -> Option<RegistrationStep> {
        let mut words = mem::take(&mut self.words);
        let step = self.take(|decoder, bytes| decoder.register(bytes, &mut words));
        self.words = words;
        step
    }
}

impl Doorway for Registering {
    const ASKS: bool = false;

    /// Clients try one nick after the other by themselves.
    const STEPS_MAX: usize = 50;

    async fn next_step(&mut self, pace: &mut LinePace<'_>) -> Result<Step, NotEntered> {
        loop {
            self.wait_for_turn(pace).await?;
            let Some(step) = self.hear() else {
                self.flush().await?;
                match self.read_more().await? {
                    0 => return Err(NotEntered::Lost),
                    _ => continue,
                }
            };
            pace.pay(1);
            match step {
                RegistrationStep::None => {}
                RegistrationStep::LogIn { account, password } => {
                    self.flush().await?;
                    return Ok(Step::LogIn { account, password });
                }
                RegistrationStep::Enter { name, password, profile } => {
                    self.flush().await?;
                    self.waiter.has_answered();
                    let name = Some(Line::sanitise(name.as_str().as_bytes()));
                    let (room, profile) = (FirstRoom::Nowhere, Some(profile));
                    let attempt = Attempt { name, password, room, profile, ..Attempt::default() };
                    return Ok(attempt.into());
                }
                RegistrationStep::End => {
                    return Err(NotEntered::Farewell(mem::take(&mut self.words)));
                }
            }
        }
    }

    fn logged_in(&mut self, outcome: Result<&Name, &Refusal>) {
        self.encoder.logged_in(outcome.ok());
        if let Some(registration) = self.decoder.registration() {
            registration.logged_in(outcome, &mut self.words);
        }
    }

    fn refuse(&mut self, refusal: Answer) -> Result<(), NotEntered> {
        let Answer::Refused(reason) = &refusal else {
            return Err(NotEntered::Refused(refusal));
        };
        let registration = self.decoder.registration();
        match registration.is_some_and(|it| it.refused(reason, &mut self.words)) {
            true => Ok(()),
            false => Err(NotEntered::Farewell(mem::take(&mut self.words))),
        }
    }

    async fn end_attempts(&mut self) -> Result<(), NotEntered> {
        Err(NotEntered::NoName)
    }
}

impl LastWords for Registering {
    fn welcome(&mut self, name: &Name, profile: &Arc<Profile>) {
        let caps = self.decoder.welcome(name, profile);
        self.encoder.welcome(name.clone(), Arc::clone(profile), caps);
    }

    fn tell_why(&mut self, why: NotEntered) {
        let why = match why {
            NotEntered::Farewell(bytes) => return self.words.extend(bytes),
            NotEntered::Lost => return,
            NotEntered::Refused(_) => "You cannot enter",
            NotEntered::NoName => "Too many attempts to register",
            NotEntered::TooLate => "Registration timeout",
            NotEntered::PushedOut => "Too many clients are registering; try again",
            NotEntered::GoingDown => "The server is going down",
        };
        self.encoder.error(&format!("Closing Link: {why}"), &mut self.words);
    }
}
