//! Answers of the server as numerics and notices.

mod account;
mod answer;
mod list;
mod marker;
mod monitor;
mod names;
mod notice;
mod own_modes;
mod people;
mod refusal;
mod room_modes;
mod totals;
mod whox;

pub(crate) use answer::{Asker, put_answer, put_beginning, put_ending, put_topic};
pub(crate) use marker::put_marker;
pub(crate) use names::{listed_name, put_end_of_names, put_names};
pub(crate) use notice::put_notice;
