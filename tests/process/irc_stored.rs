//! The IRC door of a server that stores lines: registering, logging in, history over restarts, and
//! moderation by registered keepers and the operator.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::admin::done;
use crate::chatter::{Chatter, Message};
use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::owners::{PASSWORD, register, register_as};
use crate::server::Server;

/// A server that stores lines, and the address of its IRC door.
fn open(data: &Data) -> (Server, SocketAddr) {
    let server = data.open(&["--listen", "irc://127.0.0.1:0?server=irc.example"]);
    let address = server.listening("irc");
    (server, address)
}

/// A client that registers a name of its own.
#[track_caller]
fn new_owner(irc: SocketAddr, name: &str) -> Chatter {
    let mut client = Chatter::connect(irc).enter(name);
    client.say(&format!("NS REGISTER :{}", PASSWORD.replace(' ', "-")));
    client.until(&format!(":NickServ!{{}} NOTICE {name} :{name} is registered{{}}"));
    client.until_pong();
    client
}

/// The password of those.
fn password() -> String {
    PASSWORD.replace(' ', "-")
}

/// A client that comes with the password of its registered name, and these capabilities.
#[track_caller]
fn returning(irc: SocketAddr, name: &str, capabilities: &str) -> Chatter {
    let mut client = Chatter::connect(irc);
    client.say(&format!("PASS :{}", password()));
    client.enter_with(name, capabilities)
}

/// The words of SASL PLAIN.
fn plain(account: &str, password: &str) -> String {
    STANDARD.encode(format!("\0{account}\0{password}"))
}

/// The lines among these messages, without their times.
fn lines(messages: &[Message]) -> Vec<&str> {
    let said = messages.iter().filter(|message| message.command() == "PRIVMSG");
    said.map(|message| message.parameters()[1]).collect()
}

#[test]
fn a_nick_is_registered_with_each_of_the_ways() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut clients = Vec::new();
    for (name, command, answer) in [
        (
            "alice",
            "PRIVMSG NickServ :REGISTER secret-word",
            ":NickServ!{} NOTICE alice :alice is registered{}",
        ),
        (
            "bob",
            "NS REGISTER secret-word bob@example.org",
            ":NickServ!{} NOTICE bob :bob is registered{}",
        ),
        ("carol", "REGISTER * * secret-word", ":irc.example REGISTER SUCCESS carol :{}"),
        (
            "dora",
            "REGISTER dora dora@example.org :secret word",
            ":irc.example REGISTER SUCCESS dora :{}",
        ),
        ("erin", "register ERIN * secret-word", ":irc.example REGISTER SUCCESS erin :{}"),
    ] {
        let mut client = Chatter::connect(irc).enter(name);
        client.say(command);
        client.until(answer);
        client.until_pong();
        client.say(&format!("WHOIS {name}"));
        let seen = client.until(&format!(":irc.example 318 {name} {name} :{{}}"));
        assert!(seen.iter().any(|message| message.command() == "330"), "{seen:?}");
        clients.push(client);
    }
    for name in ["alice", "bob", "carol", "dora", "erin"] {
        let mut stranger = Chatter::connect(irc);
        stranger.say(&format!("NICK {name}"));
        stranger.say("USER u 0 * :U");
        stranger.until(&format!(":irc.example 433 * {name} :{{}}"));
    }
    server.close(clients);
}

#[test]
fn a_registration_that_is_refused_says_which_rule_it_breaks() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let alice = new_owner(irc, "alice");
    let mut bob = Chatter::connect(irc).enter_with("bob", "draft/account-registration");
    for (command, answer) in [
        ("REGISTER * * short", "{}FAIL REGISTER WEAK_PASSWORD * :{}"),
        ("REGISTER alice * secret-word", "{}FAIL REGISTER ACCOUNT_NAME_MUST_BE_NICK alice :{}"),
        ("REGISTER * *", ":irc.example 461 bob REGISTER :{}"),
        ("VERIFY bob 123456", "{}FAIL VERIFY INVALID_CODE bob :{}"),
        ("NS REGISTER short", ":NickServ!{} NOTICE bob :{}"),
    ] {
        bob.say(command);
        bob.sees(answer);
        bob.sees_nothing();
    }
    bob.say("REGISTER * * secret-word");
    bob.until("{}REGISTER SUCCESS bob :{}");
    bob.until_pong();
    bob.say("REGISTER * * other-word");
    bob.until("{}FAIL REGISTER ALREADY_AUTHENTICATED * :{}");
    server.close((alice, bob));
}

