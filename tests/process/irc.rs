//! Registered names at the IRC door.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::admin::done;
use crate::chatter::Chatter;
use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::owners::{PASSWORD, change_password, register};
use crate::server::Server;

const CAPABILITIES: &str = "sasl account-tag account-notify extended-join";

/// A server that stores lines, and the address of its IRC door.
pub(crate) fn open(data: &Data) -> (Server, SocketAddr) {
    let server = data.open(&["--listen", "irc://127.0.0.1:0?server=irc.example"]);
    let address = server.listening("irc");
    (server, address)
}

/// The same, where alice is a keeper of the server, and there with netcat.
pub(crate) fn open_with_keeper(data: &Data) -> (Server, SocketAddr, Guest) {
    let (server, irc) = open(data);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    done(data, &["keeper", "add", "alice"]);
    (server, irc, alice)
}

/// Logs in with SASL PLAIN.
#[track_caller]
pub(crate) fn authenticate(client: &mut Chatter, account: &str, password: &str) {
    client.say("AUTHENTICATE PLAIN");
    client.sees(":irc.example AUTHENTICATE +");
    let response = STANDARD.encode(format!("\0{account}\0{password}"));
    client.say(&format!("AUTHENTICATE {response}"));
}

/// A client that registers with the password of its name.
#[track_caller]
pub(crate) fn owner(irc: SocketAddr, name: &str) -> Chatter {
    let mut client = Chatter::connect(irc);
    client.say(&format!("PASS :{PASSWORD}"));
    client.enter(name)
}

#[test]
fn a_client_logs_in_with_sasl_under_its_name() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    let mut alice = Chatter::connect(irc);
    alice.say("CAP LS 302");
    alice.sees(":irc.example CAP * LS {}sasl=PLAIN{}");
    alice.until_pong();
    alice.say(&format!("CAP REQ :{CAPABILITIES}"));
    alice.sees(&format!(":irc.example CAP * ACK :{CAPABILITIES}"));
    authenticate(&mut alice, "alice", "wrong");
    alice.sees(":irc.example 904 * :{}");
    authenticate(&mut alice, "alice", PASSWORD);
    alice.sees(":irc.example 900 * *!*@irc alice :{}");
    alice.sees(":irc.example 903 * :{}");
    for line in ["NICK alice", "USER al 0 * :Alice", "CAP END"] {
        alice.say(line);
    }
    alice.sees(":irc.example 001 alice :{}");
    alice.until_end_of_motd();
    alice.joins("#lobby");
    server.close((guest, alice));
}

#[test]
fn a_registered_name_needs_its_password() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    let mut mallory = Chatter::connect(irc);
    mallory.say("NICK alice");
    mallory.say("USER m 0 * :M");
    mallory.until(":irc.example 433 * alice :{}");
    mallory.say("PASS wrong");
    mallory.say("NICK alice");
    mallory.until(":irc.example 464 * :{}");
    mallory.say("PASS alice:wrong");
    mallory.until(":irc.example 464 * :{}");
    mallory.say("NICK mallory");
    mallory.until(":irc.example 001 mallory :{}");
    mallory.until_end_of_motd();
    let mut alice = Chatter::connect(irc);
    alice.say(&format!("PASS :{PASSWORD}"));
    alice.say("NICK alice");
    alice.say("USER al 0 * :Alice");
    alice.sees(":irc.example 900 * alice!al@irc alice :{}");
    alice.sees(":irc.example 001 alice :{}");
    mallory.say("NICK alice");
    mallory.sees(":irc.example 433 mallory alice :{}");
    server.close((guest, mallory, alice));
}

#[test]
fn passwords_are_neither_offered_nor_taken_where_nothing_is_stored() {
    let server = Server::open(&["--listen", "irc://127.0.0.1:0?server=irc.example"]);
    let mut alice = Chatter::connect(server.listening("irc"));
    alice.say("CAP LS 302");
    let offered = alice.message();
    assert!(!offered.line.contains("sasl"), "{offered:?}");
    assert!(!offered.line.contains("account-registration"), "{offered:?}");
    alice.say("AUTHENTICATE PLAIN");
    alice.sees(":irc.example 904 * :{}");
    alice.say("PASS correct-horse");
    alice.sees(":irc.example NOTICE * :{}");
    for line in ["NICK alice", "USER al 0 * :Alice", "CAP END"] {
        alice.say(line);
    }
    alice.sees(":irc.example 001 alice :{}");
    alice.until_end_of_motd();
    server.close(alice);
}

