-- Version 10: a return code knows the account of a person who has another name than the account's.

ALTER TABLE codes ADD COLUMN account TEXT;
