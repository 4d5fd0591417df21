//! Entering, the same at every door: a name or a return code, the password of a registered name, a
//! room. A door only asks and answers, in its dialect. Knows no dialect and no socket.

use std::sync::Arc;

use parlor_core::ledger::ReturnCode;
use parlor_core::link::{
    Answer, Attempt, Change, FirstRoom, Link, Notice, Outcome, PasswordFor, Query, Refusal, Start,
};
use parlor_core::model::{Claim, Line, Name, Profile, Proof, ProvenAccount, RoomName, Said};

use super::pace::LinePace;
use super::participant::{Admitted, Participant, come_in};
use super::settings::{Peer, SessionSettings};
use super::{log_in, replay};
use crate::accounts::{Code, HeldCode};
use crate::clock;

/// The number of attempts that may fail at a door with people.
pub(crate) const ATTEMPTS_MAX: usize = 5;

/// The number of bytes written to a lost connection that can be unread in buffers. They are shown
/// again.
const UNREAD_BYTES_MAX: u64 = 128 * 1024;

/// The reason why a connection cannot enter, or not with this attempt.
pub(crate) enum NotEntered {
    /// The attempt is refused.
    Refused(Answer),
    /// The connection ended or broke: no message can arrive.
    Lost,
    /// The client speaks another protocol, or is leaving: these are the last bytes for it.
    Farewell(Vec<u8>),
    /// No attempt is left.
    NoName,
    /// The client took too long.
    TooLate,
    /// The client has not answered, and others need its place.
    PushedOut,
    /// The server shuts down.
    GoingDown,
}

impl<T: Into<Answer>> From<T> for NotEntered {
    fn from(refusal: T) -> NotEntered {
        NotEntered::Refused(refusal.into())
    }
}

/// A door's part in entering.
pub(crate) trait Doorway: Tell {
    /// Whether the door asks one question after the other. At other doors a client sends everything
    /// at once, and says which lines it has read.
    const ASKS: bool;

    /// The number of steps after which a client that is still outside has no other.
    const STEPS_MAX: usize = ATTEMPTS_MAX;

    /// Waits for a step, and for the turn of each line that has no other limit than its pace. If the
    /// door asks questions, asks for it first.
    async fn next_step(&mut self, pace: &mut LinePace<'_>) -> Result<Step, NotEntered>;

    /// Notes what became of a log-in: the account is now the client's, or why it is not.
    fn logged_in(&mut self, _outcome: Result<&Name, &Refusal>) {}

    /// Tells why an attempt failed, if another one may follow.
    fn refuse(&mut self, refusal: Answer) -> Result<(), NotEntered>;

    /// Notes that an attempt has succeeded.
    fn accept(&mut self) {}

    /// Ends the connection after the last attempt, or lets it enter under its address.
    async fn end_attempts(&mut self) -> Result<(), NotEntered>;

    /// Asks for a password, hidden if the client can do that. A door without questions returns
    /// none.
    async fn ask_password(
        &mut self,
        _question: PasswordFor,
        _pace: &mut LinePace<'_>,
    ) -> Result<Line, NotEntered> {
        Ok(Line::sanitise(b""))
    }

    /// Drops a line that is here already: it may be a password that came before the question, and
    /// would be read as a name. Returns whether there was one.
    fn drop_line(&mut self) -> bool {
        false
    }
}

/// The next wish of a client that has not entered.
pub(crate) enum Step {
    /// To enter.
    Enter(Box<Attempt>),
    /// To prove that it knows the password of this account, before it enters.
    LogIn { account: Line, password: Line },
}

impl From<Attempt> for Step {
    fn from(attempt: Attempt) -> Step {
        Step::Enter(Box::new(attempt))
    }
}

/// The messages of every door to a client that has not entered, in its dialect.
pub(crate) trait Tell {
    /// Sends a notice with the next `flush`.
    fn tell(&mut self, answer: &Answer);

    /// Shows an earlier line with the next `flush`.
    fn show(&mut self, room: &RoomName, said: &Said);

    /// Sends all notices and lines that wait.
    async fn flush(&mut self) -> Result<(), NotEntered>;
}

/// A person who came back with a code.
struct Returned {
    /// The place to which the code led.
    place: Arc<ReturnCode>,
    /// The code, which stays valid for the next time.
    held: HeldCode,
}

/// A connection that has not entered yet.
pub(crate) struct Newcomer<'a> {
    settings: &'a SessionSettings,
    link: Link,
    peer: Peer,
    pace: LinePace<'a>,
    profile: Arc<Profile>,
    start: Start,
    /// The account that the client has logged in to.
    account: Option<ProvenAccount>,
    returned: Option<Returned>,
}

