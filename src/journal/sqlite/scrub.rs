//! Overwrites the copies of deleted content that SQLite leaves. SQLite overwrites deleted rows in
//! place. But when it needs space in a page, it moves rows to another page and leaves their copies
//! in the free space. This module overwrites that space.
//!
//! Knows the first bytes of a page, and no table. The format:
//! <https://www.sqlite.org/fileformat2.html#b_tree_pages>

use std::collections::HashMap;
use std::iter::successors;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior, params};

use super::checkpoints::checkpoint;
use super::sql::Sql;

/// How many pages one slice reads, which takes some milliseconds.
const PAGES: u32 = 500;

/// The limit of pages in a file, some 128 GiB. In a larger file the number of a page could look
/// like the kind of a page.
const PAGES_MAX: u32 = 1 << 25;

/// The file begins with a header of this many bytes, in its first page.
const FILE_HEADER: usize = 100;

/// The kinds of pages that hold rows, as their first byte says, and the length of their header.
const KINDS: [(u8, usize); 4] = [(2, 12), (5, 12), (10, 8), (13, 8)];

/// The pause after scrubbing, in multiples of its duration: scrubbing reads the whole file.
const REST: u32 = 20;

/// When to scrub a file.
#[derive(Debug, Default)]
pub(crate) struct ScrubSchedule {
    is_needed: bool,
    not_before: Option<Instant>,
}

impl ScrubSchedule {
    /// Notes that something was deleted.
    pub(crate) fn need(&mut self) {
        self.is_needed = true;
    }

    /// Whether it is time to scrub.
    pub(crate) fn is_due(&self) -> bool {
        self.is_needed && self.not_before.is_none_or(|at| Instant::now() >= at)
    }

    /// Notes that the file was scrubbed, from `began` until now.
    pub(crate) fn done(&mut self, began: Instant) {
        self.is_needed = false;
        self.not_before = Some(Instant::now() + began.elapsed() * REST);
    }
}

/// Scrubs some pages, from number `first` on, in its own transaction. Returns the number to
/// continue with; none at the end.
pub(crate) fn scrub(connection: &mut Connection, first: u32) -> rusqlite::Result<Option<u32>> {
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    if pages >= PAGES_MAX || first > pages {
        return Ok(None);
    }
    let last = pages.min(first + PAGES - 1);
    if !left_over(connection, first..=last)?.is_empty() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Checked again, because from now on no other connection writes.
        for (number, scrubbed) in left_over(&transaction, first..=last)? {
            transaction.run(
                "UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1",
                params![number, scrubbed],
            )?;
        }
        transaction.commit()?;
    }
    Ok((last < pages).then_some(last + 1))
}

/// Moves the write-ahead log into the file and empties it. Returns whether it succeeded: it fails
/// while another connection reads, and does not wait for it.
pub(crate) fn empty_log(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(!checkpoint(connection, "TRUNCATE", Duration::ZERO)?.was_hindered)
}

/// The pages with old data outside their rows, with that data overwritten.
fn left_over(
    connection: &Connection,
    numbers: RangeInclusive<u32>,
) -> rusqlite::Result<Vec<(u32, Vec<u8>)>> {
    let free = free(connection)?;
    let mut scrubbed_pages = Vec::new();
    for number in numbers {
        let Some(page) = page(connection, number)? else {
            continue;
        };
        let scrubbed = match free.get(&number) {
            Some(used) => scrubbed_from(page, *used),
            None => scrubbed(page, number),
        };
        scrubbed_pages.extend(scrubbed.map(|page| (number, page)));
    }
    Ok(scrubbed_pages)
}

/// The pages that hold no rows, with the number of bytes of each that are still in use. Some of
/// these pages list the others and form a list themselves; the header of the file says where it
/// begins.
fn free(connection: &Connection) -> rusqlite::Result<HashMap<u32, usize>> {
    const FIRST_LIST: usize = 32;
    let mut free = HashMap::new();
    let header = page(connection, 1)?.unwrap_or_default();
    let mut next = four_bytes(&header, FIRST_LIST).unwrap_or_default();
    while next != 0 && !free.contains_key(&next) {
        let list = page(connection, next)?.unwrap_or_default();
        let length = four_bytes(&list, 4).unwrap_or_default() as usize;
        let listed = (0..length).map_while(|index| four_bytes(&list, 8 + 4 * index));
        free.extend(listed.map(|number| (number, 0)));
        free.insert(next, 8 + 4 * length);
        next = four_bytes(&list, 0).unwrap_or_default();
    }
    Ok(free)
}

/// The page with everything after the bytes in use overwritten; none if it is clean already.
fn scrubbed_from(mut page: Vec<u8>, used: usize) -> Option<Vec<u8>> {
    let rest = page.get_mut(used..)?;
    if rest.iter().all(|byte| *byte == 0) {
        return None;
    }
    rest.fill(0);
    Some(page)
}

