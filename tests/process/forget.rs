//! `/forget`: the owner of a name deletes all lines said under it, for everybody.

use rusqlite::Connection;

use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::owners::{PASSWORD, come_back, register};
use crate::server::Server;
use crate::web::curl;
use crate::{DEADLINE, search};

fn says(guest: &mut Guest, line: &str, echo: &str) {
    guest.say(line);
    guest.until(echo);
}

/// The lines up to the answer to a later question.
fn answers(guest: &mut Guest, line: &str) -> Vec<String> {
    guest.say(line);
    guest.say("/topic");
    let mut lines = guest.lines_until("the topic", |line| line.contains(" has no topic"));
    lines.pop();
    lines
}

/// Replayed lines, without their times.
fn untimed(lines: &[String]) -> Vec<&str> {
    let words = lines.iter().map(|line| line.split_once("] ").unwrap().1);
    words.collect()
}

#[test]
fn an_owner_deletes_all_own_lines_for_everybody() {
    let data = Data::new();
    let server = data.open(&["--replay", "0"]);
    let mut other = enter(&server, "alice"); // before the name is registered
    says(&mut other, "elderberry", "alice: elderberry");
    says(&mut other, "/name carol", "You are carol");
    let mut alice = enter(&server, "alice");
    let mut bob = enter(&server, "bob");
    says(&mut alice, "gooseberry one", "alice: gooseberry one");
    register(&mut alice, PASSWORD);
    for number in 2..=600 {
        let line = format!("gooseberry {number}");
        says(&mut alice, &line, &format!("alice: {line}"));
    }
    says(&mut bob, "bob's own", "bob: bob's own");
    says(&mut alice, "/me eats a gooseberry", "* alice eats a gooseberry");
    says(&mut alice, "/name al", "You are al");
    says(&mut alice, "under another name", "al: under another name");
    let mut again = come_back(&server, PASSWORD);
    says(&mut again, "/join tea", "In tea: nobody else");
    says(&mut again, "gooseberry tea", "alice: gooseberry tea");

    assert_eq!(
        answers(&mut bob, "/forget all").pop().unwrap(),
        "-- Only the owner of a registered name can do that; /register registers yours"
    );
    assert_eq!(
        answers(&mut again, "/forget"),
        [
            "-- /forget all deletes everything you said as alice, in all rooms and for everybody; this cannot be undone"
        ]
    );
    assert_eq!(
        answers(&mut again, "/forget bob"),
        ["-- Type /forget [all]: it deletes everything you ever said, for everybody"]
    );
    assert_eq!(search::answers(&mut bob, "gooseberry").len(), 21);
    let gone = "alice deleted everything alice said";
    again.say("/forget all");
    again.until(gone);
    assert_eq!(again.line(), "-- 602 lines that you said are deleted, for everybody");
    bob.until(gone);
    assert_eq!(data.traces("gooseberry"), 0);
    assert_eq!(data.numbers(), (1..=604).collect::<Vec<_>>());
    data.assert_undamaged();
    let left = ["alice: elderberry", "bob: bob's own", "al: under another name"];
    let is_gone = |guest: &mut Guest| {
        assert_eq!(untimed(&answers(guest, "/last 1000")), left);
        assert_eq!(untimed(&answers(guest, "/since 2020-01-01")), left);
        let nothing = "-- Nothing found for gooseberry";
        assert_eq!(search::answers(guest, "gooseberry"), [nothing]);
    };
    is_gone(&mut bob);
    says(&mut again, "still here", "alice: still here");
    assert_eq!(untimed(&answers(&mut again, "/last")), ["alice: still here"]);
    says(&mut again, "/forget all", "-- 1 line that you said is deleted, for everybody");
    let nothing = "-- There are no such lines here";
    assert_eq!(answers(&mut again, "/last 1"), [nothing]);
    says(&mut again, "/forget all", "-- 0 lines that you said are deleted, for everybody");
    server.close([alice, again, bob, other]);

    let server = data.open(&["--replay", "0"]);
    let mut dave = enter(&server, "dave");
    is_gone(&mut dave);
    server.close([dave]);
    data.assert_undamaged();
}

