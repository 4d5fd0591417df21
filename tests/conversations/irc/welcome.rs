//! The welcome and what it promises: ISUPPORT, the message of the day, and the limits.

use std::fs;

use crate::support::{Chatter, TestServer};

use super::{DOORS, alice_and_bob, asks, enter, in_lobby, netcat, server, stranger};

/// The tokens of ISUPPORT.
#[track_caller]
fn tokens(client: &mut Chatter, nick: &str) -> Vec<String> {
    client.say("VERSION");
    client.sees(&format!(":irc.example 351 {nick} {{}}"));
    let mut tokens = Vec::new();
    for line in client.until_pong() {
        let parameters = line.parameters();
        let [_, these @ .., _] = parameters.as_slice() else { unreachable!() };
        tokens.extend(these.iter().map(|&token| token.to_owned()));
    }
    tokens
}

#[test]
fn every_limit_that_is_promised_is_there() {
    let server = server();
    let mut alice = enter(&server, "alice");
    let tokens = tokens(&mut alice, "alice");
    for wanted in [
        "AWAYLEN=390",
        "BOT=B",
        "CASEMAPPING=ascii",
        "CHANLIMIT=#:100",
        "CHANNELLEN=33",
        "CHANTYPES=#",
        "CHATHISTORY=1000",
        "ELIST=MNU",
        "EXTBAN=,m",
        "KICKLEN=390",
        "MONITOR=100",
        "MSGREFTYPES=msgid,timestamp",
        "NETWORK=Parlor",
        "NICKLEN=32",
        "TOPICLEN=390",
        "USERLEN=10",
        "UTF8ONLY",
        "WHOX",
    ] {
        assert!(tokens.iter().any(|token| token == wanted), "{wanted}: {tokens:?}");
    }
    for token in &tokens {
        assert!(token.chars().all(|sign| sign.is_ascii_graphic()), "{token}");
        let name = token.split('=').next().unwrap();
        assert!(
            name.chars().all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit()),
            "{token}"
        );
        assert!(name.len() <= 20, "{token}");
    }
}

#[test]
fn the_names_of_the_network_and_the_server_are_those_of_the_door() {
    let door = "irc://127.0.0.1:0?server=chat.example.org&network=Tea";
    let server = TestServer::open(&[door], |_| {});
    let mut alice = stranger(&server);
    alice.say("NICK alice");
    alice.say("USER al 0 * :Alice");
    alice.sees_all([
        ":chat.example.org 001 alice :Welcome to the Tea network, alice",
        ":chat.example.org 002 alice :Your host is chat.example.org, running version parlor-{}",
    ]);
    let rest = alice.until_end_of_motd();
    assert!(rest.iter().any(|line| line.parameters().contains(&"NETWORK=Tea")), "{rest:?}");
    assert!(rest.iter().all(|line| line.source() == "chat.example.org"), "{rest:?}");
}

#[test]
fn the_message_of_the_day_has_the_words_of_the_operator_and_the_rooms() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("motd");
    let text = "Welcome to \u{8336}\u{9928}\n\n\u{1b}[31mno colours\nwrite to admin@example.org\n";
    fs::write(&file, text).unwrap();
    let door = format!("irc://127.0.0.1:0?server=irc.example&motd={}", file.display());
    let server = TestServer::open(&[&door, DOORS[1]], |_| {});
    let _bob = netcat(&server, "bob");
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    alice.say("MOTD");
    alice.sees(":irc.example 375 alice :- irc.example Message of the day -");
    alice.sees(":irc.example 372 alice :- Welcome to \u{8336}\u{9928}");
    alice.sees(":irc.example 372 alice :- ");
    alice.sees(":irc.example 372 alice :- {}no colours");
    alice.sees(":irc.example 372 alice :- write to admin@example.org");
    let rest = alice.until(":irc.example 376 alice :{}");
    let rest: Vec<_> = rest.iter().map(|message| message.parameters()[1]).collect();
    assert!(rest.contains(&"- #lobby, 1 person") && rest.contains(&"- #tea, 1 person"), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("not stored")), "{rest:?}");
}

