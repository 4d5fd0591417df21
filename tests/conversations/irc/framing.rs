//! Lines as they come from the socket: their length, their end, their bytes, and their parts.

use super::capabilities::modern;
use super::{alice_and_bob, enter, in_lobby, server, stranger};

#[test]
fn a_message_has_512_bytes_with_its_end_and_no_more() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for end in ["\r\n", "\n"] {
        let longest = format!("PONG {}", "x".repeat(510 - "PONG ".len()));
        alice.send(format!("{longest}{end}"));
        alice.sees_nothing();
        alice.send(format!("{longest}x{end}"));
        alice.sees(":irc.example 417 alice :{}");
        alice.sees_nothing();
    }
}

#[test]
fn tags_have_4096_bytes_more_than_the_message() {
    let server = server();
    let mut bob = in_lobby(&server, "bob");
    let mut alice = modern(&server, "alice", "message-tags");
    bob.sees(":alice!alice@irc JOIN #lobby");
    // With the sign before them and the blank behind them.
    let longest = format!("@+a={}", "x".repeat(4_096 - "@+a= ".len()));
    alice.say(&format!("{longest} PRIVMSG #lobby :as many as there may be"));
    bob.sees(":alice!alice@irc PRIVMSG #lobby :as many as there may be");
    alice.say(&format!("{longest}x PRIVMSG #lobby :one too many"));
    alice.sees(":irc.example 417 alice :{}");
    let text = "y".repeat(510 - ":alice!alice@irc PRIVMSG #lobby :".len());
    alice.say(&format!("{longest} PRIVMSG #lobby :{text}"));
    bob.sees(&format!(":alice!alice@irc PRIVMSG #lobby :{text}"));
    alice.sees_nothing();
    bob.sees_nothing();
}

#[test]
fn a_line_that_is_too_long_is_nothing_up_to_its_end() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for _ in 0..100 {
        alice.send("x".repeat(10_000)); // and no end yet
    }
    alice.send(" PRIVMSG #lobby :still the same line\r\nPRIVMSG #lobby :the next line\r\n");
    alice.sees(":irc.example 417 alice :{}");
    bob.sees("alice: the next line");
    alice.sees_nothing();
}

#[test]
fn a_line_that_is_too_long_before_registration_is_answered_too() {
    let server = server();
    let mut alice = stranger(&server);
    alice.say(&format!("NICK {}", "x".repeat(600)));
    alice.sees(":irc.example 417 * :{}");
    alice.say("NICK alice");
    alice.say("USER al 0 * :Alice");
    alice.sees(":irc.example 001 alice :{}");
}

#[test]
fn a_line_without_an_end_is_not_obeyed() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.send("PRIVMSG #lobby :whole\r\nPRIVMSG #lobby :cut in the mid");
    alice.shut();
    bob.sees_all(["alice: whole", "alice has left (Connection lost)"]);
}

#[test]
fn empty_lines_are_nothing() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for nothing in
        ["\r\n", "\n\n\r\n", "   \r\n", ":source\r\n", "@tag=1\r\n", "@tag=1 :source \r\n"]
    {
        alice.send(nothing);
    }
    alice.sees_nothing();
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_in_every_part_of_a_line() {
    let server = server();
    let mut alice = modern(&server, "alice", "labeled-response batch message-tags");
    for line in [
        b"\xff\xfe\r\n".as_slice(),
        b"PRIVMSG #lobby :caf\xe9\r\n",
        b"PRIVMSG #caf\xe9 :hello\r\n",
        b"@+tag=\xe9 PRIVMSG #lobby :hello\r\n",
        b":\xe9 PRIVMSG #lobby :hello\r\n",
        b"PRIVMSG #lobby :cut \xe4\xbd\r\n",
        b"PRIVMSG #lobby :half a pair \xed\xa0\xbd\r\n",
    ] {
        alice.send(line);
        alice.sees(":irc.example FAIL * INVALID_UTF8 :{}");
        alice.sees_nothing();
    }
    alice.send(b"@label=L PRIVMSG #lobby :caf\xe9\r\n");
    assert_eq!(alice.sees(":irc.example FAIL * INVALID_UTF8 :{}").tag("label"), Some("L"));
    let mut stranger = stranger(&server);
    stranger.send(b"NICK caf\xe9\r\n");
    stranger.sees(":irc.example FAIL * INVALID_UTF8 :{}");
}

#[test]
fn control_characters_in_a_line_reach_nobody() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    let mut carol = in_lobby(&server, "carol");
    bob.sees("carol has arrived");
    alice.sees(":carol!carol@irc JOIN #lobby");
    for control in (1..32_u8).filter(|byte| !b"\r\n".contains(byte)).chain([127]) {
        alice.send([b"PRIVMSG #lobby :a", &[control][..], b"b\r\n"].concat());
        let seen = bob.line();
        assert!(seen.starts_with("alice: a") && seen.ends_with('b'), "{control}: {seen:?}");
        let is_text =
            seen.trim_end_matches('\n').chars().all(|sign| sign == '\t' || !sign.is_control());
        assert!(is_text, "{control}: {seen:?}");
        // The reader of the test fails by itself if a control character comes.
        carol.sees(":alice!alice@irc PRIVMSG #lobby :a{}b");
    }
    alice.sees_nothing();
}