#[test]
fn a_deletion_is_completed_after_the_server_is_killed() {
    let data = Data::new();
    let mut server = data.open(&["--replay", "0"]);
    let mut alice = enter(&server, "alice");
    let mut bob = enter(&server, "bob");
    register(&mut alice, PASSWORD);
    says(&mut alice, "/join tea", "In tea: nobody else");
    says(&mut alice, "gooseberry tea", "alice: gooseberry tea");
    says(&mut alice, "/join lobby", "In lobby: bob");
    says(&mut alice, "gooseberry", "alice: gooseberry");
    assert_eq!(search::answers(&mut alice, "gooseberry").len(), 2);
    // Nothing is deleted while the index cannot be written.
    let index = Connection::open(data.index()).unwrap();
    index.busy_timeout(DEADLINE).unwrap();
    index.execute_batch("BEGIN IMMEDIATE").unwrap();
    alice.say("/forget all");
    bob.until("alice deleted everything alice said");
    let mut again = come_back(&server, PASSWORD);
    says(&mut again, "/join tea", "In tea: nobody else");
    says(&mut again, "elderberry", "alice: elderberry");
    server.kill();
    drop(index);
    assert_ne!(data.traces("gooseberry"), 0);

    let server = data.open(&["--replay", "0"]);
    let mut carol = enter(&server, "carol");
    data.until_gone("gooseberry", &mut carol);
    says(&mut carol, "/join tea", "In tea: nobody else");
    assert_eq!(untimed(&answers(&mut carol, "/last")), ["alice: elderberry"]);
    server.close([carol]);
    data.assert_undamaged();
}

#[test]
fn deleted_lines_are_not_replayed_to_a_newcomer() {
    let data = Data::new();
    let server = data.open(&["--replay", "3"]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    says(&mut alice, "one", "alice: one");
    let mut bob = enter(&server, "bob");
    assert!(bob.line().ends_with("] alice: one"));
    says(&mut bob, "two", "bob: two");
    says(&mut alice, "/forget all", "-- 1 line that you said is deleted, for everybody");
    bob.until("alice deleted everything alice said");
    let mut carol = enter(&server, "carol");
    assert!(carol.line().ends_with("] bob: two"));
    says(&mut carol, "three", "carol: three");
    server.close([alice, bob, carol]);
}

#[test]
fn forget_is_refused_where_no_lines_are_stored() {
    let server = Server::open(&[]);
    let mut alice = Guest::enter(server.address, "alice");
    alice.say("/forget all");
    alice.until("-- /forget needs lines stored on disk, and this server stores none");
    server.close([alice]);
}

#[test]
fn the_lines_and_the_token_of_a_registered_name_are_its_owners_under_another_name() {
    let data = Data::new();
    let server = data.open(&["--replay", "0", "--listen", "http://127.0.0.1:0"]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    says(&mut alice, "gooseberry", "alice: gooseberry");
    says(&mut alice, "/name al", "You are al");
    says(&mut alice, "elderberry", "al: elderberry");
    alice.say("/token");
    let told = alice.line();
    let token = told.strip_prefix("-- Your token is ").unwrap_or_else(|| panic!("{told}"));
    let token = token.split(':').next().unwrap();
    let mut bob = enter(&server, "bob");
    alice.until("bob has arrived");
    let user = format!("alice:{token}");
    let sent = curl(server.web(), &["-d", "from a script", "-u", &user], "/lobby");
    assert_eq!(sent.1, "200", "{sent:?}");
    for guest in [&mut alice, &mut bob] {
        guest.until("alice: from a script");
    }
    assert!(answers(&mut alice, "/forget").iter().all(|line| line.contains("alice")));
    alice.say("/forget all");
    bob.until("alice deleted everything alice said");
    alice.until("-- 2 lines that you said are deleted, for everybody");
    let left = answers(&mut bob, "/last 9");
    assert_eq!(untimed(&left), ["al: elderberry"]);
    server.close([alice, bob]);
}
