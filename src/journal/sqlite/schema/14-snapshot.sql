-- Version 14: the file of a node has a snapshot of what all nodes know, in parts: `snapshot` in
-- `meta` has its position in their order and its checksum.

CREATE TABLE snapshot (part INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
