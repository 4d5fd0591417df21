//! The IRC door: people with IRC clients, beside people with netcat.

mod capabilities;
mod channels;
mod describing;
mod doors;
mod first_mail;
mod framing;
mod history;
mod invitations;
mod labels;
mod lines;
mod markers;
mod monitoring;
mod multiline;
mod negotiating;
mod pace;
mod people;
mod prices;
mod questions;
mod refusing;
mod registering;
mod services;
mod several;
mod slow;
mod tags;
mod texts;
mod user_modes;
mod welcome;
mod wrong_port;

use crate::support::{Chatter, Guest, TestServer};

/// The doors of most tests: people with IRC at the first, people with netcat at the second.
const DOORS: [&str; 2] = ["irc://127.0.0.1:0?server=irc.example", "tcp://127.0.0.1:0"];

/// A server with both doors.
fn server() -> TestServer {
    TestServer::open(&DOORS, |_| {})
}

/// A client that has connected and sent nothing.
#[track_caller]
fn stranger(server: &TestServer) -> Chatter {
    Chatter::connect(server.addresses()[0])
}

/// A client that has registered.
#[track_caller]
fn enter(server: &TestServer, nick: &str) -> Chatter {
    stranger(server).enter(nick)
}

/// A client that has registered and sits in the lobby.
#[track_caller]
fn in_lobby(server: &TestServer, nick: &str) -> Chatter {
    let mut client = enter(server, nick);
    client.joins("#lobby");
    client
}

/// A person with netcat in the lobby.
#[track_caller]
fn netcat(server: &TestServer, name: &str) -> Guest {
    server.guest_at(1).enter(name)
}

/// Says each line, and checks that it has this answer and no other.
#[track_caller]
fn asks(client: &mut Chatter, rows: &[(&str, &str)]) {
    for (line, answer) in rows {
        client.say(line);
        client.sees(answer);
        client.sees_nothing();
    }
}

/// Alice with IRC and bob with netcat in the lobby.
#[track_caller]
fn alice_and_bob(server: &TestServer) -> (Chatter, Guest) {
    let mut bob = netcat(server, "bob");
    let alice = in_lobby(server, "alice");
    bob.sees("alice has arrived");
    (alice, bob)
}
