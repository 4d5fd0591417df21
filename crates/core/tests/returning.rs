//! People who come back with a return code, on another connection.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use parlor_core::broadcaster::RETURN_TIME;
use parlor_core::link::{Change, CodeChange};
use parlor_core::model::WallTime;
use server::{Server, come_back, granted, join, post, rename};

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

#[test]
fn a_person_comes_back_under_the_name_of_the_lost_connection() {
    for has_ended in [false, true] {
        let mut server = Server::new();
        let bob = server.enter("bob");
        let mut alice = server.enter("alice");
        let code = server.code(&mut alice.link, alice.seat.room());
        server.ask(&mut alice.link, rename("alicia"));
        if has_ended {
            let (whose, until) = (alice.link.client().id(), WallTime(1_000));
            let end = Change::Code(CodeChange::End { code, whose, seq: None, until });
            server.ask(&mut alice.link, end);
            drop(alice);
        }
        let _other = server.enter("alice");
        let mut again = server.connect();
        let (seat, entered) = granted(server.ask(&mut again, come_back(code)));
        assert_eq!(entered.who.name.as_str(), "alicia");
        server.ask(&mut again, post(seat.room(), &["back"]));
        let last = bob.read().pop().and_then(|entry| entry.who().map(|who| who.name.to_string()));
        assert_eq!(last.as_deref(), Some("alicia"));
    }
}
