//! Batches and logs, compared with a model that is too simple to be wrong: a list of all entries.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parlor_core::link::Inbox;
use parlor_core::log::{Batch, Cursor, Encoding, EncodingKey, Fallen, Log, Scene, Slices};
use parlor_core::model::{
    Capacity, Entry, Line, Manner, Name, RoomName, Said, Telling, WallTime, Who,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Shows lines and arrivals, but no departures.
struct Plain;

impl Encoding for Plain {
    fn key(&self) -> EncodingKey {
        const PLAIN: EncodingKey = EncodingKey::named("plain");
        PLAIN
    }

    fn encode(&self, entry: &Entry, _: Scene<'_>, out: &mut Vec<u8>) {
        let text = match entry {
            Entry::Said(said) => format!("{}: {}\n", said.seq, said.text),
            Entry::Arrived { who, .. } => format!("{} has arrived\n", who.name),
            _ => String::new(),
        };
        out.extend_from_slice(text.as_bytes());
    }
}

/// Makes one byte of each entry, and counts how often.
struct Counted {
    key: EncodingKey,
    byte: u8,
    encoded: AtomicUsize,
}

impl Encoding for Counted {
    fn key(&self) -> EncodingKey {
        self.key
    }

    fn encode(&self, _: &Entry, _: Scene<'_>, out: &mut Vec<u8>) {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        out.push(self.byte);
    }
}

/// The bytes of these entries.
fn shown(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    let scene = Scene { room: &RoomName::lobby(), seq: 0, at: WallTime(0) };
    entries.iter().for_each(|entry| Plain.encode(entry, scene, &mut out));
    out
}

fn somebody() -> Who {
    let id = Arc::new(Inbox::default()).connect().client().id();
    Who::new(id, Name::of_address("[::1]:1"))
}

/// An entry before it has a number.
#[derive(Clone, Debug)]
enum Happening {
    Says(usize),
    Comes,
    Goes,
}

fn happenings(count: Range<usize>) -> impl Strategy<Value = Vec<Happening>> {
    let happening = prop_oneof![
        3 => (0..40_usize).prop_map(Happening::Says),
        1 => Just(Happening::Comes),
        1 => Just(Happening::Goes),
    ];
    vec(happening, count)
}

/// A batch of these events that follows `start`.
fn batch(start: Cursor, at: i64, happenings: &[Happening]) -> Batch {
    let mut seq = start.seq;
    let at = WallTime(at);
    let entry = |happening: &Happening| match happening {
        Happening::Says(length) => {
            seq += 1;
            Entry::Said(Said {
                seq,
                at,
                who: somebody().into(),
                manner: Manner::Plain,
                text: Line::sanitise("x".repeat(*length).as_bytes()),
                extras: None,
            })
        }
        Happening::Comes => Entry::Arrived {
            who: somebody(),
            is_keeper: false,
            event: None,
            telling: Telling::Told,
        },
        Happening::Goes => Entry::Left {
            who: somebody().into(),
            words: None,
            removal: None,
            is_from_server: true,
            event: None,
            telling: Telling::Told,
        },
    };
    let entries = happenings.iter().map(entry).collect();
    Batch::new(RoomName::lobby(), start, at, entries)
}

/// The place after these entries.
fn after(start: Cursor, entries: &[Entry]) -> Cursor {
    Cursor {
        position: start.position + entries.len() as u64,
        seq: start.seq + numbers(entries).len() as u64,
        ..start
    }
}

fn numbers(entries: &[Entry]) -> Vec<u64> {
    let number = |entry: &Entry| match entry {
        Entry::Said(said) => Some(said.seq),
        _ => None,
    };
    entries.iter().filter_map(number).collect()
}

#[test]
fn a_batch_makes_the_bytes_of_each_encoding_once() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let encodings = names.map(|name| Counted {
        key: EncodingKey::named(name),
        byte: name.as_bytes()[0],
        encoded: AtomicUsize::new(0),
    });
    let batch = batch(Cursor::default(), 0, &[Happening::Comes, Happening::Goes]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for encoding in &encodings {
                    let bytes = batch.encoded(encoding).bytes(0..2);
                    assert_eq!(bytes, [encoding.byte; 2]);
                }
            });
        }
    });
    for encoding in &encodings {
        assert_eq!(encoding.encoded.load(Ordering::Relaxed), 2);
    }
}

