//! Questions about people: NAMES, WHO, WHOIS, WHOWAS, ISON, USERHOST, LUSERS.

use parlor::config::RateLimit;

use super::{DOORS, enter, in_lobby, netcat, server};
use crate::support::{Chatter, TestServer};

#[test]
fn a_room_and_a_person_are_listed_with_their_hosts() {
    let server = server();
    let _bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    alice.say("NAMES #lobby");
    alice.sees(":irc.example 353 alice = #lobby :{}");
    alice.sees(":irc.example 366 alice #lobby :{}");
    alice.say("WHO #lobby");
    let seen = alice.until(":irc.example 315 alice #lobby :{}");
    let lines = seen.iter().filter(|message| message.command() == "352");
    let mut people: Vec<String> = lines.map(|line| line.parameters()[5].to_owned()).collect();
    people.sort_unstable();
    assert_eq!(people, ["alice", "bob"]);
    alice.say("WHO bob");
    alice.sees(":irc.example 352 alice * {} nc irc.example bob H :0 {}");
    alice.sees(":irc.example 315 alice bob :{}");
    alice.say("WHO #lobby %tcnf,42");
    let seen = alice.until(":irc.example 315 alice #lobby :{}");
    let lines = seen.iter().filter(|message| message.command() == "354");
    let mut people: Vec<&str> = lines.map(|message| message.line.as_str()).collect();
    people.sort_unstable();
    assert_eq!(
        people,
        [":irc.example 354 alice 42 #lobby alice H", ":irc.example 354 alice 42 #lobby bob H"]
    );
    for nobody in ["nobody", "#nowhere", "x*", "#nowhere,nobody,x?"] {
        alice.say(&format!("WHO {nobody}"));
        alice.sees(&format!(":irc.example 315 alice {nobody} :{{}}"));
    }
}

#[test]
fn a_person_is_shown_with_the_rooms_and_only_to_themselves_with_the_address() {
    let server = server();
    let _bob = netcat(&server, "bob");
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    alice.say("WHOIS bob");
    alice.sees(":irc.example 311 alice bob {} nc * :{}");
    let seen = alice.until(":irc.example 318 alice bob :{}");
    let of = |number: &str| seen.iter().find(|message| message.command() == number);
    assert_eq!(of("319").map(|rooms| rooms.parameters()[2]), Some("#lobby"));
    assert!(of("312").is_some() && of("317").is_some(), "{seen:?}");
    assert!(of("338").is_none(), "an address is for keepers alone: {seen:?}");
    alice.say("WHOIS alice alice");
    alice.sees(":irc.example 311 alice alice alice irc * :alice of IRC");
    let seen = alice.until(":irc.example 318 alice alice :{}");
    let own = seen.iter().find(|message| message.command() == "338").unwrap();
    assert!(own.line.contains(" 338 alice alice 127.0.0.1 :"), "{own:?}");
    assert!(alice.address().starts_with(own.parameters()[2]), "{own:?}");
    alice.say("WHOIS nobody");
    alice.sees(":irc.example 401 alice nobody :{}");
    alice.sees(":irc.example 318 alice nobody :{}");
    alice.say("WHOIS");
    alice.sees(":irc.example 431 alice :{}");
}

/// The nicks in the answer to a WHO, in alphabetical order.
#[track_caller]
fn found(client: &mut Chatter, asked: &str) -> Vec<String> {
    client.say(&format!("WHO {asked}"));
    let seen = client.until(":irc.example 315 {}");
    let lines = seen.iter().filter(|message| message.command() == "352");
    let mut nicks: Vec<_> = lines.map(|line| line.parameters()[5].to_owned()).collect();
    nicks.sort_unstable();
    nicks
}

#[test]
fn masks_find_people_by_nick_user_host_server_and_real_name() {
    let server = server();
    let _bob = netcat(&server, "bob");
    let _carol = enter(&server, "carol");
    let mut alice = enter(&server, "alice");
    let everybody = ["alice", "bob", "carol"];
    for (asked, nicks) in [
        ("*", &everybody[..]),
        ("0", &everybody),
        ("irc.ex*", &everybody),
        ("*", &everybody),
        ("?o?", &["bob"]),
        ("nc*", &["bob"]),
        ("nc h", &["bob"]),
        ("irc h", &["alice", "carol"]),
        ("C* n", &["carol"]),
        (":CAROL of*", &["carol"]),
        ("*!*@irc", &["alice", "carol"]),
        ("x*,b*,alice", &["alice", "bob"]),
        ("* o", &[]),
        ("*********************************************************a*b", &[]),
    ] {
        assert_eq!(found(&mut alice, asked), nicks, "{asked}");
    }
}

#[test]
fn invisible_people_are_found_by_their_name_and_from_their_rooms() {
    let server = server();
    let mut carol = enter(&server, "carol");
    carol.say("MODE carol +i");
    carol.sees(":carol MODE carol +i");
    let mut alice = enter(&server, "alice");
    assert_eq!(found(&mut alice, "car*"), [""; 0]);
    assert_eq!(found(&mut alice, "carol"), ["carol"]);
    carol.joins("#tea");
    alice.joins("#tea");
    assert_eq!(found(&mut alice, "car*"), ["carol"]);
    alice.say("PART #tea");
    alice.sees(":alice!alice@irc PART #tea");
    assert_eq!(found(&mut alice, "car*"), [""; 0]);
}

#[test]
fn a_list_of_everything_costs_ten_lines() {
    let server = TestServer::open(&DOORS, |config| {
        config.rate = RateLimit::per_second(20); // 200 lines at once
    });
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    for _ in 0..11 {
        alice.say("LIST");
        alice.say("WHO *");
    }
    alice.say("PRIVMSG #lobby :late");
    for _ in 0..9 {
        alice.until(":irc.example 323 {}");
        alice.until(":irc.example 315 {}");
    }
    bob.say("early");
    bob.sees("bob: early");
    bob.sees("alice: late"); // two more lists take a second
}

#[test]
fn people_are_counted_and_looked_for_also_after_they_have_left() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    for (line, answer) in [
        ("ISON bob carol", ":irc.example 303 alice :bob"),
        ("USERHOST bob", ":irc.example 302 alice :bob=+{}@nc"),
        ("LUSERS", ":irc.example 251 alice :There are 2 users {}"),
    ] {
        alice.say(line);
        alice.sees(answer);
        alice.until_pong();
    }
    bob.say("/quit");
    alice.sees(":bob!{}@nc QUIT :{}");
    alice.say("WHOWAS bob");
    alice.sees(":irc.example 314 alice bob {} nc * :{}");
    alice.sees(":irc.example 312 alice bob irc.example :{}");
    alice.sees(":irc.example 369 alice bob :{}");
    alice.say("ISON bob");
    alice.sees(":irc.example 303 alice :");
    alice.say("WHOWAS zoe");
    alice.sees(":irc.example 406 alice zoe :{}");
    alice.sees(":irc.example 369 alice zoe :{}");
}
