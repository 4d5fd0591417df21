//! Registration, and the welcome.

use super::{enter, netcat, server, stranger};

#[test]
fn a_client_registers_with_nick_and_user_in_any_order() {
    let server = server();
    for (name, lines) in [
        ("alice", ["NICK alice", "USER al 0 * :Alice"]),
        ("bob", ["USER al 0 * :Alice", "NICK bob"]),
        ("carol", ["nick carol", "user al 8 x Alice"]),
    ] {
        let mut client = stranger(&server);
        for line in lines {
            client.say(line);
        }
        client.sees(&format!(":irc.example 001 {name} :{{}}{name}{{}}"));
        client.until_end_of_motd();
        client.say("QUIT :bye");
        client.is_closed_with("ERROR :{}");
    }
}

#[test]
fn lines_may_end_with_a_line_feed_alone_and_come_in_pieces() {
    let server = server();
    let mut alice = stranger(&server);
    for piece in ["NI", "CK alice\nUSER al", " 0 * :Al", "ice\r", "\n"] {
        alice.send(piece);
    }
    alice.sees(":irc.example 001 alice :{}");
}

#[test]
fn a_client_that_asks_for_capabilities_registers_when_it_ends_that() {
    let server = server();
    for (name, lines) in [
        ("alice", &["CAP LS 302", "NICK alice", "USER al 0 * :Alice"][..]),
        ("bob", &["NICK bob", "CAP LS", "USER b 0 * :Bob"]),
        ("carol", &["USER c 0 * :Carol", "CAP REQ :multi-prefix", "NICK carol"]),
    ] {
        let mut client = stranger(&server);
        for line in lines {
            client.say(line);
        }
        client.sees(":irc.example CAP {} {} :{}multi-prefix{}");
        client.say("CAP LIST");
        client.until(":irc.example CAP {} LIST :{}");
        client.say("CAP END");
        client.sees(&format!(":irc.example 001 {name} :{{}}"));
    }
}

#[test]
fn capabilities_are_given_together_or_not_at_all() {
    let server = server();
    let mut alice = stranger(&server);
    alice.say("CAP REQ :setname no-such-thing");
    alice.sees(":irc.example CAP * NAK :setname no-such-thing");
    alice.say("CAP LIST");
    alice.sees(":irc.example CAP * LIST :");
    alice.say("CAP REQ :setname away-notify");
    alice.sees(":irc.example CAP * ACK :setname away-notify");
    alice.say("CAP REQ :-setname");
    alice.sees(":irc.example CAP * ACK :-setname");
    alice.say("CAP LIST");
    alice.sees(":irc.example CAP * LIST :away-notify");
    alice.say("CAP NONSENSE");
    alice.sees(":irc.example 410 * NONSENSE :{}");
    alice.say("NICK alice");
    alice.say("USER al 0 * :Alice");
    alice.say("CAP END");
    alice.sees(":irc.example 001 alice :{}");
}

#[test]
fn a_nick_that_is_taken_or_looks_like_another_is_refused_and_another_one_is_taken() {
    let server = server();
    let _alice = enter(&server, "alice");
    let _bob = netcat(&server, "bob");
    let mut client = stranger(&server);
    client.say("USER al 0 * :Alice");
    for taken in ["alice", "ALICE", "a1ice", "bob", "B0B"] {
        client.say(&format!("NICK {taken}"));
        client.sees(&format!(":irc.example 433 * {taken} :{{}}"));
    }
    client.say("NICK alice2");
    client.sees(":irc.example 001 alice2 :{}");
}