#[test]
fn registering_with_a_message_is_logging_in() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut alice = Chatter::connect(irc).enter("alice");
    alice.say("PRIVMSG NickServ :REGISTER correct-horse");
    alice.sees(":NickServ!{} NOTICE alice :alice is registered{}");
    alice.sees(":irc.example 900 alice alice!alice@irc alice :{}");
    alice.sees_nothing();
    server.close(alice);
}

#[test]
fn an_owner_changes_the_password_with_a_message() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut alice = new_owner(irc, "alice");
    let mut second = returning(irc, "alice", "");
    let mut other = Chatter::connect(irc).enter("alice_");
    other.say(&format!("NS IDENTIFY alice {}", password()));
    other.until("{} 900 alice_ {} alice :{}");
    // Being logged in is not enough, and registering once more is no other way.
    let register = format!("REGISTER {}", password());
    for (command, answer) in [
        ("SET PASSWORD battery-staple", "Nothing is changed: type SET PASSWORD OLD NEW{}"),
        ("SET PASSWORD wrong-password battery-staple", "That is not the password of alice"),
        (&*register, "You are logged in as alice{}nothing is changed{}"),
        ("REGISTER battery-staple", "{}nothing is changed{}SET PASSWORD OLD NEW{}"),
    ] {
        alice.say(&format!("PRIVMSG NickServ :{command}"));
        alice.sees(&format!(":NickServ!{{}} NOTICE alice :{answer}"));
        alice.sees_nothing();
    }
    alice.say("REGISTER * * battery-staple");
    alice.sees(":irc.example FAIL REGISTER ALREADY_AUTHENTICATED * :{}SET PASSWORD OLD NEW{}");
    second.sees_nothing();
    other.sees_nothing();
    // The others are logged out, and those with the name leave.
    alice.say(&format!("PRIVMSG NickServ :SET PASSWORD {} battery-staple", password()));
    alice.sees(":NickServ!{} NOTICE alice :alice has a new password{}");
    alice.sees_nothing();
    second.is_closed_with("ERROR :{}");
    other.until(":irc.example 901 alice_ {} :{}");
    other.say(&format!("NS IDENTIFY alice {}", password()));
    other.until(":NickServ!{} NOTICE alice_ :That is not the password of alice");
    other.say("NS IDENTIFY alice battery-staple");
    other.until("{} 900 alice_ {} alice :{}");
    other.until_pong();
    other.say("NS REGISTER third-password");
    other.sees(":NickServ!{} NOTICE alice_ :You are logged in as alice{}SET PASSWORD{}");
    // The account counts, and not the nick.
    other.say("NS SET PASSWORD battery-staple fourth-password");
    other.sees(":NickServ!{} NOTICE alice_ :alice has a new password{}");
    other.sees_nothing();
    other.say("WHOIS alice_");
    let seen = other.until(":irc.example 318 alice_ {} :{}");
    assert!(seen.iter().any(|message| message.command() == "330"), "{seen:?}");
    alice.is_closed_with("ERROR :{}");
    let mut back = Chatter::connect(irc);
    back.say("PASS fourth-password");
    back = back.enter("alice");
    back.say("NS SET PASSWORD fourth-password short");
    back.sees(":NickServ!{} NOTICE alice :{}characters{}");
    back.sees_nothing();
    server.close((other, back));
}

#[test]
fn a_password_of_several_words_is_refused_and_not_cut() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut alice = Chatter::connect(irc).enter("alice");
    for (command, answer) in [
        ("REGISTER correcthorse battery staple", "one word"),
        ("REGISTER correcthorse battery", "one word"),
        ("REGISTER correcthorse a@b.c staple", "one word"),
        ("SET PASSWORD correcthorse battery staple", "one word"),
        ("SET PASSWORD correcthorse battery", "You are not logged in"),
        ("IDENTIFY correct horse battery", "IDENTIFY NAME PASSWORD"),
        ("IDENTIFY correct horse", "correct is not a registered name{}IDENTIFY NAME PASSWORD"),
    ] {
        alice.say(&format!("PRIVMSG NickServ :{command}"));
        alice.sees(&format!(":NickServ!{{}} NOTICE alice :{{}}{answer}{{}}"));
        alice.sees_nothing();
    }
    alice.say("PRIVMSG NickServ :REGISTER correcthorse alice@example.org");
    alice.sees(":NickServ!{} NOTICE alice :{}e-mail{}");
    alice.sees(":NickServ!{} NOTICE alice :alice is registered{}");
    alice.sees(":irc.example 900 alice {}");
    server.close(alice);
}

