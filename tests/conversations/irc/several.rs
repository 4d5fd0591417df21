//! Commands about several rooms, people or modes at once, and the filters of LIST.

use crate::support::{Chatter, TestServer};

use super::{DOORS, asks, enter, in_lobby, netcat};

/// A server that lets a client ask as fast as it likes.
fn server() -> TestServer {
    TestServer::open(&DOORS, |config| config.rate = parlor::config::RateLimit::Off)
}

/// Alice, who keeps tea and milk, and bob with netcat in the lobby with her.
#[track_caller]
fn keeper_of_two(server: &TestServer) -> (Chatter, crate::support::Guest) {
    let mut bob = netcat(server, "bob");
    let mut alice = in_lobby(server, "alice");
    bob.sees("alice has arrived");
    for room in ["#tea", "#milk"] {
        alice.joins(room);
    }
    alice.until_pong();
    (alice, bob)
}

#[test]
fn a_list_has_the_rooms_that_fit_its_filter() {
    let server = server();
    let (mut alice, _bob) = keeper_of_two(&server);
    for (filter, rooms) in [
        ("", &["#lobby", "#milk", "#tea"][..]),
        ("#lobby,#tea", &["#lobby", "#tea"]),
        ("#nowhere", &[]),
        (">0", &["#lobby", "#milk", "#tea"]),
        (">1", &["#lobby"]),
        ("<2", &["#milk", "#tea"]),
        ("<1", &[]),
        ("*e*", &["#tea"]),
        ("#??lk", &["#milk"]),
        ("!*e*", &["#lobby", "#milk"]),
        ("<2,*e*", &["#tea"]),
    ] {
        alice.say(&format!("LIST {filter}"));
        let seen = alice.until(":irc.example 323 alice :{}");
        let listed = seen.iter().filter(|message| message.command() == "322");
        let mut listed: Vec<&str> = listed.map(|message| message.parameters()[1]).collect();
        listed.sort_unstable();
        assert_eq!(listed, rooms, "{filter:?}");
    }
}

#[test]
fn the_first_of_several_targets_of_whois_is_answered_and_names_takes_one_room() {
    let server = server();
    let (mut alice, _bob) = keeper_of_two(&server);
    for asked in ["WHOIS irc.example bob", "WHOIS bob bob", "WHOIS carol bob", "WHOIS * bob"] {
        alice.say(asked);
        alice.sees(":irc.example 311 alice bob {} nc * :bob");
        alice.until(":irc.example 318 alice bob :{}");
        alice.sees_nothing();
    }
    alice.say("WHOIS bob,alice");
    let seen = alice.until(":irc.example 318 alice bob :{}");
    assert!(seen.iter().any(|line| line.line.contains(" 407 alice alice :")), "{seen:?}");
    alice.say("WHOIS elsewhere.example bob");
    alice.sees(":irc.example 402 alice elsewhere.example :{}");
    alice.say("NAMES #lobby,#tea");
    let names = alice.sees(":irc.example 353 alice = #lobby :{}");
    assert!(names.line.contains("bob"), "{names:?}");
    alice.sees(":irc.example 366 alice #lobby :{}");
    alice.sees(":irc.example 407 alice #tea :{}");
    alice.sees_nothing();
}

#[test]
fn each_of_several_targets_of_who_is_answered() {
    let server = server();
    let (mut alice, _bob) = keeper_of_two(&server);
    for (asked, expected) in [
        ("bob,alice", &["* alice", "* bob"][..]),
        ("#tea,#lobby", &["#lobby alice", "#lobby bob", "#tea alice"]),
        ("#tea,bob", &["#tea alice", "* bob"]),
    ] {
        alice.say(&format!("WHO {asked} %cn"));
        let seen = alice.until(&format!(":irc.example 315 alice {asked} :{{}}"));
        let listed = seen.iter().filter(|message| message.command() == "354");
        let mut listed: Vec<String> = listed.map(|line| line.parameters()[1..].join(" ")).collect();
        listed.sort_unstable();
        let mut expected: Vec<String> = expected.iter().map(|&line| line.to_owned()).collect();
        expected.sort_unstable();
        assert_eq!(listed, expected, "{asked}");
    }
}

#[test]
fn ison_and_userhost_tell_who_of_several_is_here() {
    let server = server();
    let (mut alice, _bob) = keeper_of_two(&server);
    asks(
        &mut alice,
        &[
            ("ISON bob zed alice", ":irc.example 303 alice :bob alice"),
            ("ISON :zed bob", ":irc.example 303 alice :bob"),
            ("ISON BOB", ":irc.example 303 alice :bob"),
            ("ISON zed", ":irc.example 303 alice :"),
            ("USERHOST zed bob", ":irc.example 302 alice :bob=+bob@nc"),
            ("USERHOST bob alice", ":irc.example 302 alice :bob=+bob@nc alice=+alice@irc"),
            ("USERHOST zed", ":irc.example 302 alice :"),
            ("USERHOST a b c d e f g h i bob", ":irc.example 302 alice :bob=+bob@nc"),
            ("USERHOST a b c d e f g h i j bob", ":irc.example 302 alice :"),
        ],
    );
}

