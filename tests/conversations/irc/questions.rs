//! The questions of clients: TOPIC, LIST and others. A PING is a barrier.

use super::{enter, in_lobby, netcat, server};

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