#[test]
fn a_log_weighs_the_bytes_that_readers_make_and_sheds_lines_for_them() {
    let log = Log::new(Cursor::default());
    let append = |capacity: Capacity| {
        let lines = vec![Happening::Says(64); 10];
        log.append(Arc::new(batch(log.end(), 0, &lines)), capacity);
    };
    let read = |names: &[String]| {
        let mut slices = Slices::new();
        assert_eq!(log.read(log.start(), None, usize::MAX, &mut slices), Ok(()));
        for slice in &slices {
            for name in names {
                let key = EncodingKey::named(name);
                slice.batch.encoded(&Counted { key, byte: b'x', encoded: AtomicUsize::new(0) });
            }
        }
        slices.len()
    };
    (0..20).for_each(|_| append(Capacity { lines: 1_000, bytes: usize::MAX }));
    let (before, newest) = (log.weight(), log.weight() - log.spare());
    assert_eq!(newest, before / 20);
    let names: Vec<_> = (0..100).map(|name| name.to_string()).collect();
    assert_eq!(read(&names), 20);
    let made = log.weight() - before;
    assert!(made >= 20 * 100 * 10, "{made} bytes");
    assert_eq!(read(&names), 20);
    assert_eq!(log.weight(), before + made, "the bytes are made once");
    assert_eq!(log.weight() - log.spare(), newest + made / 20);
    // There is space for the lines alone, but not for all bytes of them.
    append(Capacity { lines: 1_000, bytes: before + made / 2 });
    let kept = read(&[]);
    assert!((5..15).contains(&kept), "{kept} batches");
    while log.shed() {}
    assert_eq!(log.weight(), newest);
}

proptest! {
    #[test]
    fn places_in_a_batch_are_right(
        happenings in happenings(0..30), position in 0..50_u64, seq in 0..50_u64,
    ) {
        let start = Cursor { position, seq, event: 0 };
        let batch = batch(start, 0, &happenings);
        for index in 0..=batch.entries().len() + 1 {
            let inside = index.min(batch.entries().len());
            let cursor = after(start, &batch.entries()[..inside]);
            prop_assert_eq!(batch.cursor_at(index), cursor);
            prop_assert_eq!(batch.index_of(cursor.position), inside);
        }
        prop_assert_eq!(batch.end(), batch.cursor_at(usize::MAX));
        prop_assert_eq!(batch.index_of(position.saturating_sub(1)), 0);
        prop_assert_eq!(batch.index_of(u64::MAX), batch.entries().len());
    }

    #[test]
    fn runs_of_a_batch_have_the_bytes_of_their_entries(
        happenings in happenings(0..30), ends in any::<[Index; 2]>(),
    ) {
        let batch = batch(Cursor::default(), 0, &happenings);
        let mut ends = ends.map(|end| end.index(batch.entries().len() + 1));
        ends.sort_unstable();
        let run = ends[0]..ends[1];
        let bytes = shown(&batch.entries()[run.clone()]);
        prop_assert_eq!(batch.encoded(&Plain).bytes(run), bytes);
    }

    #[test]
    fn everything_is_written_once_however_the_socket_cuts_it(
        happenings in happenings(1..30), from in any::<Index>(), takes in vec(1..100_usize, 1..20),
    ) {
        let batch = batch(Cursor::default(), 0, &happenings);
        let from = from.index(batch.entries().len());
        let mut takes = takes.into_iter().cycle();
        let (mut written, mut rest) = (Vec::new(), Vec::new());
        let mut index = from;
        while index < batch.entries().len() {
            let take = takes.next().unwrap_or(1);
            let run = batch.encoded(&Plain).bytes(index..batch.entries().len());
            if take >= run.len() {
                written.extend_from_slice(run);
                break;
            }
            written.extend_from_slice(&run[..take]);
            let (stopped, left) = batch.encoded(&Plain).entry_at(index, take);
            rest.extend_from_slice(left);
            index = stopped + usize::from(!left.is_empty());
            written.append(&mut rest); // the next write begins with the rest of the line
        }
        prop_assert_eq!(written, shown(&batch.entries()[from..]));
    }
}

/// All entries, and where each batch ends.
#[derive(Default)]
struct Model {
    entries: Vec<Entry>,
    batches: Vec<Arc<Batch>>,
    /// The first batch that is still in the log.
    first: usize,
}

impl Model {
    fn cursor(&self, position: usize) -> Cursor {
        after(Cursor::default(), &self.entries[..position])
    }

    fn kept(&self) -> &[Arc<Batch>] {
        &self.batches[self.first..]
    }

    fn start(&self) -> usize {
        self.batches[..self.first].iter().map(|batch| batch.entries().len()).sum()
    }

    fn append(&mut self, batch: &Arc<Batch>, capacity: Capacity) {
        self.entries.extend_from_slice(batch.entries());
        self.batches.push(Arc::clone(batch));
        let lines = |kept: &[Arc<Batch>]| kept.iter().map(|b| b.said().count()).sum::<usize>();
        let weight = |kept: &[Arc<Batch>]| kept.iter().map(|b| alone(b).weight()).sum::<usize>();
        while self.kept().len() > 1
            && (lines(self.kept()) > capacity.lines || weight(self.kept()) > capacity.bytes)
        {
            self.first += 1;
        }
    }

    fn shed(&mut self) -> bool {
        let can = self.kept().len() > 1;
        self.first += usize::from(can);
        can
    }

    /// The place before the first wanted line that is still in the log, or after everything.
    fn before_line(&self, wanted: impl Fn(&Said) -> bool) -> Option<Cursor> {
        let is_wanted = |entry: &Entry| matches!(entry, Entry::Said(said) if wanted(said));
        let found = self.entries.iter().skip(self.start()).position(is_wanted)?;
        Some(self.cursor(self.start() + found))
    }
}