#[test]
fn a_nick_has_32_characters_of_any_script_at_most() {
    let server = server();
    for nick in [
        "x".repeat(32),
        "\u{738b}\u{5c0f}\u{660e}".to_owned(),
        "\u{e5}sa".to_owned(),
        "\u{5d0}".repeat(32),
    ] {
        let mut client = stranger(&server);
        client.say(&format!("NICK {nick}"));
        client.say("USER u 0 * :U");
        client.sees(&format!(":irc.example 001 {nick} :{{}}"));
    }
    let mut client = stranger(&server);
    client.say("USER u 0 * :U");
    for nick in ["x".repeat(33), "\u{738b}".repeat(33)] {
        client.say(&format!("NICK {nick}"));
        client.sees(&format!(":irc.example 432 * {nick} :{{}}"));
    }
}

#[test]
fn a_user_is_ten_ascii_characters_at_most() {
    let server = server();
    let mut watcher = in_lobby(&server, "watcher");
    for (index, (user, shown)) in [
        ("al", "al"),
        ("~al", "al"),
        ("a.b-c_d", "a.b-c_d"),
        ("abcdefghijklmnop", "abcdefghij"),
        ("al@host!x", "alhostx"),
        ("\u{738b}", "u"),
        ("!", "u"),
        ("0", "0"),
    ]
    .into_iter()
    .enumerate()
    {
        let nick = format!("guest{}", (b'a' + u8::try_from(index).unwrap()) as char);
        let mut client = stranger(&server);
        client.say(&format!("NICK {nick}"));
        client.say(&format!("USER {user} 0 * :U"));
        client.sees(&format!(":irc.example 001 {nick} :{{}}"));
        client.until_end_of_motd();
        client.joins("#lobby");
        watcher.sees(&format!(":{nick}!{shown}@irc JOIN #lobby"));
        client.say("QUIT");
        client.is_closed_with("ERROR :{}");
        watcher.sees(&format!(":{nick}!{shown}@irc QUIT :{{}}"));
    }
}

#[test]
fn a_real_name_is_shown_as_it_was_given_and_without_formatting() {
    let server = server();
    let mut watcher = enter(&server, "watcher");
    for (nick, given, shown) in [
        ("alice", ":Alice of Wonderland", "Alice of Wonderland"),
        ("bob", "Bob", "Bob"),
        ("carol", ":\u{738b}\u{5c0f}\u{660e} \u{2615}", "\u{738b}\u{5c0f}\u{660e} \u{2615}"),
        ("dora", ":: D", ": D"),
    ] {
        let mut client = stranger(&server);
        client.say(&format!("NICK {nick}"));
        client.say(&format!("USER u 0 * {given}"));
        client.sees(&format!(":irc.example 001 {nick} :{{}}"));
        client.until_end_of_motd();
        watcher.say(&format!("WHOIS {nick}"));
        watcher.sees(&format!(":irc.example 311 watcher {nick} u irc * :{shown}"));
        watcher.until(&format!(":irc.example 318 watcher {nick} :{{}}"));
    }
}

#[test]
fn five_targets_of_a_message_are_too_many() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.say("PRIVMSG bob,bob,bob,bob :hello");
    for _ in 0..4 {
        bob.sees("[alice -> bob] hello");
    }
    alice.sees_nothing();
    alice.say("PRIVMSG bob,bob,bob,bob,bob :hello");
    for _ in 0..4 {
        bob.sees("[alice -> bob] hello");
    }
    alice.sees(":irc.example 407 alice bob :{}");
    alice.say("NOTICE bob,bob,bob,bob,bob :hello"); // and no error for it
    alice.sees_nothing();
}

#[test]
fn a_person_sits_in_a_hundred_rooms_at_most() {
    let server = TestServer::open(&DOORS, |config| config.rate = parlor::config::RateLimit::Off);
    let mut alice = enter(&server, "alice");
    for n in 0..100 {
        alice.joins(&format!("#r{n}"));
    }
    asks(&mut alice, &[("JOIN #onemore", ":irc.example 405 alice #onemore :{}")]);
    alice.say("PART #r0");
    alice.sees(":alice!alice@irc PART #r0");
    alice.joins("#onemore");
}