impl<'a> Newcomer<'a> {
    pub(crate) fn new(settings: &'a SessionSettings, link: Link, peer: Peer) -> Self {
        link.client().hold_back(); // until its session has written the welcome
        Newcomer {
            settings,
            link,
            peer,
            pace: LinePace::new(settings, peer.ip()),
            profile: Arc::clone(&settings.profile),
            start: Start::Usual,
            account: None,
            returned: None,
        }
    }

    /// Takes steps until one leads in.
    pub(crate) async fn enter<D: Doorway>(&mut self, door: &mut D) -> Result<Admitted, NotEntered> {
        for _ in 0..D::STEPS_MAX {
            match door.next_step(&mut self.pace).await {
                Ok(Step::LogIn { account, password }) => {
                    let outcome = self.log_in(&account, password).await;
                    door.logged_in(outcome.as_ref());
                }
                Ok(Step::Enter(attempt)) => match self.attempt(door, *attempt).await {
                    Err(NotEntered::Refused(refusal)) => door.refuse(refusal)?,
                    entered => return entered,
                },
                Err(NotEntered::Refused(refusal)) => door.refuse(refusal)?,
                Err(other) => return Err(other),
            }
        }
        door.end_attempts().await?;
        self.enter_by_address().await
    }

    /// Logs in to an account. Another log-in replaces it.
    async fn log_in(&mut self, account: &Line, password: Line) -> Result<Name, Refusal> {
        let account = log_in::prove(self.settings, &self.peer, account, password).await?;
        let name = account.name.clone();
        self.account = Some(account);
        Ok(name)
    }

    /// Enters the lobby under the address.
    pub(crate) async fn enter_by_address(&mut self) -> Result<Admitted, NotEntered> {
        self.claim(self.address_name().into(), Some(RoomName::lobby())).await
    }

    /// The name until a client gives another one: its address.
    pub(crate) fn address_name(&self) -> Name {
        self.link.client().address_name()
    }

    async fn attempt(
        &mut self,
        door: &mut impl Doorway,
        Attempt { name, password, code, room, start, profile }: Attempt,
    ) -> Result<Admitted, NotEntered> {
        self.start = start;
        self.profile = profile.unwrap_or_else(|| Arc::clone(&self.settings.profile));
        let admitted = match code {
            Some(code) => self.come_back(code.as_str(), room).await?,
            None => {
                let name = match name {
                    Some(name) => self.settings.name(name.as_str()).await.map_err(Refusal::from)?,
                    None => self.address_name(),
                };
                self.enter_by_name(door, name, password, room).await?
            }
        };
        door.accept();
        Ok(admitted)
    }

    /// Enters under a name, with its password if it is registered.
    async fn enter_by_name(
        &mut self,
        door: &mut impl Doorway,
        name: Name,
        password: Option<Line>,
        room: FirstRoom,
    ) -> Result<Admitted, NotEntered> {
        let room = room.or_usual(RoomName::lobby);
        let claim = Claim { name: name.clone(), account: self.account.clone() };
        match self.claim(claim, room.clone()).await {
            Err(NotEntered::Refused(Answer::Refused(Refusal::NameOwned(owned)))) => {
                let proof = self.prove(door, owned.clone(), password).await?;
                door.logged_in(Ok(&owned));
                door.flush().await?;
                let account = Some(ProvenAccount { name: owned, proof });
                self.claim(Claim { name, account }, room).await
            }
            Err(NotEntered::Refused(Answer::Refused(refusal @ Refusal::NameReleased(_)))) => {
                self.account = None; // the next attempt is not refused for this
                Err(refusal.into())
            }
            entered => entered,
        }
    }

    /// Comes to the server under this name, into a room or without one.
    async fn claim(&mut self, name: Claim, room: Option<RoomName>) -> Result<Admitted, NotEntered> {
        let profile = Some(Arc::clone(&self.profile));
        let change = match room {
            Some(room) => {
                let replay = replay::lines_asked_for(&self.start, self.settings);
                Change::Enter { name, profile, room, replay }
            }
            None => Change::Come { name, profile },
        };
        Ok(come_in(&mut self.link, change).await?)
    }

    /// Takes the place that the person had on another connection.
    async fn come_back(&mut self, code: &str, room: FirstRoom) -> Result<Admitted, NotEntered> {
        // Wrong codes are not counted: nobody can guess a code, and people behind one address each
        // have their own.
        let (typed, now) = (Code::typed(code), clock::wall_awake());
        let code = typed.hashed();
        let Outcome::Code(place) = self.link.call(Query::Code { code, now }).await else {
            return Err(Refusal::NoSuchCode.into());
        };
        let profile = Some(Arc::clone(&self.profile));
        let admitted =
            come_in(&mut self.link, Change::ComeBack { code, now, profile, room }).await?;
        let room = admitted.first.as_ref().map(|(seat, _)| seat.room());
        self.returned = Some(Returned { place, held: HeldCode { code: typed, room } });
        Ok(admitted)
    }

