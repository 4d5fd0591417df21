//! A room's log: the last batches, shared by all readers. Knows no reader.
//!
//! Each reader holds a [`Cursor`] and no place in any queue, so a slow reader costs nothing. Its
//! cursor falls behind; when it falls off the log, the reader learns how many lines it missed.

use std::collections::VecDeque;
use std::sync::Arc;

use super::batch::{Batch, Cursor, Slice, Slices};
use super::made::MadeSum;
use super::sync::{AtomicU64, Ordering, RwLock, read, write};
use crate::model::{Capacity, Counting, Entry, Said, WallTime};

/// The error of a reader whose cursor has fallen off the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallen {
    /// Where to continue: in the middle of the log, so the reader does not fall off again at once.
    pub to: Cursor,
    /// The number of lines that it missed.
    pub lines: u64,
}

/// The log of one room. The broadcaster appends; everybody reads.
#[derive(Debug)]
pub struct Log {
    ring: RwLock<Ring>,
    /// The watermark: the position after the last visible entry. It tells readers without a lock
    /// that nothing is new.
    watermark: AtomicU64,
    /// The size of the bytes that readers have made of its batches.
    made: MadeSum,
}

/// Consecutive batches, oldest first: each starts where the one before it ends.
#[derive(Debug)]
struct Ring {
    batches: VecDeque<Arc<Batch>>,
    end: Cursor,
    lines: usize,
    weight: usize,
}

impl Ring {
    #[inline]
    fn start(&self) -> Cursor {
        self.batches.front().map_or(self.end, |batch| batch.start())
    }

    fn shed(&mut self) -> Option<Arc<Batch>> {
        let batch = self.batches.pop_front()?;
        self.lines -= batch.lines() as usize;
        self.weight -= batch.weight();
        batch.made.leave();
        Some(batch)
    }

    /// The index of the first batch that ends after `position`.
    #[inline]
    fn find(&self, position: u64) -> usize {
        match self.batches.back() {
            // Nearly every reader reads only the last batch.
            Some(last) if last.start().position <= position => self.batches.len() - 1,
            _ => self.batches.partition_point(|batch| batch.end().position <= position),
        }
    }

    fn middle(&self) -> Cursor {
        let position = self.start().position.midpoint(self.end.position);
        self.batches
            .get(self.find(position))
            .map_or(self.end, |batch| batch.cursor_at(batch.index_of(position)))
    }
}

impl Log {
    /// An empty log whose first line follows `start`.
    pub fn new(start: Cursor) -> Log {
        let ring = Ring { batches: VecDeque::new(), end: start, lines: 0, weight: 0 };
        let watermark = AtomicU64::new(start.position);
        Log { ring: RwLock::new(ring), watermark, made: MadeSum::default() }
    }

    /// The position after the last visible entry.
    #[inline]
    pub fn watermark(&self) -> u64 {
        self.watermark.load(Ordering::Acquire)
    }

    /// The place after the last visible entry.
    pub fn end(&self) -> Cursor {
        read(&self.ring).end
    }

    /// The oldest readable place.
    pub fn start(&self) -> Cursor {
        read(&self.ring).start()
    }

    /// Its size in memory, in bytes; an estimate. It grows when readers of other encodings come.
    pub fn weight(&self) -> usize {
        read(&self.ring).weight + self.made.bytes()
    }

    /// The weight of all batches that can be shed: all but the newest.
    pub fn spare(&self) -> usize {
        let ring = read(&self.ring);
        let newest = ring.batches.back().map_or(0, |batch| batch.weight() + batch.made.bytes());
        (ring.weight + self.made.bytes()).saturating_sub(newest)
    }

    /// Makes a batch visible, which starts at [`Log::end`], and sheds the oldest batches beyond
    /// `capacity`. The newest batch stays, whatever its size.
    pub fn append(&self, batch: Arc<Batch>, capacity: Capacity) {
        let mut shed = Vec::new(); // freed outside the lock
        let mut ring = write(&self.ring);
        ring.end = batch.end();
        ring.lines += batch.lines() as usize;
        ring.weight += batch.weight();
        batch.made.join(&self.made);
        ring.batches.push_back(batch);
        while ring.batches.len() > 1
            && (ring.lines > capacity.lines || ring.weight + self.made.bytes() > capacity.bytes)
        {
            shed.extend(ring.shed());
        }
        self.watermark.store(ring.end.position, Ordering::Release);
        drop(ring);
    }