#[test]
fn the_rooms_of_a_server_have_a_limit() {
    let server = TestServer::open(&DOORS, |config| config.rooms = 2);
    let mut alice = enter(&server, "alice");
    alice.joins("#lobby");
    alice.joins("#tea");
    asks(&mut alice, &[("JOIN #milk", ":irc.example 405 alice #milk :{}")]);
}

#[test]
fn a_room_has_32_characters_behind_its_sign() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for room in
        [format!("#{}", "x".repeat(32)), "#\u{8336}\u{9928}".to_owned(), "#c-3.p_o".to_owned()]
    {
        alice.joins(&room);
    }
    asks(&mut alice, &[(&format!("JOIN #{}", "y".repeat(33)), ":irc.example 403 alice #{} :{}")]);
}

#[test]
fn a_long_topic_is_whole_where_it_was_set_and_shortened_here() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    let topic = "word ".repeat(200) + "end";
    bob.say(&format!("/topic {topic}"));
    bob.sees(&format!("bob changed the topic to: {topic}"));
    let seen = alice.sees(":bob!bob@nc TOPIC #lobby :word {}");
    let shown = seen.parameters()[1].to_owned();
    assert!(shown.len() <= 390 && shown.ends_with('\u{2026}'), "{shown}");
    alice.say("TOPIC #lobby");
    let seen = alice.sees(":irc.example 332 alice #lobby :word {}");
    assert_eq!(seen.parameters()[2], shown);
    alice.sees(":irc.example 333 alice #lobby bob {}");
    let longest = "x".repeat(390);
    alice.say(&format!("TOPIC #lobby :{longest}"));
    alice.sees(&format!(":alice!alice@irc TOPIC #lobby :{longest}"));
    bob.sees(&format!("alice changed the topic to: {longest}"));
}

#[test]
fn a_client_that_is_silent_at_registration_may_take_its_time() {
    let server = server();
    let mut slow: Vec<Chatter> = (0..20).map(|_| stranger(&server)).collect();
    for (n, client) in slow.iter_mut().enumerate() {
        client.say(&format!("NICK guest{n}"));
    }
    for (n, client) in slow.iter_mut().enumerate().rev() {
        client.say("USER u 0 * :U");
        client.sees(&format!(":irc.example 001 guest{n} :{{}}"));
    }
}

#[test]
fn a_person_without_a_name_has_an_address_for_a_nick() {
    let server = TestServer::open(
        &["irc://127.0.0.1:0?server=irc.example", "tcp://127.0.0.1:0?names=address"],
        |_| {},
    );
    let mut alice = in_lobby(&server, "alice");
    let mut stranger = server.guest_at(1);
    let address = stranger.address();
    let nick = address.replace(':', "~");
    stranger.sees(&format!("You are {address}"));
    stranger.sees_roster();
    alice.sees(&format!(":{nick}!{{}}@nc JOIN #lobby"));
    stranger.say("hello");
    stranger.sees(&format!("{address}: hello"));
    alice.sees(&format!(":{nick}!{{}}@nc PRIVMSG #lobby :hello"));
    alice.say(&format!("PRIVMSG {nick} :who are you?"));
    stranger.sees(&format!("[alice -> {address}] who are you?"));
    alice.say(&format!("WHOIS {nick}"));
    alice.sees(&format!(":irc.example 311 alice {nick} {{}} nc * :{{}}"));
    alice.until(&format!(":irc.example 318 alice {nick} :{{}}"));
    alice.say("NAMES #lobby");
    let names = alice.sees(":irc.example 353 alice = #lobby :{}");
    assert!(names.line.contains(&nick) && !names.line.contains(&address), "{names:?}");
    alice.sees(":irc.example 366 alice #lobby :{}");
    stranger.say("/name zoe");
    stranger.sees("You are zoe");
    alice.sees(&format!(":{nick}!{{}}@nc NICK {{}}zoe"));
}
