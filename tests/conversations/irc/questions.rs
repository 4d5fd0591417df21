//! The questions of clients: TOPIC, LIST and others. A PING is a barrier.

use parlor::config::RateLimit;

use super::{DOORS, enter, in_lobby, netcat, server};
use crate::support::{Chatter, TestServer};

#[test]
fn a_ping_is_answered_behind_everything_that_came_before() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    for n in 0..20 {
        bob.say(&format!("line {n}"));
        bob.sees(&format!("bob: line {n}"));
        alice.say(&format!("PING {n}"));
        alice.sees(&format!(":bob!{{}}@nc PRIVMSG #lobby :line {n}"));
        alice.sees(&format!(":irc.example PONG irc.example {n}"));
    }
    alice.say("PING");
    alice.sees(":irc.example 461 alice PING :{}");
    alice.say("PONG anything");
    alice.sees_nothing();
}

#[test]
fn a_topic_is_set_and_shown_at_all_doors() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    alice.say("TOPIC #lobby");
    alice.sees(":irc.example 331 alice #lobby :{}");
    alice.say("TOPIC #lobby :tea at five");
    alice.sees(":alice!alice@irc TOPIC #lobby :tea at five");
    bob.sees("alice changed the topic to: tea at five");
    alice.say("TOPIC #lobby");
    alice.sees(":irc.example 332 alice #lobby :tea at five");
    alice.sees(":irc.example 333 alice #lobby alice {}");
    bob.say("/topic tea at six");
    bob.sees("bob changed the topic to: tea at six");
    alice.sees(":bob!{}@nc TOPIC #lobby :tea at six");
    let mut carol = enter(&server, "carol");
    carol.say("JOIN #lobby");
    carol.sees_all([
        ":carol!carol@irc JOIN #lobby",
        ":irc.example 332 carol #lobby :tea at six",
        ":irc.example 333 carol #lobby bob {}",
        ":irc.example 353 carol = #lobby :{}",
    ]);
    alice.sees(":carol!carol@irc JOIN #lobby");
    alice.say("TOPIC #lobby :");
    alice.sees(":alice!alice@irc TOPIC #lobby :");
    alice.say("TOPIC");
    alice.sees(":irc.example 461 alice TOPIC :{}");
}

#[test]
fn rooms_are_listed() {
    let server = server();
    let _bob = netcat(&server, "bob");
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    alice.say("TOPIC #tea :Darjeeling");
    alice.sees(":alice!alice@irc TOPIC #tea :Darjeeling");
    alice.say("LIST");
    alice.sees(":irc.example 321 alice Channel :Users  Name");
    let seen = alice.until(":irc.example 323 alice :{}");
    let mut rooms: Vec<&str> = seen
        .iter()
        .filter(|message| message.command() == "322")
        .map(|message| message.line.as_str())
        .collect();
    rooms.sort_unstable();
    let [lobby, tea] = rooms.as_slice() else { alice.fail("two rooms were to come") };
    assert!(lobby.starts_with(":irc.example 322 alice #lobby 1 :"), "{lobby}");
    assert_eq!(*tea, ":irc.example 322 alice #tea 1 :Darjeeling");
    alice.say("LIST #tea");
    let seen = alice.until(":irc.example 323 alice :{}");
    assert_eq!(seen.iter().filter(|message| message.command() == "322").count(), 1);
    alice.say("LIST >1");
    let seen = alice.until(":irc.example 323 alice :{}");
    assert_eq!(seen.iter().filter(|message| message.command() == "322").count(), 0);
}

#[test]
fn small_questions_have_answers() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for (line, answer) in [
        ("VERSION", ":irc.example 351 alice {}"),
        ("TIME", ":irc.example 391 alice irc.example :{}"),
        ("NONSENSE", ":irc.example 421 alice NONSENSE :{}"),
        ("REHASH", ":irc.example 421 alice REHASH :{}"),
    ] {
        alice.say(line);
        alice.sees(answer);
        alice.until_pong();
    }
    for (line, end) in [
        ("MOTD", ":irc.example {} alice :{}"),
        ("LUSERS", ":irc.example 266 alice {}"),
        ("INFO", ":irc.example 374 alice :{}"),
        ("HELP", ":irc.example 706 alice {}"),
        ("LINKS", ":irc.example 365 alice {}"),
        ("ADMIN", ":irc.example 25{}"),
        ("STATS u", ":irc.example 219 alice u :{}"),
    ] {
        alice.say(line);
        alice.until(end);
        alice.until_pong();
    }
}