/// A log of this batch only.
fn alone(batch: &Arc<Batch>) -> Log {
    let log = Log::new(batch.start());
    log.append(Arc::clone(batch), Capacity { lines: 0, bytes: 0 });
    log
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Happening>, i64),
    Shed,
    Read(Index, Option<Index>, usize),
    Back(Index, u64),
    Since(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (happenings(1..12), 0..3_i64).prop_map(|(entries, later)| Step::Append(entries, later)),
        1 => Just(Step::Shed),
        6 => (any::<Index>(), any::<Option<Index>>(), 1..5_usize)
            .prop_map(|(from, until, batches)| Step::Read(from, until, batches)),
        3 => (any::<Index>(), 0..12_u64).prop_map(|(from, lines)| Step::Back(from, lines)),
        2 => (-1..40_i64).prop_map(Step::Since),
    ];
    vec(step, 0..40)
}

proptest! {
    #[test]
    fn a_log_is_the_end_of_a_list_of_all_entries(steps in steps(), lines in 1..30_usize, bytes in 500..9_000_usize) {
        let capacity = Capacity { lines, bytes };
        let log = Log::new(Cursor::default());
        let mut model = Model::default();
        let mut time = 0;
        for step in steps {
            let count = model.entries.len() + 1;
            match step {
                Step::Append(happenings, later) => {
                    time += later;
                    let batch = Arc::new(batch(log.end(), time, &happenings));
                    model.append(&batch, capacity);
                    log.append(batch, capacity);
                }
                Step::Shed => prop_assert_eq!(log.shed(), model.shed()),
                Step::Read(from, until, batches_max) => {
                    let from = from.index(count);
                    let until = until.map(|until| until.index(count));
                    check_read(&log, &model, from, until, batches_max)?;
                }
                Step::Back(from, lines) => {
                    let from = model.cursor(from.index(count));
                    let enough = from.seq.saturating_sub(lines);
                    let found = model.before_line(|said| said.seq > enough && said.seq <= from.seq);
                    let expected = found.filter(|_| lines > 0).unwrap_or(from);
                    prop_assert_eq!(log.back(from, lines), expected);
                    let behind = model.before_line(|said| said.seq > lines);
                    prop_assert_eq!(log.behind(lines).seq, behind.unwrap_or(log.end()).seq);
                    let next = model.before_line(|said| said.seq > from.seq);
                    let next = next.unwrap_or(log.end());
                    let expected = if next.seq == from.seq { next } else { from };
                    prop_assert_eq!(log.before_next_line(from), expected);
                    if from.seq >= log.start().seq {
                        let ahead = log.ahead(from, lines);
                        let there = from.seq.saturating_add(lines).min(log.end().seq);
                        prop_assert_eq!(ahead.seq, there);
                        prop_assert_eq!(log.lines_with_words(from, ahead), there - from.seq);
                    }
                }
                Step::Since(at) => {
                    let found = model.before_line(|said| said.at.0 >= at);
                    // If there were no lines since, any place after the last line is right.
                    let place = log.since(WallTime(at));
                    let end = model.cursor(model.entries.len());
                    prop_assert_eq!(place.seq, found.unwrap_or(end).seq);
                }
            }
            prop_assert_eq!(log.start(), model.cursor(model.start()));
            prop_assert_eq!(log.end(), model.cursor(model.entries.len()));
            prop_assert_eq!(log.watermark(), log.end().position);
            let weights = model.kept().iter().map(|batch| alone(batch).weight());
            prop_assert_eq!(log.weight(), weights.clone().sum::<usize>());
            prop_assert_eq!(log.spare(), weights.rev().skip(1).sum::<usize>());
        }
    }
}

fn check_read(
    log: &Log,
    model: &Model,
    from: usize,
    until: Option<usize>,
    batches_max: usize,
) -> Result<(), TestCaseError> {
    let stop = until.unwrap_or(usize::MAX).min(model.entries.len());
    let mut slices = Slices::new();
    let read = log.read(
        model.cursor(from),
        until.map(|until| model.cursor(until)),
        batches_max,
        &mut slices,
    );
    if from < model.start() && from < stop {
        let middle = model.start().midpoint(model.entries.len());
        let to = model.cursor(until.unwrap_or(middle).min(middle));
        let lines = to.seq - model.cursor(from).seq;
        prop_assert_eq!(read, Err(Fallen { to, lines }));
        return Ok(());
    }
    prop_assert_eq!(read, Ok(()));
    prop_assert!(slices.len() <= batches_max);
    let got: Vec<_> = slices
        .iter()
        .flat_map(|slice| &slice.batch.entries()[slice.entries.clone()])
        .cloned()
        .collect();
    let expected = model.entries.get(from..stop).unwrap_or_default();
    prop_assert_eq!(got.as_slice(), &expected[..got.len()]);
    prop_assert!(got.len() == expected.len() || slices.len() == batches_max);
    Ok(())
}
