//! People who come back with a return code, on another connection.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use parlor_core::broadcaster::RETURN_TIME;
use server::{Server, come_back, granted, join};

#[test]
fn a_seat_is_given_up_in_time_even_if_the_person_comes_back_once_more() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    let code = server.code(&mut alice.link, alice.seat.room());
    let mut again = server.connect();
    let (first, _) = granted(server.ask(&mut again, come_back(code)));
    let mut once_more = server.connect();
    let (second, _) = granted(server.ask(&mut once_more, come_back(code)));
    drop((alice, tea, first, again));
    server.wait(RETURN_TIME);
    assert_eq!(server.census().rooms, 1, "tea is empty");
    drop((second, once_more));
    server.assert_empty();
}
