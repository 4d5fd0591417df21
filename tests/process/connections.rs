//! An owner of a name with several connections: the others see one person in each room, at all
//! doors.

use std::net::SocketAddr;

use serde_json::json;

use crate::admin::done;
use crate::chatter::Chatter;
use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::irc::owner;
use crate::owners::{PASSWORD, come_back};
use crate::server::Server;
use crate::visitor::Visitor;
use crate::web::follow;

/// A server with all doors, and the address of its IRC door. The name alice is registered, and has
/// one connection.
fn open(data: &Data) -> (Server, SocketAddr, Chatter) {
    let irc = "irc://127.0.0.1:0?server=irc.example";
    let server = data.open(&["--listen", irc, "--listen", "http://127.0.0.1:0"]);
    let irc = server.listening("irc");
    let mut alice = Chatter::connect(irc).enter("alice");
    alice.say(&format!("REGISTER * * :{PASSWORD}"));
    alice.until("{}REGISTER SUCCESS alice :{}");
    (server, irc, alice)
}

/// Lets a client join these rooms.
#[track_caller]
fn join(client: &mut Chatter, rooms: &[&str]) {
    for room in rooms {
        client.joins(room);
    }
    client.until_pong();
}

/// Somebody with netcat in a room.
fn netcat(server: &Server, name: &str, room: &str) -> Guest {
    let mut guest = enter(server, name);
    guest.say(&format!("/join {room}"));
    guest.lines_until("the room", |line| line.starts_with(&format!("In {room}: ")));
    guest
}