#[test]
fn signs_that_no_name_has_are_left_out_of_a_first_nick() {
    let server = server();
    for (nick, name) in [("[alice]", "alice"), ("__bob__", "bob__"), ("ca|rol`", "carol")] {
        let mut client = stranger(&server);
        client.say(&format!("NICK {nick}"));
        client.say("USER u 0 * :U");
        client.sees(&format!(":irc.example 001 {name} :{{}}"));
        client.until_end_of_motd();
        client.say("NICK [other]");
        client.sees(&format!(":irc.example 432 {name} [other] :{{}}"));
    }
    let mut nobody = stranger(&server);
    nobody.say("USER u 0 * :U");
    for nick in ["[]", "__", "a!b", "a@b", "parlor", "NickServ", "irc.example", "127.0.0.1~5"] {
        nobody.say(&format!("NICK {nick}"));
        nobody.sees(&format!(":irc.example 432 * {nick} :{{}}"));
    }
    nobody.say("NICK");
    nobody.sees(":irc.example 431 * :{}");
}

#[test]
fn a_command_before_registration_is_refused() {
    let server = server();
    let mut alice = stranger(&server);
    for (line, command) in
        [("JOIN :", "JOIN"), ("PRIVMSG #lobby :hello", "PRIVMSG"), ("who", "WHO"), ("LIST", "LIST")]
    {
        alice.say(line);
        alice.sees(&format!(":irc.example 451 * {command} :{{}}"));
    }
    alice.say("USER");
    alice.sees(":irc.example 461 * USER :{}");
    alice.say("USER al 0 *");
    alice.sees(":irc.example 461 * USER :{}");
    alice.say("PASS");
    alice.sees(":irc.example 461 * PASS :{}");
    alice.say("PING before");
    alice.sees("{}PONG {}before");
    alice.send("\r\n\n");
    alice.say("NICK alice");
    alice.say("USER al 0 * :Alice");
    alice.sees(":irc.example 001 alice :{}");
    alice.until_end_of_motd();
    for line in ["USER al 0 * :Alice", "PASS word"] {
        alice.say(line);
        alice.sees(":irc.example 462 alice :{}");
    }
}

#[test]
fn a_client_may_leave_before_it_registers() {
    let server = server();
    let mut alice = stranger(&server);
    alice.say("QUIT :no thanks");
    alice.is_closed_with("ERROR :{}");
}

#[test]
fn the_welcome_has_its_parts_in_order() {
    let server = server();
    let mut alice = stranger(&server);
    alice.say("NICK alice");
    alice.say("USER al 0 * :Alice");
    alice.sees_all([
        ":irc.example 001 alice :{}",
        ":irc.example 002 alice :{}irc.example{}",
        ":irc.example 003 alice :{}",
        ":irc.example 004 alice irc.example {}",
    ]);
    let rest = alice.until_end_of_motd();
    let of = |number: &'static str| rest.iter().filter(move |message| message.command() == number);
    let mut tokens: Vec<&str> = Vec::new();
    for line in of("005") {
        let parameters = line.parameters();
        let [nick, these @ .., words] = parameters.as_slice() else { unreachable!() };
        assert_eq!((*nick, *words), ("alice", "are supported by this server"));
        assert!(these.len() <= 13, "{line:?}");
        tokens.extend(these);
    }
    for token in ["CASEMAPPING=ascii", "CHANTYPES=#", "NICKLEN=32", "NETWORK=Parlor", "UTF8ONLY"] {
        assert!(tokens.contains(&token), "{token}: {tokens:?}");
    }
    for number in ["251", "255", "265", "266"] {
        assert_eq!(of(number).count(), 1, "{number}");
    }
    alice.sees_nothing();
}

#[test]
fn a_client_is_on_the_server_without_a_room() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = enter(&server, "alice");
    bob.say("nobody has arrived");
    bob.sees("bob: nobody has arrived");
    alice.sees_nothing();
    bob.say("/msg alice hello");
    bob.sees("[bob -> alice] hello");
    alice.sees(":bob!{}@nc PRIVMSG alice :hello");
    alice.say("PRIVMSG bob :hello to you");
    bob.sees("[alice -> bob] hello to you");
    alice.sees_nothing();
}
