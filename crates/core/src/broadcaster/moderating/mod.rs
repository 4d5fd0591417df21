//! What is done with authority. A rule holds as soon as the act is decided, whatever the journal does. What people read of
//! it, the answer included, comes when it is stored: nobody reads of what a crash undoes.

mod deciding;
mod lists;
mod makers;
mod publishing;