#[test]
fn a_registered_nick_says_how_its_owner_takes_it() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let owner = new_owner(irc, "alice");
    let mut guest = Chatter::connect(irc);
    guest.say("NICK alice");
    guest.say("USER u 0 * :U");
    guest.sees(":irc.example NOTICE * :{}/msg NickServ IDENTIFY alice PASSWORD{}");
    guest.sees(":irc.example 433 * alice :{}");
    guest.say("NICK alice_");
    guest.sees(":irc.example 001 alice_ :{}");
    guest.until_end_of_motd();
    guest.say("NICK alice");
    guest.sees(":irc.example 433 alice_ alice :{}");
    guest.sees(":irc.example NOTICE alice_ :{}/msg NickServ IDENTIFY alice PASSWORD{}");
    guest.say(&format!("PRIVMSG NickServ :IDENTIFY {}", password()));
    guest.sees(":NickServ!{} NOTICE alice_ :alice_ is not a registered name{}NAME PASSWORD{}");
    guest.sees_nothing();
    guest.say(&format!("PRIVMSG NickServ :IDENTIFY alice {}", password()));
    guest.until(":irc.example 900 alice_ {} alice :{}");
    guest.until_pong();
    guest.say("NICK alice");
    guest.sees(":alice_!{} NICK {}alice");
    server.close((owner, guest));
}

#[test]
fn a_client_logs_in_with_each_of_the_ways() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let alice = new_owner(irc, "alice");
    let secret = password();
    for greeting in [
        vec![format!("PASS {secret}")],
        vec![format!("PASS :{secret}")],
        vec![format!("PASS alice:{secret}")],
        vec![format!("PASS Alice:{secret}")],
    ] {
        let mut client = Chatter::connect(irc);
        for line in greeting {
            client.say(&line);
        }
        client.say("NICK alice");
        client.say("USER a 0 * :A");
        client.until(":irc.example 001 alice :{}");
        client.until_end_of_motd();
    }
    let mut client = Chatter::connect(irc);
    client.say("CAP REQ sasl");
    client.sees(":irc.example CAP {} ACK :sasl");
    client.say("AUTHENTICATE PLAIN");
    client.sees("{}AUTHENTICATE +");
    client.say(&format!("AUTHENTICATE {}", plain("alice", &secret)));
    client.sees(":irc.example 900 {} alice :{}");
    client.sees(":irc.example 903 {} :{}");
    for line in ["NICK alice", "USER a 0 * :A", "CAP END"] {
        client.say(line);
    }
    client.until(":irc.example 001 alice :{}");
    // And a guest who proves it later.
    let mut late = Chatter::connect(irc).enter("guest");
    late.say(&format!("PRIVMSG NickServ :IDENTIFY alice {secret}"));
    late.until("{} 900 guest {} alice :{}");
    late.until_pong();
    late.say("NICK alice");
    late.until(":guest!{} NICK {}alice");
    server.close((alice, client, late));
}

#[test]
fn a_mistake_in_sasl_is_told_and_another_try_is_taken() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let alice = new_owner(irc, "alice");
    let mut client = Chatter::connect(irc);
    client.say("CAP REQ sasl");
    client.sees(":irc.example CAP {} ACK :sasl");
    client.say("AUTHENTICATE EXTERNAL");
    client.sees(":irc.example 908 * PLAIN :{}");
    client.sees(":irc.example 904 * :{}");
    for wrong in [
        "not base64!",
        "AAAA",
        &STANDARD.encode("alice\0only"),
        &plain("alice", "wrong-word"),
        &plain("nobody", "wrong-word"),
        &plain("", ""),
    ] {
        client.say("AUTHENTICATE PLAIN");
        client.sees("{}AUTHENTICATE +");
        client.say(&format!("AUTHENTICATE {wrong}"));
        client.sees(":irc.example 904 * :{}");
    }
    client.say("AUTHENTICATE PLAIN");
    client.sees("{}AUTHENTICATE +");
    client.say("AUTHENTICATE *");
    client.sees(":irc.example 906 * :{}");
    client.say("AUTHENTICATE PLAIN");
    client.sees("{}AUTHENTICATE +");
    client.say(&format!("AUTHENTICATE {}", "A".repeat(401)));
    client.sees(":irc.example 905 * :{}");
    client.say("AUTHENTICATE PLAIN");
    client.sees("{}AUTHENTICATE +");
    client.say(&format!("AUTHENTICATE {}", plain("alice", &password())));
    client.sees(":irc.example 900 {} alice :{}");
    client.sees(":irc.example 903 * :{}");
    server.close((alice, client));
}

