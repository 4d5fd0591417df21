//! A batch: entries that were committed together, and their bytes, which are made once per
//! encoding.
//!
//! Knows no dialect: each reader passes its [`Encoding`].

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::made::MadeBytes;
use super::person_bits::PersonBits;
use crate::model::{Counting, Entry, PIECE_BYTES, PersonId, RoomName, Said, WallTime};

/// A place in a room's log: between two entries.
///
/// Positions count all entries, and numbers only lines, so the difference of two cursors' numbers
/// is the number of lines between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The number of entries before it.
    pub position: u64,
    /// The number of the last line before it; 0 if there is none.
    pub seq: u64,
    /// The number of the last event of a person before it; 0 if the log never had any.
    pub event: u64,
}

impl Cursor {
    /// The place after `entry`, which follows this place.
    pub fn after(self, entry: &Entry) -> Cursor {
        let (position, seq) = (self.position + 1, self.seq);
        if let Entry::Said(_) = entry {
            return Cursor { position, seq: seq + 1, ..self };
        }
        let event = entry.event().map_or(self.event, |event| event.number);
        Cursor { position, seq, event }
    }
}

/// Identifies an encoding. Each encoding has its own key; a test of the dialects collects them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EncodingKey(u64);

impl EncodingKey {
    /// The key of the encoding with this name. Make it a constant, so comparing it compares one
    /// number.
    pub const fn named(name: &str) -> EncodingKey {
        // FNV-1a, which is short enough to write here.
        let (mut hash, mut at) = (0xcbf2_9ce4_8422_2325_u64, 0);
        while at < name.len() {
            hash = (hash ^ name.as_bytes()[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        EncodingKey(hash)
    }
}

/// Where and when something happened, for encodings that show it.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The room.
    pub room: &'a RoomName,
    /// The number of the last line before it.
    pub seq: u64,
    /// When it became visible; a line has its own time.
    pub at: WallTime,
}

/// Turns entries into bytes. The same entry always gives the same bytes.
pub trait Encoding {
    /// The key under which a batch stores the bytes.
    fn key(&self) -> EncodingKey;
    /// Appends the bytes of one entry: whole lines (or frames), or nothing if it is not shown.
    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>);
}

/// The usual size of an entry in an encoding: so much memory is taken at once when a batch is encoded.
/// What is not used is given back.
const ENTRY_BYTES: usize = 64;

/// The bytes of a batch in one encoding: one contiguous run, and the end of each entry in the run.
#[derive(Debug)]
pub struct Encoded {
    bytes: Box<[u8]>,
    ends: Box<[u32]>,
}

impl Encoded {
    fn new(batch: &Batch, encoding: &dyn Encoding) -> Encoded {
        let mut bytes = Vec::with_capacity(batch.entries.len() * ENTRY_BYTES);
        let mut ends = Vec::with_capacity(batch.entries.len());
        let mut seq = batch.start.seq;
        for entry in &batch.entries {
            encoding.encode(entry, batch.scene(seq), &mut bytes);
            seq += u64::from(matches!(entry, Entry::Said(_)));
            // A batch is full at 1 MiB of text, so its bytes stay far below 4 GiB in any encoding.
            ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        Encoded { bytes: bytes.into_boxed_slice(), ends: ends.into_boxed_slice() }
    }

    /// Its size in memory, in bytes.
    fn weight(&self) -> usize {
        let pieces = 2 * PIECE_BYTES;
        size_of::<Chain>() + self.bytes.len() + size_of_val(&*self.ends) + pieces
    }

    #[inline]
    fn start_of(&self, index: usize) -> usize {
        index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |&end| end as usize)
    }

    /// The bytes of the entries with these indices.
    #[inline]
    pub fn bytes(&self, entries: Range<usize>) -> &[u8] {
        self.bytes.get(self.start_of(entries.start)..self.start_of(entries.end)).unwrap_or_default()
    }