    /// Sheds the oldest batch, unless it is the only one. Returns whether it did.
    pub fn shed(&self) -> bool {
        let mut ring = write(&self.ring);
        let shed = if ring.batches.len() > 1 { ring.shed() } else { None };
        drop(ring);
        shed.is_some()
    }

    /// Sheds all batches that are older than `before`.
    pub(crate) fn expire(&self, before: WallTime) {
        let mut expired = Vec::new(); // freed outside the lock
        let mut ring = write(&self.ring);
        while ring.batches.front().is_some_and(|batch| batch.at() < before) {
            expired.extend(ring.shed());
        }
        drop(ring);
    }

    /// Deletes the words of the lines that match `is_meant` and were said at `since` or later; the
    /// numbers stay. Returns whether there were any.
    pub(crate) fn forget(&self, since: WallTime, is_meant: impl Fn(&Said) -> bool) -> bool {
        // Only one task changes the log, so these batches stay current while others read.
        let ring = read(&self.ring);
        let first = ring.batches.partition_point(|batch| batch.at() < since);
        let batches: Vec<_> = ring.batches.range(first..).cloned().collect();
        drop(ring);
        let is_meant = |said: &Said| said.at >= since && is_meant(said);
        let forgotten = |batch: &Arc<Batch>| batch.without(is_meant).map(Arc::new);
        let changed: Vec<_> = batches.iter().map(forgotten).collect();
        let is_changed = changed.iter().any(Option::is_some);
        let mut ring = write(&self.ring);
        for (batch, changed) in ring.batches.range_mut(first..).zip(changed) {
            if let Some(changed) = changed {
                self.replace(batch, changed);
            }
        }
        ring.weight = ring.batches.iter().map(|batch| batch.weight()).sum();
        drop(ring);
        drop(batches); // freed outside the lock
        is_changed
    }

    /// Sets all times later than `at` to `at`: the clock was ahead.
    pub(crate) fn date_back(&self, at: WallTime) {
        let mut before = Vec::new(); // freed outside the lock
        let mut ring = write(&self.ring);
        for batch in ring.batches.iter_mut().rev() {
            let Some(dated) = batch.dated_back(at) else {
                break;
            };
            before.push(self.replace(batch, Arc::new(dated)));
        }
        drop(ring);
    }

    /// Puts another batch into the place of one, which is returned.
    fn replace(&self, batch: &mut Arc<Batch>, other: Arc<Batch>) -> Arc<Batch> {
        other.made.join(&self.made);
        let before = std::mem::replace(batch, other);
        before.made.leave();
        before
    }

    /// Reads the entries between `from` and `until` into `out`: at most `batches_max` batches.
    ///
    /// # Errors
    /// `from` has fallen off the log. The error says where to continue, and how many lines the
    /// reader missed.
    pub fn read(
        &self,
        from: Cursor,
        until: Option<Cursor>,
        batches_max: usize,
        out: &mut Slices,
    ) -> Result<(), Fallen> {
        self.read_until(from, || until, batches_max, out)
    }

    /// Like [`Log::read`], but asks for the end while the log is locked. So if an end is set before
    /// a batch is appended, no reader of that batch overlooks the end.
    #[inline]
    pub(crate) fn read_until(
        &self,
        from: Cursor,
        until: impl FnOnce() -> Option<Cursor>,
        batches_max: usize,
        out: &mut Slices,
    ) -> Result<(), Fallen> {
        if from.position >= self.watermark() {
            return Ok(());
        }
        let ring = read(&self.ring);
        let until = until();
        let stop = until.map_or(u64::MAX, |until| until.position);
        if from.position >= stop {
            return Ok(());
        }
        if from.position < ring.start().position {
            let middle = ring.middle();
            let to = until.filter(|until| until.position < middle.position).unwrap_or(middle);
            return Err(Fallen { to, lines: to.seq - from.seq });
        }
        let first = ring.find(from.position);
        let batches = (first..).map_while(|index| ring.batches.get(index));
        for batch in batches.take(batches_max) {
            let entries = batch.index_of(from.position)..batch.index_of(stop);
            if entries.is_empty() {
                break;
            }
            out.push(Slice { batch: Arc::clone(batch), entries });
        }
        Ok(())
    }

