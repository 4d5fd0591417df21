//! Entries: everything that happens in a room, in the order in which it happened. Knows no bytes.

use std::cmp::Reverse;
use std::ops::Deref;
use std::sync::Arc;

use super::act::Act;
use super::line::Line;
use super::name::{Name, RoomName};
use super::piece::PIECE_BYTES;
use super::room_rules::RoomRules;
use super::time::WallTime;
use super::who::{Extras, InGroup, Manner, PersonId, RoomId, Who};

/// One entry of a room's log.
///
/// Only [`Entry::Said`] has a number, and is replayed, counted as skipped and stored; the others
/// stand between two numbers, in order with everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A person said something.
    Said(Said),
    /// A person arrived.
    Arrived {
        /// The person.
        who: Who,
        /// Whether the person has authority in the room. A late announcement does not know it.
        is_keeper: bool,
        /// The event, if the name was given up in other rooms before: a reader of them who is told
        /// that once has to read it first.
        event: Option<Arc<PersonEvent>>,
        /// Whether this entry is announced or folded into a summary.
        telling: Telling,
    },
    /// A person left.
    Left {
        /// The person.
        who: Arc<Who>,
        /// The last words, from `/quit`.
        words: Option<Line>,
        /// The act that removed the person, if one did.
        removal: Option<Arc<ActOf>>,
        /// Whether the person left the server, or only this room.
        is_from_server: bool,
        /// The event; none for a late announcement.
        event: Option<Arc<PersonEvent>>,
        /// Whether this entry is announced or folded into a summary.
        telling: Telling,
    },
    /// The summary of arrivals that were folded and not announced since.
    ArrivedTogether(Together),
    /// The summary of departures that were folded.
    LeftTogether(Together),
    /// A person took another name.
    Renamed {
        /// The person, under the new name.
        who: Arc<Who>,
        /// The old name.
        from: Name,
        /// How the room sees it.
        seen: Renaming,
        /// The event.
        event: Arc<PersonEvent>,
    },
    /// Something else about a person changed, which clients of IRC show.
    Changed {
        /// The person, after the change.
        who: Arc<Who>,
        /// The change.
        change: PersonChange,
        /// The event.
        event: Arc<PersonEvent>,
    },
    /// A person has another rank in the room from now on, without an act there.
    Ranked {
        /// The person.
        who: Arc<Who>,
        /// The change.
        change: RankChange,
    },
    /// The owner of a name deleted the earlier lines under it.
    LinesDeleted {
        /// The person who did it.
        who: Who,
    },
    /// A person set or cleared the topic.
    Topic {
        /// The person who did it.
        who: Who,
        /// The new topic; none when it was cleared.
        text: Option<Line>,
    },
    /// An act of a keeper or the operator.
    Act(Arc<ActOf>),
    /// The program of a person tells something to the programs of the others: tags without words.
    /// Only programs that read tags are told.
    Signal {
        /// The person.
        who: Arc<Who>,
        /// The tags.
        extras: Arc<Extras>,
        /// Its number among the messages that are not stored.
        number: u64,
    },
    /// A person in the room invites somebody to it. Only programs that want it are told.
    Invited {
        /// The person in the room.
        who: Arc<Who>,
        /// The name of the person who is invited.
        to: Name,
    },
}

/// An act, and its author as the others see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActOf {
    /// The act.
    pub act: Arc<Act>,
    /// The person who did it; none if that is no person, or one who is not on the server.
    pub author: Option<Arc<Who>>,
    /// The rules of the room before it, if it is about rules and they are known.
    pub rules_before: Option<Arc<RoomRules>>,
}

impl Deref for ActOf {
    type Target = Act;

    fn deref(&self) -> &Act {
        &self.act
    }
}

impl From<Act> for ActOf {
    /// An act whose author is not known.
    fn from(act: Act) -> ActOf {
        ActOf { act: act.into(), author: None, rules_before: None }
    }
}