#[test]
fn messages_for_somebody_away_are_kept_and_read_on_coming() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    guest.say("/quit");
    guest.rest();
    let mut bob = Chatter::connect(irc).enter("bob");
    bob.say("PRIVMSG alice :see you at six");
    bob.sees("{} NOTICE bob :{}alice{}");
    let mut alice = owner(irc, "alice");
    alice.until(":bob!{} PRIVMSG alice :{}see you at six");
    server.close((bob, alice));
}

/// The texts in the answer to a CHATHISTORY about the lobby.
#[track_caller]
fn history(client: &mut Chatter, asked: &str) -> Vec<String> {
    client.say(&format!("CHATHISTORY {asked}"));
    let begin = client.sees(":irc.example BATCH +{} chathistory #lobby");
    let batch = begin.parameters()[0].trim_start_matches('+').to_owned();
    let seen = client.until(&format!(":irc.example BATCH -{batch}"));
    let said = seen.iter().filter(|message| message.command() == "PRIVMSG");
    said.map(|message| message.parameters()[1].to_owned()).collect()
}

#[test]
fn history_of_earlier_runs_is_found_by_its_ids_and_times() {
    let data = Data::new();
    let capabilities =
        "batch server-time message-tags echo-message draft/chathistory draft/multiline";
    let comes = |irc: SocketAddr| {
        let mut alice = Chatter::connect(irc).enter_with("alice", capabilities);
        alice.joins("#lobby");
        alice
    };
    let (server, irc) = open(&data);
    let mut alice = comes(irc);
    alice.say("PRIVMSG #lobby :first");
    let first = alice.sees("{} PRIVMSG #lobby :first");
    for line in [
        "BATCH +m draft/multiline #lobby",
        "@batch=m PRIVMSG #lobby :one",
        "@batch=m PRIVMSG #lobby :two",
        "BATCH -m",
    ] {
        alice.say(line);
    }
    let group = alice.sees("{} BATCH +{} draft/multiline #lobby");
    alice.until("{} BATCH -{}");
    server.close([alice]);

    let (server, irc) = open(&data);
    let mut alice = comes(irc);
    alice.say("PRIVMSG #lobby :last");
    alice.sees("{} PRIVMSG #lobby :last");
    let [first_id, group_id] = [&first, &group].map(|message| message.tag("msgid").unwrap());
    let time = first.tag("time").unwrap();
    for (asked, wanted) in [
        ("LATEST #lobby * 50".to_owned(), &["first", "one", "two", "last"][..]),
        ("LATEST #lobby * 2".to_owned(), &["one", "two", "last"]),
        (format!("AFTER #lobby msgid={first_id} 1"), &["one", "two"]),
        (format!("AFTER #lobby msgid={first_id} 2"), &["one", "two", "last"]),
        (format!("AFTER #lobby msgid={group_id} 50"), &["last"]),
        (format!("BEFORE #lobby msgid={group_id} 50"), &["first"]),
        (format!("AROUND #lobby msgid={group_id} 1"), &["one", "two"]),
        (
            format!("BETWEEN #lobby msgid={first_id} timestamp=2999-01-01T00:00:00Z 1"),
            &["one", "two"],
        ),
        (format!("BEFORE #lobby timestamp={time} 50"), &[]),
        ("AFTER #lobby timestamp=1999-01-01T00:00:00Z 1".to_owned(), &["first"]),
    ] {
        assert_eq!(history(&mut alice, &asked), wanted, "{asked}");
    }
    let beyond = format!("{}.lobby.9", first_id.split('.').next().unwrap());
    alice.say(&format!("CHATHISTORY AFTER #lobby msgid={beyond} 50"));
    alice.sees("{}FAIL CHATHISTORY INVALID_PARAMS AFTER #lobby :{}");
    server.close([alice]);

    let (server, irc) = open(&data);
    let mut alice = comes(irc);
    let times = "timestamp=1999-01-01T00:00:00Z timestamp=2999-01-01T00:00:00Z";
    alice.say(&format!("CHATHISTORY TARGETS {times} 50"));
    alice.sees(":irc.example BATCH +{} draft/chathistory-targets");
    alice.sees("{}CHATHISTORY TARGETS #lobby 2{}Z");
    server.close([alice]);
}

/// Asks for capabilities, and logs in under a nick that is not the account's name.
#[track_caller]
pub(crate) fn logged_in(irc: SocketAddr, nick: &str, account: &str) -> Chatter {
    let mut client = Chatter::connect(irc);
    client.say(&format!("CAP REQ :{CAPABILITIES}"));
    client.sees(&format!(":irc.example CAP * ACK :{CAPABILITIES}"));
    authenticate(&mut client, account, PASSWORD);
    client.until(":irc.example 903 * :{}");
    for line in [&format!("NICK {nick}"), "USER u 0 * :U", "CAP END"] {
        client.say(line);
    }
    client.until_end_of_motd();
    client
}

