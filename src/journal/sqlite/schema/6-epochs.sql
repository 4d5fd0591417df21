-- Version 6: the names of the log after each start, and the last number of each room at the end of
-- each. Rooms without new lines are left out.

CREATE TABLE epochs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO epochs (name) SELECT value FROM meta WHERE key = 'identity';
CREATE TABLE ends (
    room INTEGER NOT NULL REFERENCES rooms,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (room, epoch)
) STRICT, WITHOUT ROWID;