    /// Proves that this person owns a registered name. A door with questions asks until the
    /// password is right or an empty line cancels. So the next guess is never read as a name, which
    /// others see.
    async fn prove<D: Doorway>(
        &mut self,
        door: &mut D,
        owned: Name,
        password: Option<Line>,
    ) -> Result<Proof, NotEntered> {
        let address = self.peer.ip();
        let passwords = match self.settings.accounts.as_deref() {
            Some(accounts) if D::ASKS || password.is_some() => &accounts.passwords,
            _ => return Err(Refusal::NameOwned(owned).into()),
        };
        if !self.peer.is_private {
            if !door.drop_line() {
                return Err(Refusal::PlainPassword.into());
            }
            door.tell(&Refusal::PlainPassword.into());
            door.flush().await?;
            return Err(Refusal::AnswersDropped(1).into());
        }
        if let Some(password) = password {
            return Ok(passwords.prove(&owned, password, address).await?);
        }
        loop {
            let question = PasswordFor::Of(owned.clone());
            let refusal = match door.ask_password(question, &mut self.pace).await {
                Ok(password) if password.as_str().is_empty() => {
                    return Err(Refusal::NameOwned(owned).into());
                }
                Ok(password) => match passwords.prove(&owned, password, address).await {
                    Ok(proof) => return Ok(proof),
                    Err(refusal @ Refusal::NameReleased(_)) => return Err(refusal.into()),
                    Err(refusal) => refusal.into(),
                },
                Err(NotEntered::Refused(refusal)) => refusal,
                Err(other) => return Err(other),
            };
            door.tell(&refusal);
        }
    }

    /// Puts earlier lines in front of the room. At a door with questions, a client that came back
    /// reads the lines after the last one that it has surely read. There can be many, so this
    /// function shows them page by page.
    pub(crate) async fn catch_up<D: Doorway>(
        &self,
        door: &mut D,
        admitted: &mut Admitted,
    ) -> Result<(), NotEntered> {
        let Some((seat, entered)) = &mut admitted.first else {
            return Ok(());
        };
        let Some(returned) = self.returned.as_ref().filter(|_| D::ASKS) else {
            replay::complete(entered, &self.start, self.settings).await;
            return Ok(());
        };
        let Some(history) = &self.settings.history else {
            return Ok(());
        };
        let (place, last) = (&returned.place, entered.view.arrived.seq);
        door.tell(&Answer::WelcomeBack(place.claim.name.clone()));
        let room = &place.room;
        let first = history.before(room, place.seq.min(last), UNREAD_BYTES_MAX);
        // If reading fails, the operator's log says so, and the client still has the room itself.
        let mut next = first.await.unwrap_or(last) + 1;
        // A removed client stops reading the room; its session moves it.
        while next <= last && seat.removed().is_none() {
            let Ok(page) = history.page(room, next, last).await else {
                break;
            };
            next = page.next;
            for line in page.lines {
                match line {
                    Ok(said) => door.show(room, &said),
                    Err(damaged) => door.tell(&Answer::Notice(Notice::Damaged(damaged))),
                }
            }
            door.flush().await?;
            // Only between two pages, because an unfinished line could not be completed.
            if let Some(removal) = self.link.client().removed() {
                let notice = Notice::Act(removal.clone());
                return Err(Answer::Notice(notice).into());
            }
        }
        door.flush().await
    }

    /// The profile with which the person came in.
    pub(crate) fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// The person who came in.
    pub(crate) fn sit(self, admitted: Admitted) -> Participant<'a> {
        let mut person = Participant::new(self.link, self.peer, admitted, self.settings, self.pace);
        person.may_have_messages = true;
        person.code = self.returned.map(|returned| Box::new(returned.held));
        person
    }
}

/// Proves a name with a token or its password, for a request without a session; `user` is the name
/// that came with the secret.
///
/// # Errors
/// The names differ, or neither token nor password fits.
pub(crate) async fn prove_by_token(
    settings: &SessionSettings,
    peer: &Peer,
    name: Name,
    (user, secret): (String, Line),
) -> Result<Claim, Refusal> {
    let is_same = Name::parse_owned(&user).is_ok_and(|user| user.is_same(&name));
    let Some(accounts) = settings.accounts.as_deref().filter(|_| is_same) else {
        return Err(Refusal::WrongPassword(name));
    };
    let proof = accounts.tokens.prove(&name, secret, peer.ip(), peer.is_private).await?;
    Ok(Claim::of_owner(name, proof))
}
