//! The modes of people: what they want of the server, and say of themselves.

use super::{enter, in_lobby, netcat, server, stranger};

#[test]
fn a_client_sees_and_changes_its_own_modes() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for (command, answers) in [
        ("MODE alice", &[":irc.example 221 alice +"][..]),
        ("MODE Alice +iw", &[":alice MODE alice +iw"]),
        ("MODE alice +w", &[]),
        ("MODE alice", &[":irc.example 221 alice +iw"]),
        ("MODE alice -i+o", &[":alice MODE alice -i"]),
        (
            "MODE alice +xB",
            &[":irc.example 501 alice :Unknown mode of a person", ":alice MODE alice +B"],
        ),
        ("MODE alice", &[":irc.example 221 alice +Bw"]),
        ("MODE bob +i", &[":irc.example 502 alice :You can change only your own modes"]),
        ("MODE bob", &[":irc.example 502 alice :You can change only your own modes"]),
    ] {
        alice.say(command);
        alice.sees_all(answers);
        alice.sees_nothing();
    }
}

#[test]
fn a_program_is_shown_as_one() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut bot = in_lobby(&server, "bot");
    bob.sees("bot has arrived");
    let mut alice = stranger(&server).enter_with("alice", "message-tags");
    alice.joins("#lobby");
    bob.sees("alice has arrived");
    bot.sees(":alice!alice@irc JOIN #lobby");
    bot.say("PRIVMSG #lobby :hi");
    assert_eq!(alice.sees(":bot!bot@irc PRIVMSG #lobby :hi").tag("bot"), None);
    bot.say("MODE bot +B");
    bot.sees(":bot MODE bot +B");
    bot.say("PRIVMSG #lobby :beep");
    bot.say("PRIVMSG alice :boop");
    for line in [":bot!bot@irc PRIVMSG #lobby :beep", ":bot!bot@irc PRIVMSG alice :boop"] {
        assert_eq!(alice.sees(line).tag("bot"), Some(""));
    }
    bob.sees("bot: hi");
    bob.sees("bot: beep");
    alice.say("WHOIS bot");
    alice.until(":irc.example 335 alice bot :is a program");
    alice.until_pong();
    alice.say("WHO #lobby");
    alice.until(":irc.example 352 alice #lobby bot irc irc.example bot HB :0 bot of IRC");
    alice.until_pong();
    bot.say("MODE bot -B");
    bot.sees(":bot MODE bot -B");
    bot.say("PRIVMSG #lobby :I am no program");
    assert_eq!(alice.sees(":bot!bot@irc PRIVMSG #lobby :I am no program").tag("bot"), None);
}

#[test]
fn invisible_people_are_counted() {
    let server = server();
    let mut alice = enter(&server, "alice");
    let mut carol = enter(&server, "carol");
    carol.say("MODE carol +i");
    carol.sees(":carol MODE carol +i");
    alice.say("LUSERS");
    alice.sees(":irc.example 251 alice :There are 1 users and 1 invisible on 1 servers");
    alice.sees(":irc.example 252 alice 0 :operator(s) online");
    alice.until_pong();
    carol.say("QUIT");
    carol.is_closed_with("ERROR :{}");
    alice.say("LUSERS");
    alice.sees(":irc.example 251 alice :There are 1 users and 0 invisible on 1 servers");
}
