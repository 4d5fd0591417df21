//! Acts: what is done with authority over people and rooms. One value is asked for, decided, told, answered, shown and
//! written down. Knows no wording, and not who may do what.

use std::time::Duration;

use super::line::Line;
use super::name::{Name, RoomName};
use super::time::WallTime;
use super::whom::Whom;

/// How far an act reaches, and how far authority goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// All rooms, and the door.
    Server,
    /// One room.
    Room(RoomName),
}

impl Reach {
    /// The room, if it is one.
    pub fn room(&self) -> Option<&RoomName> {
        match self {
            Reach::Server => None,
            Reach::Room(room) => Some(room),
        }
    }

    /// Whether it reaches into a room.
    pub fn has(&self, room: &RoomName) -> bool {
        self.room().is_none_or(|reached| reached == room)
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The person who runs the server.
    Operator,
    /// The same person, on another connection.
    Oneself,
    /// The person who changed the password of the name.
    NewPassword,
    /// A person by this name: a keeper, or anybody who sets a topic or makes a room.
    Keeper(Name),
}

impl By {
    /// The name; the operator has none.
    pub fn name(&self) -> Option<&Name> {
        match self {
            By::Operator | By::Oneself | By::NewPassword => None,
            By::Keeper(name) => Some(name),
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Everybody is told something.
    Broadcast,
    /// A person is removed.
    Kick,
    /// A name or an address is removed, and not let in.
    Ban,
    /// A ban ends.
    Unban,
    /// A person may not speak.
    Mute,
    /// A mute ends.
    Unmute,
    /// Only keepers can change the topic.
    LockTopic,
    /// Everybody can change the topic.
    UnlockTopic,
    /// A room has this topic, or none. Anybody may do that.
    SetTopic,
    /// A room is made, and its maker becomes its keeper.
    MakeRoom,
    /// The owner of a name becomes a keeper.
    AddKeeper,
    /// The owner of a name is a keeper no longer.
    RemoveKeeper,
    /// A name has no owner any more.
    ReleaseName,
    /// The owner of a name has another password.
    SetPassword,
    /// The configuration is read again.
    Reload,
}

/// What a person asks to be done: an act that nobody has decided yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What.
    pub verb: Verb,
    /// To whom. A name is as typed until the act is decided.
    pub whom: Whom,
    /// For how long, where it ends by itself.
    pub time: Option<Duration>,
    /// The reason, if one is given; what everybody is told; the topic.
    pub text: Option<Line>,
}

impl Deed {
    /// Something that is done to this person, address or name.
    pub fn to(verb: Verb, whom: Whom) -> Deed {
        Deed {
            verb,
            whom,
            time: None,
            text: None,
        }
    }

    /// Something that concerns everybody, and what is said with it.
    pub fn to_all(verb: Verb, text: Option<Line>) -> Deed {
        Deed {
            text,
            ..Deed::to(verb, Whom::Everybody)
        }
    }
}

/// An act as it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What was asked for.
    pub deed: Deed,
    /// Who does it.
    pub by: By,
    /// How far it reaches.
    pub reach: Reach,
    /// When.
    pub at: WallTime,
}

impl Act {
    /// What is done over the whole server.
    pub fn by(by: By, deed: Deed, at: WallTime) -> Act {
        Act {
            deed,
            by,
            reach: Reach::Server,
            at,
        }
    }

    /// Until when it holds; none is for good.
    pub fn until(&self) -> Option<WallTime> {
        self.deed.time.map(|time| self.at.after(time))
    }

    /// Whether it holds no longer.
    pub fn is_over(&self, now: WallTime) -> bool {
        self.until().is_some_and(|until| until <= now)
    }

    /// What it takes in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Act>() + self.deed.text.as_ref().map_or(0, Line::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_with_a_time_is_over_by_itself() {
        let deed = Deed {
            time: Some(Duration::from_millis(10)),
            ..Deed::to(Verb::Ban, Whom::Everybody)
        };
        let act = Act::by(By::Operator, deed, WallTime(0));
        assert!(!act.is_over(WallTime(9)) && act.is_over(WallTime(10)));
        let for_good = Act::by(
            By::Operator,
            Deed::to_all(Verb::LockTopic, None),
            WallTime(0),
        );
        assert!(!for_good.is_over(WallTime(i64::MAX)));
    }
}
