//! The tables of the file, version by version. Knows what each was, and none of their rows.

/// The version of the tables. A file with a higher one was written by a later Parlor.
pub(crate) const SCHEMA: i32 = 8;

/// What makes tables of one version those of the next, beginning with a file that has none.
pub(crate) const MIGRATIONS: [&str; SCHEMA as usize] = [
    LINES, PEOPLE, TAKINGS, TOKENS, PLACES, EPOCHS, RULES, WRITERS,
];

/// Version 1: what was said.
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

/// Version 2: whose names are whose, and what is kept for people.
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

/// Version 3: what people take back, until it is gone: up to which number in which rooms. And what was read or is good no
/// longer leaves remains, as lines do that were taken out.
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

/// Version 4: what scripts speak with under the name of an account, hashed.
const TOKENS: &str = "ALTER TABLE accounts ADD COLUMN token BLOB";

/// Version 5: when and from where owners came in, hashed, so that others who guess there do not lock them out; and whose the
/// messages and codes are that are kept, so that nobody fills the room of others.
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

/// Version 6: what the log was called after each start, and how far each room had come at the end of that; rooms that had not
/// gone on are left out.
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

/// Version 7: what holds in rooms beside bans. Who made a room that has keepers: of old ones, the keeper who registered first. The index is for
/// taking out what one keeper has done most of. A topic that is replaced leaves remains, as lines do that are taken out.
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

/// Version 8: who wrote a message that is kept, hashed, whatever they were called.
const WRITERS: &str = "ALTER TABLE letters ADD COLUMN writer BLOB";
