//! Messages to the server: `parlor`, NickServ and ChanServ. Nothing of them is said.

use super::{alice_and_bob, asks, enter, in_lobby, netcat, server, stranger};

#[test]
fn help_is_that_of_the_line_protocol() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.say("PRIVMSG parlor :help");
    let seen = alice.until_pong();
    let is_notice = |line: &str| line.starts_with(":parlor!parlor@irc.example NOTICE alice :");
    assert!(seen.iter().all(|message| is_notice(&message.line)), "{seen:?}");
    let text: Vec<_> = seen.iter().map(|message| message.parameters()[1]).collect();
    let text = text.join("\n");
    for command in ["/join", "/msg", "/search", "/keeper"] {
        assert!(text.contains(command), "{command}: {text}");
    }
    alice.say("PRIVMSG parlor :help topic");
    alice.sees(":parlor!parlor@irc.example NOTICE alice :{}/topic{}");
    alice.until_pong();
}

#[test]
fn a_command_may_have_its_slash_and_any_case() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    for line in [
        "PRIVMSG parlor :/rooms",
        "PRIVMSG parlor rooms",
        "PRIVMSG PARLOR :  rooms  ",
        "privmsg Parlor :Rooms",
    ] {
        alice.say(line);
        let seen = alice.until_pong();
        assert!(
            !seen.is_empty() && seen.iter().all(|message| message.command() == "NOTICE"),
            "{line}: {seen:?}"
        );
    }
}

#[test]
fn a_room_in_front_is_the_room_of_the_command() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.joins("#tea");
    alice.say("PRIVMSG #tea :Assam");
    bob.say("Coffee");
    bob.sees("bob: Coffee");
    alice.sees(":bob!bob@nc PRIVMSG #lobby :Coffee");
    for (room, said, other) in
        [("#tea", "alice: Assam", "Coffee"), ("#lobby", "bob: Coffee", "Assam")]
    {
        alice.say(&format!("PRIVMSG parlor :{room} last"));
        let seen = alice.until_pong();
        assert!(seen.iter().any(|message| message.line.ends_with(said)), "{seen:?}");
        assert!(seen.iter().all(|message| !message.line.contains(other)), "{seen:?}");
    }
    alice.say("PRIVMSG parlor :#tea topic Darjeeling");
    alice.sees(":alice!alice@irc TOPIC #tea :Darjeeling");
    for (command, answer) in [
        ("#nowhere last", ":parlor!{} NOTICE alice :{}"),
        ("#a:b last", ":parlor!{} NOTICE alice :{}"),
        ("#tea dance", ":parlor!{} NOTICE alice :No command /dance{}"),
    ] {
        alice.say(&format!("PRIVMSG parlor :{command}"));
        alice.sees(answer);
        alice.sees_nothing();
    }
}

#[test]
fn commands_that_irc_has_itself_are_answered_with_its_own() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for (command, word) in [
        ("me waves", "/me"),
        ("quiet", "wrong names"),
        ("echo off", "echo-message"),
        ("name alina", "/nick"),
        ("quit bye", "/quit"),
        ("code", "SASL"),
        ("register", "NickServ"),
    ] {
        alice.say(&format!("PRIVMSG parlor :{command}"));
        let seen = alice.sees(":parlor!parlor@irc.example NOTICE alice :{}");
        assert!(seen.line.contains(word), "{command}: {seen:?}");
        alice.sees_nothing();
    }
    bob.say("nothing has happened");
    bob.sees("bob: nothing has happened");
}

#[test]
fn ignoring_somebody_hides_their_lines_and_not_their_coming_and_going() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.say("PRIVMSG parlor :ignore bob");
    alice.sees(":parlor!{} NOTICE alice :{}bob{}");
    bob.say("unheard");
    bob.sees("bob: unheard");
    alice.sees_nothing();
    bob.say("/name bert");
    bob.sees("You are bert");
    alice.sees(":bob!bob@nc NICK {}bert");
    bob.say("still unheard");
    bob.sees("bert: still unheard");
    alice.sees_nothing();
    bob.say("/quit");
    alice.sees(":bert!{}@nc QUIT :{}");
}

#[test]
fn joining_through_the_server_is_joining() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    alice.say("PRIVMSG parlor :join tea");
    alice.sees(":alice!alice@irc JOIN #tea");
    alice.until(":irc.example 366 alice #tea :{}");
    alice.say("PRIVMSG parlor :join lobby"); // is there already
    alice.until_pong();
    alice.say("PRIVMSG #lobby :still here");
    alice.say("PRIVMSG #tea :and here");
    alice.sees_nothing();
}

#[test]
fn a_private_message_through_the_server_reaches_its_reader() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.say("PRIVMSG parlor :msg bob psst");
    bob.sees("[alice -> bob] psst");
    alice.until_pong();
    alice.say("PRIVMSG parlor :msg dave psst");
    let seen = alice.message();
    assert!(seen.line.contains("dave"), "{seen:?}");
}

#[test]
fn a_command_that_needs_the_disk_says_so_where_there_is_none() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    for command in ["search tea", "missed", "forget", "token"] {
        alice.say(&format!("PRIVMSG parlor :{command}"));
        alice.sees(":parlor!parlor@irc.example NOTICE alice :{}");
        alice.until_pong();
    }
}

