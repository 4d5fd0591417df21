//! The tables of the file, version by version. Knows no row.

/// The version of the tables. A file with a higher version was written by a newer Parlor.
pub(crate) const SCHEMA: i32 = 8;

/// The steps from each version to the next, beginning with a file without tables.
pub(crate) const MIGRATIONS: [&str; SCHEMA as usize] =
    [LINES, PEOPLE, TAKINGS, TOKENS, PLACES, EPOCHS, RULES, WRITERS];

/// Version 1: lines.
const LINES: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('identity', lower(hex(randomblob(8))));
    CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE lines (
        room INTEGER NOT NULL REFERENCES rooms,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        manner INTEGER NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL,
        sum INTEGER NOT NULL,
        PRIMARY KEY (room, seq)
    ) STRICT, WITHOUT ROWID;
";

/// Version 2: accounts, and the data that are stored for their owners: `letters` are kept messages.
const PEOPLE: &str = "
    CREATE TABLE accounts (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        fold TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        since INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE letters (
        id INTEGER PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES accounts,
        at INTEGER NOT NULL,
        sender TEXT NOT NULL,
        text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX letters_of ON letters (account);
    CREATE TABLE codes (
        hash BLOB PRIMARY KEY,
        name TEXT NOT NULL,
        owner INTEGER NOT NULL,
        room TEXT NOT NULL,
        seq INTEGER NOT NULL,
        until INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE keepers (
        room TEXT NOT NULL,
        account INTEGER NOT NULL REFERENCES accounts,
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE bans (
        id INTEGER PRIMARY KEY,
        room TEXT NOT NULL,
        whom TEXT NOT NULL,
        at INTEGER NOT NULL,
        until INTEGER,
        keeper TEXT NOT NULL,
        reason TEXT NOT NULL,
        UNIQUE (room, whom)
    ) STRICT;
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        keeper TEXT NOT NULL,
        room TEXT NOT NULL,
        deed TEXT NOT NULL,
        whom TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
";

/// Version 3: deletions that owners ask for, until they are complete: the rooms, and the last
/// number in each. Deleted messages and codes are noted under `remains`, like deleted lines, until
/// the file is scrubbed.
const TAKINGS: &str = "
    CREATE TABLE takings (
        id INTEGER NOT NULL,
        name TEXT NOT NULL,
        since INTEGER NOT NULL,
        room TEXT NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (id, room)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER letters_leave_remains AFTER DELETE ON letters BEGIN
        INSERT INTO meta VALUES ('remains', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1;
    END;
    CREATE TRIGGER codes_leave_remains AFTER DELETE ON codes BEGIN
        INSERT INTO meta VALUES ('remains', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1;
    END;
";

/// Version 4: the tokens of scripts, hashed.
const TOKENS: &str = "ALTER TABLE accounts ADD COLUMN token BLOB";

/// Version 5: the times and the networks (hashed) of owners' visits, so that people who guess
/// passwords do not lock them out; and the networks of messages and codes, so that nobody uses up
/// the share of others. `codes.origin` is not used.
const PLACES: &str = "
    ALTER TABLE accounts ADD COLUMN seen INTEGER;
    ALTER TABLE accounts ADD COLUMN origin BLOB;
    CREATE TABLE places (
        account INTEGER NOT NULL REFERENCES accounts,
        place BLOB NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (account, place)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE letters ADD COLUMN origin BLOB;
    ALTER TABLE letters ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE codes ADD COLUMN origin BLOB;
";

/// Version 6: the names of the log after each start, and the last number of each room at the end of
/// each. Rooms without new lines are left out.
const EPOCHS: &str = "
    CREATE TABLE epochs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    INSERT INTO epochs (name) SELECT value FROM meta WHERE key = 'identity';
    CREATE TABLE ends (
        room INTEGER NOT NULL REFERENCES rooms,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (room, epoch)
    ) STRICT, WITHOUT ROWID;
";

/// Version 7: topics, mutes, and who made a room that has keepers: for old rooms, the keeper who
/// registered first. The index finds the acts of one keeper. A replaced topic is noted under
/// `remains`, like deleted lines.
const RULES: &str = "
    CREATE TABLE topics (
        room TEXT PRIMARY KEY,
        text TEXT NOT NULL,
        name TEXT NOT NULL,
        locked INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE mutes (
        id INTEGER PRIMARY KEY,
        room TEXT NOT NULL,
        name TEXT NOT NULL,
        at INTEGER NOT NULL,
        until INTEGER NOT NULL,
        keeper TEXT NOT NULL
    ) STRICT;
    CREATE TABLE makers (room TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts) STRICT, WITHOUT ROWID;
    INSERT INTO makers SELECT room, min(account) FROM keepers WHERE room <> '' GROUP BY room;
    CREATE INDEX audit_of ON audit (keeper, id);
    CREATE TRIGGER topics_leave_remains AFTER UPDATE OF text ON topics BEGIN
        INSERT INTO meta VALUES ('remains', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1;
    END;
    CREATE TRIGGER topics_gone_leave_remains AFTER DELETE ON topics BEGIN
        INSERT INTO meta VALUES ('remains', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1;
    END;
";

/// Version 8: the authors of kept messages, hashed, independent of the names they used.
const WRITERS: &str = "ALTER TABLE letters ADD COLUMN writer BLOB";
