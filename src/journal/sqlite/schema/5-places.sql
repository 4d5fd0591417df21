-- Version 5: the times and the networks (hashed) of owners' visits, so that people who guess
-- passwords do not lock them out; and the networks of messages and codes, so that nobody uses up
-- the share of others. `codes.origin` is not used.

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
