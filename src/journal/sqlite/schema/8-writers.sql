-- Version 8: the authors of kept messages, hashed, independent of the names they used.

ALTER TABLE letters ADD COLUMN writer BLOB;
