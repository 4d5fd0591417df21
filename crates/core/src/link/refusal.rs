//! Why a request is refused, as values. Knows no wording: each dialect has its own.

use std::time::Duration;

use super::command::{Misread, Spec};
use crate::model::{Act, Line, Name, NameError, Reach, RoomName, Whom};

/// Why something that was asked for is not done.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// What was typed is no command, no name or no address.
    Misread(Misread),
    /// A command, where a name is asked for.
    NameFirst,
    /// The name has an owner, who has a password for it.
    NameOwned(Name),
    /// That code is none, or none any more.
    NoSuchCode,
    /// One is in already, and comes back no more.
    TooLateToResume,
    /// As many names have owners as may.
    TooManyNames,
    /// As many names were registered from one address as may.
    TooManyNamesFromHere,
    /// Only a name can be owned, and one wears none.
    NoNameToOwn,
    /// A password has this many characters at the least.
    PasswordTooShort(usize),
    /// A command was typed where a password is asked for.
    PasswordIsCommand,
    /// The password has bytes that are not UTF-8: others would pass for them.
    PasswordNotText,
    /// A password is asked for, and that comes first.
    AnswerFirst,
    /// No password is asked for, and so many lines that came together with the command may be one: they are not said.
    AnswersDropped(usize),
    /// None was given, where one is asked for.
    NoPassword,
    /// The second time it was another one.
    PasswordsDiffer,
    /// That was not the password of this name.
    WrongPassword(Name),
    /// Too many wrong passwords: after this long one may try again.
    TooManyTries(Duration),
    /// Too many passwords wait to be checked.
    Busy,
    /// A password would travel here as everybody can read it.
    PlainPassword,
    /// The person is away, and so many messages wait already.
    LettersFull(Name),
    /// The person is away; where messages are kept, this one can be.
    Away(Name),
    /// It cannot be written to the disk just now.
    NotWritten,
    /// Somebody here wears that name or one that looks like it.
    NameTaken(Name),
    /// Nobody here wears that name.
    NobodyCalled(Line),
    /// There is no such room.
    NoRoom(RoomName),
    /// There are as many rooms as there may be.
    TooManyRooms(usize),
    /// So many rooms that there are were made from here, which is a share.
    RoomsShare(usize),
    /// One sits there already.
    AlreadyIn(RoomName),
    /// One has no seat in that room (any more).
    NotThere,
    /// The other one's mailbox is full.
    NotReading(Name),
    /// One writes to oneself.
    Yourself,
    /// That name is not ignored.
    NotIgnored(Line),
    /// A line that seems to be meant for this command, and is none.
    Slipped(&'static str),
    /// The command waits for the journal on disk.
    NeedsDisk(&'static Spec),
    /// No line was skipped, or none since entering.
    NothingMissed,
    /// What somebody wants taken back is being taken back already.
    TakingBack,
    /// Some of what was to be taken back is still in the file.
    NotAllTakenBack,
    /// That is for the owner of a name.
    NotOwner,
    /// What is to be found has no word in it.
    NothingToFind,
    /// More than so many words are to be found together.
    TooManyWords(usize),
    /// What is kept cannot be read.
    Unreadable,
    /// Nobody can tell when that was.
    NoSuchTime,
    /// The line has more than so many bytes.
    TooLong(usize),
    /// These are more than so many lines, which cannot be said together.
    TooManyLines(usize),
    /// One sits in so many rooms, and can sit in no more.
    TooManySeats(usize),
    /// The only seat is given up by leaving the house.
    LastSeat,
    /// What a program asks for makes no sense: why, as a clause.
    NoRequest(&'static str),
    /// Only keepers may do that here.
    NotKeeper,
    /// A keeper cannot be removed, banned or muted by another one of the same.
    IsKeeper(Name),
    /// The operator first makes this person a keeper no longer.
    IsServerKeeper(Name),
    /// This keeper comes from an address that is to be banned.
    LocksOutKeeper(Name),
    /// The address is that of this machine.
    OwnMachine,
    /// That person sits in another room.
    Elsewhere(Name, RoomName),
    /// One is banned.
    Banned(Box<Act>),
    /// One may not speak.
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
    /// There are as many as there may be: bans, mutes or keepers.
    TooManyRules(usize),
    /// The journal could not keep it: why, as a clause ("the disk is full").
    NotKept(&'static str),
}

impl Refusal {
    /// Whether another name would be of no use: the address is banned.
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