#[test]
fn a_long_password_comes_in_pieces_of_400_bytes() {
    let data = Data::new();
    let (server, irc) = open(&data);
    // The first has 400 bytes in base64 with the name: a full piece, and an empty one behind it.
    for (name, length) in [("alice", 293), ("bobby", 294), ("carol", 400)] {
        let secret = "x".repeat(length);
        let mut owner = Chatter::connect(irc).enter(name);
        owner.say(&format!("NS REGISTER {secret}"));
        owner.until(&format!(":NickServ!{{}} NOTICE {name} :{name} is registered{{}}"));
        let words = plain(name, &secret);
        let mut client = Chatter::connect(irc);
        client.say("CAP REQ sasl");
        client.sees(":irc.example CAP {} ACK :sasl");
        client.say("AUTHENTICATE PLAIN");
        client.sees("{}AUTHENTICATE +");
        for piece in words.as_bytes().chunks(400) {
            client.say(&format!("AUTHENTICATE {}", str::from_utf8(piece).unwrap()));
        }
        if words.len().is_multiple_of(400) {
            client.say("AUTHENTICATE +");
        }
        client.until(":irc.example 903 * :{}");
    }
    server.close(());
}

#[test]
fn lines_keep_their_ids_and_their_order_over_a_restart() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let caps = "draft/chathistory message-tags server-time echo-message";
    let mut alice = Chatter::connect(irc).enter_with("alice", caps);
    alice.joins("#tea");
    let mut ids = Vec::new();
    for n in 0..5 {
        alice.say(&format!("PRIVMSG #tea :line {n}"));
        let echo = alice.sees(&format!(":alice!{{}} PRIVMSG #tea :line {n}"));
        ids.push(echo.tag("msgid").unwrap().to_owned());
    }
    alice.say("CHATHISTORY LATEST #tea * 10");
    let before = alice.until(":irc.example BATCH -{}");
    let of = |messages: &[Message]| -> Vec<(String, String)> {
        let said = messages.iter().filter(|message| message.command() == "PRIVMSG");
        said.map(|message| {
            (message.parameters()[1].to_owned(), message.tag("time").unwrap().to_owned())
        })
        .collect()
    };
    assert_eq!(before.iter().filter_map(|message| message.tag("msgid")).collect::<Vec<_>>(), ids);
    server.close(alice);
    let (server, irc) = open(&data);
    let mut alice = Chatter::connect(irc).enter_with("alice", caps);
    alice.joins("#tea");
    alice.say("CHATHISTORY LATEST #tea * 10");
    let after = alice.until(":irc.example BATCH -{}");
    assert_eq!(of(&after), of(&before));
    let ids_of = |messages: &[Message]| -> Vec<String> {
        messages.iter().filter_map(|message| message.tag("msgid").map(str::to_owned)).collect()
    };
    assert_eq!(ids_of(&after), ids);
    alice.say("CHATHISTORY LATEST #tea * 2");
    assert_eq!(lines(&alice.until(":irc.example BATCH -{}")), ["line 3", "line 4"]);
    // Lines of this run and of two earlier ones, on one page.
    alice.say("PRIVMSG #tea :line 5");
    let echo = alice.sees(":alice!{} PRIVMSG #tea :line 5");
    ids.push(echo.tag("msgid").unwrap().to_owned());
    let log_of = |id: &str| id.split('.').next().unwrap().to_owned();
    assert_ne!(log_of(&ids[4]), log_of(&ids[5]), "each run has a log of its own");
    alice.say("CHATHISTORY LATEST #tea * 10");
    assert_eq!(ids_of(&alice.until(":irc.example BATCH -{}")), ids);
    for (index, id) in ids.iter().enumerate() {
        alice.say(&format!("CHATHISTORY AFTER #tea msgid={id} 10"));
        assert_eq!(ids_of(&alice.until(":irc.example BATCH -{}")), ids[index + 1..]);
    }
    server.close(alice);
    let (server, irc) = open(&data);
    let mut alice = Chatter::connect(irc).enter_with("alice", caps);
    alice.joins("#tea");
    alice.say("CHATHISTORY LATEST #tea * 10");
    assert_eq!(ids_of(&alice.until(":irc.example BATCH -{}")), ids);
    server.close(alice);
}

