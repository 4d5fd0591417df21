//! Moderation. A rule holds as soon as the act is decided, even while the journal works. Notices
//! and the answer follow when the act is stored, so nobody reads about an act that a crash undoes.

mod lists;
mod publishing;
