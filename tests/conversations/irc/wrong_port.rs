//! Clients of other protocols at the IRC door, and IRC clients at the line door.

use crate::support::TestServer;

use super::{enter, server, stranger};

#[test]
fn other_protocols_are_told_what_this_port_speaks() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.joins("#lobby");
    for hello in [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".as_slice(),
        b"POST / HTTP/1.1\r\n\r\nNICK mallory\r\nUSER m 0 * :M\r\nJOIN #lobby\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
    ] {
        let mut stranger = stranger(&server);
        stranger.send(hello);
        stranger.is_closed_with("ERROR :This port speaks IRC{}");
    }
    alice.sees_nothing();
}

#[test]
fn a_person_with_netcat_at_the_irc_door_reads_where_the_line_door_is() {
    let server = server();
    let port = server.addresses()[1].port();
    let mut bob = stranger(&server);
    for (typed, word) in [("bob", "BOB"), ("hello everybody", "HELLO"), ("/help", "/HELP")] {
        bob.say(typed);
        let words = format!("You have not registered; with netcat, use port {port}");
        bob.sees(&format!(":irc.example 451 * {word} :{words}"));
    }
}

#[test]
fn an_irc_client_at_the_web_door_reads_where_the_irc_door_is() {
    let doors = ["irc://127.0.0.1:0", "http://127.0.0.1:0"];
    let server = TestServer::open(&doors, |_| {});
    let port = server.addresses()[0].port();
    let mut client = server.guest_at(1);
    client.send("NICK zed\r\nUSER zed 0 * :Zed\r\n");
    let answer = client.rest();
    let words = format!("This port is for browsers and curl; with an IRC client, use port {port}");
    assert!(answer.contains(&words), "{answer}");
}

#[test]
fn an_irc_client_at_the_line_door_reads_where_the_irc_door_is() {
    let server = server();
    let port = server.addresses()[0].port();
    for hello in ["CAP LS 302\r\nNICK zed\r\n", "NICK zed\r\nUSER zed 0 * :Zed\r\n"] {
        let mut guest = server.guest_at(1);
        guest.sees_question();
        guest.send(hello);
        let answer = guest.rest();
        assert!(answer.contains("speaks lines of text"), "{answer}");
        assert!(answer.contains(&format!("IRC is at port {port}")), "{answer}");
    }
}
