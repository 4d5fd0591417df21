//! What a session does where a password is in play: it asks for it, and shows what waits for the owner of a name.
//!
//! Knows no dialect and no way to hide what is typed: the decoder has that.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::pin::pin;

use parlor_core::answer::{Answer, Password, Refusal};
use parlor_core::command::Spec;
use parlor_core::dialect::{Decoder, Input};
use parlor_core::inbox::{Claim, Outcome, Request};
use parlor_core::line::Line;
use parlor_core::mailbox::Item;
use parlor_core::name::Name;
use parlor_core::time::WallTime;
use tokio::io::AsyncRead;
use tokio::time::sleep_until;

use super::Ended;
use super::read::Reader;
use crate::clock;
use crate::journal::Letter;

/// So many wrong passwords, and the name stays with its owner.
pub(crate) const PASSWORDS_MAX: usize = 3;

/// Who is at the other end, as far as secrets go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// From where.
    pub(crate) address: IpAddr,
    /// Whether nobody between there and here can read a password.
    pub(crate) is_private: bool,
}

impl<R: AsyncRead + Unpin, D: Decoder> Reader<'_, R, D> {
    /// Makes the name that is worn this person's own, or gives it another password.
    pub(super) async fn register(&mut self, spec: &'static Spec) -> Result<Answer, Ended> {
        let Some(registry) = self.manners.registry.clone() else {
            return Ok(Refusal::NeedsDisk(spec).into());
        };
        if !self.peer.is_private {
            return Ok(Refusal::PlainPassword.into());
        }
        let claim = match self.link.call(Request::WhoAmI).await {
            Outcome::You(claim) if Name::parse(claim.name.as_str()).is_ok() => claim,
            _ => return Ok(Refusal::NoNameToOwn.into()),
        };
        let name = claim.name.clone();
        let password = self.ask_password(Password::New(name.clone())).await?;
        if password.as_str().is_empty() {
            return Ok(Refusal::NoPassword.into());
        }
        let again = self.ask_password(Password::Again).await?;
        if password != again {
            return Ok(Refusal::PasswordsDiffer.into());
        }
        let code = self.place.as_ref().map(|(code, _)| code.clone());
        let (since, address) = (self.named_at, self.peer.address);
        let registered = registry.register(claim, password, since, address, code.as_ref());
        match registered.await {
            Ok(()) => {
                let owned = self.ask(Request::Own).await;
                self.note_standing().await; // whoever comes back comes as the owner
                Ok(owned.unwrap_or(Refusal::NotThere.into()))
            }
            Err(Refusal::NameOwned(name)) => {
                // The broadcaster had not been told.
                self.link.call(Request::Owned(name.clone())).await;
                Ok(Refusal::NameOwned(name).into())
            }
            Err(refusal) => Ok(refusal.into()),
        }
    }

    /// Makes a token for scripts under the own name, or ends it.
    pub(super) async fn token(&mut self, revoke: bool, spec: &'static Spec) -> Answer {
        let Some(registry) = self.manners.registry.clone() else {
            return Refusal::NeedsDisk(spec).into();
        };
        let Outcome::You(Claim {
            name,
            is_proven: true,
        }) = self.link.call(Request::WhoAmI).await
        else {
            return Refusal::NotOwner.into();
        };
        let done = match revoke {
            true => registry.revoke_token(name).await.map(Answer::TokenRevoked),
            false => registry.make_token(name).await.map(Answer::Token),
        };
        done.unwrap_or_else(Answer::Refused)
    }

    /// Takes another name, with its password where it has an owner.
    pub(super) async fn rename(&mut self, typed: &Line) -> Result<Option<Answer>, Ended> {
        let name = match Name::parse(typed.as_str()) {
            Ok(name) => name,
            Err(error) => return Ok(Some(Refusal::Name(error).into())),
        };
        let mut answer = self.ask(Request::Rename(name.clone().into())).await;
        if let Some(Answer::Refused(Refusal::NameOwned(owned))) = &answer {
            if let Err(refusal) = self.prove(owned).await? {
                return Ok(Some(refusal.into()));
            }
            let is_proven = true;
            answer = self.ask(Request::Rename(Claim { name, is_proven })).await;
            self.show_letters = matches!(answer, Some(Answer::YouAre(_)));
        }
        if let Some(Answer::YouAre(_)) = answer {
            self.named_at = clock::wall();
            self.note_standing().await;
        }
        Ok(answer)
    }

    /// Asks for the password of a name, as often as it may be wrong: as long as it is asked for, nothing that is typed is
    /// said.
    async fn prove(&mut self, name: &Name) -> Result<Result<(), Refusal>, Ended> {
        let Some(registry) = self.manners.registry.clone() else {
            return Ok(Err(Refusal::NameOwned(name.clone())));
        };
        if !self.peer.is_private {
            return Ok(Err(Refusal::PlainPassword));
        }
        for _ in 0..PASSWORDS_MAX {
            let password = self.ask_password(Password::Of(name.clone())).await?;
            if password.as_str().is_empty() {
                break;
            }
            match registry.prove(name, password, self.peer.address).await {
                Err(refusal @ Refusal::WrongPassword(_)) => {
                    self.reply(Item::Answer(refusal.into())).await;
                }
                outcome => return Ok(outcome),
            }
        }
        Ok(Err(Refusal::NameOwned(name.clone())))
    }

    async fn ask_password(&mut self, password: Password) -> Result<Line, Ended> {
        self.conceal(true).await;
        self.reply(Item::Answer(Answer::Password(password))).await;
        let typed = self.hear_secret().await;
        self.conceal(false).await;
        typed
    }

    async fn conceal(&mut self, is_hidden: bool) {
        if let Some(bytes) = self.decoder.conceal(is_hidden) {
            self.reply(Item::Raw(bytes)).await;
        }
    }

    /// The next line, whatever it begins with.
    async fn hear_secret(&mut self) -> Result<Line, Ended> {
        let mut idle = pin!(sleep_until(self.next_idle_step()));
        loop {
            if self.held.is_empty() && self.read_or_idle(idle.as_mut()).await? == 0 {
                return Err(Ended::EndOfInput);
            }
            let _one_at_a_time = self.allowance().await;
            match self.take(D::next_secret) {
                Some(Input::Say(spoken)) => return Ok(spoken.text),
                Some(other) => {
                    if let ControlFlow::Break(ended) = Box::pin(self.obey(other)).await {
                        return Err(ended);
                    }
                }
                None => {}
            }
        }
    }

    /// Shows the messages that were kept while the owner of the name was away.
    pub(super) async fn deliver_letters(&mut self) {
        let Some(registry) = self.manners.registry.clone() else {
            return;
        };
        let Outcome::You(Claim { name, .. }) = self.link.call(Request::WhoAmI).await else {
            return;
        };
        // Where they cannot be read, the operator's log says so, and they wait until next time.
        let letters = registry.letters(&name).await.unwrap_or_default();
        let Some(last) = letters.last().map(|letter| letter.id) else {
            return;
        };
        self.reply(Item::Answer(Answer::WhileAway(letters.len())))
            .await;
        for Letter { at, from, text, .. } in letters {
            let to = name.clone();
            let letter = Answer::Letter { at, from, to, text };
            self.reply(Item::Answer(letter)).await;
        }
        if !self.link.drained().await {
            return; // they have not been taken, and wait until next time
        }
        registry.take_letters(&name, last).await.ok(); // else they are shown once more
    }

    /// Writes to one person; where that is the owner of a name who is away, the message is kept.
    pub(super) async fn write_to(&mut self, to: Line, text: Line) -> Option<Answer> {
        let words = text.clone();
        let answer = self.ask(Request::Private { to, text }).await?;
        let (Answer::Refused(Refusal::Away(owner)), Some(registry)) =
            (&answer, self.manners.registry.clone())
        else {
            return Some(answer);
        };
        let Outcome::You(me) = self.link.call(Request::WhoAmI).await else {
            return Some(answer);
        };
        let at: WallTime = clock::wall();
        let kept = registry.keep_letter(owner.clone(), me.name, words, at);
        Some(match kept.await {
            Ok(()) => Answer::KeptFor(owner.clone()),
            Err(refusal) => refusal.into(),
        })
    }
}
