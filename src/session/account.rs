//! What a session does where a password is in play: it asks for it, and shows what waits for the owner of a name.
//!
//! Knows no dialect and no way to hide what is typed: the decoder has that.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;

use parlor_core::link::{
    Answer, Change, Client, Decoder, Input, Mail, Outcome, PasswordFor, Query, Refusal, Spec,
};
use parlor_core::model::{Claim, Line, Name, PersonId, Proof, RoomId, WallTime};
use tokio::io::AsyncRead;
use tokio::time::sleep_until;

use super::ended::SessionEnd;
use super::read::Reader;
use crate::accounts::{Accounts, Code, KeptMessage, Standing, good_password, is_same_password};
use crate::clock;

/// `/register` asks twice.
const ANSWERS_TO_REGISTER: usize = 2;

impl<R: AsyncRead + Unpin, D: Decoder> Reader<'_, R, D> {
    /// Makes the name that is worn this person's own, or gives it another password.
    pub(crate) async fn register(
        &mut self,
        keeps_token: bool,
        spec: &'static Spec,
    ) -> Result<Answer, SessionEnd> {
        let Outcome::You(me) = self.link.call(Query::WhoAmI).await else {
            return Ok(Refusal::NotThere.into());
        };
        let accounts = match self.can_register(&me, spec) {
            Ok(accounts) => accounts,
            Err(refusal) => {
                let answers = ANSWERS_TO_REGISTER + usize::from(me.is_proven());
                return self.ask_nothing(refusal, answers).await;
            }
        };
        let Claim { name, proof } = me;
        if proof.is_none() {
            return self.own_name(&accounts, name).await;
        }
        match self
            .prove(PasswordFor::Present(name.clone()), &name)
            .await?
        {
            Ok(proof) => {
                let own = (name, proof);
                self.change_password(&accounts, own, keeps_token).await
            }
            Err(_) => Ok(Refusal::NoPassword.into()),
        }
    }

    /// Where passwords are kept, if this person can have one for the name that is worn.
    fn can_register(&self, me: &Claim, spec: &'static Spec) -> Result<Arc<Accounts>, Refusal> {
        if self.is_asked {
            return Err(Refusal::AnswerFirst);
        }
        let accounts = self.settings.accounts.clone();
        let accounts = accounts.ok_or(Refusal::NeedsDisk(spec))?;
        if !self.peer.is_private {
            return Err(Refusal::PlainPassword);
        }
        match Name::parse(me.name.as_str()) {
            Ok(_) => Ok(accounts),
            Err(_) => Err(Refusal::NoNameToOwn),
        }
    }

    /// Keeps a password for the name that is worn, as soon as there is a good one.
    async fn own_name(&mut self, accounts: &Accounts, name: Name) -> Result<Answer, SessionEnd> {
        loop {
            let Some(password) = self.ask_new_password(&name).await? else {
                return Ok(Refusal::NoPassword.into());
            };
            let (since, address, by) = (self.named_at, self.peer.address, self.id());
            let registered =
                accounts
                    .passwords
                    .register(name.clone(), password, since, address, by);
            match registered.await {
                Ok(()) => {
                    self.note_standing().await; // whoever comes back comes as the owner
                    return Ok(Answer::Registered(name));
                }
                Err(
                    refusal @ (Refusal::NameOwned(_)
                    | Refusal::TooManyNames
                    | Refusal::TooManyNamesFromHere),
                ) => {
                    return Ok(refusal.into());
                }
                Err(refusal) => self.reply(Mail::Answer(refusal.into())).await,
            }
        }
    }

    /// Keeps another password for the own name, as soon as there is a good one.
    async fn change_password(
        &mut self,
        accounts: &Accounts,
        (name, proof): (Name, Proof),
        keeps_token: bool,
    ) -> Result<Answer, SessionEnd> {
        loop {
            let Some(password) = self.ask_new_password(&name).await? else {
                return Ok(Refusal::NoPassword.into());
            };
            let (own, address, by) = ((name.clone(), proof), self.peer.address, self.id());
            let changed = accounts
                .passwords
                .change(own, password, keeps_token, address, by);
            match changed.await {
                Ok(()) => {
                    let answer = Answer::PasswordChanged { name, keeps_token };
                    return Ok(self.with_another_code(answer).await);
                }
                Err(refusal @ Refusal::NotOwner) => return Ok(refusal.into()),
                Err(refusal) => self.reply(Mail::Answer(refusal.into())).await,
            }
        }
    }

    fn id(&self) -> PersonId {
        self.link.client().id()
    }

    /// Asks for a new password until it is good and typed twice alike. None if an empty line cancels that: nothing else
    /// ends the questions, so the next try is never said in the room.
    async fn ask_new_password(&mut self, name: &Name) -> Result<Option<Line>, SessionEnd> {
        loop {
            let password = self.ask_password(PasswordFor::New(name.clone())).await?;
            if password.as_str().is_empty() {
                return Ok(None);
            }
            let refusal = match good_password(&password) {
                Err(refusal) => refusal,
                Ok(()) => {
                    let again = self.ask_password(PasswordFor::Again).await?;
                    if is_same_password(again.as_str(), password.as_str()) {
                        return Ok(Some(password));
                    }
                    if again.as_str().is_empty() {
                        return Ok(None);
                    }
                    Refusal::PasswordsDiffer
                }
            };
            self.reply(Mail::Answer(refusal.into())).await;
        }
    }

    /// Makes a token for scripts under the own name, or ends it.
    pub(crate) async fn token(&mut self, revoke: bool, spec: &'static Spec) -> Answer {
        let Some(accounts) = self.settings.accounts.clone() else {
            return Refusal::NeedsDisk(spec).into();
        };
        let Outcome::You(Claim {
            name,
            proof: Some(proof),
        }) = self.link.call(Query::WhoAmI).await
        else {
            return Refusal::NotOwner.into();
        };
        let done = match revoke {
            true => {
                let revoked = accounts.tokens.revoke(name, proof).await;
                revoked.map(Answer::TokenRevoked)
            }
            false => accounts.tokens.make(name, proof).await.map(Answer::Token),
        };
        done.unwrap_or_else(Answer::Refused)
    }

    /// Takes another name, with its password where it has an owner.
    pub(crate) async fn rename(&mut self, typed: &Line) -> Result<Option<Answer>, SessionEnd> {
        if self.is_asked {
            return Ok(Some(Refusal::AnswerFirst.into()));
        }
        let name = match Name::parse(typed.as_str()) {
            Ok(name) => name,
            Err(error) => return Ok(Some(Refusal::from(error).into())),
        };
        let mut answer = self.ask(Change::Rename(name.clone().into())).await;
        if let Some(Answer::Refused(Refusal::NameOwned(owned))) = &answer {
            let proof = match self.prove(PasswordFor::Of(owned.clone()), owned).await? {
                Ok(proof) => Some(proof),
                Err(refusal @ Refusal::PlainPassword) => {
                    return self.ask_nothing(refusal, 1).await.map(Some);
                }
                Err(refusal) => return Ok(Some(refusal.into())),
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

    /// Asks for the password of a name until it is right, or an empty line cancels that: so the next guess is never said
    /// in the room.
    async fn prove(
        &mut self,
        question: PasswordFor,
        name: &Name,
    ) -> Result<Result<Proof, Refusal>, SessionEnd> {
        let Some(accounts) = self.settings.accounts.clone() else {
            return Ok(Err(Refusal::NameOwned(name.clone())));
        };
        if !self.peer.is_private {
            return Ok(Err(Refusal::PlainPassword));
        }
        loop {
            let password = self.ask_password(question.clone()).await?;
            if password.as_str().is_empty() {
                return Ok(Err(Refusal::NameOwned(name.clone())));
            }
            match accounts
                .passwords
                .prove(name, password, self.peer.address)
                .await
            {
                Err(refusal) => self.reply(Mail::Answer(refusal.into())).await,
                Ok(proof) => return Ok(Ok(proof)),
            }
        }
    }

    async fn ask_password(&mut self, password: PasswordFor) -> Result<Line, SessionEnd> {
        self.conceal(true).await;
        self.reply(Mail::Answer(Answer::Password(password))).await;
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

    /// The next line, whatever it begins with.
    async fn hear_secret(&mut self) -> Result<Line, SessionEnd> {
        let mut idle = pin!(sleep_until(self.next_idle_step()));
        loop {
            if self.held.is_empty() && self.read_or_idle(idle.as_mut()).await? == 0 {
                return Err(SessionEnd::EndOfInput);
            }
            let _one_at_a_time = self.allowance().await;
            match self.take(D::next_secret) {
                Some(Input::Secret(secret)) => return Ok(secret),
                Some(other) => {
                    if let ControlFlow::Break(ended) = Box::pin(self.obey(other)).await {
                        return Err(ended);
                    }
                }
                None => {}
            }
        }
    }

    /// Says why no password was asked for. Answers that came together with the command, as in a paste, are not said.
    async fn ask_nothing(
        &mut self,
        refusal: Refusal,
        answers: usize,
    ) -> Result<Answer, SessionEnd> {
        let mut dropped = 0;
        while !self.is_asked && dropped < answers {
            match self.take(D::next_secret) {
                Some(Input::Secret(_)) => dropped += 1,
                Some(other) => {
                    if let ControlFlow::Break(ended) = Box::pin(self.obey(other)).await {
                        return Err(ended);
                    }
                }
                None => break,
            }
        }
        if dropped == 0 {
            return Ok(refusal.into());
        }
        self.reply(Mail::Answer(refusal.into())).await;
        Ok(Refusal::AnswersDropped(dropped).into())
    }

    /// Shows the messages that were kept while the owner of the name was away.
    pub(crate) async fn deliver_messages(&mut self) {
        let Some(accounts) = self.settings.accounts.clone() else {
            return;
        };
        let Outcome::You(Claim { name, .. }) = self.link.call(Query::WhoAmI).await else {
            return;
        };
        // Where they cannot be read, the operator's log says so, and they wait until next time.
        let messages = accounts.messages.waiting(&name).await.unwrap_or_default();
        let Some(last) = messages.last().map(|message| message.id) else {
            return;
        };
        self.reply(Mail::Answer(Answer::WhileAway(messages.len())))
            .await;
        for KeptMessage { at, from, text, .. } in messages {
            let to = name.clone();
            let message = Answer::Letter { at, from, to, text };
            self.reply(Mail::Answer(message)).await;
        }
        if !self.link.drained().await {
            return; // they have not been taken, and wait until next time
        }
        accounts.messages.delete(&name, last).await.ok(); // else they are shown once more
    }

    /// Writes to one person; where that is the owner of a name who is away, the message is kept.
    pub(crate) async fn write_to(&mut self, to: Line, text: Line) -> Option<Answer> {
        let words = text.clone();
        let answer = self.ask(Query::Private { to, text }).await?;
        let (Answer::Refused(Refusal::Away(owner)), Some(accounts)) =
            (&answer, self.settings.accounts.clone())
        else {
            return Some(answer);
        };
        let Outcome::You(me) = self.link.call(Query::WhoAmI).await else {
            return Some(answer);
        };
        let at: WallTime = clock::wall();
        let kept =
            accounts
                .messages
                .keep(owner.clone(), (me, self.id(), self.peer.address), words, at);
        Some(match kept.await {
            Ok(()) => Answer::KeptFor(owner.clone()),
            Err(refusal) => refusal.into(),
        })
    }

    /// Says the code, which is made when it is first asked for.
    pub(super) async fn show_code(&mut self, spec: &'static Spec) -> Answer {
        if let Some((code, _)) = &self.place {
            return Answer::Code(code.shown());
        }
        let Some(accounts) = self.settings.accounts.clone() else {
            return Refusal::NeedsDisk(spec).into();
        };
        self.make_code(&accounts).await
    }

    /// Has the code end that was shown before another password was set, and shows the one that counts instead.
    pub(super) async fn with_another_code(&mut self, answer: Answer) -> Answer {
        let (Some((code, _)), Some(accounts)) = (self.place.take(), self.settings.accounts.clone())
        else {
            return answer;
        };
        accounts.codes.forget(&code);
        self.reply(Mail::Answer(answer)).await;
        self.make_code(&accounts).await
    }

    async fn make_code(&mut self, accounts: &Accounts) -> Answer {
        let Some(standing) = self.standing().await else {
            return Refusal::NotThere.into();
        };
        let client = Arc::clone(self.link.client());
        let given = accounts
            .codes
            .give(&client, self.seat.room(), standing.clone());
        match given.await {
            Ok(code) => {
                let shown = code.shown();
                self.place = Some((code, standing));
                Answer::Code(shown)
            }
            Err(undone) => Refusal::from(undone).into(),
        }
    }

    /// Keeps that the person is somewhere else, or somebody else, if there is a code for it.
    pub(super) async fn note_standing(&mut self) {
        let (Some((code, _)), Some(accounts)) = (&self.place, self.settings.accounts.clone())
        else {
            return;
        };
        let code = code.clone();
        let Some(standing) = self.standing().await else {
            return;
        };
        self.place = Some((code.clone(), standing.clone()));
        let (client, room) = (Arc::clone(self.link.client()), self.seat.room());
        // Where it cannot be kept, the operator's log says so.
        let noted = accounts.codes.note_standing(&code, &client, room, standing);
        noted.await.ok();
    }

    /// Where the person stands at the end; none if nobody asked for a code.
    pub(super) fn last_place(&self) -> Option<Last> {
        let (code, standing) = self.place.clone()?;
        Some(Last {
            accounts: self.settings.accounts.clone()?,
            code,
            room: self.seat.room(),
            standing,
        })
    }

    /// Where the person stands now: behind the last line that was written, if that is known, else at the end.
    async fn standing(&mut self) -> Option<Standing> {
        let Outcome::You(me) = self.link.call(Query::WhoAmI).await else {
            return None;
        };
        let read = self.link.client().read_to();
        let here = |(room, seq)| (room == self.seat.room()).then_some(seq);
        Some(Standing {
            name: me.name,
            proof: me.proof,
            room: self.seat.room_name().clone(),
            seq: read.and_then(here).unwrap_or(self.seat.log().end().seq),
        })
    }
}

/// Where somebody stood at last, and the code for it.
pub(super) struct Last {
    accounts: Arc<Accounts>,
    code: Code,
    room: RoomId,
    standing: Standing,
}

impl Last {
    /// Keeps it, with how far has been written.
    pub(super) async fn keep(mut self, client: &Client) {
        if let Some((room, seq)) = client.read_to()
            && room == self.room
        {
            self.standing.seq = seq;
        }
        // Where it cannot be kept, the operator's log says so.
        let kept = self
            .accounts
            .codes
            .let_die(&self.code, client, self.standing);
        kept.await.ok();
    }
}