#[test]
fn a_room_shows_its_last_lines_after_a_restart() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut alice = Chatter::connect(irc).enter("alice");
    alice.joins("#lobby");
    for n in 0..20 {
        alice.say(&format!("PRIVMSG #lobby :line {n}"));
    }
    alice.say("PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    alice.until_pong();
    server.close(alice);
    let (server, irc) = open(&data);
    let mut bob = Chatter::connect(irc).enter_with("bob", "server-time");
    bob.joins("#lobby");
    let seen = bob.until_pong();
    let said: Vec<_> = seen.iter().filter(|message| message.command() == "PRIVMSG").collect();
    assert_eq!(said.len(), 10, "{seen:?}");
    assert_eq!(said[0].parameters()[1], "line 11");
    assert_eq!(said[9].parameters()[1], "\u{1}ACTION waves\u{1}");
    assert!(said.iter().all(|message| message.source() == "alice!alice@kept"), "{said:?}");
    assert!(said.iter().all(|message| message.tag("time").is_some()), "{said:?}");
    server.close(bob);
}

#[test]
fn lines_are_found_by_a_message_to_the_server() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut alice = Chatter::connect(irc).enter("alice");
    alice.joins("#tea");
    for words in ["Darjeeling at noon", "Assam at five", "nothing of that kind"] {
        alice.say(&format!("PRIVMSG #tea :{words}"));
    }
    alice.until_pong();
    alice.say("PRIVMSG parlor :search assam");
    let seen = alice.until(":parlor!{} NOTICE alice :{}Assam at five{}");
    assert!(seen.iter().all(|message| message.command() == "NOTICE"), "{seen:?}");
    alice.until_pong();
    alice.say("PRIVMSG parlor :#tea last 2");
    let seen = alice.until_pong();
    let text: Vec<_> = seen.iter().map(|message| message.line.as_str()).collect();
    let text = text.join("\n");
    assert!(
        text.contains("Assam")
            && text.contains("nothing of that kind")
            && !text.contains("Darjeeling"),
        "{text}"
    );
    server.close(alice);
}

#[test]
fn a_keeper_of_a_room_moderates_it_from_either_door() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut alice = new_owner(irc, "alice");
    alice.joins("#tea");
    let mut bob = enter(&server, "bob");
    bob.say("/join tea");
    bob.until("In tea: alice");
    let mut carol = Chatter::connect(irc).enter("carol");
    carol.joins("#tea");
    alice.until(":carol!carol@irc JOIN #tea");
    bob.until("carol has arrived");
    alice.say("MODE #tea +t");
    alice.sees(":alice!alice@irc MODE #tea +t");
    carol.sees(":alice!alice@irc MODE #tea +t");
    bob.until("-- alice locked the topic: only keepers can change it");
    carol.say("TOPIC #tea :mine");
    carol.sees(":irc.example 482 carol #tea :{}");
    alice.say("MODE #tea +b m:carol");
    carol.until("{} MODE #tea +b m:carol{}");
    alice.until("{} MODE #tea +b m:carol{}");
    carol.until_pong();
    carol.say("PRIVMSG #tea :hear me");
    carol.sees(":irc.example 404 carol #tea :{}");
    alice.say("MODE #tea -b m:carol");
    alice.until("{} MODE #tea -b m:carol{}");
    carol.until("{} MODE #tea -b m:carol{}");
    carol.until_pong();
    carol.say("PRIVMSG #tea :hear me");
    alice.sees(":carol!carol@irc PRIVMSG #tea :hear me");
    bob.until("carol: hear me");
    alice.say("KICK #tea carol :too loud");
    alice.sees(":alice!alice@irc KICK #tea carol :too loud");
    carol.sees(":alice!alice@irc KICK #tea carol :too loud");
    bob.until("carol was removed by alice: too loud");
    carol.joins("#tea");
    alice.until(":carol!carol@irc JOIN #tea");
    alice.say("MODE #tea +b carol");
    alice.until(":alice!alice@irc KICK #tea carol :{}");
    carol.until(":alice!alice@irc KICK #tea carol :{}");
    carol.say("JOIN #tea");
    carol.until(":irc.example 474 carol #tea :{}");
    alice.until_pong();
    alice.say("MODE #tea b");
    alice.sees(":irc.example 367 alice #tea carol!*@* alice {}");
    alice.sees(":irc.example 368 alice #tea :{}");
    alice.say("MODE #tea -b carol!*@*");
    alice.sees(":alice!alice@irc MODE #tea -b carol!*@*");
    carol.joins("#tea");
    server.close((alice, bob, carol));
}