/// Somebody with a browser in a room.
fn browser(server: &Server, name: &str, room: &str) -> Visitor {
    let mut visitor = Visitor::connect(server.web()).enter(name);
    visitor.asks(json!({"do": "join", "room": room, "id": "j"}).to_string());
    visitor.until_done("j");
    visitor.asks(r#"{"do":"leave","room":"lobby"}"#);
    while visitor.next()["kind"] != "departed" {}
    visitor
}

/// The next lines, in order within each room.
#[track_caller]
fn seen(client: &mut Chatter) -> Vec<String> {
    let mut lines: Vec<_> = client.until_pong().into_iter().map(|message| message.line).collect();
    let room =
        |line: &String| line.split(' ').find(|word| word.starts_with('#')).map(str::to_owned);
    lines.sort_by_key(room);
    lines
}

/// The lines of netcat up to the answer to a command.
#[track_caller]
fn heard(guest: &mut Guest) -> Vec<String> {
    guest.say("/quiet maybe");
    let mut lines = guest.lines_until("a refusal", |line| line.starts_with("-- "));
    lines.pop();
    lines
}

/// The next event of a room at the web door: its kind and its name.
#[track_caller]
fn event(visitor: &mut Visitor) -> (String, String) {
    let event = visitor.next();
    let field = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
    (field("kind"), field("name"))
}

#[test]
fn an_owner_leaves_the_rooms_in_which_no_other_connection_sits() {
    let data = Data::new();
    let (server, irc, mut phone) = open(&data);
    let mut bob = Chatter::connect(irc).enter("bob");
    join(&mut bob, &["#one", "#both", "#two"]);
    let mut desk = owner(irc, "alice");
    join(&mut phone, &["#one", "#both"]);
    join(&mut desk, &["#both", "#two"]);
    let mut nora = netcat(&server, "nora", "one");
    let mut wendy = browser(&server, "wendy", "one");
    bob.say("MONITOR + alice");
    bob.until_pong();
    nora.until("wendy has arrived");
    phone.say("QUIT :bye");
    phone.until("ERROR :{}");
    bob.sees(":alice!alice@irc PART #one :{}bye");
    bob.sees_nothing();
    assert_eq!(heard(&mut nora), ["alice has left (bye)"]);
    let left = wendy.hears("left");
    assert_eq!([&left["room"], &left["name"], &left["words"]], ["one", "alice", "bye"]);
    desk.say("PART #two :enough");
    bob.sees(":alice!{} PART #two :{}enough");
    desk.say("QUIT :good night");
    desk.until("ERROR :{}");
    let told = seen(&mut bob).join("\n");
    assert!(told.contains("QUIT") && told.contains(" 731 bob :alice"), "{told}");
    server.close((bob, nora, wendy));
}

#[test]
fn a_connection_takes_a_name_in_the_rooms_of_that_connection() {
    let data = Data::new();
    let (server, irc, mut phone) = open(&data);
    let mut bob = Chatter::connect(irc).enter("bob");
    join(&mut bob, &["#one", "#both", "#two"]);
    let mut desk = owner(irc, "alice");
    join(&mut phone, &["#one", "#both"]);
    join(&mut desk, &["#both", "#two"]);
    let (mut nora, mut ned) = (netcat(&server, "nora", "one"), netcat(&server, "ned", "both"));
    let (mut wendy, mut will) =
        (browser(&server, "wendy", "one"), browser(&server, "will", "both"));
    nora.until("wendy has arrived");
    ned.until("will has arrived");
    phone.say("PRIVMSG #both :hello");
    let followed = follow(server.web(), &format!("alice:{PASSWORD}"), "both");
    will.hears_line("alice", "hello");
    bob.say("MONITOR + alice,ally");
    for client in [&mut bob, &mut phone, &mut desk] {
        client.until_pong();
    }
    ned.say("/ignore alice");
    ned.lines_until("the answer", |line| line.starts_with("-- "));

    phone.say("NICK ally");
    phone.until(":alice!alice@irc NICK {}ally");
    phone.sees(":alice!alice@irc JOIN #both");
    phone.sees_nothing();
    desk.sees(":ally!alice@irc JOIN #both");
    desk.sees_nothing();
    let online = ":irc.example 730 bob :ally!alice@irc";
    let (come, gone) = ([":ally!alice@irc JOIN #both"], [":alice!alice@irc PART #one"]);
    let there = [":ally!alice@irc JOIN #one"];
    assert_eq!(seen(&mut bob), [&[online][..], &come, &gone, &there].concat());
    assert_eq!(heard(&mut nora), ["alice has left", "ally has arrived"]);
    assert_eq!(heard(&mut ned), ["ally has arrived"]);
    let kinds = [event(&mut wendy), event(&mut wendy)].map(|(kind, name)| format!("{kind} {name}"));
    assert_eq!(kinds, ["left alice", "arrived ally"]);
    assert_eq!(event(&mut will), ("arrived".to_owned(), "ally".to_owned()));
    // Both connections are ignored.
    phone.say("PRIVMSG #both :hello");
    desk.say("PRIVMSG #both :hello");
    bob.sees("{} PRIVMSG #both :hello");
    bob.sees("{} PRIVMSG #both :hello");
    assert!(heard(&mut ned).is_empty());

    phone.until_pong();
    desk.until_pong();
    phone.say("NICK alice");
    phone.sees(":alice!alice@irc PART #both");
    phone.sees(":ally!alice@irc NICK {}alice");
    phone.sees_nothing();
    desk.sees(":ally!alice@irc PART #both");
    desk.sees_nothing();
    let offline = ":irc.example 731 bob :ally";
    let (come, gone) = ([":ally!alice@irc PART #both"], [":ally!alice@irc PART #one"]);
    let there = [":alice!alice@irc JOIN #one"];
    assert_eq!(seen(&mut bob), [&[offline][..], &come, &gone, &there].concat());
    assert_eq!(heard(&mut nora), ["ally has left", "alice has arrived"]);
    assert_eq!(heard(&mut ned), ["ally has left"]);

    desk.say("QUIT :bye");
    desk.until("ERROR :{}");
    bob.sees(":alice!alice@irc PART #two :{}bye");
    phone.say("NICK ally"); // it is the only connection now
    bob.until(":alice!alice@irc NICK {}ally");
    nora.until("alice is now known as ally");
    server.close((phone, bob, nora, ned, wendy, will));
    let followed = followed();
    let at =
        |words| followed.find(words).unwrap_or_else(|| panic!("not told: {words}: {followed}"));
    assert!(at("ally has arrived") < at("ally has left"), "{followed}");
    assert!(at("ally has left") < at("alice is now known as ally"), "{followed}");
}

#[test]
fn a_name_that_stays_in_a_room_has_its_rank_and_its_absence() {
    let data = Data::new();
    let (server, irc, mut phone) = open(&data);
    join(&mut phone, &["#own"]); // a keeper of it from now on
    let mut bob = Chatter::connect(irc).enter_with("bob", "away-notify");
    join(&mut bob, &["#own"]);
    phone.say("MODE #own +v alice");
    phone.until("{} MODE #own +v alice");
    let mut desk = Chatter::connect(irc);
    desk.say(&format!("PASS :{PASSWORD}"));
    let mut desk = desk.enter_with("alice", "multi-prefix");
    let names = desk.joins("#own");
    let listed = names.iter().find(|message| message.command() == "353").unwrap();
    assert!(listed.line.ends_with(" #own :@+alice bob"), "{listed:?}");
    for client in [&mut bob, &mut phone, &mut desk] {
        client.until_pong();
    }
    desk.say("AWAY :lunch");
    desk.until(":irc.example 306 alice :{}");
    bob.sees_nothing(); // the phone is not away

    desk.say("NICK ally");
    desk.until(":alice!alice@irc NICK {}ally");
    for name in ["JOIN #own", "MODE #own +o alice", "MODE #own +v alice"] {
        desk.sees(&format!("{{}} {name}"));
    }
    desk.sees_nothing();
    let ranks = [":irc.example MODE #own +o ally", ":irc.example MODE #own +v ally"];
    bob.sees(":ally!alice@irc JOIN #own");
    bob.sees_all(ranks);
    bob.sees(":ally!alice@irc AWAY :lunch");
    bob.sees_nothing();
    let mut third = come_back(&server, PASSWORD);
    third.say("/join own");
    third.until("In own: bob, ally");
    server.close((phone, desk, bob, third));
}

#[test]
fn a_removal_meets_all_connections_of_an_owner() {
    let data = Data::new();
    let (server, irc, mut phone) = open(&data);
    let mut bob = Chatter::connect(irc).enter("bob");
    join(&mut bob, &["#one", "#both", "#two"]);
    let mut desk = owner(irc, "alice");
    join(&mut phone, &["#one", "#both"]);
    join(&mut desk, &["#both", "#two"]);
    bob.until_pong();
    bob.say("KICK #both alice :spam");
    bob.sees(":bob!{} KICK #both alice :spam");
    bob.sees_nothing();
    phone.until(":bob!{} KICK #both alice :spam");
    desk.until(":bob!{} KICK #both alice :spam");
    let mut nora = netcat(&server, "nora", "one");
    bob.until_pong();
    done(&data, &["kick", "alice", "spam"]);
    phone.until("ERROR :{}");
    desk.until("ERROR :{}");
    bob.sees(":alice!alice@irc PART #one :Removed by {}: spam");
    bob.sees(":alice!alice@irc QUIT :Removed by {}: spam");
    bob.sees_nothing();
    nora.lines_until("the removal", |line| line.starts_with("alice was "));
    assert!(heard(&mut nora).is_empty());
    server.close((bob, nora));
}