    /// The place after line number `seq`, or the nearest place.
    pub fn behind(&self, seq: u64) -> Cursor {
        let ring = read(&self.ring);
        let index = ring.batches.partition_point(|batch| batch.end().seq <= seq);
        ring.batches.get(index).map_or(ring.end, |batch| place_before(batch, |said| said.seq > seq))
    }

    /// The place before the next line after `from`, or the end of the log; `from` itself if lines
    /// between them have left the log. So a reader of lines passes over thousands of arrivals at once.
    pub fn before_next_line(&self, from: Cursor) -> Cursor {
        let next = self.behind(from.seq);
        if next.seq == from.seq { next } else { from }
    }

    /// The place `lines` lines before `from`, or before the oldest line in the log. Lines without
    /// words do not count.
    pub fn back(&self, from: Cursor, lines: u64) -> Cursor {
        self.back_by(Counting::Lines, from, lines)
    }

    /// Like [`Log::back`], for this many lines or messages.
    pub fn back_by(&self, counting: Counting, from: Cursor, count: u64) -> Cursor {
        let ring = read(&self.ring);
        if count == 0 || ring.start().seq >= from.seq {
            return from;
        }
        let mut left = count;
        let behind = ring.batches.partition_point(|batch| batch.start().seq < from.seq);
        for batch in ring.batches.range(..behind).rev() {
            let counted = batch.count(counting, 0, from.seq);
            if counted >= left {
                return place_of(counting, batch, 0, counted - left);
            }
            left -= counted;
        }
        let oldest = ring.start().seq;
        let index = ring.batches.partition_point(|batch| batch.end().seq <= oldest);
        ring.batches.get(index).map_or(from, |batch| place_before(batch, |said| said.seq > oldest))
    }

    /// The place `lines` lines after `from`, or after the last line. Lines without words do not
    /// count.
    pub fn ahead(&self, from: Cursor, lines: u64) -> Cursor {
        self.ahead_by(Counting::Lines, from, lines)
    }

    /// Like [`Log::ahead`], for this many lines or messages, of which the last is whole.
    pub fn ahead_by(&self, counting: Counting, from: Cursor, count: u64) -> Cursor {
        let ring = read(&self.ring);
        let mut left = count;
        let first = ring.batches.partition_point(|batch| batch.end().seq <= from.seq);
        for batch in ring.batches.range(first..) {
            let counted = batch.count(counting, from.seq, u64::MAX);
            if counted > left {
                return place_of(counting, batch, from.seq, left);
            }
            left -= counted;
        }
        ring.end
    }

    /// The number of lines with words between these places.
    pub fn lines_with_words(&self, from: Cursor, to: Cursor) -> u64 {
        self.count(Counting::Lines, from, to)
    }

    /// The number of lines or messages with words between these places.
    pub fn count(&self, counting: Counting, from: Cursor, to: Cursor) -> u64 {
        let ring = read(&self.ring);
        let batches = ring.batches.iter();
        batches.map(|batch| batch.count(counting, from.seq, to.seq)).sum()
    }

    /// When the last line was said that has words, if the log still has it.
    pub fn last_said(&self) -> Option<WallTime> {
        let ring = read(&self.ring);
        let batches = ring.batches.iter().rev();
        let mut last = batches.filter_map(|batch| {
            batch.said().filter(|said| said.has_words()).map(|said| said.at).last()
        });
        last.next()
    }

    /// The line with this number, if the log still has it.
    pub fn line(&self, seq: u64) -> Option<Said> {
        let ring = read(&self.ring);
        let index = ring.batches.partition_point(|batch| batch.end().seq < seq);
        ring.batches.get(index)?.said().find(|said| said.seq == seq).cloned()
    }

    /// The place before the first line in the log that was said at `at` or later.
    pub fn since(&self, at: WallTime) -> Cursor {
        let ring = read(&self.ring);
        let index = ring.batches.partition_point(|batch| batch.at() < at);
        ring.batches.get(index).map_or(ring.end, |batch| place_before(batch, |said| said.at >= at))
    }
}

/// The place before the first line of `batch` that is `wanted`, or after its last entry.
fn place_before(batch: &Batch, mut wanted: impl FnMut(&Said) -> bool) -> Cursor {
    let found =
        batch.entries().iter().position(|entry| matches!(entry, Entry::Said(said) if wanted(said)));
    batch.cursor_at(found.unwrap_or(usize::MAX))
}

