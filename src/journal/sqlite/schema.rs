//! The tables of the file, version by version, as the files in schema/ have them. Knows no row.

/// The steps from each version to the next, beginning with a file without tables. A step never
/// changes after its release, because existing files have gone through it.
pub(super) const MIGRATIONS: [&str; 15] = [
    include_str!("schema/1-lines.sql"),
    include_str!("schema/2-people.sql"),
    include_str!("schema/3-takings.sql"),
    include_str!("schema/4-tokens.sql"),
    include_str!("schema/5-places.sql"),
    include_str!("schema/6-epochs.sql"),
    include_str!("schema/7-rules.sql"),
    include_str!("schema/8-writers.sql"),
    include_str!("schema/9-keys.sql"),
    include_str!("schema/10-accounts.sql"),
    include_str!("schema/11-markers.sql"),
    include_str!("schema/12-room-rules.sql"),
    include_str!("schema/13-authors.sql"),
    include_str!("schema/14-snapshot.sql"),
    include_str!("schema/15-messages.sql"),
];

/// The first version whose lines have keys.
pub(super) const PACKED: i32 = 9;

/// The version of the tables. A file with a higher version was written by a newer Parlor.
pub(super) const SCHEMA: i32 = MIGRATIONS.len() as i32;