#[test]
fn moderation_with_netcat_is_mode_and_kick() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut bob = enter(&server, "bob");
    register_as(&mut bob, "bob", PASSWORD);
    bob.say("/join tea");
    bob.until("In tea: nobody else");
    let mut alice = Chatter::connect(irc).enter("alice");
    alice.joins("#tea");
    bob.until("alice has arrived");
    bob.say("/topic lock");
    alice.sees(":bob!bob@nc MODE #tea +t");
    bob.say("/topic unlock");
    alice.sees(":bob!bob@nc MODE #tea -t");
    bob.say("/mute alice 1h");
    alice.until("{} MODE #tea +b m:alice{}");
    alice.until_pong();
    alice.say("PRIVMSG #tea :hear me");
    alice.sees(":irc.example 404 alice #tea :{}");
    bob.say("/unmute alice");
    alice.until("{} MODE #tea -b m:alice{}");
    alice.until_pong();
    bob.say("/kick alice so long");
    alice.sees(":bob!bob@nc KICK #tea alice :so long");
    alice.sees_nothing();
    alice.say("PRIVMSG #tea :still here?");
    alice.sees(":irc.example 404 alice #tea :{}");
    server.close((alice, bob));
}

#[test]
fn a_person_who_is_removed_by_the_operator_reads_why() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut bob = enter(&server, "bob");
    let mut alice = Chatter::connect(irc).enter("alice");
    alice.joins("#lobby");
    bob.until("alice has arrived");
    let mut carol = Chatter::connect(irc).enter("carol");
    carol.joins("#lobby");
    alice.sees(":carol!carol@irc JOIN #lobby");
    done(&data, &["kick", "alice", "too", "loud"]);
    alice.is_closed_with("ERROR :{}");
    carol.sees(":alice!alice@irc QUIT :{}too loud");
    done(&data, &["ban", "carol", "1h"]);
    carol.until(":irc.example 465 carol :{}");
    carol.is_closed_with("ERROR :{}");
    let mut again = Chatter::connect(irc);
    again.say("NICK carol");
    again.say("USER c 0 * :C");
    again.until(":irc.example 465 {}");
    server.close(bob);
}

#[test]
fn keepers_of_the_server_see_addresses_and_act_everywhere() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut alice = new_owner(irc, "alice");
    let mut carol = Chatter::connect(irc).enter("carol");
    carol.joins("#tea");
    alice.say("WHOIS carol");
    let seen = alice.until(":irc.example 318 alice carol :{}");
    assert!(seen.iter().all(|message| message.command() != "338"), "{seen:?}");
    done(&data, &["keeper", "add", "alice"]);
    alice.until_pong();
    alice.say("WHOIS carol");
    let seen = alice.until(":irc.example 318 alice carol :{}");
    let address = seen.iter().find(|message| message.command() == "338");
    assert!(address.is_some_and(|message| message.line.contains("127.0.0.1")), "{seen:?}");
    alice.say("WHOIS alice");
    let seen = alice.until(":irc.example 318 alice alice :{}");
    assert!(seen.iter().any(|message| message.command() == "313"), "{seen:?}");
    alice.joins("#tea");
    alice.say("NAMES #tea");
    let names = alice.sees(":irc.example 353 alice = #tea :{}");
    assert!(names.line.contains("@alice"), "{names:?}");
    server.close((alice, carol));
}

