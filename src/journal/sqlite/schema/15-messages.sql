-- Version 15: the latest messages of the order of several nodes, as they came, in case the order
-- loses them. The keys `messages_after` and `messages_bytes` in `meta` are the position behind which
-- all of them are here, and the sum of their bytes.

CREATE TABLE messages (
    position INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
