-- Version 12: the rules of rooms with a keeper for good: who may enter, speak, and read a room from
-- outside. An empty password and no largest number mean that there is no such rule.

CREATE TABLE room_rules (
    room TEXT PRIMARY KEY,
    invited INTEGER NOT NULL DEFAULT 0,
    moderated INTEGER NOT NULL DEFAULT 0,
    secret INTEGER NOT NULL DEFAULT 0,
    password TEXT NOT NULL DEFAULT '',
    people INTEGER
) STRICT;