/// The last change of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSet {
    /// The person who set it, with the name at that moment.
    pub by: Name,
    /// When it was set.
    pub at: WallTime,
}

/// A line that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The line's number in its room: dense, from 1.
    pub seq: u64,
    /// When it was said; times never decrease in a room.
    pub at: WallTime,
    /// The author, shared by lines that were said together.
    pub who: Arc<Who>,
    /// Whether it is a line or an action.
    pub manner: Manner,
    /// The words.
    pub text: Line,
    /// The additions of clients that know them.
    pub extras: Option<Arc<Extras>>,
}

impl Said {
    /// The same line without its words: only its number and time remain.
    pub(crate) fn without_words(&self) -> Said {
        Said { manner: Manner::Gone, text: Line::empty(), extras: None, ..self.clone() }
    }

    /// Whether it still has its words.
    pub fn has_words(&self) -> bool {
        self.manner != Manner::Gone
    }

    /// Its place among the lines that were sent as one message, if there were several.
    pub fn group(&self) -> Option<InGroup> {
        self.extras.as_deref()?.group
    }

    /// Whether it is the first line of a message, or a message alone.
    pub fn begins_message(&self) -> bool {
        self.group().is_none_or(|group| group.index == 0)
    }

    /// Its size in memory, in bytes; an estimate.
    pub fn weight(&self) -> usize {
        size_of::<Said>() + self.who.name.as_str().len() + self.text.len() + self.extras_weight()
    }

    pub(super) fn extras_weight(&self) -> usize {
        self.extras.as_deref().map_or(0, Extras::weight)
    }
}

/// A change of a person that is no new name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonChange {
    /// The account to which the person is logged in; none after the log-in has ended.
    Account {
        /// The account before.
        before: Option<Name>,
    },
    /// The person is away, with this text, or back.
    Away(Option<Line>),
    /// The real name.
    Realname,
}

/// A change of the rank of a person in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankChange {
    /// The person has authority from now on, or no longer.
    Keeper(bool),
    /// The person has a voice from now on, or no longer.
    Voice(bool),
}

/// An event that concerns a person: an arrival, a departure, a new name or another change. All rooms
/// of that person that it concerns have an entry about it: they are twins. All rooms have events in
/// the order of their numbers.
#[derive(Debug, PartialEq, Eq)]
pub struct PersonEvent {
    /// The number of the event: the ledger counts them.
    pub number: u64,
    /// The rooms that a reader of several rooms has to read before this event is told once, each
    /// with the number of the event up to which: this one, the person's earlier departure from that
    /// room, or an event with which somebody gave the name up there. Sorted.
    rooms: Box<[(RoomId, u64)]>,
    /// If it is a new name: the rooms in which another connection of the owner has one of the two
    /// names.
    pub companions: Box<[(RoomName, Renaming)]>,
    /// If it is a new name: the text with which another connection of the owner, which keeps the old
    /// name, is away, and was so before.
    pub left_away: Option<Line>,
}

impl PersonEvent {
    /// The event with this number, in these rooms, of a person who has left other rooms before, or
    /// whose name was given up there.
    pub fn new(
        number: u64,
        rooms: impl IntoIterator<Item = RoomId>,
        left: impl IntoIterator<Item = (RoomId, u64)>,
    ) -> PersonEvent {
        let rooms = rooms.into_iter().map(|room| (room, number));
        let mut rooms: Vec<_> = rooms.chain(left).collect();
        rooms.sort_unstable_by_key(|&(room, event)| (room, Reverse(event)));
        rooms.dedup_by_key(|(room, _)| *room); // the last event in each room counts
        PersonEvent { number, rooms: rooms.into(), companions: Box::default(), left_away: None }
    }

    /// The rooms that a reader has to read before the event, each with the number of an event.
    pub(crate) fn rooms(&self) -> &[(RoomId, u64)] {
        &self.rooms
    }

