//! Rooms as channels: JOIN, PART, KICK, NICK and QUIT, beside people with netcat.

use super::{enter, in_lobby, netcat, server, stranger};

#[test]
fn arrivals_and_departures_are_the_same_for_all() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = enter(&server, "alice");
    alice.say("JOIN #lobby");
    alice.sees_all([
        ":alice!alice@irc JOIN #lobby",
        ":irc.example 353 alice = #lobby :{}",
        ":irc.example 366 alice #lobby :{}",
    ]);
    bob.sees("alice has arrived");
    let mut carol = in_lobby(&server, "carol");
    alice.sees(":carol!carol@irc JOIN #lobby");
    bob.sees("carol has arrived");
    let mut dave = netcat(&server, "dave");
    alice.sees(":dave!{}@nc JOIN #lobby");
    carol.sees(":dave!{}@nc JOIN #lobby");
    bob.sees("dave has arrived");
    dave.say("/quit I am off");
    alice.sees(":dave!{}@nc QUIT :{}I am off");
    carol.sees(":dave!{}@nc QUIT :{}I am off");
    bob.sees("dave has left (I am off)");
    alice.say("PART #lobby :and I");
    alice.sees(":alice!alice@irc PART #lobby :and I");
    carol.sees(":alice!alice@irc PART #lobby :and I");
    bob.sees("alice has left (and I)");
    carol.say("QUIT :so do I");
    carol.is_closed_with("ERROR :{}");
    bob.sees("carol has left (so do I)");
    alice.sees_nothing();
}

#[test]
fn the_names_are_those_of_the_moment() {
    let server = server();
    let _bob = netcat(&server, "bob");
    let _carol = in_lobby(&server, "carol");
    let mut alice = enter(&server, "alice");
    let seen = alice.joins("#lobby");
    let names = seen.iter().find(|message| message.command() == "353").unwrap();
    let mut names: Vec<&str> = names.parameters()[3].split(' ').collect();
    names.sort_unstable();
    assert_eq!(names, ["alice", "bob", "carol"]);
}

#[test]
fn several_rooms_are_joined_and_left_at_once() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.say("JOIN #tea,#Coffee");
    for room in ["#tea", "#coffee"] {
        alice.sees(&format!(":alice!alice@irc JOIN {room}"));
        alice.until(&format!(":irc.example 366 alice {room} :{{}}"));
    }
    alice.say("JOIN #tea"); // is there already
    alice.sees_nothing();
    alice.say("PART #tea,#coffee :both");
    alice.sees_all([":alice!alice@irc PART #tea :both", ":alice!alice@irc PART #coffee :both"]);
}

#[test]
fn join_0_leaves_all_rooms() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    alice.joins("#tea");
    alice.say("JOIN 0");
    let mut left = [alice.sees("{}"), alice.sees("{}")].map(|message| message.line);
    left.sort(); // the rooms take turns
    assert_eq!(left, [":alice!alice@irc PART #lobby", ":alice!alice@irc PART #tea"]);
    bob.sees("alice has left");
    alice.say("JOIN 0"); // there is none
    alice.sees_nothing();
    alice.joins("#lobby");
    bob.sees("alice has arrived");
}

#[test]
fn a_room_that_does_not_exist_is_told_from_one_where_the_person_is_not() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    bob.say("hi");
    bob.sees("bob: hi");
    let mut alice = enter(&server, "alice");
    for command in [
        "PART {}",
        "TOPIC {} :Assam",
        "MODE {} +b bob",
        "MODE {} +o bob",
        "KICK {} bob",
        "PRIVMSG {} :hello",
    ] {
        alice.say(&command.replace("{}", "#nowhere"));
        alice.sees(":irc.example 403 alice #nowhere :{}");
        alice.say(&command.replace("{}", "#lobby"));
        let refused = if command.starts_with("PRIVMSG") { 404 } else { 442 };
        alice.sees(&format!(":irc.example {refused} alice #lobby :{{}}"));
    }
    for question in ["TOPIC", "MODE"] {
        alice.say(&format!("{question} #nowhere"));
        alice.sees(":irc.example 403 alice #nowhere :{}");
    }
    for (question, end) in [("NAMES", "366 alice #nowhere"), ("WHO", "315 alice #nowhere")] {
        alice.say(&format!("{question} #nowhere"));
        alice.sees(&format!(":irc.example {end} :{{}}"));
    }
    alice.say("LIST #nowhere");
    alice.sees_all([":irc.example 321 alice Channel :{}", ":irc.example 323 alice :{}"]);
    alice.say("NOTICE #nowhere :hello"); // and no error for it
    alice.sees_nothing();
}

#[test]
fn a_topic_is_told_with_its_author_and_its_time() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    bob.say("/topic Assam");
    bob.sees("bob changed the topic to: Assam");
    let mut alice = enter(&server, "alice");
    let topic = [":irc.example 332 alice #lobby :Assam", ":irc.example 333 alice #lobby bob {}"];
    alice.say("JOIN #lobby");
    alice.sees(":alice!alice@irc JOIN #lobby");
    alice.sees_all(topic);
    alice.until(":irc.example 366 alice #lobby :{}");
    alice.say("TOPIC #lobby");
    alice.sees_all(topic);
    bob.say("/topic -");
    alice.sees(":bob!{}@nc TOPIC #lobby :");
    alice.say("TOPIC #lobby");
    alice.sees(":irc.example 331 alice #lobby :{}");
}

