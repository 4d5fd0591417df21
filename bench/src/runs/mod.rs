//! The scenarios, each in a file, and the code that they share. A scenario gets a `Bench`, and
//! adds its tables to it.

mod bench;
mod churn;
mod cores;
mod fanout;
mod figures;
mod grid;
mod idle;
mod intake;
mod nodes;
mod peers;
mod restart;
mod rooms;
mod slow;
mod storm;

pub(crate) use bench::Conditions;
pub(crate) use churn::run as churn;
pub(crate) use cores::run as cores;
pub(crate) use fanout::run as fanout;
pub(crate) use idle::run as idle;
pub(crate) use intake::run as intake;
pub(crate) use nodes::{NodesOptions, run as nodes};
pub(crate) use peers::{PeerOptions, run as peers};
pub(crate) use restart::run as restart;
pub(crate) use rooms::run as rooms;
pub(crate) use slow::run as slow;
pub(crate) use storm::run as storm;
