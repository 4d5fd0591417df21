//! The commands of registered clients: what each one becomes.

mod channels;
mod chathistory;
mod client_state;
mod command_inputs;
mod connection;
mod describing;
mod dispatch;
mod markread;
mod messages;
mod modes;
mod monitor;
mod multiline;
mod operators;
mod people;
mod run;
mod server_info;
mod services;

pub(crate) use client_state::ClientState;
pub(crate) use command_inputs::CommandInputs;
pub(crate) use dispatch::run;
pub(crate) use run::CommandRun;
pub(crate) use server_info::welcome;
