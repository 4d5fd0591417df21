//! A person in a session, and what a command leaves to do. Knows no bytes and no command.

use std::future::poll_fn;
use std::mem;
use std::task::Poll;

use parlor_core::link::{
    Answer, Asked, Link, Mail, Mark, NewSeat, Outcome, PasswordFor, Presence, Query, Refusal,
    Request, Seat, Seats, Spec,
};
use parlor_core::model::{Claim, Here, Line, Manner, Name, Proof, RoomName, Spoken, WallTime};

use super::ended::SessionEnd;
use super::pace::LinePace;
use super::settings::{Peer, SessionSettings};
use crate::accounts::{Accounts, HeldCode};

/// A person on the server: the parts of a session that commands use.
pub(crate) struct Participant<'a> {
    pub(super) link: Link,
    pub(super) peer: Peer,
    /// Ends before the seats, so all of them end with it.
    presence: Presence,
    /// The rooms that the person reads. The person speaks in the last one.
    pub(super) seats: Seats,
    pub(super) settings: &'a SessionSettings,
    /// The rate of the connection.
    pub(super) pace: LinePace<'a>,
    /// When the person took the present name.
    pub(super) named_at: WallTime,
    /// Whether the person has chosen a name, instead of the address.
    pub(super) is_named: bool,
    /// Whether there may be kept messages to show.
    pub(super) may_have_messages: bool,
    /// The return code, if the person asked for one.
    pub(super) code: Option<Box<HeldCode>>,
    /// The question for a password that waits for its answer.
    pub(super) question: Option<Box<PasswordQuestion>>,
    /// The ends of the rooms that the command under way has left; none between two commands.
    asked: Option<Box<Mark>>,
}

/// A newcomer's presence and first seat. The presence is dropped first, so the seat ends with it.
pub(crate) struct Admitted {
    pub(super) presence: Presence,
    /// The name under which the person came.
    pub(super) name: Name,
    /// The seat, and the first information about its room; none for a person without a room.
    pub(super) first: Option<NewSeat>,
}

impl Admitted {
    /// The name under which the person came.
    pub(crate) fn name(&self) -> &Name {
        &self.name
    }
}

/// Comes to the server, into a first room or without one.
///
/// # Errors
/// The answer says why the person cannot come in.
pub(super) async fn come_in(
    link: &mut Link,
    request: impl Into<Request>,
) -> Result<Admitted, Answer> {
    let (presence, first) = match link.call(request).await {
        Outcome::Came(presence, first) => (presence, first),
        Outcome::Answer(answer) => return Err(answer),
        _ => return Err(Refusal::NotThere.into()),
    };
    let name = match &first {
        Some((_, entered)) => entered.who.name.clone(),
        None => who_am_i(link).await?.name,
    };
    Ok(Admitted { presence, name, first })
}

/// The person's name and account.
async fn who_am_i(link: &mut Link) -> Result<Claim, Refusal> {
    match link.call(Query::WhoAmI).await {
        Outcome::You(claim) => Ok(claim),
        _ => Err(Refusal::NotThere),
    }
}

/// Takes a seat.
///
/// # Errors
/// The answer says why there is none.
pub(super) async fn take_seat(
    link: &mut Link,
    request: impl Into<Request>,
) -> Result<NewSeat, Answer> {
    match link.call(request).await {
        Outcome::Entered(seat) => Ok(seat),
        Outcome::Answer(answer) => Err(answer),
        _ => Err(Refusal::NotThere.into()),
    }
}

/// The work that a command leaves to the reading half.
pub(super) enum Effect {
    /// Nothing: what it did shows by itself.
    None,
    /// The person reads this.
    Tell(Mail),
    /// These lines are posted together.
    Post(Vec<Spoken>),
    /// The next line is the answer to this question.
    Ask(Box<PasswordQuestion>),
    /// No password is asked for. As many answers, which may have come with the command, are dropped.
    AskNothing(Refusal, usize),
    /// The session ends.
    End(SessionEnd),
}