#[test]
fn a_name_with_two_connections_is_one_person() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut bob = enter(&server, "bob");
    let mut first = new_owner(irc, "alice");
    first.joins("#lobby");
    bob.until("alice has arrived");
    let mut second = returning(irc, "alice", "echo-message");
    second.joins("#lobby");
    second.until_pong();
    first.sees_nothing(); // of the second nothing is seen
    bob.say("who is it?");
    bob.until("bob: who is it?");
    for client in [&mut first, &mut second] {
        client.sees(":bob!bob@nc PRIVMSG #lobby :who is it?");
    }
    second.say("PRIVMSG #lobby :it is me");
    second.sees(":alice!alice@irc PRIVMSG #lobby :it is me");
    bob.until("alice: it is me");
    bob.say("/msg alice psst");
    bob.until("[bob -> alice] psst");
    for client in [&mut first, &mut second] {
        client.until(":bob!bob@nc PRIVMSG alice :psst");
    }
    second.say("QUIT");
    second.is_closed_with("ERROR :{}");
    bob.say("alice is still here");
    bob.until("bob: alice is still here");
    first.until(":bob!bob@nc PRIVMSG #lobby :alice is still here");
    first.say("QUIT :bye");
    first.is_closed_with("ERROR :{}");
    bob.until("alice has left (bye)");
    server.close(bob);
}

#[test]
fn each_connection_of_a_name_reads_its_own_deeds_with_their_label() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut first = new_owner(irc, "alice");
    first.joins("#tea");
    let capabilities = "labeled-response batch message-tags";
    let mut clients = [(); 2].map(|()| returning(irc, "alice", capabilities));
    let mut bob = Chatter::connect(irc).enter("bob");
    for client in clients.iter_mut().chain([&mut bob]) {
        client.joins("#tea");
    }
    let deeds = [
        "MODE #tea +t",
        "MODE #tea -t",
        "TOPIC #tea :Assam",
        "MODE #tea +v bob",
        "KICK #tea bob :x",
    ];
    for reader in [0, 1] {
        for deed in deeds {
            clients.iter_mut().for_each(|client| drop(client.until_pong()));
            clients[reader].say(&format!("@label=L {deed}"));
            let read = clients[reader].until_pong();
            let [answer] = &read[..] else { panic!("{deed}: {read:?}") };
            assert_eq!(answer.tag("label"), Some("L"), "{deed}: {answer:?}");
            assert_eq!(answer.line, format!(":alice!alice@irc {deed}"));
            let others = clients[1 - reader].until_pong();
            assert!(others.iter().all(|message| message.tag("label").is_none()), "{others:?}");
        }
        bob.joins("#tea");
    }
    server.close((first, clients, bob));
}

#[test]
fn an_owner_is_told_from_others_by_the_account() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut watcher =
        Chatter::connect(irc).enter_with("watcher", "account-tag extended-join account-notify");
    watcher.joins("#lobby");
    let mut alice = new_owner(irc, "alice");
    alice.joins("#lobby");
    let join = watcher.sees(":alice!alice@irc JOIN #lobby alice :alice of IRC");
    assert_eq!(join.tag("account"), Some("alice"));
    alice.say("PRIVMSG #lobby :hello");
    let said = watcher.sees(":alice!alice@irc PRIVMSG #lobby :hello");
    assert_eq!(said.tag("account"), Some("alice"));
    let mut bob = Chatter::connect(irc).enter("bob");
    bob.joins("#lobby");
    let join = watcher.sees(":bob!bob@irc JOIN #lobby * :bob of IRC");
    assert_eq!(join.tag("account"), None);
    watcher.say("WHO #lobby %na");
    let seen = watcher.until(":irc.example 315 watcher #lobby :{}");
    let mut people: Vec<String> = seen
        .iter()
        .filter(|message| message.command() == "354")
        .map(|message| message.parameters()[1..].join(" "))
        .collect();
    people.sort();
    assert_eq!(people, ["alice alice", "bob 0", "watcher 0"]);
    watcher.say("WHOIS alice");
    watcher.until(":irc.example 330 watcher alice alice :{}");
    server.close((watcher, alice, bob));
}

