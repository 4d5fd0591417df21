//! Acts: things done with authority over people and rooms. One value is the request, the decision,
//! the answer and the stored record. Knows no wording and no permissions.

use std::time::Duration;

use super::author::By;
use super::line::Line;
use super::name::{Name, RoomName};
use super::time::WallTime;
use super::whom::Whom;

/// Where an act holds, or where a person has authority.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// All rooms, and entering the server.
    Server,
    /// One room.
    Room(RoomName),
}

impl Reach {
    /// The room, if this is a single room.
    pub fn room(&self) -> Option<&RoomName> {
        match self {
            Reach::Server => None,
            Reach::Room(room) => Some(room),
        }
    }

    /// Whether it includes a room.
    pub fn has(&self, room: &RoomName) -> bool {
        self.room().is_none_or(|reached| reached == room)
    }
}

/// Where somebody is who asks for something with authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Here {
    /// On no connection of a person: the operator of the server, who may do anything.
    Operator,
    /// On the server, and it is about no particular room.
    Server,
    /// In this room, or outside of it, and it is about this room.
    Room(RoomName),
    /// The same, and what is done concerns this room alone, also if a keeper of the server does it.
    RoomOnly(RoomName),
}

impl Here {
    /// The room, if it is about one.
    pub fn room(&self) -> Option<&RoomName> {
        match self {
            Here::Operator | Here::Server => None,
            Here::Room(room) | Here::RoomOnly(room) => Some(room),
        }
    }
}

/// The authority of a person in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Where the person has authority.
    pub reach: Reach,
    /// Whether it ends when the person leaves the room.
    pub is_for_now: bool,
}

/// The kinds of acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Tells everybody something.
    Broadcast,
    /// Removes a person.
    Kick,
    /// Removes the people with a name or an address, and keeps them out.
    Ban,
    /// Ends a ban.
    Unban,
    /// Keeps a person from speaking.
    Mute,
    /// Ends a mute.
    Unmute,
    /// Lets only keepers change the topic.
    LockTopic,
    /// Lets everybody change the topic.
    UnlockTopic,
    /// Sets or clears the topic of a room. Anybody may do that.
    SetTopic,
    /// Makes a room, whose maker becomes its keeper.
    MakeRoom,
    /// Makes the owner of a name a keeper.
    AddKeeper,
    /// Makes a person a keeper for the time being: while they sit in the room.
    AddKeeperForNow,
    /// Ends the authority of a keeper.
    RemoveKeeper,
    /// Lets only people into a room who are invited.
    InvitedOnly,
    /// Ends that.
    LetEverybodyIn,
    /// Lets only keepers and people with a voice speak in a room.
    Moderate,
    /// Ends that.
    Unmoderate,
    /// Shows a room to nobody outside.
    Hide,
    /// Ends that.
    Unhide,
    /// Gives a room a password, which its text is.
    SetRoomPassword,
    /// Ends that.
    RemoveRoomPassword,
    /// Sets the largest number of people in a room, which its text is.
    Limit,
    /// Ends that.
    Unlimit,
    /// Makes a room private: for people who are invited, and secret.
    MakePrivate,
    /// Ends all rules of a room.
    OpenRoom,
    /// Lets a person speak in a room where only keepers do.
    GiveVoice,
    /// Ends that.
    TakeVoice,
    /// Releases a name: it has no owner.
    ReleaseName,
    /// Gives the owner of a name a new password.
    SetPassword,
    /// Reads the configuration again.
    Reload,
    /// Tells something to all who want to read what operators say.
    Wallops,
}

impl Verb {
    /// Whether it is about the room where its author sits, so that nobody without a seat can do it.
    pub fn needs_seat(self) -> bool {
        match self {
            Verb::LockTopic
            | Verb::UnlockTopic
            | Verb::SetTopic
            | Verb::MakeRoom
            | Verb::InvitedOnly
            | Verb::LetEverybodyIn
            | Verb::Moderate
            | Verb::Unmoderate
            | Verb::Hide
            | Verb::Unhide
            | Verb::SetRoomPassword
            | Verb::RemoveRoomPassword
            | Verb::Limit
            | Verb::Unlimit
            | Verb::MakePrivate
            | Verb::OpenRoom
            | Verb::GiveVoice
            | Verb::TakeVoice => true,
            Verb::Broadcast
            | Verb::Kick
            | Verb::Ban
            | Verb::Unban
            | Verb::Mute
            | Verb::Unmute
            | Verb::AddKeeper
            | Verb::AddKeeperForNow
            | Verb::RemoveKeeper
            | Verb::ReleaseName
            | Verb::SetPassword
            | Verb::Wallops
            | Verb::Reload => false,
        }
    }
}

/// A request for an act, before anybody has decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The kind of act.
    pub verb: Verb,
    /// The people or addresses concerned. A name is as typed until the act is decided.
    pub whom: Whom,
    /// The duration of an act that ends by itself.
    pub time: Option<Duration>,
    /// The reason, if there is one; the words of a broadcast; or the topic.
    pub text: Option<Line>,
}

impl Deed {
    /// An act that concerns this person, address or name.
    pub fn to(verb: Verb, whom: Whom) -> Deed {
        Deed { verb, whom, time: None, text: None }
    }

    /// An act that concerns everybody, with its words.
    pub fn to_all(verb: Verb, text: Option<Line>) -> Deed {
        Deed { text, ..Deed::to(verb, Whom::Everybody) }
    }
}

/// An act that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The request.
    pub deed: Deed,
    /// The person who does it.
    pub by: By,
    /// Where it holds.
    pub reach: Reach,
    /// When it was decided.
    pub at: WallTime,
}

impl Act {
    /// An act that holds on the whole server.
    pub fn by(by: By, deed: Deed, at: WallTime) -> Act {
        Act { deed, by, reach: Reach::Server, at }
    }

    /// Whether it holds only as long as somebody sits in the room, so that it is not stored.
    pub fn is_for_now(&self) -> bool {
        matches!(self.by, By::KeeperForNow(_)) || self.deed.verb == Verb::AddKeeperForNow
    }

    /// When it ends; none if it never ends.
    pub fn until(&self) -> Option<WallTime> {
        self.deed.time.map(|time| self.at.after(time))
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: WallTime) -> bool {
        self.until().is_some_and(|until| until <= now)
    }

    /// Its size in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let names = [self.deed.whom.name(), self.by.name()].into_iter().flatten();
        let names = names.map(Name::weight).sum::<usize>();
        size_of::<Act>() + self.deed.text.as_ref().map_or(0, Line::len) + names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_with_a_time_ends_by_itself() {
        let deed =
            Deed { time: Some(Duration::from_millis(10)), ..Deed::to(Verb::Ban, Whom::Everybody) };
        let act = Act::by(By::Operator, deed, WallTime(0));
        assert!(!act.is_over(WallTime(9)) && act.is_over(WallTime(10)));
        let for_good = Act::by(By::Operator, Deed::to_all(Verb::LockTopic, None), WallTime(0));
        assert!(!for_good.is_over(WallTime(i64::MAX)));
    }
}
