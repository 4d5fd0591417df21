//! Sets the file of a node back to a snapshot from before, because the node was wrong about what has
//! happened: it is written again from there. Knows no order.

use parlor_core::journal::Snapshot;
use rusqlite::Connection;

use super::{append, snapshot};

/// Sets the file back to the ledger at an earlier position, in one transaction: everything behind it
/// was made by a wrong ledger. `is_whole` says that this is the earliest ledger there is, so that
/// deletions that were noted since then are decided anew, too.
///
/// The raw messages stay: they are those of the order.
pub(crate) fn rewind(
    connection: &mut Connection,
    (position, is_whole): (u64, bool),
    ledger: &Snapshot,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    append::set_back(&transaction, ledger, is_whole)?;
    snapshot::set_back(&transaction, position, ledger)?;
    transaction.commit()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
mod tests {
    use std::sync::Arc;

    use parlor_core::journal::{Record, Snapshot};
    use parlor_core::ledger::Account;
    use parlor_core::log::{Batch, Cursor};
    use parlor_core::model::{
        Act, By, Deed, End, Entry, Line, Manner, Name, PersonId, Proof, RoomName, Said, Verb,
        WallTime, Who, Whom,
    };

    use super::rewind;
    use crate::config::Keep;
    use crate::journal::sqlite::sql::Sql;
    use crate::journal::sqlite::store::Store;
    use crate::journal::sqlite::{append, records, snapshot};

    fn account(name: &str, since: i64) -> Arc<Account> {
        let (name, since) = (Name::stored(name), WallTime(since));
        Arc::new(Account { name, since, password: "".into(), token: None, proof: Proof(1) })
    }

    fn ban(name: &str, at: i64) -> Act {
        let deed = Deed::to(Verb::Ban, Whom::Name(Name::stored(name)));
        Act::by(By::Operator, deed, WallTime(at))
    }

    fn say(store: &Store, room: &str, texts: &[&str]) {
        let said = texts.iter().zip(1..).map(|(text, seq)| {
            Entry::Said(Said {
                seq,
                at: WallTime(10),
                who: Who::new(PersonId::BYGONE, Name::stored("alice")).into(),
                manner: Manner::Plain,
                extras: None,
                text: Line::sanitise(text.as_bytes()),
            })
        });
        let room = RoomName::parse(room).unwrap();
        let batch = Batch::new(room, Cursor::default(), WallTime(10), said.collect());
        append::put_behind(&store.connection, &[Arc::new(batch)], &[]).unwrap();
    }

    #[test]
    fn a_file_that_is_set_back_has_what_the_ledger_says_and_nothing_behind_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlor.db");
        std::fs::File::create(&path).unwrap();
        let mut store = Store::open(&path, Keep::Written).unwrap();
        assert_eq!(store.join("log").unwrap(), 1);
        say(&store, "lobby", &["right", "right, too", "wrong"]);
        say(&store, "den", &["wrong"]);
        for record in [
            Record::Account(account("alice", 1)),
            Record::Account(account("bob", 9)),
            Record::Act(ban("mallory", 5).into()),
            Record::Act(ban("carol", 9).into()),
        ] {
            records::put(&store.connection, &record).unwrap();
        }
        snapshot::put(&mut store.connection, 90, &Snapshot::default(), |_| Ok(())).unwrap();

        let lobby = RoomName::lobby();
        let ledger = Snapshot {
            ends: [(lobby, End { seq: 2, at: WallTime(10) })].into(),
            accounts: vec![account("alice", 1), account("bob", 3)],
            bans: vec![ban("mallory", 5)],
            at: WallTime(7),
            ..Snapshot::default()
        };
        let before = store.dated_back().unwrap();
        rewind(&mut store.connection, (40, false), &ledger).unwrap();
        let texts: Vec<String> =
            store.connection.all("SELECT text FROM lines", [], |row| row.get(0)).unwrap();
        assert_eq!(texts, ["right", "right, too"]);
        let past = records::past(&store.connection, WallTime(0)).unwrap();
        let since: Vec<_> = past.accounts.iter().map(|account| account.since.0).collect();
        assert_eq!((since, past.bans), (vec![1, 3], ledger.bans.clone()));
        let audit = "SELECT count(*) FROM audit";
        let rows = store.connection.query_row(audit, [], |row| row.get(0));
        assert_eq!(rows, Ok(1), "the ban of mallory");
        assert_eq!(snapshot::stored_position(&store.connection), Ok(40));
        let stored = snapshot::stored_snapshot(&store.connection).unwrap();
        assert_eq!(stored.map(|(position, _)| position), Some(40));
        assert!(store.dated_back().unwrap() > before, "the search index is made anew");
    }
}
