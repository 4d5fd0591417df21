-- Version 9: the room and the number of a line are one key, which SQLite finds and appends at less
-- cost than two columns: keys.rs has the same bits. A number that has no place in a key is damage,
-- and stops this step: text is no key.

ALTER TABLE lines RENAME TO pairs;
CREATE TABLE lines (
    key INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    manner INTEGER NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT;
INSERT INTO lines
    SELECT
        CASE WHEN room BETWEEN 0 AND 1073741823 AND seq BETWEEN 0 AND 8589934591
        THEN room << 33 | seq ELSE '' END,
        at, manner, name, text, sum
    FROM pairs ORDER BY room, seq;
DROP TABLE pairs;
