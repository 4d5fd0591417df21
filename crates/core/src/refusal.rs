//! The reasons to refuse a request, as values. Knows no wording: each dialect has its own.

use std::time::Duration;

use crate::command::{Misread, Spec};
use crate::model::{Act, Line, Name, NameError, Reach, RoomName, RoomPasswordError, Whom};

/// The reason to refuse a request.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The input is not a command, a name or an address.
    Misread(Misread),
    /// The input at the name question is a command.
    NameFirst,
    /// The name is registered, and needs its password.
    NameOwned(Name),
    /// The name was registered when its password was asked for, and has no owner any more.
    NameReleased(Name),
    /// The person owns this name, which they have, so they cannot log in to another account.
    LoggedIn(Name),
    /// The person is logged in to this account, so no name is registered.
    HasAccount(Name),
    /// Nobody has registered the name to which somebody wants to log in.
    NoAccount(Name),
    /// The code does not exist, or is no longer valid.
    NoSuchCode,
    /// The person has entered already, so it is too late for a code.
    TooLateToResume,
    /// The limit of registered names is reached.
    TooManyNames,
    /// The limit of names registered from this address is reached.
    TooManyNamesFromHere,
    /// Only a name can be registered, and this person has none.
    NoNameToOwn,
    /// The password has fewer characters than this.
    PasswordTooShort(usize),
    /// The input at a password question is a command.
    PasswordIsCommand,
    /// The password has bytes that are not UTF-8, which would all become the same character.
    PasswordNotText,
    /// The password question comes first.
    AnswerFirst,
    /// The password question was cancelled. This many lines that arrived with the command may be
    /// passwords, so they are not said.
    AnswersDropped(usize),
    /// No password was given.
    NoPassword,
    /// The second password differs from the first.
    PasswordsDiffer,
    /// The password of this name is wrong.
    WrongPassword(Name),
    /// There were too many wrong passwords; the next try has to wait this long.
    TooManyTries(Duration),
    /// The reader has passed the place of a list of people, so the list is out of date.
    ListOutdated,
    /// Too many passwords wait to be checked.
    Busy,
    /// The connection is not encrypted, so a password would be readable on its way.
    PlainPassword,
    /// The recipient is away, and too many messages wait for them already.
    MessagesFull(Name),
    /// The recipient is away; the session stores the message if it can.
    Away(Name),
    /// The disk cannot store it now.
    NotWritten,
    /// Another person here has this name or one that looks like it.
    NameTaken(Name),
    /// Nobody here has this name.
    NobodyCalled(Line),
    /// There is no such room.
    NoRoom(RoomName),
    /// The limit of rooms is reached.
    TooManyRooms(usize),
    /// This person has made the largest number of rooms that one person can make.
    RoomsShare(usize),
    /// The person has a seat there already.
    AlreadyIn(RoomName),
    /// The person has no seat in that room, or left it.
    NotThere,
    /// The recipient does not read: the mailbox is full.
    NotReading(Name),
    /// This person has a seat in that room already.
    IsThere(Name, RoomName),
    /// This person was invited a moment ago; the next invitation has to wait this long.
    InvitedBefore(Name, Duration),
    /// There were too many invitations; the next one has to wait this long.
    TooManyInvitations(Duration),
    /// The recipient is the person themselves.
    Yourself,
    /// This name is not ignored.
    NotIgnored(Line),
    /// The line is no command, but its author probably meant this one.
    Slipped(&'static str),
    /// The command needs a journal on disk.
    NeedsDisk(&'static Spec),
    /// No line was skipped since the person entered.
    NothingMissed,
    /// The person's lines are being deleted already.
    Deleting,
    /// Some of the lines are still in the file.
    NotAllDeleted,
    /// Only the owner of a name can do this.
    NotOwner,
    /// There is no word to search for.
    NothingToFind,
    /// There are more words to search for than this.
    TooManyWords(usize),
    /// The stored lines cannot be read.
    Unreadable,
    /// The time cannot be understood.
    NoSuchTime,
    /// No line of the room has this number, in a log with this name.
    NoSuchLine,
    /// The line has more bytes than this.
    TooLong(usize),
    /// There are more lines than can be said together; this is the limit.
    TooManyLines(usize),
    /// The person has seats in this many rooms, which is the limit.
    TooManySeats(usize),
    /// The person has no seat, so there is no room that this is about.
    NoSeat,
    /// The request of a program is invalid; the reason is a clause.
    NoRequest(&'static str),
    /// Only keepers may do that here.
    NotKeeper,
    /// The owner of this name is no keeper of the server.
    NoServerKeeper(Name),
    /// The modes are another person's.
    NotOwnModes,
    /// A keeper cannot remove, ban or mute another keeper of the same room or server.
    IsKeeper(Name),
    /// A person who keeps the room cannot be banned from it or muted there, by somebody who can end
    /// that.
    KeepsRoom(Name),
    /// A keeper for the time being cannot end the authority of this keeper.
    KeeperForGood(Name),
    /// The person is a keeper; the operator has to end that first.
    IsServerKeeper(Name),
    /// The ban would include the address of this keeper.
    LocksOutKeeper(Name),
    /// The address belongs to this machine.
    OwnMachine,
    /// This person is in another room.
    Elsewhere(Name, RoomName),
    /// The person is banned.
    Banned(Box<Act>),
    /// The person is muted.
    Muted(Box<Act>),
    /// Only people who are invited enter this room.
    InvitedOnly(RoomName),
    /// This room has a password, and it was not this one.
    WrongRoomPassword(RoomName),
    /// There are this many people in this room, which is its limit.
    RoomFull(RoomName, u64),
    /// Only keepers and people with a voice speak in this room.
    Moderated(RoomName),
    /// The lobby is open to everybody.
    LobbyIsOpen,
    /// The rule is so already.
    IsSoAlready,
    /// This can be no password of a room.
    NoRoomPassword(RoomPasswordError),
    /// This can be no limit of a room.
    NoLimit,
    /// The topic is locked: only keepers can change it.
    TopicLocked,
    /// Only a registered name can become a keeper, and this name is not registered.
    NotRegistered(Line),
    /// This person is a keeper already.
    AlreadyKeeper(Name),
    /// No keeper here has this name.
    NoSuchKeeper(Line),
    /// A room needs at least one keeper.
    LastKeeper(Name),
    /// The lobby has only the keepers of the server.
    LobbyKeepers,
    /// This name or address is not banned.
    NotBanned(Whom),
    /// This person is not muted.
    NotMuted(Name),
    /// The limit of bans, mutes or keepers is reached.
    TooManyRules(usize),
    /// The journal could not store it; the reason is a clause ("the disk is full").
    NotStored(&'static str),
    /// There is no contact with the other nodes, and what the person sent is not known there.
    NotSent,
    /// This node begins anew, and it is not known whether the others have what the person sent.
    MaybeSent,
    /// There is no contact with the other nodes, so nobody can enter here.
    OutOfTouch,
    /// The order of the nodes has no space for what the person sent.
    StoreFull,
    /// The node of this person does not answer: nobody knows whether a private message arrived.
    NoAnswer(Name),
}

impl Refusal {
    /// Whether another name would not help: the address is banned, or the node has no contact.
    pub fn is_for_any_name(&self) -> bool {
        let is_for_all =
            |act: &Act| act.reach == Reach::Server && matches!(act.deed.whom, Whom::Net(_));
        match self {
            Refusal::Banned(act) => is_for_all(act),
            Refusal::OutOfTouch => true,
            _ => false,
        }
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
