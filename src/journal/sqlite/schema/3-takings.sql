-- Version 3: deletions that owners ask for, until they are complete: the rooms, and the last
-- number in each. Deleted messages and codes are noted under `remains`, like deleted lines, until
-- the file is scrubbed.

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