#[test]
fn a_channel_that_can_be_no_room_is_refused() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for name in ["#", "&tea", "tea", "##tea", "#a:b", "#-", "+tea"] {
        alice.say(&format!("JOIN {name}"));
        alice.sees(&format!(":irc.example 403 alice {name} :{{}}"));
    }
    alice.say("JOIN");
    alice.sees(":irc.example 461 alice JOIN :{}");
    let _bob = in_lobby(&server, "bob");
    alice.say("PART #lobby");
    alice.sees(":irc.example 442 alice #lobby :{}");
}

#[test]
fn another_name_is_one_line_however_many_rooms_are_shared() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    let mut carol = in_lobby(&server, "carol");
    bob.sees("carol has arrived");
    alice.sees(":carol!carol@irc JOIN #lobby");
    for client in [&mut alice, &mut carol] {
        client.joins("#tea");
    }
    alice.sees(":carol!carol@irc JOIN #tea");
    carol.say("NICK dora");
    carol.sees(":carol!carol@irc NICK {}dora");
    alice.sees(":carol!carol@irc NICK {}dora");
    bob.sees("carol is now known as dora");
    alice.sees_nothing();
    bob.say("/name bert");
    bob.sees("You are bert");
    alice.sees(":bob!{}@nc NICK {}bert");
    carol.sees(":bob!{}@nc NICK {}bert");
    carol.say("NICK alice");
    carol.sees(":irc.example 433 dora alice :{}");
    carol.say("NICK");
    carol.sees(":irc.example 431 dora :{}");
    carol.say("QUIT :gone");
    carol.is_closed_with("ERROR :{}");
    alice.sees(":dora!carol@irc QUIT :{}gone");
    alice.sees_nothing();
}

#[test]
fn a_connection_that_breaks_is_a_departure() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    let mut carol = in_lobby(&server, "carol");
    bob.sees("carol has arrived");
    drop(alice);
    bob.sees("alice has left (Connection lost)");
    carol.sees(":alice!alice@irc QUIT :Connection lost");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    carol.sees(":alice!alice@irc JOIN #lobby");
    alice.say("QUIT"); // this is no loss, and neither is a netcat that ends
    bob.sees("alice has left");
    carol.sees(":alice!alice@irc QUIT :Quit");
    drop(bob);
    carol.sees(":bob!bob@nc QUIT :Quit");
}

#[test]
fn earlier_lines_of_a_room_are_shown_on_joining() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    bob.say("first");
    bob.sees("bob: first");
    let mut alice = enter(&server, "alice");
    alice.joins("#lobby");
    alice.sees(":bob!{} PRIVMSG #lobby :[{}] first");
    let mut carol = stranger(&server).enter_with("carol", "server-time");
    carol.joins("#lobby");
    let line = carol.sees(":bob!{} PRIVMSG #lobby :first");
    assert!(line.tag("time").is_some_and(|time| time.ends_with('Z')), "{line:?}");
}

#[test]
fn a_long_list_of_bans_is_shown_whole() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    for ten in 0..7 {
        let names: Vec<_> = (0..10).map(|one| format!("x{ten}{one}")).collect();
        alice.say(&format!("MODE #tea +bbbbbbbbbb {}", names.join(" ")));
    }
    alice.until_pong();
    alice.say("MODE #tea b");
    let seen = alice.until(":irc.example 368 alice #tea :{}");
    let bans = seen.iter().filter(|message| message.line.contains(" 367 alice #tea x"));
    assert_eq!(bans.count(), 70);
}

#[test]
fn a_mode_that_changes_nothing_is_not_told() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    alice.until_pong();
    let mut bob = enter(&server, "bob");
    bob.joins("#tea");
    bob.until_pong();
    alice.sees(":bob!bob@irc JOIN #tea");
    for (change, told) in [
        ("+bb-b x1 x1 x1", &["+b x1!*@*", "-b x1!*@*"][..]),
        ("+b x2", &["+b x2!*@*"]),
        ("+b x2!*@*", &[]),
        ("+b *!*@192.0.2.7", &["+b *!*@192.0.2.7"]),
        ("+b *!*@192.0.2.7", &[]),
        ("+b m:bob", &["+b m:bob!*@*"]),
        ("+b m:bob", &[]),
        ("+v bob", &["+v bob"]),
        ("+v bob", &[]),
        ("+b m:bob", &["+b m:bob!*@*"]), // it takes the voice
        ("-b m:bob", &["-b m:bob!*@*"]),
        ("+tt-t-t", &["+t", "-t"]),
        ("+mm-m-m", &["+m", "-m"]),
        ("+l 5", &["+l 5"]),
        ("+l 5", &[]),
        ("+k beer", &["+k beer"]),
        ("+k beer", &[]),
        ("+o bob", &["+o bob"]),
        ("+o bob", &[]),
    ] {
        alice.say(&format!("MODE #tea {change}"));
        for client in [&mut alice, &mut bob] {
            let seen = client.until_pong(); // bob also reads a notice that he is muted
            let modes = seen.iter().filter(|message| message.command() == "MODE");
            let modes: Vec<_> = modes.map(|message| message.parameters()[1..].join(" ")).collect();
            assert_eq!(modes, told, "{change}");
        }
    }
}