/// Whether these are lines that no program may answer. Then the server does not tell that it
/// refuses them.
pub(super) fn are_notices(lines: &[Spoken]) -> bool {
    !lines.is_empty() && lines.iter().all(|spoken| spoken.manner == Manner::Notice)
}

impl From<Answer> for Effect {
    fn from(answer: Answer) -> Effect {
        Effect::Tell(Mail::Answer(answer))
    }
}

impl From<Option<Answer>> for Effect {
    fn from(answer: Option<Answer>) -> Effect {
        answer.map_or(Effect::None, Effect::from)
    }
}

/// A question for a password.
pub(super) enum PasswordQuestion {
    /// The password of the registered name `owned`, before the person takes `name`.
    Of { owned: Name, name: Name },
    /// The present password, before a new one.
    Present(NewPassword),
    /// The new password.
    New(NewPassword),
    /// The new password again, against typing mistakes.
    Again(NewPassword, Line),
}

/// A password that is about to be set.
pub(super) struct NewPassword {
    pub(super) name: Name,
    /// The proof that the person owns the name; none if the name has no owner yet.
    pub(super) proof: Option<Proof>,
    pub(super) keeps_token: bool,
    /// The smallest number of characters in it.
    pub(super) chars_min: usize,
}

impl PasswordQuestion {
    /// The question, as the person reads it.
    pub(super) fn words(&self) -> PasswordFor {
        match self {
            PasswordQuestion::Of { owned, .. } => PasswordFor::Of(owned.clone()),
            PasswordQuestion::Present(new) => PasswordFor::Present(new.name.clone()),
            PasswordQuestion::New(new) => {
                PasswordFor::New { name: new.name.clone(), chars_min: new.chars_min }
            }
            PasswordQuestion::Again(..) => PasswordFor::Again,
        }
    }
}

impl<'a> Participant<'a> {
    /// The participant for a newcomer.
    pub(super) fn new(
        link: Link,
        peer: Peer,
        Admitted { presence, name, first }: Admitted,
        settings: &'a SessionSettings,
        pace: LinePace<'a>,
    ) -> Self {
        let is_named = !name.is_address();
        let mut seats = Seats::new();
        match first {
            Some((seat, entered)) => {
                link.reply(seat.mark(), Mail::Entered(entered));
                seats.push(seat);
            }
            None => link.reply(Mark::default(), Mail::Answer(Answer::YouAre(name))),
        }
        Participant {
            link,
            peer,
            presence,
            seats,
            settings,
            pace,
            named_at: settings.clock.now().wall,
            is_named,
            may_have_messages: false,
            code: None,
            question: None,
            asked: None,
        }
    }

    /// The seat in the room where the person speaks.
    ///
    /// # Errors
    /// The person has no seat.
    pub(super) fn here(&self) -> Result<&Seat, Refusal> {
        self.seats.last().ok_or(Refusal::NoSeat)
    }

    /// Where the person asks for something with authority: in the room where the person speaks.
    pub(super) fn whereabouts(&self) -> Here {
        let room = self.seats.last().map(|seat| seat.room_name().clone());
        room.map_or(Here::Server, Here::Room)
    }

    /// Whether the person speaks in this room.
    pub(super) fn speaks_in(&self, room: &RoomName) -> bool {
        self.seats.last().is_some_and(|seat| seat.room_name() == room)
    }

    /// The place where an answer given now belongs.
    pub(super) fn mark(&self) -> Mark {
        match self.settings.answers_everywhere {
            true => self.link.mark(&self.seats),
            false => self.seats.last().map(Seat::mark).unwrap_or_default(),
        }
    }

    /// Asks the broadcaster; `None` if the person sees the effect without an answer.
    pub(super) async fn ask(&mut self, request: impl Into<Request>) -> Option<Answer> {
        match self.link.call(request).await {
            Outcome::Answer(answer) => Some(answer),
            _ => None,
        }
    }

