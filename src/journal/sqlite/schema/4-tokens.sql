-- Version 4: the tokens of scripts, hashed.

ALTER TABLE accounts ADD COLUMN token BLOB;
