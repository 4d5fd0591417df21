//! A session's commands for the owner of a name: passwords, tokens, kept messages and return codes.
//!
//! Knows no dialect: the decoder hides a password.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;

use parlor_core::link::{
    Answer, Change, Client, Decoder, Input, Mail, Outcome, PasswordFor, Query, Refusal, Spec,
};
use parlor_core::model::{Claim, Line, Name, PersonId, Proof, RoomId};
use tokio::io::AsyncRead;
use tokio::time::sleep_until;

use super::ended::{SessionEnd, Stop};
use super::read::Reader;
use crate::accounts::{Accounts, Code, KeptMessage, Standing, good_password, is_same_password};
use crate::clock;

/// `/register` asks twice.
const ANSWERS_TO_REGISTER: usize = 2;

impl<R: AsyncRead + Unpin, D: Decoder> Reader<'_, R, D> {
    /// Registers the person's name, or changes its password.
    pub(super) async fn register(
        &mut self,
        keeps_token: bool,
        spec: &'static Spec,
    ) -> Result<Answer, Stop> {
        let me = self.me().await?;
        let accounts = match self.can_register(&me, spec) {
            Ok(accounts) => accounts,
            Err(refusal) => {
                let answers = ANSWERS_TO_REGISTER + usize::from(me.is_proven());
                return Err(self.ask_nothing(refusal, answers).await);
            }
        };
        let Claim { name, proof } = me;
        let proof = match proof {
            None => None,
            Some(_) => match self.prove(PasswordFor::Present(name.clone()), &name).await {
                Err(Stop::Refused(_)) => return Err(Refusal::NoPassword.into()),
                proof => Some(proof?),
            },
        };
        self.set_password(&accounts, &name, proof, keeps_token).await?;
        if proof.is_some() {
            let answer = Answer::PasswordChanged { name, keeps_token };
            return self.with_another_code(answer).await;
        }
        self.note_standing().await; // so that the owner returns as the owner
        Ok(Answer::Registered(name))
    }

    /// The accounts, if this person can have a password for the present name.
    fn can_register(&self, me: &Claim, spec: &'static Spec) -> Result<Arc<Accounts>, Refusal> {
        if self.is_asked {
            return Err(Refusal::AnswerFirst);
        }
        let accounts = self.accounts(spec)?;
        if !self.peer.is_private {
            return Err(Refusal::PlainPassword);
        }
        match Name::parse(me.name.as_str()) {
            Ok(_) => Ok(accounts),
            Err(_) => Err(Refusal::NoNameToOwn),
        }
    }

    /// Asks for a new password until one is stored: the first password of a name or, with a proof,
    /// a later one.
    async fn set_password(
        &mut self,
        accounts: &Accounts,
        name: &Name,
        proof: Option<Proof>,
        keeps_token: bool,
    ) -> Result<(), Stop> {
        loop {
            let password = self.ask_new_password(name).await?;
            let (address, by, passwords) = (self.peer.address, self.id(), &accounts.passwords);
            let stored = match proof {
                None => {
                    let since = self.named_at;
                    let registering =
                        passwords.register(name.clone(), password, since, address, by);
                    registering.await
                }
                Some(proof) => {
                    let own = (name.clone(), proof);
                    passwords.change(own, password, keeps_token, address, by).await
                }
            };
            match stored {
                Ok(()) => return Ok(()),
                Err(
                    refusal @ (Refusal::NameOwned(_)
                    | Refusal::NotOwner
                    | Refusal::TooManyNames
                    | Refusal::TooManyNamesFromHere),
                ) => return Err(refusal.into()),
                Err(refusal) => self.answer(refusal).await,
            }
        }
    }

    /// Asks for a new password until it is good and typed twice in the same way. Only an empty line
    /// cancels the questions, so the next try is never posted in the room.
    async fn ask_new_password(&mut self, name: &Name) -> Result<Line, Stop> {
        loop {
            let password = self.ask_password(PasswordFor::New(name.clone())).await?;
            if password.as_str().is_empty() {
                return Err(Refusal::NoPassword.into());
            }
            let refusal = match good_password(&password) {
                Err(refusal) => refusal,
                Ok(()) => {
                    let again = self.ask_password(PasswordFor::Again).await?;
                    if is_same_password(again.as_str(), password.as_str()) {
                        return Ok(password);
                    }
                    if again.as_str().is_empty() {
                        return Err(Refusal::NoPassword.into());
                    }
                    Refusal::PasswordsDiffer
                }
            };
            self.answer(refusal).await;
        }
    }

    /// Takes another name, with its password if it is registered.
    pub(super) async fn rename(&mut self, typed: &Line) -> Result<Option<Answer>, Stop> {
        if self.is_asked {
            return Err(Refusal::AnswerFirst.into());
        }
        let name = Name::parse(typed.as_str()).map_err(Refusal::from)?;
        let mut answer = self.ask(Change::Rename(name.clone().into())).await;
        if let Some(Answer::Refused(Refusal::NameOwned(owned))) = &answer {
            let proof = match self.prove(PasswordFor::Of(owned.clone()), owned).await {
                Err(Stop::Refused(refusal @ Refusal::PlainPassword)) => {
                    return Err(self.ask_nothing(refusal, 1).await);
                }
                proof => Some(proof?),
            };
            answer = self.ask(Change::Rename(Claim { name, proof })).await;
            self.show_messages = matches!(answer, Some(Answer::YouAre(_)));
        }
        if let Some(Answer::YouAre(_)) = answer {
            self.named_at = self.settings.clock.now().wall;
            self.is_named = true;
            self.note_standing().await;
        }
        Ok(answer)
    }

    /// Asks for the password of a name until it is right. Only an empty line cancels the questions,
    /// so the next guess is never posted in the room.
    async fn prove(&mut self, question: PasswordFor, name: &Name) -> Result<Proof, Stop> {
        let Some(accounts) = self.settings.accounts.clone() else {
            return Err(Refusal::NameOwned(name.clone()).into());
        };
        if !self.peer.is_private {
            return Err(Refusal::PlainPassword.into());
        }
        loop {
            let password = self.ask_password(question.clone()).await?;
            if password.as_str().is_empty() {
                return Err(Refusal::NameOwned(name.clone()).into());
            }
            let proving = accounts.passwords.prove(name, password, self.peer.address);
            match proving.await {
                Err(refusal) => self.answer(refusal).await,
                Ok(proof) => return Ok(proof),
            }
        }
    }

    async fn ask_password(&mut self, question: PasswordFor) -> Result<Line, Stop> {
        self.conceal(true).await;
        self.answer(Answer::Password(question)).await;
        self.is_asked = true;
        let typed = self.hear_secret().await;
        self.is_asked = false;
        self.conceal(false).await;
        typed
    }

    async fn conceal(&mut self, is_hidden: bool) {
        if let Some(bytes) = self.decoder.conceal(is_hidden) {
            self.reply(Mail::Raw(bytes)).await;
        }
    }

    /// The next line, even if it begins with a slash.
    async fn hear_secret(&mut self) -> Result<Line, Stop> {
        let mut idle = pin!(sleep_until(self.next_idle_step()));
        loop {
            if self.held.is_empty() && self.read_or_idle(idle.as_mut()).await? == 0 {
                return Err(SessionEnd::EndOfInput.into());
            }
            let _one_at_a_time = self.allowance().await;
            match self.take(D::next_secret) {
                Some(Input::Secret(secret)) => return Ok(secret),
                Some(other) => self.obey_meanwhile(other).await?,
                None => {}
            }
        }
    }

    async fn obey_meanwhile(&mut self, input: Input) -> Result<(), Stop> {
        match Box::pin(self.obey(input)).await {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(ended) => Err(ended.into()),
        }
    }

    /// The reason not to ask for a password. Drops answers that arrived together with the command,
    /// as in a paste.
    async fn ask_nothing(&mut self, refusal: Refusal, answers: usize) -> Stop {
        let mut dropped = 0;
        while !self.is_asked && dropped < answers {
            match self.take(D::next_secret) {
                Some(Input::Secret(_)) => dropped += 1,
                Some(other) => {
                    if let Err(stop) = self.obey_meanwhile(other).await {
                        return stop;
                    }
                }
                None => break,
            }
        }
        if dropped == 0 {
            return refusal.into();
        }
        self.answer(refusal).await;
        Refusal::AnswersDropped(dropped).into()
    }

    /// Makes or revokes the token for scripts under the person's name.
    pub(super) async fn token(
        &mut self,
        revoke: bool,
        spec: &'static Spec,
    ) -> Result<Answer, Refusal> {
        let accounts = self.accounts(spec)?;
        let (name, proof) = self.own_name().await?;
        match revoke {
            true => {
                let revoked = accounts.tokens.revoke(name, proof).await;
                revoked.map(Answer::TokenRevoked)
            }
            false => accounts.tokens.make(name, proof).await.map(Answer::Token),
        }
    }

    /// Shows the messages that were kept while the owner was away.
    pub(super) async fn deliver_messages(&mut self) {
        let (Some(accounts), Ok(Claim { name, .. })) =
            (self.settings.accounts.clone(), self.me().await)
        else {
            return;
        };
        // If reading fails, the operator's log says so, and the messages wait for the next time.
        let messages = accounts.messages.waiting(&name).await.unwrap_or_default();
        let Some(last) = messages.last().map(|message| message.id) else {
            return;
        };
        self.answer(Answer::WhileAway(messages.len())).await;
        for KeptMessage { at, from, text, .. } in messages {
            let to = name.clone();
            self.answer(Answer::KeptMessage { at, from, to, text }).await;
        }
        if !self.link.drained().await {
            return; // the unread messages wait for the next time
        }
        accounts.messages.delete(&name, last).await.ok(); // if this fails, they are shown once more
    }

    /// Writes to one person. A message to an owner who is away is kept.
    pub(super) async fn write_to(&mut self, to: Line, text: Line) -> Option<Answer> {
        let words = text.clone();
        let answer = self.ask(Query::Private { to, text }).await?;
        let (Answer::Refused(Refusal::Away(owner)), Some(accounts)) =
            (&answer, self.settings.accounts.clone())
        else {
            return Some(answer);
        };
        let Ok(me) = self.me().await else {
            return Some(answer);
        };
        let from = (me, self.id(), self.peer.address);
        let keeping = accounts.messages.keep(owner.clone(), from, words, clock::wall());
        Some(match keeping.await {
            Ok(()) => Answer::KeptFor(owner.clone()),
            Err(refusal) => refusal.into(),
        })
    }

    /// Shows the return code, and makes it at the first request.
    pub(super) async fn show_code(&mut self, spec: &'static Spec) -> Result<Answer, Refusal> {
        if let Some((code, _)) = &self.place {
            return Ok(Answer::Code(code.shown()));
        }
        let accounts = self.accounts(spec)?;
        self.make_code(&accounts).await
    }

    /// Revokes the code that was shown under an earlier password, and shows a new one.
    async fn with_another_code(&mut self, answer: Answer) -> Result<Answer, Stop> {
        let (Some((code, _)), Some(accounts)) = (self.place.take(), self.settings.accounts.clone())
        else {
            return Ok(answer);
        };
        accounts.codes.forget(&code);
        self.answer(answer).await;
        Ok(self.make_code(&accounts).await?)
    }

    async fn make_code(&mut self, accounts: &Accounts) -> Result<Answer, Refusal> {
        let standing = self.standing().await?;
        let client = Arc::clone(self.link.client());
        let (codes, room) = (&accounts.codes, self.seat.room());
        let code = codes.give(&client, room, standing.clone()).await?;
        let shown = code.shown();
        self.place = Some((code, standing));
        Ok(Answer::Code(shown))
    }

    /// Stores the person's new room or new name, if there is a code.
    pub(super) async fn note_standing(&mut self) {
        let (Some((code, _)), Some(accounts)) = (&self.place, self.settings.accounts.clone())
        else {
            return;
        };
        let code = code.clone();
        let Ok(standing) = self.standing().await else {
            return;
        };
        self.place = Some((code.clone(), standing.clone()));
        let (client, room) = (Arc::clone(self.link.client()), self.seat.room());
        // If storing fails, the operator's log says so.
        let noted = accounts.codes.note_standing(&code, &client, room, standing);
        noted.await.ok();
    }

    /// The person's place at the end, if there is a code.
    pub(super) fn last_place(&self) -> Option<LastPlace> {
        let (code, standing) = self.place.clone()?;
        Some(LastPlace {
            accounts: self.settings.accounts.clone()?,
            code,
            room: self.seat.room(),
            standing,
        })
    }

    /// The person's place now: after the last written line if that is known, otherwise at the end.
    async fn standing(&mut self) -> Result<Standing, Refusal> {
        let Claim { name, proof } = self.me().await?;
        let read = self.link.client().read_to();
        let here = |(room, seq)| (room == self.seat.room()).then_some(seq);
        Ok(Standing {
            name,
            proof,
            room: self.seat.room_name().clone(),
            seq: read.and_then(here).unwrap_or(self.seat.log().end().seq),
        })
    }

    /// The person's name, and its proof.
    async fn me(&mut self) -> Result<Claim, Refusal> {
        match self.link.call(Query::WhoAmI).await {
            Outcome::You(me) => Ok(me),
            _ => Err(Refusal::NotThere),
        }
    }

    /// The name, if the person has proved to be its owner.
    pub(super) async fn own_name(&mut self) -> Result<(Name, Proof), Refusal> {
        match self.me().await {
            Ok(Claim { name, proof: Some(proof) }) => Ok((name, proof)),
            _ => Err(Refusal::NotOwner),
        }
    }

    fn id(&self) -> PersonId {
        self.link.client().id()
    }

    /// The accounts, for a command that needs them.
    pub(super) fn accounts(&self, spec: &'static Spec) -> Result<Arc<Accounts>, Refusal> {
        let accounts = self.settings.accounts.clone();
        accounts.ok_or(Refusal::NeedsDisk(spec))
    }
}

/// The place of a person whose connection has ended, and the code for it.
pub(super) struct LastPlace {
    accounts: Arc<Accounts>,
    code: Code,
    room: RoomId,
    standing: Standing,
}

impl LastPlace {
    /// Stores the place, with the last line that the person has read.
    pub(super) async fn store(mut self, client: &Client) {
        if let Some((room, seq)) = client.read_to()
            && room == self.room
        {
            self.standing.seq = seq;
        }
        let codes = &self.accounts.codes;
        // If storing fails, the operator's log says so.
        codes.let_die(&self.code, client, self.standing).await.ok();
    }
}