#[test]
fn a_zero_byte_is_no_end_of_a_line() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.send(b"PRIVMSG #lobby :before\0QUIT :behind\r\n");
    let seen = bob.line();
    assert!(seen.starts_with("alice: before") && seen.ends_with("behind"), "{seen:?}");
    alice.sees_nothing();
}

#[test]
fn commands_and_rooms_are_read_in_any_case() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.say("privmsg #LOBBY :one");
    alice.say("PrivMsg #Lobby :two");
    bob.sees_all(["alice: one", "alice: two"]);
    alice.say("ping Token");
    alice.sees(":irc.example PONG irc.example Token");
    alice.say("PRIVMSG BOB :to a name in another case");
    bob.sees("[alice -> bob] to a name in another case");
}

#[test]
fn blanks_between_parameters_and_a_source_are_skipped() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for line in [
        "PRIVMSG   #lobby    :words",
        ":mallory!m@host PRIVMSG #lobby :words",
        "@a=b;c   :x   PRIVMSG  #lobby  :words",
        "PRIVMSG #lobby words",
    ] {
        alice.say(line);
        bob.sees("alice: words");
    }
    alice.say("PRIVMSG #lobby :  blanks  within  stay");
    let seen = bob.line();
    assert!(seen.contains("blanks  within  stay"), "{seen:?}");
    alice.sees_nothing();
}

#[test]
fn parameters_behind_the_last_that_a_command_has_are_nothing() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.say("PRIVMSG #lobby word :and more");
    bob.sees("alice: word");
    alice.say("PING a b c d e f g h i j k l m n o p q r s t u v w x y z");
    alice.sees(":irc.example PONG irc.example a");
    alice.say("TOPIC #lobby :Assam :Ceylon");
    alice.sees(":alice!alice@irc TOPIC #lobby :Assam :Ceylon");
    bob.sees("alice changed the topic to: Assam :Ceylon");
}

#[test]
fn a_ping_is_answered_with_its_token_as_it_came() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for (line, answer) in [
        ("PING x", "x"),
        ("PING :x", "x"),
        ("PING :two words", ":two words"),
        ("PING ::colon", "::colon"),
        ("PING LAG1234.5", "LAG1234.5"),
        ("PING x server", "x"),
        ("PING \u{4f60}", "\u{4f60}"),
    ] {
        alice.say(line);
        alice.sees(&format!(":irc.example PONG irc.example {answer}"));
    }
    alice.say(&format!("PING {}", "x".repeat(505)));
    let pong = alice.sees(":irc.example PONG irc.example {}");
    assert!(pong.line.len() <= 510, "{pong:?}");
}

#[test]
fn thousands_of_hostile_lines_end_no_connection_and_reach_nobody() {
    let server = server();
    let mut bob = in_lobby(&server, "bob");
    let mut alice = enter(&server, "alice");
    for line in [
        "@",
        "@ ",
        "@=",
        "@;;; PING",
        ":",
        ": :",
        "::",
        ":::: ::",
        "PRIVMSG :",
        "PRIVMSG  :",
        "JOIN ,",
        "JOIN ,,,,",
        "JOIN #,#,#",
        "PART ,",
        "KICK , ,",
        "KICK #lobby",
        "MODE",
        "MODE #",
        "MODE #lobby +",
        "MODE #lobby -+-+",
        "MODE , +b",
        "WHO ,",
        "WHO %",
        "WHO # %,",
        "WHOIS ,",
        "NAMES ,",
        "LIST ,",
        "TOPIC #",
        "CAP",
        "CAP :",
        "CAP REQ",
        "CAP REQ :",
        "CAP REQ :- =",
        "BATCH",
        "BATCH +",
        "BATCH -",
        "BATCH x",
        "CHATHISTORY",
        "CHATHISTORY LATEST",
        "CHATHISTORY LATEST # * 0",
        "AUTHENTICATE",
        "AUTHENTICATE :",
        "REGISTER",
        "VERIFY",
        "USERHOST",
        "ISON",
        "ISON :",
        "STATS",
        "HELP :",
        "NICK :",
        "INVITE",
        "MONITOR",
        "MONITOR +",
        "TAGMSG",
        "AWAY",
        "SETNAME",
        "OPER",
        "KILL",
    ] {
        alice.say(line);
    }
    for message in alice.until_pong() {
        assert!(
            message.line.starts_with(":irc.example ") || message.line.contains(" JOIN "),
            "{message:?}"
        );
    }
    bob.sees_nothing();
}