#[test]
fn letters_wait_for_their_reader_at_either_door() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "bob");
    register_as(&mut guest, "bob", &password());
    guest.say("/quit");
    guest.rest();
    let mut alice = Chatter::connect(irc).enter("alice");
    alice.say("PRIVMSG bob :first");
    alice.sees("{} NOTICE alice :{}bob{}");
    alice.say("NOTICE bob :second");
    alice.until_pong();
    alice.say("PRIVMSG bob :\u{1}ACTION waves\u{1}");
    alice.until_pong();
    // It is read again if the connection ends first, so the server starts again here.
    server.close(alice);
    let (server, irc) = open(&data);
    let mut bob = returning(irc, "bob", "server-time message-tags batch");
    let seen = bob.until_pong();
    let batch = seen.iter().find(|message| message.line.ends_with(" chathistory alice")).unwrap();
    let batch = batch.parameters()[0].trim_start_matches('+').to_owned();
    let read = seen.iter().filter(|message| message.tag("batch") == Some(&batch));
    let read: Vec<_> = read
        .map(|message| (message.command(), message.parameters()[1], message.tag("msgid").is_some()))
        .collect();
    let waves = "\u{1}ACTION waves\u{1}";
    let kept = [("PRIVMSG", "first"), ("NOTICE", "second"), ("PRIVMSG", waves)];
    assert_eq!(read, kept.map(|(command, text)| (command, text, true)));
    let mut ids: Vec<_> = seen.iter().filter_map(|message| message.tag("msgid")).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{seen:?}");
    let texts: Vec<_> = seen
        .iter()
        .filter(|message| {
            ["PRIVMSG", "NOTICE"].contains(&message.command())
                && message.source().starts_with("alice!")
        })
        .map(|message| message.parameters()[1])
        .collect();
    assert!(texts.contains(&"first"), "{seen:?}");
    assert!(
        seen.iter()
            .filter(|message| message.command() == "PRIVMSG")
            .all(|message| message.tag("time").is_some()),
        "{seen:?}"
    );
    let again = returning(irc, "bob", "server-time").until_pong();
    assert!(again.iter().all(|message| message.command() != "PRIVMSG"), "{again:?}");
    // With netcat an action is written out.
    let mut alice = Chatter::connect(irc).enter("alice");
    bob.say("QUIT");
    bob.is_closed_with("ERROR :{}");
    alice.say("PRIVMSG bob :\u{1}ACTION waves\u{1}");
    alice.until(":irc.example NOTICE alice :bob is away and gets your message on return");
    let mut guest = Guest::connect(server.address);
    guest.say("bob");
    guest.say(&password());
    let waves = "[alice -> bob] * alice waves";
    guest.lines_until("the message that was kept", |line| line.ends_with(waves));
    server.close((alice, guest));
}

#[test]
fn deleted_lines_are_gone_from_history() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest: Guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    guest.say("soon forgotten");
    guest.until("alice: soon forgotten");
    let mut bob = Chatter::connect(irc).enter_with("bob", "draft/chathistory server-time");
    bob.joins("#lobby");
    bob.say("PRIVMSG #lobby :and this stays");
    bob.say("CHATHISTORY LATEST #lobby * 10");
    assert_eq!(lines(&bob.until(":irc.example BATCH -{}")), ["soon forgotten", "and this stays"]);
    guest.say("/forget all");
    guest.until("-- 1 line that you said is deleted, for everybody");
    bob.until_pong();
    bob.say("CHATHISTORY LATEST #lobby * 10");
    assert_eq!(lines(&bob.until(":irc.example BATCH -{}")), ["and this stays"]);
    server.close((guest, bob));
}

#[test]
fn the_message_of_the_day_says_that_lines_are_stored_and_for_how_long() {
    for (options, words) in
        [(&["--retain", "30d"][..], "30 days"), (&["--retain", "off"], "Lines here are stored")]
    {
        let data = Data::new();
        let server =
            data.open(&[&["--listen", "irc://127.0.0.1:0?server=irc.example"], options].concat());
        let mut alice = Chatter::connect(server.listening("irc"));
        alice.say("NICK alice");
        alice.say("USER a 0 * :A");
        let seen = alice.until_end_of_motd();
        let is_told =
            |message: &Message| message.command() == "372" && message.line.contains(words);
        assert!(seen.iter().any(is_told), "{words}: {seen:?}");
        server.close(alice);
    }
}