#[test]
fn an_account_is_apart_from_the_nick_and_keeps_its_authority() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    guest.say("/join tea");
    guest.lines_until("the keeper", |line| line.contains("You are a keeper of this room"));
    let mut bob = Chatter::connect(irc).enter_with("bob", CAPABILITIES);
    bob.joins("#tea");
    bob.until_pong();
    let mut zoe = logged_in(irc, "zoe", "alice");
    zoe.joins("#tea");
    bob.sees(":zoe!u@irc JOIN #tea alice :U");
    bob.sees(":irc.example MODE #tea +o zoe");
    zoe.until_pong();
    zoe.say("PRIVMSG #tea :hello");
    let said = bob.sees(":zoe!u@irc PRIVMSG #tea :hello");
    assert_eq!(said.tag("account"), Some("alice"));
    bob.say("WHOIS zoe");
    let whois = bob.until(":irc.example 318 {}");
    let account = |line: &str| line == ":irc.example 330 bob zoe alice :is logged in as";
    assert!(whois.iter().any(|message| account(&message.line)), "{whois:?}");
    bob.say("WHO zoe %na");
    bob.sees(":irc.example 354 bob zoe alice");
    bob.sees(":irc.example 315 {}");
    // Messages for alice go to the one who wears the name.
    bob.say("PRIVMSG alice :for you");
    guest.until("[bob -> alice] for you");
    zoe.sees_nothing();
    // Under the own name, two connections are one person.
    zoe.say("NICK alice");
    zoe.until(":zoe!u@irc NICK :alice");
    zoe.until_pong();
    zoe.say("KICK #tea bob :too loud");
    bob.until(":alice!{} KICK #tea bob :too loud");
    server.close((guest, bob, zoe));
}

#[test]
fn a_log_in_after_the_welcome_is_told_once_and_ends_with_the_password() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    let mut bob = Chatter::connect(irc).enter_with("bob", CAPABILITIES);
    let mut zoe = Chatter::connect(irc).enter("zoe");
    for room in ["#one", "#two"] {
        bob.joins(room);
        zoe.joins(room);
    }
    bob.until_pong();
    zoe.say("NickServ IDENTIFY alice wrong");
    zoe.until(":NickServ!{} NOTICE zoe :{}");
    authenticate(&mut zoe, "alice", PASSWORD);
    zoe.until(":irc.example 900 zoe zoe!zoe@irc alice :{}");
    zoe.sees(":irc.example 903 zoe :{}");
    bob.sees(":zoe!zoe@irc ACCOUNT alice");
    bob.sees_nothing();
    change_password(&mut guest);
    zoe.until(":irc.example 901 zoe zoe!zoe@irc :{}");
    bob.sees(":zoe!zoe@irc ACCOUNT *");
    bob.sees_nothing();
    zoe.say("NICK alice");
    zoe.until(":irc.example 433 zoe alice :{}");
    server.close((guest, bob, zoe));
}

#[test]
fn a_registration_is_a_log_in_that_the_others_read() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let capabilities = format!("{CAPABILITIES} draft/account-registration");
    let mut alice = Chatter::connect(irc).enter_with("alice", &capabilities);
    let mut bob = Chatter::connect(irc).enter_with("bob", CAPABILITIES);
    alice.joins("#tea");
    bob.joins("#tea");
    alice.until_pong();
    alice.say(&format!("REGISTER * * :{PASSWORD}"));
    alice.until(":irc.example REGISTER SUCCESS alice :{}");
    alice.until(":irc.example 900 alice alice!alice@irc alice :{}");
    bob.sees(":alice!alice@irc ACCOUNT alice");
    alice.say("REGISTER * * :another-password");
    alice.until(":irc.example FAIL REGISTER ALREADY_AUTHENTICATED {}");
    alice.say("NICK ally");
    alice.until(":alice!{} NICK :ally");
    bob.sees(":alice!alice@irc NICK :ally");
    alice.say("REGISTER * * :another-password");
    alice.until(":irc.example FAIL REGISTER ALREADY_AUTHENTICATED {}");
    server.close((alice, bob));
}

#[test]
fn a_return_code_of_netcat_leads_back_to_the_account_under_another_name() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    guest.say("/name ally");
    guest.until("You are ally");
    guest.say("/code");
    let code = guest.lines_until("the code", |line| line.contains("Your return code is "));
    let code = code.last().unwrap().split_once("code is ").unwrap().1;
    let code = code.split(':').next().unwrap().to_owned();
    drop(guest);
    let mut bob = Chatter::connect(irc).enter("bob");
    let mut back = Guest::connect(server.address);
    back.say(&format!("/resume {code}"));
    back.lines_until("the welcome", |line| line.contains("ally"));
    bob.say("WHOIS ally");
    let whois = bob.until(":irc.example 318 {}");
    let account = |line: &str| line == ":irc.example 330 bob ally alice :is logged in as";
    assert!(whois.iter().any(|message| account(&message.line)), "{whois:?}");
    server.close((back, bob));
}

