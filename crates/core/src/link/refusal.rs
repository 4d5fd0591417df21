//! Why a request is refused, as values. Knows no wording: each dialect has its own.

use std::time::Duration;

use super::command::{Misread, Spec};
use crate::model::{Act, Line, Name, NameError, Reach, RoomName, Whom};

/// Why a request is refused.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// What was typed is no command, no name or no address.
    Misread(Misread),
    /// A command was typed at the name question.
    NameFirst,
    /// The name is registered, and needs its password.
    NameOwned(Name),
    /// There is no such code, or it has ended.
    NoSuchCode,
    /// The person is in already, so it is too late for a code.
    TooLateToResume,
    /// The limit of registered names is reached.
    TooManyNames,
    /// The limit of names registered from this address is reached.
    TooManyNamesFromHere,
    /// Only a name can be registered, and this person has none.
    NoNameToOwn,
    /// The password has fewer characters than this.
    PasswordTooShort(usize),
    /// A command was typed at a password question.
    PasswordIsCommand,
    /// The password has bytes that are not UTF-8, which would all become the same character.
    PasswordNotText,
    /// The password question comes first.
    AnswerFirst,
    /// The password question was called off. This many lines that came together with the command
    /// may be passwords, so they are not said.
    AnswersDropped(usize),
    /// No password was given.
    NoPassword,
    /// The second password differs from the first.
    PasswordsDiffer,
    /// That is not the password of this name.
    WrongPassword(Name),
    /// Too many wrong passwords; how long to wait before the next try.
    TooManyTries(Duration),
    /// Too many passwords wait to be checked.
    Busy,
    /// A password would be readable on its way here.
    PlainPassword,
    /// The recipient is away, and too many messages wait already.
    MessagesFull(Name),
    /// The recipient is away; the session stores the message if it can.
    Away(Name),
    /// It cannot be written to the disk now.
    NotWritten,
    /// Another person here has this name or one that looks like it.
    NameTaken(Name),
    /// Nobody here has this name.
    NobodyCalled(Line),
    /// There is no such room.
    NoRoom(RoomName),
    /// The limit of rooms is reached.
    TooManyRooms(usize),
    /// This person has made this many rooms, which is their share.
    RoomsShare(usize),
    /// The person sits there already.
    AlreadyIn(RoomName),
    /// The person has no seat in that room, or no longer.
    NotThere,
    /// The recipient does not read: the mailbox is full.
    NotReading(Name),
    /// The person wrote to themselves.
    Yourself,
    /// That name is not ignored.
    NotIgnored(Line),
    /// The line is no command, but seems to be meant as this one.
    Slipped(&'static str),
    /// The command needs a journal on disk.
    NeedsDisk(&'static Spec),
    /// No line was skipped since the person entered.
    NothingMissed,
    /// The person's lines are being deleted already.
    Deleting,
    /// Some of the lines are still in the file.
    NotAllDeleted,
    /// Only the owner of a name can do that.
    NotOwner,
    /// There is no word to search for.
    NothingToFind,
    /// There are more words to search for than this.
    TooManyWords(usize),
    /// The stored lines cannot be read.
    Unreadable,
    /// This is no point in time.
    NoSuchTime,
    /// The line has more bytes than this.
    TooLong(usize),
    /// These are more lines than can be said together, which is this many.
    TooManyLines(usize),
    /// The person sits in this many rooms, which is the limit.
    TooManySeats(usize),
    /// The last seat is given up by leaving the server.
    LastSeat,
    /// The request of a program makes no sense; why, as a clause.
    NoRequest(&'static str),
    /// Only keepers may do that here.
    NotKeeper,
    /// A keeper cannot remove, ban or mute another keeper of the same.
    IsKeeper(Name),
    /// The operator has to end this person's being a keeper first.
    IsServerKeeper(Name),
    /// This keeper comes from an address that is to be banned.
    LocksOutKeeper(Name),
    /// This is the address of this machine.
    OwnMachine,
    /// That person sits in another room.
    Elsewhere(Name, RoomName),
    /// The person is banned.
    Banned(Box<Act>),
    /// The person is muted.
    Muted(Box<Act>),
    /// The topic is locked: only keepers can change it.
    TopicLocked,
    /// A keeper needs a registered name, and this is none.
    NotRegistered(Line),
    /// That person is a keeper already.
    AlreadyKeeper(Name),
    /// Nobody of this name is a keeper here.
    NoSuchKeeper(Line),
    /// A room needs one keeper.
    LastKeeper(Name),
    /// The lobby has the keepers of the server, and no others.
    LobbyKeepers,
    /// That is not banned.
    NotBanned(Whom),
    /// That person is not muted.
    NotMuted(Name),
    /// The limit of bans, mutes or keepers is reached.
    TooManyRules(usize),
    /// The journal could not store it; why, as a clause ("the disk is full").
    NotStored(&'static str),
}

impl Refusal {
    /// Whether another name would not help, because the address is banned.
    pub fn is_for_any_name(&self) -> bool {
        let is_for_all =
            |act: &Act| act.reach == Reach::Server && matches!(act.deed.whom, Whom::Net(_));
        matches!(self, Refusal::Banned(act) if is_for_all(act))
    }
}

impl From<Misread> for Refusal {
    fn from(misread: Misread) -> Refusal {
        Refusal::Misread(misread)
    }
}

impl From<NameError> for Refusal {
    fn from(error: NameError) -> Refusal {
        Refusal::Misread(Misread::Name(error))
    }
}