    /// The same event: a new name, where other connections of the owner have one of the two names in
    /// these rooms; the old name is away with this text.
    #[must_use]
    pub fn with_companions(
        self,
        companions: impl IntoIterator<Item = (RoomName, Renaming)>,
        left_away: Option<Line>,
    ) -> PersonEvent {
        PersonEvent { companions: companions.into_iter().collect(), left_away, ..self }
    }

    /// Its size in memory, in bytes; an estimate. Its twins share it, and each of them counts all of it,
    /// as the others may be gone.
    pub(super) fn weight(&self) -> usize {
        let away = self.left_away.as_ref().map_or(0, Line::len);
        let lists = size_of_val(&*self.rooms) + size_of_val(&*self.companions);
        size_of::<PersonEvent>() + lists + away + 2 * PIECE_BYTES
    }

    /// A reader has to read this room up to the event with this number; none if the room does not
    /// matter.
    pub(crate) fn needs(&self, room: RoomId) -> Option<u64> {
        let index = self.rooms.binary_search_by_key(&room, |(room, _)| *room).ok()?;
        self.rooms.get(index).map(|(_, event)| *event)
    }
}

/// A new name, as one room sees it. Several connections of an owner are one person there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renaming {
    /// Whether another connection of the owner still has the old name in the room.
    pub is_still_worn: bool,
    /// Whether another connection of the owner had the new name in the room before.
    pub is_accompanied: bool,
    /// Whether another connection of the owner still has the old name, in any room or in none.
    pub old_name_stays: bool,
    /// Whether another connection of the owner had the new name before, in any room or in none.
    pub new_name_was_here: bool,
    /// The rank of the person under the new name.
    pub rank: RoomRank,
    /// The rank of the person under the old name, if it is still worn in the room.
    pub old_rank: RoomRank,
}

impl Renaming {
    /// Whether the room sees people come and go: the old name goes unless it is still worn there, and
    /// the new one comes unless it was there before. Otherwise the old name becomes the new one in
    /// all rooms at once.
    pub fn is_of_room(&self) -> bool {
        self.old_name_stays || self.new_name_was_here
    }

    /// Whether the room sees that the old name goes.
    pub fn leaves(&self) -> bool {
        self.is_of_room() && !self.is_still_worn
    }

    /// Whether the room sees that the new name comes.
    pub fn arrives(&self) -> bool {
        self.is_of_room() && !self.is_accompanied
    }
}

/// The rank of a person in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomRank {
    /// Whether the person has authority in the room.
    pub is_keeper: bool,
    /// Whether the person has a voice in the room.
    pub has_voice: bool,
}

/// Whether an arrival or departure is announced by its own entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// This entry announces it, at once.
    Told,
    /// A summary announces it later, because many people come or go at once.
    Folded,
    /// This entry announces it, after a folded one, because the name appears before the summary is
    /// due. The person came or went with the folded entry, not with this one.
    Late,
    /// Nothing announces it: another connection of the owner has the name here.
    Untold,
}

/// Several people; the first few are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// The first of them.
    pub named: Vec<Name>,
    /// The number of others.
    pub others: usize,
}