fn page(connection: &Connection, number: u32) -> rusqlite::Result<Option<Vec<u8>>> {
    let look = "SELECT data FROM sqlite_dbpage WHERE pgno = ?1";
    connection.one(look, [number], |row| row.get(0))
}

/// The page with the space outside its rows overwritten: between the list of its rows and the rows,
/// and in the gaps between rows. None if it is clean already.
fn scrubbed(mut page: Vec<u8>, number: u32) -> Option<Vec<u8>> {
    let header = if number == 1 { FILE_HEADER } else { 0 };
    let kind = *page.get(header)?;
    let (_, length) = KINDS.iter().find(|(of, _)| *of == kind)?;
    let rows = two_bytes(&page, header + 3)?;
    let content = match two_bytes(&page, header + 5)? {
        0 => 65_536, // the only number that does not fit
        content => content,
    };
    // Each gap begins with the position of the next gap, which is after it, and its own size.
    let first = two_bytes(&page, header + 1).filter(|gap| *gap > 0);
    let gaps = successors(first, |gap| two_bytes(&page, *gap).filter(|next| next > gap));
    let gaps = gaps.filter_map(|gap| Some(gap + 4..gap + two_bytes(&page, gap + 2)?));
    let before = header + length + 2 * rows..content;
    let free: Vec<_> = [before].into_iter().chain(gaps).collect();
    let mut is_clean = true;
    for range in free {
        let bytes = page.get_mut(range)?;
        is_clean &= bytes.iter().all(|byte| *byte == 0);
        bytes.fill(0);
    }
    (!is_clean).then_some(page)
}

fn four_bytes(page: &[u8], at: usize) -> Option<u32> {
    let bytes = page.get(at..at + 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn two_bytes(page: &[u8], at: usize) -> Option<usize> {
    let bytes = page.get(at..at + 2)?;
    Some(usize::from(u16::from_be_bytes(bytes.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

    use std::collections::BTreeSet;
    use std::fs;

    use rusqlite::{Connection, params};

    use super::scrub;

    /// The texts that occur anywhere in the file.
    fn texts(file: &std::path::Path) -> BTreeSet<String> {
        let bytes = fs::read(file).unwrap();
        let found = bytes.windows(7).filter(|bytes| {
            bytes[0] == b'<' && bytes[6] == b'>' && bytes[1..6].iter().all(u8::is_ascii_digit)
        });
        found.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    #[test]
    fn deleted_text_is_nowhere_in_the_file() {
        // Their pages have different kinds.
        for kind in ["", "WITHOUT ROWID"] {
            scrubs_a_table(kind);
        }
    }

    fn scrubs_a_table(kind: &str) {
        const LINES: i64 = 6_000;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file.db");
        let mut connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "secure_delete", true).unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE lines (key INTEGER PRIMARY KEY, seq INTEGER, text TEXT) {kind}"
            ))
            .unwrap();
        let key = |seq: i64| ((seq % 3) << 33) | seq;
        let text = |seq: i64| format!("<{seq:05}>{}", "x".repeat((seq * seq % 401) as usize));
        let all = connection.transaction().unwrap();
        for seq in 0..LINES {
            let put = "INSERT INTO lines VALUES (?1, ?2, ?3)";
            all.execute(put, params![key(seq), seq, text(seq)]).unwrap();
        }
        all.commit().unwrap();
        let old = connection.transaction().unwrap();
        for seq in 0..LINES / 2 {
            old.execute("UPDATE lines SET text = '' WHERE key = ?1", [key(seq)]).unwrap();
        }
        old.commit().unwrap();
        let kept: BTreeSet<_> = (LINES / 2..LINES).map(|seq| format!("<{seq:05}>")).collect();
        // A program that does not overwrite has deleted other lines, and their pages are free.
        let careless = "PRAGMA secure_delete = off; CREATE TABLE others AS SELECT * FROM lines; DROP TABLE others";
        connection.execute_batch(careless).unwrap();
        connection.execute("DELETE FROM lines WHERE seq >= ?1", [LINES - 500]).unwrap();
        let kept: BTreeSet<_> = kept.into_iter().take(LINES as usize / 2 - 500).collect();
        // Without leftovers, scrubbing would have no work, and this test would prove nothing.
        assert_ne!(texts(&file), kept);
        let mut next = Some(1);
        while let Some(first) = next {
            next = scrub(&mut connection, first).unwrap();
        }
        assert_eq!(texts(&file), kept);
        let check: String =
            connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let rows: i64 = connection
            .query_row("SELECT count(*) FROM lines WHERE text != ''", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, LINES / 2 - 500);
    }
}