#[test]
fn the_commands_of_the_line_protocol_are_messages_to_parlor() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    bob.say("tea or coffee");
    bob.sees("bob: tea or coffee");
    alice.sees(":bob!{}@nc PRIVMSG #lobby :tea or coffee");
    alice.say("PRIVMSG parlor :rooms");
    alice.sees(":parlor{} NOTICE alice :lobby, 2 people");
    alice.until_pong();
    alice.say("PRIVMSG parlor :#lobby last 1");
    let seen = alice.until_pong();
    assert!(seen.iter().any(|line| line.line.ends_with("tea or coffee")), "{seen:?}");
    alice.say("PRIVMSG parlor :dance");
    alice.sees(":parlor{} NOTICE alice :{}");
    alice.say("PRIVMSG ChanServ :op me");
    alice.sees(":ChanServ{} NOTICE alice :{}");
    bob.say("nobody heard that");
    bob.sees("bob: nobody heard that");
}

#[test]
fn long_lists_are_whole() {
    let server = server();
    let mut alice = enter(&server, "alice");
    let rooms: Vec<_> = (0..70).map(|n| format!("#room-{n:02}")).collect();
    alice.say(&format!("JOIN {}", rooms[..35].join(",")));
    alice.say(&format!("JOIN {}", rooms[35..].join(",")));
    alice.until(":irc.example 366 alice #room-69 :{}");
    let mut bob = enter(&server, "bob");
    let of = |client: &mut Chatter, asked: &str, end: &str, number: &str| {
        client.say(asked);
        let seen = client.until(&format!(":irc.example {end} {{}}"));
        seen.into_iter().filter(|message| message.command() == number).collect::<Vec<_>>()
    };
    let listed = |client: &mut Chatter, asked: &str| -> Vec<String> {
        let seen = of(client, asked, "323", "322");
        seen.iter().map(|message| message.parameters()[1].to_owned()).collect()
    };
    assert_eq!(listed(&mut bob, "LIST"), rooms);
    assert_eq!(listed(&mut bob, "LIST #room-0*"), rooms[..10]);
    assert_eq!(listed(&mut bob, "LIST !#room-0*"), rooms[10..]);

    let crowd: Vec<_> = (0..210).map(|n| netcat(&server, &format!("guest{n:03}"))).collect();
    bob.joins("#lobby");
    let wanted: Vec<_> = (0..crowd.len()).map(|n| format!("guest{n:03}")).collect();
    let guests = |mut names: Vec<String>| {
        names.retain(|name| name.starts_with("guest"));
        names.sort();
        names
    };
    for client in [&mut alice, &mut bob] {
        let names = of(client, "NAMES #lobby", "366", "353");
        let names = names.iter().flat_map(|message| {
            message.parameters()[3].split(' ').map(str::to_owned).collect::<Vec<_>>()
        });
        assert_eq!(guests(names.collect()), wanted);
        let people = of(client, "WHO #lobby", "315", "352");
        let people = people.iter().map(|message| message.parameters()[5].to_owned());
        assert_eq!(guests(people.collect()), wanted);
    }
}

#[test]
fn a_client_that_asks_a_thousand_times_and_reads_late_is_answered() {
    let server = TestServer::open(&DOORS, |config| config.rate = RateLimit::Off);
    let mut alice = enter(&server, "alice");
    alice.joins("#lobby");
    for _ in 0..1_000 {
        alice.say("LIST");
    }
    for _ in 0..1_000 {
        alice.until(":irc.example 323 alice :{}");
    }
    alice.sees_nothing();
}