impl Together {
    /// The number of people.
    pub fn len(&self) -> usize {
        self.named.len() + self.others
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Entry {
    /// The person who did this; none for a summary.
    pub fn who(&self) -> Option<&Who> {
        match self {
            Entry::Said(Said { who, .. })
            | Entry::Left { who, .. }
            | Entry::Signal { who, .. }
            | Entry::Invited { who, .. }
            | Entry::Renamed { who, .. }
            | Entry::Changed { who, .. }
            | Entry::Ranked { who, .. } => Some(who),
            Entry::Arrived { who, .. } | Entry::LinesDeleted { who } | Entry::Topic { who, .. } => {
                Some(who)
            }
            Entry::ArrivedTogether(_) | Entry::LeftTogether(_) | Entry::Act(_) => None,
        }
    }

    /// The person who said or did this; none for what a person does by coming, leaving or taking a
    /// name, and for an invitation.
    pub(crate) fn author(&self) -> Option<PersonId> {
        let of_act = |act: &ActOf| act.author.as_ref().map(|author| author.id);
        match self {
            Entry::Said(said) => Some(said.who.id),
            Entry::Signal { who, .. } => Some(who.id),
            Entry::LinesDeleted { who } | Entry::Topic { who, .. } => Some(who.id),
            Entry::Act(act) => of_act(act),
            Entry::Left { removal, .. } => of_act(removal.as_deref()?),
            Entry::Arrived { .. }
            | Entry::Renamed { .. }
            | Entry::Invited { .. }
            | Entry::Changed { .. }
            | Entry::Ranked { .. }
            | Entry::ArrivedTogether(_)
            | Entry::LeftTogether(_) => None,
        }
    }

    /// The event of a person that this entry and its twins are about.
    pub fn event(&self) -> Option<&Arc<PersonEvent>> {
        match self {
            Entry::Left { event, .. } | Entry::Arrived { event, .. } => event.as_ref(),
            Entry::Renamed { event, .. } | Entry::Changed { event, .. } => Some(event),
            Entry::Said(_)
            | Entry::Signal { .. }
            | Entry::ArrivedTogether(_)
            | Entry::LeftTogether(_)
            | Entry::Ranked { .. }
            | Entry::LinesDeleted { .. }
            | Entry::Topic { .. }
            | Entry::Invited { .. }
            | Entry::Act(_) => None,
        }
    }

    /// The departure and the arrival that the room sees in place of a new name, if other connections of
    /// the owner have one of the names. None for everything else, and for a name that is new in all
    /// rooms.
    pub fn seen_by_room(&self) -> Option<impl Iterator<Item = Entry>> {
        let Entry::Renamed { who, from, seen, .. } = self else { return None };
        let left = || Entry::Left {
            who: Who { name: from.clone(), ..Who::clone(who) }.into(),
            words: None,
            removal: None,
            is_from_server: false,
            event: None,
            telling: Telling::Told,
        };
        let arrived = || Entry::Arrived {
            who: Who::clone(who),
            is_keeper: seen.rank.is_keeper,
            event: None,
            telling: Telling::Told,
        };
        let left = seen.leaves().then(left);
        seen.is_of_room().then(|| left.into_iter().chain(seen.arrives().then(arrived)))
    }

    /// The same departure or new name, as it is told in its room alone. None for what is told so anyway,
    /// and for everything else.
    pub(crate) fn of_room_alone(&self) -> Option<Entry> {
        let mut entry = self.clone();
        match &mut entry {
            Entry::Left { is_from_server, .. } if *is_from_server => *is_from_server = false,
            Entry::Renamed { seen, .. } if !seen.is_of_room() => seen.old_name_stays = true,
            _ => return None,
        }
        Some(entry)
    }

    /// Whether a reader of several rooms is told of the event in each of them, as it is not the same
    /// in all rooms.
    pub(crate) fn is_told_by_room(&self) -> bool {
        match self {
            Entry::Left { is_from_server, .. } => !is_from_server,
            Entry::Arrived { .. } => true,
            Entry::Renamed { seen, .. } => seen.is_of_room(),
            _ => false,
        }
    }

    /// Whether it changes who is in the room, or what they are there.
    pub(crate) fn is_about_people(&self) -> bool {
        let is_change =
            matches!(self, Entry::Renamed { .. } | Entry::Changed { .. } | Entry::Ranked { .. });
        is_change || self.is_presence()
    }

    /// Whether this is an arrival or a departure, which a quiet client hides.
    pub(crate) fn is_presence(&self) -> bool {
        match self {
            Entry::Arrived { .. }
            | Entry::Left { .. }
            | Entry::ArrivedTogether(_)
            | Entry::LeftTogether(_) => true,
            Entry::Renamed { seen, .. } => seen.is_of_room(),
            _ => false,
        }
    }
}
