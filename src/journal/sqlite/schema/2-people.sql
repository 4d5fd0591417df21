-- Version 2: accounts, and the data that are stored for their owners: `letters` are kept messages.

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
