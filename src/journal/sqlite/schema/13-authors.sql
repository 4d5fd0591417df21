-- Version 13: the account of the person who did an act, whatever name that person wore. In older rows
-- the name is taken for the account. The index finds the acts of one account, or of one room.

ALTER TABLE bans ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE mutes ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN account TEXT NOT NULL DEFAULT '';
UPDATE bans SET account = keeper;
UPDATE mutes SET account = keeper;
UPDATE audit SET account = keeper;
DROP INDEX audit_of;
CREATE INDEX audit_of ON audit (account, room, id);