    /// Starts at entry `from` and skips `written` bytes. Returns the index of the entry in which
    /// they end, and the unwritten bytes of that entry.
    pub fn entry_at(&self, from: usize, written: usize) -> (usize, &[u8]) {
        let place = self.start_of(from) + written;
        let index = self.ends.partition_point(|&end| end as usize <= place);
        let rest = if place == self.start_of(index) {
            &[]
        } else {
            self.bytes.get(place..self.start_of(index + 1)).unwrap_or_default()
        };
        (index, rest)
    }
}

/// The bytes of a batch in one encoding, followed by the bytes in the other encodings that readers
/// use. A chain only grows, so nobody waits to walk it. The first encoding, often the only one, is
/// stored in the batch itself.
#[derive(Debug, Default)]
struct Chain {
    /// Set by the first reader of an encoding that is not in the chain yet.
    key: OnceLock<EncodingKey>,
    /// Separate from the key, so that a reader of another encoding does not wait for these bytes.
    encoded: OnceLock<Encoded>,
    next: OnceLock<Box<Chain>>,
}

impl Chain {
    /// The place for the bytes of an encoding.
    #[inline]
    fn find(&self, key: EncodingKey) -> &OnceLock<Encoded> {
        let mut link = self;
        while *link.key.get_or_init(|| key) != key {
            link = link.next.get_or_init(Box::default);
        }
        &link.encoded
    }
}

/// Entries of one room that became visible together. It never changes.
#[derive(Debug)]
pub struct Batch {
    room: RoomName,
    start: Cursor,
    end: Cursor,
    /// No line in it has a later time, and no line of a later batch has an earlier time.
    at: WallTime,
    entries: Box<[Entry]>,
    /// Its size in memory without the bytes of its encodings; an estimate.
    weight: usize,
    /// The people who say or do something in it, and those who are told in another way what they do
    /// in it: they take another name, invite somebody, or leave or arrive and read on.
    authors: PersonBits,
    answered: PersonBits,
    has_events: bool,
    /// Whether some of its lines are deleted.
    has_gone: bool,
    /// See [`Batch::goes_back`].
    goes_back: bool,
    encoded: Chain,
    /// The size of the bytes in `encoded`.
    pub(super) made: MadeBytes,
}

impl Batch {
    /// A batch of a room's entries after `start`; its lines are numbered from `start.seq + 1`.
    pub fn new(room: RoomName, start: Cursor, at: WallTime, entries: Vec<Entry>) -> Batch {
        // In a quiet room each line is a batch, so the batch itself counts.
        let mut weight = size_of::<Batch>() + 2 * PIECE_BYTES; // itself, and its entries
        let mut end = Cursor { position: start.position + entries.len() as u64, ..start };
        let (mut authors, mut answered) = (PersonBits::default(), PersonBits::default());
        for entry in &entries {
            weight += entry.weight();
            match entry {
                Entry::Said(said) => {
                    // Nearly every entry is a line, and does no more than this.
                    end.seq += 1;
                    authors.add(said.who.id);
                    continue;
                }
                Entry::Renamed { who, .. }
                | Entry::Changed { who, .. }
                | Entry::Invited { who, .. } => answered.add(who.id),
                _ => {}
            }
            end.event = entry.event().map_or(end.event, |event| event.number);
            if let Some(author) = entry.author() {
                authors.add(author);
            }
        }
        let has_events = end.event > start.event;
        Batch {
            room,
            start,
            end,
            at,
            entries: entries.into(),
            weight,
            authors,
            answered,
            has_events,
            has_gone: false,
            goes_back: false,
            encoded: Chain::default(),
            made: MadeBytes::default(),
        }
    }

    /// The same batch without the words of the lines that match `is_meant`; none if no line
    /// matches.
    pub(crate) fn without(&self, is_meant: impl Fn(&Said) -> bool) -> Option<Batch> {
        self.said().any(&is_meant).then(|| {
            let entries = self.entries.iter().map(|entry| match entry {
                Entry::Said(said) if is_meant(said) => Entry::Said(said.without_words()),
                other => other.clone(),
            });
            Batch {
                has_gone: true,
                answered: self.answered,
                ..Batch::new(self.room.clone(), self.start, self.at, entries.collect())
            }
        })
    }

    /// The same batch, in which these people leave or arrive, and read on.
    pub(crate) fn with_people_who_read_on(mut self, people: &[PersonId]) -> Batch {
        people.iter().for_each(|person| self.answered.add(*person));
        self
    }

