-- Version 11: how far owners have read each conversation: `#tea` is a room, and another name is a
-- person.

CREATE TABLE markers (
    account INTEGER NOT NULL REFERENCES accounts,
    conversation TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, conversation)
) STRICT, WITHOUT ROWID;
