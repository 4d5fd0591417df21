-- Version 7: topics, mutes, and who made a room that has keepers: for old rooms, the keeper who
-- registered first. The index finds the acts of one keeper. A replaced topic is noted under
-- `remains`, like deleted lines.

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