    /// The same batch, marked: the clock goes back before it.
    pub(crate) fn going_back(self) -> Batch {
        Batch { goes_back: true, ..self }
    }

    /// The same batch with no time later than `at`; none if it has no later time.
    pub(crate) fn dated_back(&self, at: WallTime) -> Option<Batch> {
        (self.at > at).then(|| {
            let entries = self.entries.iter().map(|entry| match entry {
                Entry::Said(said) => Entry::Said(Said { at: said.at.min(at), ..said.clone() }),
                other => other.clone(),
            });
            Batch {
                has_gone: self.has_gone,
                answered: self.answered,
                ..Batch::new(self.room.clone(), self.start, at, entries.collect())
            }
        })
    }

    /// Whether the clock was ahead before this batch and is right now. Then the earlier lines of
    /// the room get earlier times, so times never decrease.
    pub fn goes_back(&self) -> bool {
        self.goes_back
    }

    /// The room.
    pub fn room(&self) -> &RoomName {
        &self.room
    }

    /// The place before its first entry.
    pub fn start(&self) -> Cursor {
        self.start
    }

    /// The place after its last entry.
    pub fn end(&self) -> Cursor {
        self.end
    }

    /// The scene of an entry in it that follows the line with this number.
    pub(crate) fn scene(&self, seq: u64) -> Scene<'_> {
        Scene { room: &self.room, seq, at: self.at }
    }

    /// When the batch was closed.
    pub fn at(&self) -> WallTime {
        self.at
    }

    /// Its entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Its lines, oldest first.
    pub fn said(&self) -> impl Iterator<Item = &Said> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Said(said) => Some(said),
            _ => None,
        })
    }

    /// Whether this person may have said or done something in it. No is certain.
    #[inline]
    pub(crate) fn may_have_deeds_of(&self, person: PersonId) -> bool {
        self.authors.may_have(person)
    }

    /// Whether it may have something of this person that they are told in another way than the
    /// others. No is certain.
    #[inline]
    pub(crate) fn may_have_answers_of(&self, person: PersonId) -> bool {
        self.answered.may_have(person)
    }

    /// Whether it has an event of a person, which that person's other rooms may have, too.
    pub(crate) fn has_events(&self) -> bool {
        self.has_events
    }

    pub(crate) fn lines(&self) -> u64 {
        self.end.seq - self.start.seq
    }

    /// The number of its lines or messages that have words and a number above `first` and at most
    /// `last`.
    pub(crate) fn count(&self, counting: Counting, first: u64, last: u64) -> u64 {
        if !self.has_gone && counting == Counting::Lines {
            let (first, last) = (first.max(self.start.seq), last.min(self.end.seq));
            return last.saturating_sub(first);
        }
        let is_in = |said: &&Said| said.seq > first && said.seq <= last;
        self.said().filter(is_in).filter(|said| counting.counts(said)).count() as u64
    }

    /// Its size in memory without the bytes of its encodings; an estimate.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// The index of `position` among its entries.
    #[inline]
    pub fn index_of(&self, position: u64) -> usize {
        let index = position.saturating_sub(self.start.position);
        usize::try_from(index).map_or(self.entries.len(), |index| index.min(self.entries.len()))
    }

    /// The place before the entry with this index.
    #[inline]
    pub fn cursor_at(&self, index: usize) -> Cursor {
        if index >= self.entries.len() {
            return self.end;
        }
        self.entries.iter().take(index).fold(self.start, Cursor::after)
    }

    /// Its bytes in this encoding, which the first reader makes and all share.
    #[inline]
    pub fn encoded(&self, encoding: &dyn Encoding) -> &Encoded {
        let encoded = self.encoded.find(encoding.key());
        encoded.get_or_init(|| {
            let encoded = Encoded::new(self, encoding);
            self.made.add(encoded.weight());
            encoded
        })
    }
}

/// Runs of entries of one room's batches: nearly always one.
pub type Slices = SmallVec<[Slice; 1]>;

/// A run of entries of one batch, held while it is written.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The batch.
    pub batch: Arc<Batch>,
    /// The indices of the entries.
    pub entries: Range<usize>,
}
