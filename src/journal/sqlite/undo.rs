//! Undoes the records of a commit that was refused and may be stored nevertheless. Knows no record:
//! triggers note each change of a row as the statement that reverses it.
//!
//! A commit with records has a mark in the file. So its changes are undone only in a file that has
//! them, and once.

use rusqlite::Connection;

use super::reversal::triggers;
use super::sql::Sql;

/// The tables that records change. Two tests find one that is missing.
const TABLES: [&str; 12] = [
    "accounts",
    "audit",
    "bans",
    "codes",
    "keepers",
    "letters",
    "makers",
    "markers",
    "mutes",
    "places",
    "room_rules",
    "topics",
];

/// The way back to the state of the tables before a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Undo {
    /// The mark of the commit.
    mark: String,
    /// Statements, in the order in which they run.
    statements: String,
}

/// Lets a connection note how to reverse each change. The notes belong to the connection, and are in
/// no file.
pub(super) fn note_changes(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "temp_store", "memory")?;
    connection
        .execute_batch("CREATE TEMP TABLE undo (id INTEGER PRIMARY KEY, sql TEXT NOT NULL)")?;
    for table in TABLES {
        let query = "SELECT name, pk > 0 FROM pragma_table_info(?1)";
        let columns: Vec<(String, bool)> =
            connection.all(query, [table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        connection.execute_batch(&triggers(table, &columns))?;
    }
    Ok(())
}

/// Forgets the notes so far: a commit with records begins, or nothing before is undone any more.
pub(super) fn forget(connection: &Connection) -> rusqlite::Result<()> {
    connection.run("DELETE FROM temp.undo", []).map(drop)
}

/// Marks the commit, and returns the way back from it.
pub(super) fn mark(connection: &Connection) -> rusqlite::Result<Undo> {
    let mark = "INSERT INTO meta VALUES ('records', lower(hex(randomblob(8))))
                ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING value";
    let mark: String = connection.query_row(mark, [], |row| row.get(0))?;
    let query = "SELECT sql FROM temp.undo ORDER BY id DESC";
    let statements: Vec<String> = connection.all(query, [], |row| row.get(0))?;
    Ok(Undo { mark, statements: statements.join("\n") })
}

impl Undo {
    /// Undoes the changes, in the transaction of the caller, if the file has them.
    pub(super) fn run(&self, connection: &Connection) -> rusqlite::Result<()> {
        let unmark = "UPDATE meta SET value = '' WHERE key = 'records' AND value = ?1";
        match connection.run(unmark, [&self.mark])? {
            0 => Ok(()),
            _ => connection.execute_batch(&self.statements),
        }
    }

    /// The undo as one line of text.
    pub(super) fn line(&self) -> String {
        let hex: String = self.statements.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("undo {} {hex}\n", self.mark)
    }

    /// The undo in a line of text.
    pub(super) fn parse(line: &str) -> Option<Undo> {
        let (mark, hex) = line.strip_prefix("undo ")?.split_once(' ')?;
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
        Some(Undo { mark: mark.to_owned(), statements: String::from_utf8(bytes?).ok()? })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use parlor_core::journal::{KeptMessage, OwnerVisit, Record};
    use parlor_core::ledger::{Account, ReturnCode, Validity};
    use parlor_core::model::{
        Act, Author, By, Claim, Deed, Hashed, Line, Looks, Manner, Name, Proof, Rank, Reach,
        RoomName, Spoken, Verb, WallTime, Whom,
    };

    use super::*;
    use crate::config::Keep;
    use crate::journal::recent::Taken;
    use crate::journal::sqlite::records;
    use crate::journal::sqlite::store::Store;
    use crate::journal::sqlite::writer::BehindJob;

    /// The tables that no record changes: lines are removed by their numbers, a name of a room
    /// without lines does no harm, starts and deletions have their own transactions, and the mark
    /// itself is in `meta`. Only one of several nodes has messages.
    const OTHER_TABLES: [&str; 8] =
        ["ends", "epochs", "lines", "messages", "meta", "rooms", "snapshot", "takings"];

    /// An empty file of lines.
    fn new_store(directory: &std::path::Path) -> Store {
        let path = directory.join("parlor.db");
        std::fs::File::create(&path).unwrap();
        Store::open(&path, Keep::Written).unwrap()
    }

    fn all_tables(store: &Store) -> Vec<String> {
        let query = "SELECT name FROM sqlite_schema WHERE type = 'table'
                     AND name NOT LIKE 'sqlite_%' ORDER BY name";
        store.connection.all(query, [], |row| row.get(0)).unwrap()
    }

    /// All rows of the tables, as text; `meta` has the mark, and counts deletions.
    fn contents(store: &Store) -> String {
        let mut contents = String::new();
        for table in all_tables(store).iter().filter(|table| *table != "meta") {
            let mut query = store.connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = query.column_count();
            let mut rows = query.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values = (0..columns).map(|column| row.get_ref(column).unwrap());
                contents += &format!("{table} {:?}\n", values.collect::<Vec<_>>());
            }
        }
        contents
    }

    #[test]
    fn changes_are_undone_once_and_only_in_a_file_that_has_them() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = new_store(directory.path());
        let before = "INSERT INTO accounts (name, fold, password, since, token)
                          VALUES ('it''s', 'its', 'hash', 7, X'00ff'), ('bob', 'bob', 'hash', 8, NULL);
                      INSERT INTO codes (hash, name, owner, room, seq, until)
                          VALUES (X'01', 'bob', 0, 'tea', 3, NULL);
                      INSERT INTO keepers VALUES ('tea', 1);
                      INSERT INTO markers VALUES (1, '#tea', 5), (2, '#tea', 6);
                      INSERT INTO topics VALUES ('tea', 'green', 'bob', 1)";
        let change = "UPDATE accounts SET password = 'new
                          line', token = NULL;
                      UPDATE accounts SET password = 'newer' WHERE id = 2;
                      DELETE FROM codes;
                      INSERT INTO codes (hash, name, owner, room, seq, until)
                          VALUES (X'01', 'bob', 1, 'den', 9, 10), (X'02', 'it''s', 1, 'den', 9, 10);
                      DELETE FROM keepers;
                      DELETE FROM markers WHERE account = 1;
                      INSERT INTO markers VALUES (2, '#tea', 7), (2, '#den', 8)
                          ON CONFLICT (account, conversation) DO UPDATE SET at = excluded.at;
                      INSERT INTO letters (account, at, sender, text) VALUES (2, 3, 'alice', 'hi');
                      DELETE FROM accounts WHERE id = 1;
                      INSERT INTO topics VALUES ('tea', 'black', '', 0)
                          ON CONFLICT (room) DO UPDATE SET text = excluded.text";
        store.connection.execute_batch(before).unwrap();
        let stored = contents(&store);
        forget(&store.connection).unwrap();
        store.connection.execute_batch(change).unwrap();
        let undo = mark(&store.connection).unwrap();
        let changed = contents(&store);
        assert_ne!(changed, stored);
        let undo = Undo::parse(undo.line().trim_end()).unwrap();
        let other = Undo { mark: "0123456789abcdef".to_owned(), ..undo.clone() };
        other.run(&store.connection).unwrap();
        assert_eq!(contents(&store), changed, "another commit was refused");
        store = Store::open(&directory.path().join("parlor.db"), Keep::Written).unwrap();
        undo.run(&store.connection).unwrap();
        assert_eq!(contents(&store), stored);
        store.connection.execute_batch(change).unwrap();
        undo.run(&store.connection).unwrap();
        assert_eq!(contents(&store), changed, "it was undone before");
    }

    #[test]
    fn each_table_is_undone_or_named_here_with_a_reason() {
        let directory = tempfile::tempdir().unwrap();
        let mut known = [&TABLES[..], &OTHER_TABLES].concat();
        known.sort_unstable();
        assert_eq!(all_tables(&new_store(directory.path())), known);
    }

    #[test]
    fn the_file_of_a_node_keeps_no_notes() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = new_store(directory.path());
        store.join("log").unwrap();
        for position in 2..9 {
            let records = [marker("alice", "#tea", Some(position)), code(position as u8, 9)];
            let job = BehindJob::new(&[], &records, position as u64);
            store.append_behind(&job, &Taken::default()).unwrap();
            let count = "SELECT (SELECT count(*) FROM codes), (SELECT count(*) FROM temp.undo)";
            let count = store.connection.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)));
            assert_eq!(count, Ok((position - 1, 0)));
        }
    }

    fn account(name: &str, password: &str) -> Arc<Account> {
        Arc::new(Account {
            name: Name::stored(name),
            since: WallTime(7),
            password: password.into(),
            token: Some(Hashed([3; 32]).into()),
            proof: Proof::default(),
        })
    }

    fn act(verb: Verb, whom: &str, text: &str) -> Record {
        let whom = Whom::Name(Name::stored(whom));
        let text = (!text.is_empty()).then(|| Line::sanitise(text.as_bytes()));
        let time = (verb == Verb::Mute).then_some(Duration::from_secs(60));
        Record::Act(Arc::new(Act {
            deed: Deed { text, time, ..Deed::to(verb, whom) },
            by: By::Keeper(Author::owner(Name::stored("alice"))),
            reach: Reach::Room(RoomName::parse("tea").unwrap()),
            at: WallTime(8),
        }))
    }

    fn code(hash: u8, until: i64) -> Record {
        let name = Name::stored("bob");
        let code = ReturnCode {
            looks: Looks::of(&name),
            claim: Claim::from(name),
            room: RoomName::lobby(),
            seq: 3,
            validity: Validity::Until(WallTime(until)),
        };
        Record::Code(Hashed([hash; 32]), Arc::new(code))
    }

    fn kept(number: u64) -> Record {
        Record::Kept(Arc::new(KeptMessage {
            number,
            at: WallTime(9),
            owner: Name::stored("alice"),
            from: Name::stored("bob"),
            spoken: Spoken::new(Manner::Plain, Line::sanitise(b"hi")),
            writer: Hashed([4; 32]),
            rank: Rank::Stranger,
        }))
    }

    fn marker(owner: &str, conversation: &str, at: Option<i64>) -> Record {
        Record::Marker {
            owner: Name::stored(owner),
            key: conversation.into(),
            at: at.map(WallTime),
        }
    }

    fn visit(owner: &str) -> Record {
        Record::OwnerVisit(Box::new(OwnerVisit {
            owner: Name::stored(owner),
            at: WallTime(9),
            network: Hashed([5; 32]),
            origin: Some(Hashed([6; 32])),
        }))
    }

    /// The place of a kind of record in the list of those that a test must have.
    fn kind(record: &Record) -> usize {
        match record {
            Record::Act(_) => 0,
            Record::Account(_) => 1,
            Record::NewPassword(_) => 2,
            Record::Released(_) => 3,
            Record::Code(..) => 4,
            Record::Readings(_) => 5,
            Record::CodesGone(_) => 6,
            Record::CodesExpired(_) => 7,
            Record::Kept(_) => 8,
            Record::KeptFrom { .. } => 9,
            Record::Delivered { .. } => 10,
            Record::Marker { .. } => 11,
            Record::MarkersGone(_) => 12,
            Record::OwnerVisit(_) => 13,
            Record::LinesDeleted { .. } => panic!("only one of several nodes stores it"),
        }
    }

    #[test]
    fn every_kind_of_record_is_undone() {
        let directory = tempfile::tempdir().unwrap();
        let store = new_store(directory.path());
        let before = [
            Record::Account(account("alice", "hash")),
            Record::Account(account("bob", "hash")),
            Record::Account(account("carol", "hash")),
            act(Verb::MakeRoom, "alice", ""),
            act(Verb::SetTopic, "alice", "green"),
            act(Verb::Ban, "dave", "spam"),
            act(Verb::Mute, "erin", ""),
            act(Verb::SetRoomPassword, "alice", "beer"),
            code(1, 10),
            code(2, 20),
            code(3, 20),
            kept(1),
            marker("alice", "#tea", Some(5)),
            marker("bob", "#tea", Some(5)),
            marker("carol", "#tea", Some(5)),
            visit("bob"),
            visit("carol"),
        ];
        before.iter().for_each(|record| records::put(&store.connection, record).unwrap());
        let changes = [
            act(Verb::SetTopic, "alice", "black"),
            act(Verb::LockTopic, "alice", ""),
            act(Verb::Ban, "frank", ""),
            act(Verb::Unban, "dave", ""),
            act(Verb::Mute, "frank", ""),
            act(Verb::Unmute, "erin", ""),
            act(Verb::AddKeeper, "bob", ""),
            act(Verb::RemoveKeeper, "alice", ""),
            act(Verb::InvitedOnly, "alice", ""),
            act(Verb::RemoveRoomPassword, "alice", ""),
            Record::Account(account("grace", "hash")),
            Record::NewPassword(account("bob", "new")),
            Record::Released(Name::stored("carol")),
            code(1, 30),
            code(4, 30),
            Record::Readings(Arc::new([(Hashed([2; 32]), 9)])),
            Record::CodesGone(Arc::new([Hashed([2; 32])])),
            Record::CodesExpired(WallTime(25)),
            kept(2),
            Record::KeptFrom { number: 2, network: Hashed([7; 32]) },
            Record::Delivered { owner: Name::stored("alice"), last: 1 },
            marker("alice", "#tea", Some(6)),
            marker("alice", "#den", Some(6)),
            marker("alice", "#tea", None),
            Record::MarkersGone(Name::stored("bob")),
            visit("alice"),
        ];
        assert!((0..14).all(|wanted| changes.iter().any(|change| kind(change) == wanted)));
        for change in &changes {
            let stored = contents(&store);
            forget(&store.connection).unwrap();
            records::put(&store.connection, change).unwrap();
            let undo = mark(&store.connection).unwrap();
            assert_ne!(contents(&store), stored, "nothing to undo: {change:?}");
            undo.run(&store.connection).unwrap();
            assert_eq!(contents(&store), stored, "{change:?}");
            records::put(&store.connection, change).unwrap();
        }
    }
}
