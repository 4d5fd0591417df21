//! The rules of rooms, at every door: a private room, passwords, limits, moderated rooms.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use parlor::config::RateLimit;

use crate::support::{Chatter, DEADLINE, Guest, TestServer, Visitor};

/// IRC, netcat, browsers and curl.
const DOORS: [&str; 3] =
    ["irc://127.0.0.1:0?server=irc.example", "tcp://127.0.0.1:0", "http://127.0.0.1:0"];

fn server() -> TestServer {
    TestServer::open(&DOORS, |_| {})
}

/// Sends a request with this header or none.
fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    (header, body): (&str, &str),
) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let length = body.len();
    let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    write!(stream, "{head}{header}Content-Length: {length}\r\n\r\n{body}").unwrap();
    BufReader::new(stream)
}

/// The status of an answer.
fn status_of(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// The status of the answer to a request.
fn status(address: SocketAddr, method: &str, target: &str, body: &str) -> u16 {
    let mut answer = String::new();
    request(address, method, target, ("", body)).read_to_string(&mut answer).unwrap();
    status_of(&answer)
}

/// The answer to a request with this header, without the date.
fn answer(address: SocketAddr, method: &str, target: &str, sent: (&str, &str)) -> String {
    let mut answer = String::new();
    request(address, method, target, sent).read_to_string(&mut answer).unwrap();
    let lines = answer.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The head of an answer, without the date.
fn head(answer: &mut BufReader<TcpStream>) -> Vec<String> {
    let lines = answer.by_ref().lines().map(Result::unwrap);
    let head = lines.take_while(|line| !line.is_empty());
    head.filter(|line| !line.to_ascii_lowercase().starts_with("date:")).collect()
}

/// The notice for a person who closes a room for the time being.
const ENDS: &str = "This holds until nobody is in tea any more: then everybody can enter and read what was said; a keeper with a registered name closes a room for good";

/// Alice, who has made tea and given it the password beer.
fn keeper_of_closed_tea(server: &TestServer) -> Guest {
    let mut alice = server.guest_at(1).enter("alice");
    alice.say("/join tea");
    alice.sees_all(["In tea: nobody else", "-- You keep this room while you are here"]);
    alice.say("/room password beer");
    alice.sees("-- alice gave the room a password: /room shows it");
    alice.sees(&format!("-- {ENDS}"));
    alice
}

#[test]
fn a_private_room_is_for_invited_people_and_nobody_else_sees_it() {
    let server = server();
    let mut alice = server.guest_at(1).enter("alice");
    alice.say("/join tea");
    alice.sees_all(["In tea: nobody else", "-- You keep this room while you are here"]);
    alice.say("/room");
    alice.sees("-- tea is open to everybody");
    alice.say("/room private");
    alice.sees(
        "-- alice made the room private: only people who are invited enter, and nobody else sees it",
    );
    alice.sees(&format!("-- {ENDS}"));
    alice.say("/room");
    alice.sees("-- tea is for invited people only, secret");
    alice.say("psst");
    alice.sees("alice: psst");
    let mut bob = Chatter::connect(server.addresses()[0]).enter("bob");
    bob.say("JOIN #tea");
    bob.sees(":irc.example 473 bob #tea :{}");
    for command in ["MODE #tea", "TOPIC #tea", "PRIVMSG #tea :hi"] {
        bob.say(command);
        bob.sees(":irc.example 403 bob #tea :{}");
    }
    bob.say("NAMES #tea");
    bob.sees(":irc.example 366 bob #tea :{}");
    bob.say("LIST");
    bob.sees_all([":irc.example 321 bob Channel :{}", ":irc.example 323 bob :{}"]);
    bob.say("WHOIS alice");
    let seen = bob.until(":irc.example 318 bob alice :{}");
    assert!(seen.iter().all(|message| message.command() != "319"), "{seen:?}");
    let page = server.addresses()[2];
    assert_eq!(status(page, "GET", "/tea?last=5", ""), 404);
    let mut followers = ["/tea", "/den"].map(|room| request(page, "GET", room, ("", "")));
    let [head, absent] = followers.each_mut().map(head);
    assert_eq!(head, absent, "following waits for a room that does not exist");
    let beer = ("Room-Password: beer\r\n", "");
    let [answered, absent] = ["/tea", "/den"].map(|room| answer(page, "GET", room, beer));
    assert_eq!(answered, absent.replace("den", "tea"));
    let mut carol = Visitor::connect(page).enter("carol");
    for request in
        [r#"{"do":"who","args":["tea"],"id":"q"}"#, r#"{"do":"people","room":"tea","id":"q"}"#]
    {
        carol.asks(request);
        let refused = carol.until_done("q");
        let why: Vec<_> = refused.iter().filter_map(|answer| answer["why"].as_str()).collect();
        assert!(why == ["no-room"] || why == ["not-there"], "{request}: {why:?}");
    }
    carol.asks(r#"{"do":"join","room":"tea","id":"j"}"#);
    assert_eq!(carol.until_done("j")[0]["why"], "invited-only");
    alice.say("/invite bob");
    alice.sees("-- bob is invited to tea");
    bob.sees(":alice!{} INVITE bob {}#tea");
    bob.joins("#tea");
    alice.sees("bob has arrived");
    bob.say("MODE #tea");
    bob.until(":irc.example 324 bob #tea +ins"); // behind the earlier line
    bob.sees(":irc.example 329 bob #tea {}");
    alice.say("/room open");
    alice.sees("-- alice made the room open to everybody");
    bob.sees(":alice!{} MODE #tea -is");
    let mut rest = String::new();
    followers[0].read_to_string(&mut rest).unwrap(); // it ends, as the room can be read
    carol.asks(r#"{"do":"join","room":"tea","id":"k"}"#);
    assert_eq!(carol.until_done("k")[0]["kind"], "entered");
    alice.sees("carol has arrived");
}

#[test]
fn a_password_and_a_limit_hold_at_every_door() {
    let server = server();
    let mut alice = Chatter::connect(server.addresses()[0]).enter("alice");
    alice.joins("#tea");
    alice.say("MODE #tea +kl beer 3");
    alice.sees(":alice!{} MODE #tea +k {}beer");
    alice.until(":alice!{} MODE #tea +l {}3");
    alice.say("MODE #tea +k :a b");
    alice.sees(":irc.example 696 alice #tea k * :{}");
    let mut bob = server.guest_at(1).enter("bob");
    bob.say("/join tea");
    bob.sees("-- tea has a password, and it is another one; type /join tea PASSWORD");
    bob.say("/join tea beer");
    bob.sees_all(["In tea: alice", "-- This room is with the password beer, for at most 3 people"]);
    alice.sees(":bob!{}@nc JOIN #tea");
    let page = server.addresses()[2];
    let mut carol = Visitor::connect(page).enter("carol");
    carol.asks(r#"{"do":"join","room":"tea","id":"a"}"#);
    assert_eq!(carol.until_done("a")[0]["why"], "room-password");
    carol.asks(r#"{"do":"join","room":"tea","args":["beer"],"id":"b"}"#);
    let entered = &carol.until_done("b")[0];
    assert_eq!(entered["rules"]["password"], "beer");
    assert_eq!(entered["rules"]["limit"], 3);
    alice.sees(":carol!{} JOIN #tea");
    bob.sees("carol has arrived");
    let mut dave = Chatter::connect(server.addresses()[0]).enter("dave");
    dave.say("JOIN #tea beer");
    dave.sees(":irc.example 471 dave #tea :{}");
    dave.say("JOIN #tea,#den wrong,x");
    dave.sees(":irc.example 475 dave #tea :{}");
    dave.sees(":dave!{} JOIN #den");
    dave.until(":irc.example 366 dave #den :{}");
    dave.say("MODE #tea");
    dave.sees(":irc.example 324 dave #tea +kln * 3");
    dave.sees(":irc.example 329 dave #tea {}");
    alice.say("MODE #tea");
    alice.sees(":irc.example 324 alice #tea +kln beer 3");
    alice.sees(":irc.example 329 alice #tea {}");
    alice.say("MODE #tea -k anything");
    alice.sees(":alice!{} MODE #tea -k {}*");
    bob.sees("-- alice removed the password of the room");
    bob.say("/room limit 9");
    bob.sees("-- Only keepers can do that; /keeper lists them");
}

#[test]
fn curl_gives_the_password_of_a_room_and_learns_nothing_without_it() {
    const BEER: &str = "Room-Password: beer\r\n";
    let server = server();
    let page = server.addresses()[2];
    let mut alice = keeper_of_closed_tea(&server);
    alice.say("psst");
    alice.sees("alice: psst");

    let read = answer(page, "GET", "/tea?last=5", (BEER, ""));
    assert!(read.starts_with("HTTP/1.1 200 ") && read.contains("alice: psst"), "{read}");
    let said = answer(page, "POST", "/tea?name=ci", (BEER, "built"));
    assert!(said.ends_with("\n2"), "{said}");
    alice.sees("ci: built");
    let mut follower = request(page, "GET", "/tea?replay=1", (BEER, ""));
    let mut line = String::new();
    while !line.contains("ci: built") {
        line.clear();
        assert_ne!(follower.read_line(&mut line).unwrap(), 0, "the answer has ended");
    }

    let absent = answer(page, "GET", "/den?last=5", ("", "")).replace("den", "tea");
    for header in ["", "Room-Password: ale\r\n", "Room-Password:\r\n", "Room-Password: BEER\r\n"] {
        assert_eq!(answer(page, "GET", "/tea?last=5", (header, "")), absent, "{header}");
        let following = answer(page, "GET", "/tea", (header, ""));
        assert_eq!(following, absent, "{header}");
        let refused = answer(page, "POST", "/tea?name=ci", (header, "x"));
        assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
        assert!(refused.contains("give it with -H 'Room-Password: PASSWORD'"), "{refused}");
    }

    alice.say("/room password ale");
    alice.sees("-- alice gave the room a password: /room shows it");
    alice.sees(&format!("-- {ENDS}"));
    alice.say("unheard");
    alice.sees("alice: unheard");
    let mut rest = String::new();
    follower.read_to_string(&mut rest).unwrap(); // the old password counts no more
    assert!(!rest.contains("unheard"), "{rest}");
    alice.say("/room invited");
    alice.sees("-- alice lets only people in who are invited: /invite NAME");
    let invited = ("Room-Password: ale\r\n", "");
    assert_eq!(answer(page, "GET", "/tea?last=5", invited), absent, "no invitation");
}

#[test]
fn passwords_of_rooms_are_guessed_no_faster_than_people_speak() {
    let server = TestServer::open(&DOORS, |config| config.rate = RateLimit::per_second(1));
    let page = server.addresses()[2];
    let mut statuses = Vec::new();
    for guess in 0..40 {
        let header = format!("Room-Password: {guess}\r\n");
        statuses.push(status_of(&answer(page, "GET", "/tea?last=5", (&header, ""))));
    }
    assert!(statuses.starts_with(&[404; 10]), "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(status(page, "GET", "/tea?last=5", ""), 404, "reading costs nothing");
}

#[test]
fn after_thirty_wrong_passwords_of_a_room_an_address_has_no_more_tries_at_any_door() {
    const BEER: (&str, &str) = ("Room-Password: beer\r\n", "hello");
    const TOO_MANY: &str = "Too many tries; try again in 10 minutes";
    let server = server();
    let page = server.addresses()[2];
    let mut alice = keeper_of_closed_tea(&server);

    let mut mallory = Chatter::connect(server.addresses()[0]).enter("mallory");
    mallory.say("JOIN #tea beer"); // a right password is not counted
    mallory.until(":irc.example 366 mallory #tea :{}");
    alice.sees("mallory has arrived");
    mallory.say("PART #tea");
    alice.sees("mallory has left");
    mallory.until(":mallory!{} PART #tea");
    let keys: Vec<_> = (0..10).map(|key| key.to_string()).collect();
    mallory.say(&format!("JOIN {} {}", ["#tea"; 10].join(","), keys.join(",")));
    mallory.sees_all([":irc.example 475 mallory #tea :{}; type /join #tea PASSWORD"; 10]);
    let mut bob = server.guest_at(1).enter("bob");
    for _ in 0..10 {
        bob.say("/join tea ale");
        bob.sees("-- tea has a password, and it is another one; type /join tea PASSWORD");
    }
    let requests = [("GET", "/tea?last=5"), ("POST", "/tea?name=ci")];
    for (method, target) in requests {
        for _ in 0..5 {
            let wrong = answer(page, method, target, ("Room-Password: ale\r\n", "x"));
            assert!(!wrong.contains(TOO_MANY), "{wrong}");
        }
    }

    mallory.say("JOIN #tea,#den beer");
    mallory.sees(&format!(":irc.example 475 mallory #tea :{TOO_MANY}"));
    mallory.until(":irc.example 366 mallory #den :{}");
    bob.say("/join tea beer");
    bob.sees(&format!("-- {TOO_MANY}"));
    for (method, target) in requests {
        let refused = answer(page, method, target, BEER);
        assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains(TOO_MANY), "{refused}");
    }
    alice.say("/invite bob");
    alice.sees("-- bob is invited to tea");
    bob.sees("-- alice invites you to tea: /join tea");
    bob.say("/join tea beer"); // needs no password
    bob.sees("In tea: alice");
}

#[test]
fn a_moderated_room_hears_keepers_and_voices() {
    let server = server();
    let mut alice = server.guest_at(1).enter("alice");
    alice.say("/join tea");
    alice.sees_all(["In tea: nobody else", "-- You keep this room while you are here"]);
    alice.say("/room moderated");
    alice.sees("-- alice lets only keepers and people with a voice speak");
    let mut bob = Chatter::connect(server.addresses()[0]).enter("bob");
    bob.joins("#tea");
    alice.sees("bob has arrived");
    bob.say("PRIVMSG #tea :hi");
    bob.sees(":irc.example 404 bob #tea :{}");
    assert_eq!(status(server.addresses()[2], "POST", "/tea?name=ci", "built"), 403);
    alice.say("/voice bob");
    alice.sees("-- alice gave bob a voice");
    bob.sees(":alice!{} MODE #tea +v {}bob");
    bob.say("PRIVMSG #tea :hello");
    alice.sees("bob: hello");
    bob.say("NAMES #tea");
    let names = bob.sees(":irc.example 353 bob = #tea :{}");
    assert!(names.line.contains("+bob") && names.line.contains("@alice"), "{names:?}");
    bob.sees(":irc.example 366 bob #tea :{}");
    alice.say("/voice -bob");
    alice.sees("-- alice took the voice of bob");
    bob.sees(":alice!{} MODE #tea -v {}bob");
    bob.say("PRIVMSG #tea :hello?");
    bob.sees(":irc.example 404 bob #tea :{}");
    alice.say("/room moderated off");
    alice.sees("-- alice lets everybody speak");
    bob.sees(":alice!{} MODE #tea -m");
    alice.say("/room moderated off");
    alice.sees("-- It is so already");
}

#[test]
fn a_room_that_loses_its_last_keeper_can_speak_and_stays_closed() {
    const FREE: &str = "-- No keeper is here any more, so everybody can speak";
    let server = server();
    let mut alice = keeper_of_closed_tea(&server);
    alice.say("/room moderated");
    alice.sees("-- alice lets only keepers and people with a voice speak");
    let mut bob = Chatter::connect(server.addresses()[0]).enter("bob");
    bob.say("JOIN #tea beer");
    bob.until(":irc.example 366 bob #tea :{}");
    alice.sees("bob has arrived");
    let mut carol = server.guest_at(1).enter("carol");
    carol.say("/join tea beer");
    carol.sees("In tea: alice, bob");
    carol.sees("-- This room is with the password beer, moderated");
    bob.sees(":carol!{} JOIN #tea");
    alice.sees("carol has arrived");

    alice.say("/keeper bob");
    alice.sees("-- alice made bob a keeper for the time being");
    bob.sees(":alice!{} MODE #tea +o {}bob");
    carol.sees("-- alice made bob a keeper for the time being");
    alice.say("/quit");
    bob.sees(":alice!{} QUIT {}");
    carol.sees("alice has left");
    carol.say("hi");
    carol.sees("-- Only keepers and people with a voice can speak in tea; ask a keeper for /voice");
    bob.say("MODE #tea -o bob"); // the last keeper is there, and keeps it no longer
    bob.sees(":bob!{} MODE #tea -o {}bob");
    bob.sees(":irc.example MODE #tea -m");
    carol.sees_all(["-- bob removed bob as a keeper", FREE]);
    carol.say("hi");
    carol.sees("carol: hi");
    bob.sees(":carol!{} PRIVMSG #tea :hi");
    bob.say("MODE #tea");
    bob.sees(":irc.example 324 bob #tea +kn beer");
    bob.sees(":irc.example 329 bob #tea {}");
    let mut dave = server.guest_at(1).enter("dave");
    dave.say("/join tea");
    dave.sees("-- tea has a password, and it is another one; type /join tea PASSWORD");

    bob.say("PART #tea");
    bob.sees(":bob!{} PART #tea");
    carol.sees("bob has left");
    let mut erin = Visitor::connect(server.addresses()[2]).enter("erin");
    bob.joins("#den");
    bob.say("MODE #den +im");
    bob.sees(":bob!{} MODE #den +i");
    bob.until(":bob!{} MODE #den +m");
    bob.say("INVITE carol #den");
    bob.sees(":irc.example 341 bob carol #den");
    carol.sees("-- bob invites you to den: /join den");
    carol.say("/join den");
    carol.sees("In den: bob");
    carol.sees("-- This room is for invited people only, moderated");
    bob.sees(":carol!{} JOIN #den");
    bob.say("INVITE erin #den");
    bob.until(":irc.example 341 bob erin #den");
    erin.asks(r#"{"do":"join","room":"den","id":"j"}"#);
    erin.until_done("j");
    carol.sees("erin has arrived");
    drop(bob); // the connection is lost
    erin.hears("left");
    carol.sees_all(["bob has left (Connection lost)", FREE]);
    let ended = erin.hears("ruled");
    assert_eq!(ended["about"], "not-moderated");
    assert_eq!(ended["by"], serde_json::Value::Null);
    carol.say("/room");
    carol.sees("-- den is for invited people only");
}

#[test]
fn somebody_who_closes_a_room_for_the_time_being_reads_how_long_it_holds() {
    let server = server();
    let mut alice = server.guest_at(1).enter("alice");
    alice.say("/join tea");
    alice.sees_all(["In tea: nobody else", "-- You keep this room while you are here"]);
    let mut bob = Chatter::connect(server.addresses()[0]).enter("bob");
    bob.joins("#tea");
    alice.sees("bob has arrived");
    for rule in ["password beer", "invited", "secret", "private"] {
        alice.say(&format!("/room {rule}"));
        assert!(alice.line().starts_with("-- alice "), "{rule}");
        alice.sees(&format!("-- {ENDS}"));
        bob.until(":alice!{} MODE #tea +{}");
        alice.say("/room open");
        assert!(alice.line().starts_with("-- alice "), "{rule}");
    }
    alice.say("/room limit 5");
    assert!(alice.line().starts_with("-- alice "), "a limit closes nothing");
    alice.say("/keeper bob");
    alice.sees("-- alice made bob a keeper for the time being");
    bob.until(":alice!{} MODE #tea +o {}bob");
    bob.say("MODE #tea +i");
    bob.sees(":bob!{} MODE #tea +i");
}