#[test]
fn notices_and_questions_of_programs_to_services_are_nothing() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    for line in [
        "NOTICE parlor :rooms",
        "NOTICE NickServ :help",
        "NOTICE ChanServ :help",
        "PRIVMSG parlor :\u{1}VERSION\u{1}",
        "PRIVMSG NickServ :\u{1}PING 1\u{1}",
    ] {
        alice.say(line);
        alice.sees_nothing();
    }
}

#[test]
fn nickserv_says_what_it_knows() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    for line in
        ["PRIVMSG NickServ :help", "PRIVMSG nickserv :dance", "NS help", "NICKSERV :help", "NS"]
    {
        alice.say(line);
        let seen = alice.until_pong();
        let text: Vec<_> = seen.iter().map(|message| message.line.as_str()).collect();
        let text = text.join("\n");
        for word in ["IDENTIFY", "REGISTER", "SET PASSWORD", "Several clients"] {
            assert!(text.contains(word), "{line}: {text}");
        }
        assert!(
            seen.iter().all(|message| message.source() == "NickServ!NickServ@irc.example"),
            "{seen:?}"
        );
    }
    // Nothing is stored here, so there are no passwords.
    for line in [
        "NS IDENTIFY secret-word",
        "NS REGISTER secret-word",
        "NS SET PASSWORD secret-word new-word",
        "NS SET PASSWORD secret-word",
        "PRIVMSG NickServ :identify alice secret-word",
    ] {
        alice.say(line);
        alice.sees(":NickServ!NickServ@irc.example NOTICE alice :{}");
        alice.sees_nothing();
    }
}

#[test]
fn nickserv_says_what_helps_instead_of_a_command_of_other_networks() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    for (command, helps) in [
        ("GHOST alice secret-word", "IDENTIFY NAME PASSWORD"),
        ("recover alice", "IDENTIFY NAME PASSWORD"),
        ("REGAIN alice", "IDENTIFY NAME PASSWORD"),
        ("RELEASE alice", "IDENTIFY NAME PASSWORD"),
        ("LOGOUT", "/quit"),
        ("DROP alice", "parlor admin name release"),
        ("INFO alice", "/whois NAME"),
    ] {
        alice.say(&format!("PRIVMSG NickServ :{command}"));
        let seen = alice.sees(":NickServ!NickServ@irc.example NOTICE alice :{}");
        assert!(seen.line.contains(helps), "{command}: {seen:?}");
        alice.sees_nothing();
    }
}

#[test]
fn chanserv_sends_people_to_mode() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    for line in ["PRIVMSG ChanServ :op #lobby alice", "CS register #lobby", "CHANSERV help"] {
        alice.say(line);
        alice.sees(":ChanServ!ChanServ@irc.example NOTICE alice :{}MODE{}");
        alice.sees_nothing();
    }
}

#[test]
fn nobody_is_called_like_a_service_or_the_server() {
    let server = server();
    for nick in ["parlor", "Parlor", "NickServ", "NICKSERV", "ChanServ", "irc.example"] {
        let mut client = stranger(&server);
        client.say(&format!("NICK {nick}"));
        client.say("USER u 0 * :U"); // an owner may have the name from before it was reserved
        client.sees(&format!(":irc.example 432 * {nick} :{{}}"));
        let mut alice = stranger(&server);
        alice.say("USER u 0 * :U");
        alice.sees_nothing();
    }
    let mut alice = enter(&server, "alice");
    for nick in ["parlor", "NickServ", "ChanServ"] {
        asks(
            &mut alice,
            &[(&format!("NICK {nick}"), &format!(":irc.example 432 alice {nick} :{{}}"))],
        );
    }
}

#[test]
fn nothing_that_is_told_a_service_is_said_at_any_door() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut carol = in_lobby(&server, "carol");
    bob.sees("carol has arrived");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    carol.sees(":alice!alice@irc JOIN #lobby");
    for line in [
        "PRIVMSG parlor :no command at all",
        "PRIVMSG NickServ :IDENTIFY secret-word",
        "NS REGISTER secret-word",
        "PRIVMSG ChanServ :secret-word",
    ] {
        alice.say(line);
    }
    alice.until_pong();
    carol.sees_nothing();
    bob.say("/last");
    bob.say("that is all");
    let mut seen = bob.line();
    while !seen.contains("that is all") {
        assert!(!seen.contains("secret"), "{seen:?}");
        seen = bob.line();
    }
}

#[test]
fn a_service_is_also_called_with_the_name_of_the_server() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for target in ["NickServ@irc.example", "nickserv@IRC.example"] {
        alice.say(&format!("PRIVMSG {target} :help"));
        alice.sees(":NickServ!NickServ@irc.example NOTICE alice :{}");
        alice.until_pong();
    }
    alice.say("PRIVMSG NickServ@irc.other :IDENTIFY secret");
    alice.sees(":irc.example 401 alice {}");
}

#[test]
fn a_person_without_a_name_has_the_user_of_people_without_one() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    let mut guest = server.guest_at(1);
    guest.say("");
    alice.sees(":127.0.0.1~{}!u@nc JOIN #lobby");
}
