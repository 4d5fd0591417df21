//! Somebody at the name question who has more to show than a name: the password of the name, or a code to come back with.

use parlor_core::link::{Answer, Decoder, Encoder, Entered, Notice, PasswordFor, Refusal, Seat};
use parlor_core::model::{Claim, Name, Word};
use parlor_wire::lines::{LineDecoder, LineInput};
use tokio::io::{AsyncRead, AsyncWrite};

use super::prompt::{Gone, Guest};
use crate::accounts::Standing;
use crate::journal::History;

/// So much of what was written to a lost connection may lie unread in the buffers between: it is shown again.
const UNREAD_BYTES_MAX: u64 = 128 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> Guest<S> {
    /// Asks for the password of a name until it is right, or an empty line cancels that: so the next guess is never taken
    /// for a name, which others read.
    pub(super) async fn enter_as_owner(
        &mut self,
        name: Name,
        owned: Name,
        replay: u64,
    ) -> Result<Result<(Seat, Box<Entered>), Answer>, Gone> {
        let Some(accounts) = self.accounts.clone() else {
            return Ok(Err(Refusal::NameOwned(owned).into()));
        };
        if !self.peer.is_private {
            if !self.drop_held_line() {
                return Ok(Err(Refusal::PlainPassword.into()));
            }
            let mut words = Vec::new();
            self.encoder
                .answer(&Refusal::PlainPassword.into(), &mut words);
            self.say(&words).await?;
            return Ok(Err(Refusal::AnswersDropped(1).into()));
        }
        let mut words = Vec::new();
        loop {
            self.conceal(true, &mut words);
            let question = Answer::Password(PasswordFor::Of(owned.clone()));
            self.encoder.answer(&question, &mut words);
            self.say(&words).await?;
            words.clear();
            let heard = self.hear_secret().await;
            self.answerer.has_answered();
            self.conceal(false, &mut words);
            let refusal = match heard? {
                Ok(line) if line.as_str().is_empty() => break,
                Ok(line) => match accounts
                    .passwords
                    .prove(&owned, line, self.peer.address)
                    .await
                {
                    Ok(proof) => {
                        self.say(&words).await?;
                        self.is_owner = true;
                        let proof = Some(proof);
                        return Ok(self.enter(Claim { name, proof }, replay).await);
                    }
                    Err(refusal) => refusal,
                },
                Err(refusal) => refusal,
            };
            self.encoder.answer(&refusal.into(), &mut words);
        }
        self.say(&words).await?;
        Ok(Err(Refusal::NameOwned(owned).into()))
    }

    /// Drops a line that has come already: it may be the password that is not asked for, and would be taken for a name.
    fn drop_held_line(&mut self) -> bool {
        let heard = self.take_held(LineDecoder::hear_secret);
        matches!(heard, Some(LineInput::Line(_)))
    }

    /// Has the other side hide what is typed, or show it again, where it can.
    fn conceal(&mut self, is_hidden: bool, words: &mut Vec<u8>) {
        if let Some(bytes) = self.decoder.conceal(is_hidden) {
            self.encoder.raw(&bytes, words);
        }
    }

    /// Takes the place again that somebody had on another connection.
    pub(super) async fn come_back(&mut self, typed: &str) -> Result<(Seat, Box<Entered>), Answer> {
        let accounts = self.accounts.clone().ok_or(Refusal::NoSuchCode)?;
        let returned = accounts.codes.redeem(typed).await?;
        let entered = self.seat(returned.request(None)).await?;
        accounts
            .codes
            .take_over(&returned.code, self.link.client(), entered.0.room());
        self.is_owner = returned.standing.proof.is_some();
        self.returned = Some(returned);
        Ok(entered)
    }

    /// Shows what was said since the last line that has surely been read, up to number `last`.
    pub(super) async fn catch_up(
        &mut self,
        history: &dyn History,
        standing: &Standing,
        seat: &Seat,
        last: u64,
    ) -> Result<(), Gone> {
        let mut words = Vec::new();
        let welcome = Answer::WelcomeBack(standing.name.clone());
        self.encoder.answer(&welcome, &mut words);
        let room = &standing.room;
        let first = history.before(room, standing.seq.min(last), UNREAD_BYTES_MAX);
        // Where it cannot be read, the operator's log says so; whoever comes back has the room itself.
        let mut next = first.await.unwrap_or(last) + 1;
        // Whoever is to leave the room is shown no more of it, and moves when there is a session.
        while next <= last && seat.removed().is_none() {
            let Ok(page) = history.page(room, next, last).await else {
                break;
            };
            next = page.next;
            for line in page.lines {
                match line {
                    Ok(said) => self.encoder.replayed(room, &said, &mut words),
                    Err(damaged) => {
                        let notice = Answer::Notice(Notice::Damaged(damaged));
                        self.encoder.answer(&notice, &mut words);
                    }
                }
            }
            self.say(&words).await?;
            words.clear();
            // Between two pages, as a line that was begun could not be ended.
            if let Some(removal) = self.link.client().removed() {
                let word = Notice::Order(Word::Removed(removal.clone()));
                self.encoder.answer(&Answer::Notice(word), &mut words);
                return Err(Gone::Told(words));
            }
        }
        self.say(&words).await
    }
}