#[test]
fn several_modes_are_changed_one_after_the_other() {
    let server = server();
    let (mut alice, _bob) = keeper_of_two(&server);
    alice.say("MODE #tea +tb-t dave");
    alice.sees_all([
        ":alice!alice@irc MODE #tea +t",
        ":alice!alice@irc MODE #tea +b dave!*@*",
        ":alice!alice@irc MODE #tea -t",
    ]);
    alice.say("MODE #tea -b+b dave dora!*@*");
    alice.sees_all([
        ":alice!alice@irc MODE #tea -b dave!*@*",
        ":alice!alice@irc MODE #tea +b dora!*@*",
    ]);
    alice.say("MODE #tea +b dora"); // is banned already
    alice.until_pong();
    alice.say("MODE #tea -b erin"); // was never banned
    alice.sees_nothing();
    alice.say("MODE #tea b");
    alice.sees(":irc.example 367 alice #tea dora!*@* alice {}");
    alice.sees(":irc.example 368 alice #tea :{}");
}

#[test]
fn ten_modes_are_changed_at_once_and_no_more() {
    let server = server();
    let (mut alice, _bob) = keeper_of_two(&server);
    alice.say("MODE #tea +bbbbbbbbbbb a b c d e f g h i j k");
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        alice.sees(&format!(":alice!alice@irc MODE #tea +b {name}!*@*"));
    }
    alice.sees_nothing();
}

#[test]
fn the_modes_of_a_room_are_shown() {
    let server = server();
    let (mut alice, _bob) = keeper_of_two(&server);
    alice.say("MODE #tea");
    let modes = alice.sees(":irc.example 324 alice #tea +{}");
    assert!(modes.line.contains('n') && !modes.parameters()[2].contains('t'), "{modes:?}");
    let made = alice.sees(":irc.example 329 alice #tea {}");
    assert!(made.parameters()[2].parse::<u64>().is_ok(), "{made:?}");
    alice.until_pong();
    alice.say("MODE #tea +t");
    alice.sees(":alice!alice@irc MODE #tea +t");
    alice.say("MODE #TEA");
    let modes = alice.sees(":irc.example 324 alice {} +{}");
    assert!(modes.parameters()[2].contains('t'), "{modes:?}");
    alice.until_pong();
}

#[test]
fn several_people_are_removed_with_one_command() {
    let server = server();
    let (mut alice, mut bob) = keeper_of_two(&server);
    let mut carol = enter(&server, "carol");
    let mut dora = enter(&server, "dora");
    carol.joins("#tea");
    dora.joins("#tea");
    alice.until_pong();
    carol.until_pong();
    alice.say("KICK #tea carol,zed,bob,dora :enough");
    alice.sees(":alice!alice@irc KICK #tea carol :enough");
    let mut rest: Vec<String> =
        alice.until_pong().into_iter().map(|message| message.line).collect();
    rest.sort();
    assert!(rest.iter().any(|line| line.ends_with("KICK #tea dora :enough")), "{rest:?}");
    assert!(rest.iter().any(|line| line.starts_with(":irc.example 401 alice zed ")), "{rest:?}");
    assert!(
        rest.iter().any(|line| line.starts_with(":irc.example 441 alice bob #tea ")),
        "{rest:?}"
    );
    carol.sees(":alice!alice@irc KICK #tea carol :enough");
    dora.until(":alice!alice@irc KICK #tea dora :enough");
    bob.say("I was never there");
    bob.sees("bob: I was never there");
}

#[test]
fn a_removal_without_a_reason_has_one_all_the_same() {
    let server = server();
    let (mut alice, _bob) = keeper_of_two(&server);
    let mut carol = enter(&server, "carol");
    carol.joins("#tea");
    alice.sees(":carol!carol@irc JOIN #tea");
    alice.say("KICK #tea carol");
    // Clients take the name of the author for the reason then.
    carol.sees(":alice!alice@irc KICK #tea carol :alice");
    alice.sees(":alice!alice@irc KICK #tea carol :alice");
    carol.say("PRIVMSG #tea :hello?");
    carol.sees(":irc.example 404 carol #tea :{}");
}

#[test]
fn rooms_are_left_one_after_the_other_with_the_same_words() {
    let server = server();
    let (mut alice, mut bob) = keeper_of_two(&server);
    alice.say("PART #tea,#nowhere,#lobby :good night");
    let mut seen: Vec<String> =
        alice.until_pong().into_iter().map(|message| message.line).collect();
    seen.sort();
    let [tea_or_lobby, other, refused] = seen.as_slice() else { alice.fail("three were to come") };
    assert_eq!(tea_or_lobby, ":alice!alice@irc PART #lobby :good night");
    assert_eq!(other, ":alice!alice@irc PART #tea :good night");
    assert!(refused.starts_with(":irc.example 403 alice #nowhere :"), "{refused}");
    bob.sees("alice has left (good night)");
}

#[test]
fn a_key_for_a_room_without_one_is_no_mistake() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.say("JOIN #tea,#milk key,other");
    for room in ["#tea", "#milk"] {
        alice.sees(&format!(":alice!alice@irc JOIN {room}"));
        alice.until(&format!(":irc.example 366 alice {room} :{{}}"));
    }
    alice.sees_nothing();
}

#[test]
fn many_names_of_a_room_come_in_several_lines() {
    let server = server();
    let mut crowd: Vec<_> = (0..60).map(|_| server.guest_at(1)).collect();
    for (n, guest) in crowd.iter_mut().enumerate() {
        guest.sees_question();
        guest.say(&format!("guest-with-a-long-name-{n:02}"));
        guest.sees(&format!("You are guest-with-a-long-name-{n:02}"));
    }
    let mut alice = enter(&server, "alice");
    let seen = alice.joins("#lobby");
    let lines: Vec<_> = seen.iter().filter(|message| message.command() == "353").collect();
    assert!(lines.len() > 2, "{}", lines.len());
    let mut names: Vec<&str> =
        lines.iter().flat_map(|line| line.parameters()[3].split(' ')).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 61);
}
