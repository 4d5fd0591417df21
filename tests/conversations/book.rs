//! The programs of the book, `examples/chat` and `examples/netcat3`, with each other and with
//! Parlor.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::{Chat, DEADLINE, Guest, Netcat3, TestServer};

/// A guest and netcat3 talk. The end of netcat3's input ends the conversation after all lines are
/// posted and shown.
fn conversation(address: SocketAddr) {
    let mut guest = Guest::connect(address);
    let guest_address = guest.address();
    guest.sees(&format!("You are {guest_address}"));
    let mut netcat = Netcat3::connect(address);
    let greeting = netcat.line();
    let netcat_address = greeting.strip_prefix("You are ").expect("a greeting");
    guest.sees(&format!("{netcat_address} has arrived"));
    netcat.types("Hi!\n");
    let hi = format!("{netcat_address}: Hi!");
    netcat.sees(&hi);
    guest.sees(&hi);
    guest.say("Hi yourself.");
    let answer = format!("{guest_address}: Hi yourself.");
    guest.sees(&answer);
    netcat.sees(&answer);
    netcat.types("Bye");
    netcat.ends_input();
    let bye = format!("{netcat_address}: Bye");
    guest.sees(&bye);
    guest.sees(&format!("{netcat_address} has left"));
    netcat.sees(&bye);
    netcat.ends_well();
}

#[test]
fn netcat3_talks_at_the_books_chat() {
    conversation(Chat::start().address);
}

#[test]
fn netcat3_talks_at_a_classic_listener() {
    conversation(TestServer::classic().addresses()[0]);
}

#[test]
fn netcat3_gives_a_name_and_talks_in_named_mode() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut netcat = Netcat3::connect(server.addresses()[0]);
    netcat.types("bob\nHi!\n");
    netcat.ends_input();
    alice.sees_all(["bob has arrived", "bob: Hi!", "bob has left"]);
    while netcat.line() != "bob: Hi!" {}
    netcat.ends_well();
}

/// The weakness of the original, which `examples/chat` has too.
#[test]
fn one_client_that_does_not_read_blocks_everybody_at_the_books_chat() {
    const LINE_BYTES: usize = 32 * 1024;
    /// More bytes than the sockets to a client hold.
    const LINES_MAX: usize = 2_000;
    /// After this long without its own line, a client assumes that the server is blocked. On a slow
    /// machine this may be wrong; then the test checks less, but does not fail.
    const PATIENCE: Duration = Duration::from_secs(1);

    let chat = Chat::start();
    let stream = TcpStream::connect(chat.address).unwrap();
    let who = stream.local_addr().unwrap();
    let mut speaker = BufReader::new(stream);
    let heard = |speaker: &mut BufReader<TcpStream>, time, line: &mut Vec<u8>| {
        speaker.get_ref().set_read_timeout(Some(time)).unwrap();
        speaker.read_until(b'\n', line)
    };
    let mut line = Vec::new();
    heard(&mut speaker, DEADLINE, &mut line).unwrap(); // You are ..
    let stuck = Guest::connect_narrow(chat.address);
    heard(&mut speaker, DEADLINE, &mut line).unwrap(); // .. has arrived
    let text = "x".repeat(LINE_BYTES) + "\n";
    let stopped = (0..LINES_MAX).find_map(|_| {
        line.clear();
        speaker.get_mut().write_all(text.as_bytes()).unwrap();
        heard(&mut speaker, PATIENCE, &mut line).err()
    });
    let stopped = stopped.expect("a socket takes only so much");
    assert_eq!(stopped.kind(), ErrorKind::WouldBlock);
    drop(stuck);
    heard(&mut speaker, DEADLINE, &mut line).unwrap();
    assert!(line == format!("{who}: {text}").into_bytes());
}
