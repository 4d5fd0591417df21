//! Undoes the records of a commit that was refused and may be stored nevertheless. Knows no record:
//! triggers note each change of a row as the statement that reverses it.
//!
//! A commit with records has a mark in the file. So its changes are undone only in a file that has
//! them, and once.

use rusqlite::Connection;

use super::sql::Sql;

/// The tables that records change.
const TABLES: [&str; 11] = [
    "accounts",
    "audit",
    "bans",
    "codes",
    "keepers",
    "letters",
    "makers",
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

/// The triggers of a table with these columns, and whether each belongs to the primary key.
fn triggers(table: &str, columns: &[(String, bool)]) -> String {
    let set = |row: &str, column: &str| format!("'{column} = ' || quote({row}.{column})");
    let list = |parts: Vec<String>, between: &str| parts.join(&format!(" || '{between}' || "));
    let old = columns.iter().map(|(column, _)| set("OLD", column)).collect();
    let values = columns.iter().map(|(column, _)| format!("quote(OLD.{column})")).collect();
    let keys = columns.iter().filter(|(_, is_key)| *is_key);
    let key = list(keys.map(|(column, _)| set("NEW", column)).collect(), " AND ");
    let names: Vec<_> = columns.iter().map(|(column, _)| &**column).collect();
    let (old, values, names) = (list(old, ", "), list(values, ", "), names.join(", "));
    let trigger = |event: &str, reverse: String| {
        format!(
            "CREATE TEMP TRIGGER undo_{event}_{table} AFTER {event} ON main.{table} BEGIN
             INSERT INTO undo (sql) VALUES ({reverse} || ';'); END;\n"
        )
    };
    trigger("INSERT", format!("'DELETE FROM {table} WHERE ' || {key}"))
        + &trigger("UPDATE", format!("'UPDATE {table} SET ' || {old} || ' WHERE ' || {key}"))
        + &trigger(
            "DELETE",
            format!("'INSERT OR REPLACE INTO {table} ({names}) VALUES (' || {values} || ')'"),
        )
}

/// Forgets earlier notes: a commit with records begins.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<()> {
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
    use super::*;
    use crate::config::Keep;
    use crate::journal::sqlite::store::Store;

    /// All rows of the tables, as text.
    fn contents(store: &Store) -> String {
        let mut contents = String::new();
        for table in TABLES {
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
        let path = directory.path().join("parlor.db");
        std::fs::File::create(&path).unwrap();
        let mut store = Store::open(&path, Keep::Written).unwrap();
        let before = "INSERT INTO accounts (name, fold, password, since, token)
                          VALUES ('it''s', 'its', 'hash', 7, X'00ff'), ('bob', 'bob', 'hash', 8, NULL);
                      INSERT INTO codes (hash, name, owner, room, seq, until)
                          VALUES (X'01', 'bob', 0, 'tea', 3, NULL);
                      INSERT INTO keepers VALUES ('tea', 1);
                      INSERT INTO topics VALUES ('tea', 'green', 'bob', 1)";
        let change = "UPDATE accounts SET password = 'new
                          line', token = NULL;
                      UPDATE accounts SET password = 'newer' WHERE id = 2;
                      DELETE FROM codes;
                      INSERT INTO codes (hash, name, owner, room, seq, until)
                          VALUES (X'01', 'bob', 1, 'den', 9, 10), (X'02', 'it''s', 1, 'den', 9, 10);
                      DELETE FROM keepers;
                      INSERT INTO letters (account, at, sender, text) VALUES (2, 3, 'alice', 'hi');
                      DELETE FROM accounts WHERE id = 1;
                      INSERT INTO topics VALUES ('tea', 'black', '', 0)
                          ON CONFLICT (room) DO UPDATE SET text = excluded.text";
        store.connection.execute_batch(before).unwrap();
        let stored = contents(&store);
        begin(&store.connection).unwrap();
        store.connection.execute_batch(change).unwrap();
        let undo = mark(&store.connection).unwrap();
        let changed = contents(&store);
        assert_ne!(changed, stored);
        let undo = Undo::parse(undo.line().trim_end()).unwrap();
        let other = Undo { mark: "0123456789abcdef".to_owned(), ..undo.clone() };
        other.run(&store.connection).unwrap();
        assert_eq!(contents(&store), changed, "another commit was refused");
        store = Store::open(&path, Keep::Written).unwrap();
        undo.run(&store.connection).unwrap();
        assert_eq!(contents(&store), stored);
        store.connection.execute_batch(change).unwrap();
        undo.run(&store.connection).unwrap();
        assert_eq!(contents(&store), changed, "it was undone before");
    }
}
