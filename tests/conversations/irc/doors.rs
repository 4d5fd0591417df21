//! One person with IRC among people with netcat, browsers and curl: what each of them does, the
//! others see.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::{Chatter, DEADLINE, Guest, TestServer, Visitor};

use super::{alice_and_bob, enter, in_lobby, netcat};

/// The doors for IRC, netcat and browsers.
fn all_doors() -> TestServer {
    let doors = ["irc://127.0.0.1:0?server=irc.example", "tcp://127.0.0.1:0", "http://127.0.0.1:0"];
    TestServer::open(&doors, |_| {})
}

/// A person with a browser in the lobby.
#[track_caller]
fn browser(server: &TestServer, name: &str) -> Visitor {
    Visitor::connect(server.addresses()[2]).enter(name)
}

/// Alice with IRC, bob with netcat, carol with a browser: each has read the arrivals of the others.
#[track_caller]
fn three(server: &TestServer) -> (Chatter, Guest, Visitor) {
    let mut bob = netcat(server, "bob");
    let mut carol = browser(server, "carol");
    bob.sees("carol has arrived");
    let alice = in_lobby(server, "alice");
    bob.sees("alice has arrived");
    assert_eq!(carol.hears("arrived")["name"], "alice");
    (alice, bob, carol)
}

/// Sends a request as curl does. Returns the answer.
#[track_caller]
fn curl(address: SocketAddr, method: &str, target: &str, body: &str) -> String {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let length = body.len();
    let head =
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn everybody_reads_what_anybody_says() {
    let server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    alice.say("PRIVMSG #lobby :from IRC");
    bob.sees("alice: from IRC");
    carol.hears_line("alice", "from IRC");
    bob.say("from netcat");
    bob.sees("bob: from netcat");
    alice.sees(":bob!bob@nc PRIVMSG #lobby :from netcat");
    carol.hears_line("bob", "from netcat");
    carol.asks(r#"{"do":"say","room":"lobby","text":"from a browser"}"#);
    carol.hears_line("carol", "from a browser");
    alice.sees(":carol!carol@web PRIVMSG #lobby :from a browser");
    bob.sees("carol: from a browser");
    curl(server.addresses()[2], "POST", "/lobby?name=ci", "from curl");
    alice.sees(":ci!ci@curl PRIVMSG #lobby :from curl");
    bob.sees("ci: from curl");
    carol.hears_line("ci", "from curl");
}

#[test]
fn actions_are_actions_at_every_door() {
    let server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    alice.say("PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    bob.sees("* alice waves");
    assert_eq!(carol.hears("action")["text"], "waves");
    bob.say("/me nods");
    bob.sees("* bob nods");
    alice.sees(":bob!bob@nc PRIVMSG #lobby :\u{1}ACTION nods\u{1}");
    assert_eq!(carol.hears("action")["text"], "nods");
    carol.asks(r#"{"do":"me","room":"lobby","args":["smiles"]}"#);
    alice.sees(":carol!carol@web PRIVMSG #lobby :\u{1}ACTION smiles\u{1}");
    bob.sees("* carol smiles");
}

#[test]
fn several_lines_from_a_browser_are_several_messages() {
    let server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    carol.asks(r#"{"do":"say","room":"lobby","text":"first\nsecond\n\nthird"}"#);
    for line in ["first", "second", "third"] {
        alice.sees(&format!(":carol!carol@web PRIVMSG #lobby :{line}"));
        bob.sees(&format!("carol: {line}"));
    }
    alice.sees_nothing();
}

#[test]
fn a_batch_of_lines_is_several_lines_in_a_browser_and_with_curl() {
    let server = all_doors();
    let mut carol = browser(&server, "carol");
    let mut alice = super::capabilities::modern(&server, "alice", "draft/multiline");
    assert_eq!(carol.hears("arrived")["name"], "alice");
    for line in [
        "BATCH +m draft/multiline #lobby",
        "@batch=m PRIVMSG #lobby :first",
        "@batch=m PRIVMSG #lobby :second",
        "BATCH -m",
    ] {
        alice.say(line);
    }
    carol.hears_line("alice", "first");
    carol.hears_line("alice", "second");
    let read = curl(server.addresses()[2], "GET", "/lobby?last=2", "");
    assert!(read.contains("alice: first\n") && read.contains("alice: second\n"), "{read}");
}

#[test]
fn coming_and_going_is_the_same_from_every_door() {
    let server = all_doors();
    let mut alice = in_lobby(&server, "alice");
    let mut bob = netcat(&server, "bob");
    alice.sees(":bob!bob@nc JOIN #lobby");
    let mut carol = browser(&server, "carol");
    alice.sees(":carol!carol@web JOIN #lobby");
    bob.sees("carol has arrived");
    bob.say("/name bert");
    bob.sees("You are bert");
    alice.sees(":bob!bob@nc NICK {}bert");
    carol.asks(r#"{"do":"name","args":["cora"]}"#);
    alice.sees(":carol!carol@web NICK {}cora");
    bob.sees("carol is now known as cora");
    carol.asks(r#"{"do":"quit","args":["see you"]}"#);
    alice.sees(":cora!{}@web QUIT :{}see you");
    bob.sees("cora has left (see you)");
    bob.say("/quit");
    alice.sees(":bert!{}@nc QUIT :{}");
    alice.sees_nothing();
}

#[test]
fn a_person_with_netcat_who_goes_to_another_room_parts() {
    let server = all_doors();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.joins("#tea");
    bob.say("/join tea");
    let mut seen = [alice.sees(":bob!bob@nc {}").line, alice.sees(":bob!bob@nc {}").line];
    seen.sort();
    assert_eq!(seen, [":bob!bob@nc JOIN #tea", ":bob!bob@nc PART #lobby"]);
    bob.sees("In tea: alice");
    alice.say("PRIVMSG #tea :welcome");
    bob.sees("alice: welcome");
}

#[test]
fn private_messages_go_between_all_doors() {
    let server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    alice.say("PRIVMSG bob,carol :just you two");
    bob.sees("[alice -> bob] just you two");
    let heard = carol.hears("private");
    assert_eq!(
        (&heard["from"], &heard["words"]),
        (&"alice".into(), &"just you two".into()),
        "{heard}"
    );
    bob.say("/msg alice and you");
    bob.sees("[bob -> alice] and you");
    alice.sees(":bob!bob@nc PRIVMSG alice :and you");
    carol.asks(r#"{"do":"msg","args":["alice","me, too"]}"#);
    alice.sees(":carol!carol@web PRIVMSG alice :me, too");
    alice.sees_nothing();
}

#[test]
fn a_topic_is_the_same_at_every_door() {
    let server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    carol.asks(r#"{"do":"topic","room":"lobby","args":["Assam"]}"#);
    alice.sees(":carol!carol@web TOPIC #lobby :Assam");
    bob.sees("carol changed the topic to: Assam");
    alice.say("TOPIC #lobby :Ceylon");
    alice.sees(":alice!alice@irc TOPIC #lobby :Ceylon");
    bob.sees("alice changed the topic to: Ceylon");
    bob.say("/topic");
    bob.sees("-- Topic of lobby: Ceylon");
    bob.say("/topic -");
    alice.sees(":bob!bob@nc TOPIC #lobby :");
}

#[test]
fn a_person_with_irc_is_in_the_lists_of_the_others() {
    let server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    carol.asks(r#"{"do":"people","room":"lobby","id":"p"}"#);
    let heard = carol.until_done("p");
    let people = heard.iter().map(ToString::to_string).collect::<String>();
    for name in ["alice", "bob", "carol"] {
        assert!(people.contains(&format!("\"{name}\"")), "{name}: {people}");
    }
    bob.say("/who");
    let mut listed = bob.line();
    while !listed.contains("alice") {
        listed = bob.line();
    }
    alice.say("NAMES #lobby");
    let names = alice.sees(":irc.example 353 alice = #lobby :{}");
    for name in ["alice", "bob", "carol"] {
        assert!(names.parameters()[3].split(' ').any(|listed| listed == name), "{names:?}");
    }
}

#[test]
fn history_has_the_lines_of_all_doors() {
    let server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    alice.say("PRIVMSG #lobby :one");
    bob.sees("alice: one");
    bob.say("two");
    bob.sees("bob: two");
    carol.hears_line("alice", "one");
    carol.hears_line("bob", "two");
    carol.asks(r#"{"do":"say","room":"lobby","text":"three"}"#);
    carol.hears_line("carol", "three");
    let lines = ["alice: one", "bob: two", "carol: three"];
    let mut dora = netcat_with_replay(&server, "dora");
    for line in lines {
        dora.sees_replayed(line);
    }
    let read = curl(server.addresses()[2], "GET", "/lobby?last=3", "");
    assert!(lines.iter().all(|line| read.contains(line)), "{read}");
    let mut erin = enter(&server, "erin");
    erin.joins("#lobby");
    for (name, text) in [("alice", "one"), ("bob", "two"), ("carol", "three")] {
        erin.sees(&format!(":{name}!{{}} PRIVMSG #lobby :[{{}}] {text}"));
    }
}

/// A person with netcat who has not yet read the replayed lines.
#[track_caller]
fn netcat_with_replay(server: &TestServer, name: &str) -> Guest {
    let mut guest = server.guest_at(1);
    guest.sees_question();
    guest.say(name);
    guest.sees(&format!("You are {name}"));
    guest.sees_roster();
    guest
}

#[test]
fn a_follower_with_curl_reads_irc_and_is_no_arrival() {
    let server = all_doors();
    let (mut alice, mut bob) = alice_and_bob(&server);
    let mut follower = TcpStream::connect_timeout(&server.addresses()[2], DEADLINE).unwrap();
    follower.set_read_timeout(Some(DEADLINE)).unwrap();
    follower.write_all(b"GET /lobby HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut head = [0; 12];
    follower.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    alice.say("PRIVMSG #lobby :anybody listening?");
    bob.sees("alice: anybody listening?");
    let mut heard = String::new();
    while !heard.contains("alice: anybody listening?\n") {
        let mut bytes = [0; 1_024];
        let read = follower.read(&mut bytes).expect("a line comes in time");
        heard += &String::from_utf8_lossy(&bytes[..read]);
    }
    alice.sees_nothing();
}

#[test]
fn scripts_speak_without_arriving() {
    let server = all_doors();
    let (mut alice, mut bob) = alice_and_bob(&server);
    let answer = curl(server.addresses()[2], "POST", "/lobby?name=ci", "first\nsecond");
    assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 204"), "{answer}");
    for line in ["first", "second"] {
        alice.sees(&format!(":ci!ci@curl PRIVMSG #lobby :{line}"));
        bob.sees(&format!("ci: {line}"));
    }
    alice.sees_nothing();
    let answer = curl(server.addresses()[2], "POST", "/lobby?name=alice", "not me");
    assert!(answer.starts_with("HTTP/1.1 409"), "{answer}");
    alice.sees_nothing();
}

#[test]
fn ignoring_a_person_with_irc_hides_their_lines_with_netcat() {
    let server = all_doors();
    let (mut alice, mut bob) = alice_and_bob(&server);
    bob.say("/ignore alice");
    bob.sees("-- You no longer see lines from alice; /unignore alice shows them again");
    alice.say("PRIVMSG #lobby :unheard");
    alice.say("PRIVMSG bob :unheard");
    alice.until_pong();
    alice.say("NICK alina");
    alice.sees(":alice!alice@irc NICK {}alina");
    bob.sees("alice is now known as alina");
    alice.say("PRIVMSG #lobby :still unheard");
    alice.until_pong();
    bob.say("I hear nothing");
    bob.sees("bob: I hear nothing");
}

#[test]
fn people_may_be_quiet_about_arrivals_elsewhere() {
    let server = all_doors();
    let mut bob = netcat(&server, "bob");
    bob.say("/quiet on");
    bob.sees("-- You no longer see arrivals and departures; /quiet off shows them again");
    let mut alice = in_lobby(&server, "alice");
    alice.say("PRIVMSG #lobby :hello");
    bob.sees("alice: hello");
    let mut carol = netcat(&server, "carol");
    alice.sees(":carol!carol@nc JOIN #lobby");
    carol.say("/quit");
    alice.sees(":carol!carol@nc QUIT :{}");
    bob.say("quiet here");
    bob.sees("bob: quiet here");
}

#[test]
fn a_crowd_that_comes_at_once_is_exact_with_irc() {
    let server = all_doors();
    let mut alice = in_lobby(&server, "alice");
    let mut crowd: Vec<Guest> = (0..60).map(|_| server.guest_at(1)).collect();
    for (n, guest) in crowd.iter_mut().enumerate() {
        guest.sees_question();
        guest.say(&format!("guest{n}"));
    }
    let mut came: Vec<String> = Vec::new();
    while came.len() < 60 {
        let seen = alice.sees(":guest{}@nc JOIN #lobby");
        came.push(seen.source().split('!').next().unwrap().to_owned());
    }
    came.sort();
    let mut expected: Vec<String> = (0..60).map(|n| format!("guest{n}")).collect();
    expected.sort();
    assert_eq!(came, expected);
    drop(crowd);
    let mut left = 0;
    while left < 60 {
        alice.sees(":guest{}@nc QUIT :{}");
        left += 1;
    }
    alice.sees_nothing();
    alice.say("NAMES #lobby");
    alice.sees(":irc.example 353 alice = #lobby :alice");
    alice.sees(":irc.example 366 alice #lobby :{}");
}

#[test]
fn the_end_of_the_server_is_told_at_every_door() {
    let mut server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    server.goes_down();
    alice.is_closed_with("ERROR :{}");
    let said = bob.rest();
    assert!(said.contains("going down"), "{said}");
    let (_, code) = carol.is_closed();
    assert_eq!(code, 1001);
}

#[test]
fn a_line_too_long_for_irc_is_whole_elsewhere() {
    let server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    let long = "\u{8336}".repeat(1_000);
    carol.asks(format!(r#"{{"do":"say","room":"lobby","text":"{long}"}}"#));
    carol.hears_line("carol", &long);
    bob.sees(&format!("carol: {long}"));
    let mut heard = String::new();
    while heard.len() < long.len() {
        heard += alice.sees(":carol!carol@web PRIVMSG #lobby :{}").parameters()[1];
    }
    assert_eq!(heard, long);
}

#[test]
fn a_room_is_listed_while_somebody_is_in_it() {
    let server = all_doors();
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    let mut bob = netcat(&server, "bob");
    bob.say("/rooms");
    let mut listed = bob.line();
    while !listed.contains("tea") {
        listed = bob.line();
    }
    alice.say("PART #tea");
    alice.sees(":alice!alice@irc PART #tea");
    alice.say("LIST");
    let rooms = alice.until(":irc.example 323 alice :{}");
    assert!(rooms.iter().all(|room| !room.line.contains("#tea")), "{rooms:?}");
}

#[test]
fn a_name_is_taken_for_all_doors_at_once() {
    let server = all_doors();
    let (mut alice, mut bob, _carol) = three(&server);
    for taken in ["bob", "carol", "CAROL", "b0b"] {
        alice.say(&format!("NICK {taken}"));
        alice.sees(&format!(":irc.example 433 alice {taken} :{{}}"));
    }
    bob.say("/name alice");
    let mut refused = bob.line();
    while !refused.contains("alice is taken") {
        refused = bob.line();
    }
    let mut other = server.guest_at(1);
    other.sees_question();
    other.say("Alice");
    let words = other.line();
    assert!(words.contains("taken"), "{words}");
}

#[test]
fn the_order_of_lines_is_the_same_at_every_door() {
    let server = all_doors();
    let (mut alice, mut bob, mut carol) = three(&server);
    for n in 0..10 {
        alice.say(&format!("PRIVMSG #lobby :a{n}"));
        bob.say(&format!("b{n}"));
        carol.asks(format!(r#"{{"do":"say","room":"lobby","text":"c{n}"}}"#));
    }
    let with_netcat: Vec<String> = (0..30).map(|_| bob.line().trim_end().to_owned()).collect();
    let in_browser: Vec<String> = (0..30)
        .map(|_| {
            let line = carol.hears("line");
            format!("{}: {}", line["name"].as_str().unwrap(), line["text"].as_str().unwrap())
        })
        .collect();
    assert_eq!(with_netcat, in_browser);
    let with_irc: Vec<String> = (0..20)
        .map(|_| {
            let seen = alice.sees(":{} PRIVMSG #lobby :{}");
            let name = seen.source().split('!').next().unwrap().to_owned();
            format!("{name}: {}", seen.parameters()[1])
        })
        .collect();
    let of_others: Vec<&String> =
        with_netcat.iter().filter(|line| !line.starts_with("alice")).collect();
    assert_eq!(with_irc.iter().collect::<Vec<_>>(), of_others);
}

#[test]
fn the_names_of_the_server_and_its_services_are_free_at_no_door() {
    let doors = ["irc://127.0.0.1:0?server=irc.libera", "tcp://127.0.0.1:0", "http://127.0.0.1:0"];
    let server = TestServer::open(&doors, |_| {});
    let mut bob = server.guest_at(1).enter("bob");
    for name in
        ["irc.libera", "IRC.Libera", "lrc.libera", "irc.l1bera", "NS", "cs", "kept", "N1ckServ"]
    {
        bob.say(&format!("/name {name}"));
        let refused = bob.line();
        assert!(refused.contains(" is reserved; "), "{name}: {refused}");
        let request = format!(
            "POST /lobby?name={name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
        );
        let mut stream = TcpStream::connect(server.addresses()[2]).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{name}: {answer}");
    }
    bob.say("/name libera");
    bob.sees("You are libera");
}