    /// Puts an item into the person's mailbox, as soon as there is space.
    pub(super) async fn reply(&self, item: Mail) {
        if let Mail::Answer(Answer::Refused(refusal)) = &item {
            self.settings.metrics.refused(refusal);
        }
        self.link.wait_for_space().await;
        self.link.reply(self.mark(), item);
    }

    /// Puts an answer into the person's mailbox, as soon as there is space.
    pub(super) async fn answer(&self, answer: impl Into<Answer>) {
        self.reply(Mail::Answer(answer.into())).await;
    }

    /// Begins the answers to a command.
    pub(super) async fn begin(&mut self, asked: Box<Asked>) {
        self.reply(Mail::Begin(asked)).await;
        self.asked.get_or_insert_default(); // several targets are one command
    }

    /// Ends the answers to a command, behind its departures.
    pub(super) async fn end(&mut self) {
        if let Some(left) = self.asked.take() {
            self.link.wait_for_space().await;
            self.link.reply([self.mark(), *left].into_iter().collect(), Mail::End);
        }
    }

    /// Notes that the person leaves a room.
    pub(super) fn note_left(&mut self, seat: &Seat) {
        if let Some(left) = &mut self.asked {
            **left = [mem::take(&mut **left), seat.mark_of_departure()].into_iter().collect();
        }
    }

    /// Tells why lines are not said in a room. Between two commands, the post counts as one.
    pub(super) async fn refuse_post(&mut self, room: &RoomName, refusal: impl Into<Answer>) {
        let is_alone = self.asked.is_none();
        if is_alone {
            self.begin(Box::new(Asked::post(room))).await;
        }
        self.answer(refusal).await;
        if is_alone {
            self.end().await;
        }
    }

    /// The person's name and account.
    pub(super) async fn claim(&mut self) -> Result<Claim, Refusal> {
        who_am_i(&mut self.link).await
    }

    /// The name, if the person has proved to be its owner.
    pub(super) async fn own_name(&mut self) -> Result<(Name, Proof), Refusal> {
        let claim = self.claim().await.map_err(|_| Refusal::NotOwner)?;
        let proof = claim.proof().ok_or(Refusal::NotOwner)?;
        Ok((claim.name, proof))
    }

    /// The account to which the person is logged in, under any name.
    pub(super) async fn account(&mut self) -> Result<(Name, Proof), Refusal> {
        let claim = self.claim().await.map_err(|_| Refusal::NotOwner)?;
        let account = claim.account.ok_or(Refusal::NotOwner)?;
        Ok((account.name, account.proof))
    }

    /// The accounts, for a command that needs them.
    pub(super) fn accounts(&self, spec: &'static Spec) -> Result<&'a Accounts, Refusal> {
        self.settings.accounts.as_deref().ok_or(Refusal::NeedsDisk(spec))
    }

    /// Whether the person was removed from a room.
    pub(super) fn is_removed(&self) -> bool {
        self.seats.iter().any(|seat| seat.removed().is_some())
    }

    /// Waits until the person is removed from a room. A task that waits for [`Client::removal`] is
    /// woken for it.
    ///
    /// [`Client::removal`]: parlor_core::link::Client::removal
    pub(super) async fn removed(&self) {
        poll_fn(|_| match self.is_removed() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// Leaves the server, with a final message to the person, whose client may be one that
    /// [says goodbye](parlor_core::link::Decoder::says_goodbye).
    pub(super) fn leave(self, ended: &SessionEnd, says_goodbye: bool) {
        self.link.client().let_in(); // it may leave before the welcome is written
        if let Some(notice) = ended.notice() {
            let seats = self.seats.iter();
            self.link.reply(seats.map(Seat::mark_of_departure).collect(), notice);
        }
        drop(self.link); // so that the writer sees that the connection ends
        self.presence.leave(ended.words(says_goodbye));
    }
}