#[test]
fn a_keeper_of_the_server_lends_the_authority_to_any_nick() {
    let data = Data::new();
    let (server, irc, guest) = open_with_keeper(&data);
    let mut carol = Chatter::connect(irc).enter("carol");
    let mut dave = Chatter::connect(irc).enter_with("dave", "message-tags");
    for client in [&mut carol, &mut dave] {
        client.joins("#tea");
    }
    carol.sees(":dave!dave@irc JOIN #tea");
    let mut erin = Chatter::connect(irc).enter("erin");
    for (command, answer) in [
        ("KILL dave :spam", "481 erin :Only keepers can do that; {}"),
        ("WALLOPS :hi", "481 erin :Only keepers can do that; {}"),
        ("OPER alice wrong", "464 erin :That is not the password of alice"),
        (
            "OPER norbert wrong",
            "464 erin :norbert is not a registered name; log in with one that is",
        ),
        ("OPER alice", "461 erin OPER :Not enough parameters"),
    ] {
        erin.say(command);
        erin.sees(&format!(":irc.example {answer}"));
    }
    erin.say(&format!("OPER alice :{PASSWORD}"));
    erin.sees(":irc.example 381 erin :You are an operator of this server");
    erin.sees(":erin MODE erin +o");
    dave.say("MODE dave +w");
    dave.sees(":dave MODE dave +w");
    erin.say("WALLOPS :hi everyone");
    dave.sees(":erin!erin@irc WALLOPS :hi everyone");
    erin.say("KILL dave :spam");
    erin.sees(":irc.example NOTICE erin :dave is removed");
    dave.is_closed_with("ERROR :{}spam");
    carol.sees(":dave!dave@irc QUIT :Removed by erin: spam");
    carol.sees_nothing();
    erin.say("MODE erin -o");
    erin.sees(":erin MODE erin -o");
    erin.say("KILL carol");
    erin.sees(":irc.example 481 erin :Only keepers can do that; {}");
    server.close((guest, carol, erin));
}

#[test]
fn a_mode_of_one_room_bans_from_that_room_also_by_a_keeper_of_the_server() {
    let data = Data::new();
    let (server, irc, guest) = open_with_keeper(&data);
    let mut dave = Chatter::connect(irc).enter("dave");
    let mut alice = owner(irc, "alice");
    for room in ["#tea", "#den"] {
        alice.joins(room);
        dave.joins(room);
        alice.sees(&format!(":dave!{{}} JOIN {room}"));
    }
    alice.say("KICK #den dave :out");
    dave.sees(":alice!{} KICK #den dave :out");
    alice.sees(":alice!{} KICK #den dave :out");
    alice.say("MODE #tea +b dave");
    alice.until(":alice!{} KICK #tea dave{}");
    dave.say("JOIN #tea");
    dave.until(":irc.example 474 dave #tea :{}");
    alice.until_pong();
    alice.say("MODE #tea b");
    alice.sees(":irc.example 367 alice #tea dave!*@* {}");
    alice.sees(":irc.example 368 alice #tea :{}");
    alice.say("MODE #den b");
    alice.sees(":irc.example 368 alice #den :{}");
    alice.say("MODE #tea -b dave");
    alice.sees(":alice!{} MODE #tea -b dave!*@*");
    dave.joins("#tea");
    alice.sees(":dave!{} JOIN #tea");
    alice.say("PRIVMSG parlor :ban dave");
    dave.is_closed_with("ERROR :{}");
    server.close((guest, dave, alice));
}

#[test]
fn lent_authority_ends_when_its_keeper_is_removed() {
    let data = Data::new();
    let (server, irc, guest) = open_with_keeper(&data);
    let mut erin = Chatter::connect(irc).enter("erin");
    erin.say(&format!("OPER alice :{PASSWORD}"));
    erin.sees(":irc.example 381 erin :You are an operator of this server");
    erin.sees(":erin MODE erin +o");
    done(&data, &["keeper", "remove", "alice"]);
    erin.sees(":erin MODE erin -o");
    done(&data, &["keeper", "add", "alice"]);
    erin.say("MODE erin");
    erin.sees(":irc.example 221 erin +");
    erin.say("WALLOPS :hi");
    erin.sees(":irc.example 481 erin :Only keepers can do that; {}");
    erin.say(&format!("OPER alice :{PASSWORD}"));
    erin.sees(":irc.example 381 erin :You are an operator of this server");
    erin.sees(":erin MODE erin +o");
    server.close((guest, erin));
}