/// The place in `batch` after the first `in_front` of those that have words and a number above
/// `seq`, and before the next of them.
fn place_of(counting: Counting, batch: &Batch, seq: u64, mut in_front: u64) -> Cursor {
    place_before(batch, |said| {
        let counts = said.seq > seq && counting.counts(said);
        let is_it = counts && in_front == 0;
        in_front -= u64::from(counts && !is_it);
        is_it
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::batch::{Batch, Cursor};
    use super::{Capacity, Log};
    use crate::model::{
        Counting, Entry, Extras, InGroup, Line, Manner, Name, PersonId, RoomName, Said, WallTime,
        Who,
    };

    /// A log of batches of three lines. The words of the lines with an odd time are deleted.
    fn log_with_holes(batches: i64) -> Log {
        let log = Log::new(Cursor::default());
        for at in 0..batches {
            let start = log.end();
            let said = (1..=3).map(|line| {
                Entry::Said(Said {
                    seq: start.seq + line,
                    at: WallTime(at),
                    who: Who::new(PersonId::BYGONE, Name::stored("alice")).into(),
                    manner: Manner::Plain,
                    text: Line::sanitise(b"Hi!"),
                    extras: None,
                })
            });
            let (room, at) = (RoomName::lobby(), WallTime(at));
            let batch = Arc::new(Batch::new(room, start, at, said.collect()));
            let (lines, bytes) = (usize::MAX, usize::MAX);
            log.append(batch, Capacity { lines, bytes });
        }
        log.forget(WallTime(0), |said| said.at.0 % 2 == 1);
        log
    }

    #[test]
    fn lines_that_were_sent_together_count_as_one() {
        let log = Log::new(Cursor::default());
        // 1, 2 to 4 together, 5, 6 and 7 together.
        for lines in [1, 3, 1, 2] {
            let start = log.end();
            let said = (0..lines).map(|index| {
                let group = Some(InGroup { index, lines, blanks: 0 }).filter(|_| lines > 1);
                Entry::Said(Said {
                    seq: start.seq + u64::from(index) + 1,
                    at: WallTime(0),
                    who: Who::new(PersonId::BYGONE, Name::stored("alice")).into(),
                    manner: Manner::Plain,
                    text: Line::sanitise(b"Hi!"),
                    extras: Some(Arc::new(Extras { group, ..Extras::default() })),
                })
            });
            let batch = Batch::new(RoomName::lobby(), start, WallTime(0), said.collect());
            let (lines, bytes) = (usize::MAX, usize::MAX);
            log.append(Arc::new(batch), Capacity { lines, bytes });
        }
        let (counting, end) = (Counting::Messages, log.end());
        let back = |count| log.back_by(counting, end, count).seq;
        assert_eq!([1, 2, 3, 4, 9].map(back), [5, 4, 1, 0, 0]);
        let ahead = |count| log.ahead_by(counting, Cursor::default(), count).seq;
        assert_eq!([0, 1, 2, 3, 4, 9].map(ahead), [0, 1, 4, 5, 7, 7]);
        assert_eq!(log.count(counting, Cursor::default(), end), 4);
        assert_eq!(log.count(counting, log.behind(1), log.behind(5)), 2);
        let group = |seq| log.line(seq).map(|said| said.group().map(|group| group.index));
        assert_eq!(
            [0, 1, 4, 5, 7, 8].map(group),
            [None, Some(None), Some(Some(2)), Some(None), Some(Some(1)), None]
        );
    }

    #[test]
    fn lines_without_words_do_not_count() {
        let log = log_with_holes(5); // 1 to 3, 7 to 9 and 13 to 15 are left
        let back = |from, lines| log.back(log.behind(from), lines).seq;
        let ahead = |from, lines| log.ahead(log.behind(from), lines).seq;
        for (from, lines, place) in
            [(15, 3, 12), (15, 4, 8), (15, 7, 2), (15, 99, 0), (11, 1, 8), (5, 1, 2)]
        {
            assert_eq!(back(from, lines), place, "{lines} before {from}");
        }
        for (from, lines, place) in [(0, 3, 6), (0, 4, 7), (3, 1, 7), (5, 4, 13), (9, 99, 15)] {
            assert_eq!(ahead(from, lines), place, "{lines} behind {from}");
            let (from, to) = (log.behind(from), log.behind(place));
            assert_eq!(log.lines_with_words(from, to), if lines == 99 { 3 } else { lines });
        }
    }
}
