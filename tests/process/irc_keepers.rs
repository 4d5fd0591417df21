//! Keepers at the IRC door who wear another nick than that of their account, and keepers of the
//! server in rooms that others keep.

use crate::admin::done;
use crate::chatter::Chatter;
use crate::data::{Data, enter};
use crate::irc::{authenticate, logged_in, open, open_with_keeper, owner};
use crate::owners::{PASSWORD, come_back, register, register_as};

#[test]
fn an_act_is_noted_under_the_account_and_shown_with_the_nick_that_was_worn() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    alice.say("/join tea");
    alice.lines_until("the keeper", |line| line.contains("You are a keeper of this room"));
    let mut bob = Chatter::connect(irc).enter("bob");
    bob.joins("#tea");
    let mut zoe = logged_in(irc, "zoe", "alice");
    zoe.joins("#tea");
    bob.until(":irc.example MODE #tea +o zoe");
    zoe.say("MODE #tea +b norbert");
    bob.sees(":zoe!u@irc MODE #tea +b norbert!*@*");
    zoe.say("NICK zita");
    bob.sees(":zoe!u@irc NICK :zita");
    bob.say("MODE #tea b");
    bob.sees(":irc.example 367 bob #tea norbert!*@* zoe {}");
    bob.sees(":irc.example 368 bob #tea :{}");
    alice.say("/ban");
    alice.until("-- norbert is banned by zoe, account alice");
    zoe.say("KICK #tea bob");
    bob.sees(":zita!u@irc KICK #tea bob :zita");
    let log = done(&data, &["log", "2"]);
    assert!(log[0].ends_with(" zoe, account alice: ban norbert in tea"), "{log:?}");
    assert!(log[1].ends_with(" zita, account alice: kick bob in tea"), "{log:?}");
    server.close((alice, bob, zoe));

    let (server, _) = open(&data);
    let mut alice = come_back(&server, PASSWORD);
    alice.say("/join tea");
    alice.lines_until("the keeper", |line| line.contains("You are a keeper of this room"));
    alice.say("/ban");
    alice.until("-- norbert is banned by zoe, account alice");
    server.close(alice);
}

#[test]
fn lent_authority_is_that_of_its_account_under_any_nick() {
    let data = Data::new();
    let (server, irc, guest) = open_with_keeper(&data);
    let mut erin = Chatter::connect(irc).enter("erin");
    erin.say(&format!("OPER alice :{PASSWORD}"));
    erin.until(":erin MODE erin +o");
    let mut bob = Chatter::connect(irc).enter("bob");
    erin.say("KILL bob :spam");
    erin.sees(":irc.example NOTICE erin :bob is removed");
    bob.is_closed_with("ERROR :{}You were removed by erin: spam");
    let log = done(&data, &["log", "1"]);
    assert!(log[0].ends_with(" erin, account alice: kick bob (spam)"), "{log:?}");
    server.close((guest, erin));
}

#[test]
fn a_keeper_of_the_server_first_ends_what_somebody_keeps_and_then_bans() {
    let data = Data::new();
    let (server, irc, guest) = open_with_keeper(&data);
    let mut erin = enter(&server, "erin");
    register_as(&mut erin, "erin", PASSWORD);
    let mut alice = owner(irc, "alice");
    // Dave keeps den for the time being, and erin keeps tea for good.
    let mut dave = Chatter::connect(irc).enter("dave");
    dave.joins("#den");
    erin.say("/join tea");
    erin.lines_until("the keeper", |line| line.contains("You are a keeper of this room"));
    for (room, name) in [("#den", "dave"), ("#tea", "erin")] {
        alice.joins(room);
        alice.say(&format!("MODE {room} +b {name}"));
        let first = format!("{name} keeps this room, too; first end that with /keeper -{name}");
        alice.sees(&format!(":irc.example 482 alice {room} :{first}"));
        alice.say(&format!("MODE {room} b"));
        alice.sees(&format!(":irc.example 368 alice {room} :{{}}"));
        alice.say(&format!("MODE {room} -o {name}"));
        alice.sees(&format!(":alice!{{}} MODE {room} -o {name}"));
        alice.say(&format!("MODE {room} +b {name}"));
        alice.until(&format!(":alice!{{}} KICK {room} {name}{{}}"));
    }
    dave.until(":alice!{} KICK #den dave{}");
    erin.until("-- You are banned from tea by alice");
    server.close((guest, alice, dave, erin));
}

#[test]
fn a_person_removed_from_the_lobby_with_netcat_is_there_again_unless_banned() {
    let data = Data::new();
    let (server, irc, guest) = open_with_keeper(&data);
    let mut alice = owner(irc, "alice");
    alice.joins("#lobby");
    let mut dave = enter(&server, "dave");
    alice.until(":dave!{} JOIN #lobby");
    alice.say("KICK #lobby dave :calm down");
    alice.until(":alice!{} KICK #lobby dave :calm down");
    dave.until("-- You were removed from lobby by alice: calm down");
    alice.sees(":dave!{} JOIN #lobby");
    dave.say("I am calm");
    alice.sees(":dave!{} PRIVMSG #lobby :I am calm");
    alice.say("MODE #lobby +b dave");
    alice.until(":alice!{} KICK #lobby dave{}");
    dave.until("-- You are banned from lobby by alice");
    assert!(dave.rest().iter().all(|line| line.starts_with("--")));
    server.close((guest, alice));
}

#[test]
fn a_keeper_of_the_server_reads_when_that_begins_and_ends() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    let mut zoe = logged_in(irc, "zoe", "alice");
    for (act, mode, told) in [("add", "+o", "now"), ("remove", "-o", "no longer")] {
        done(&data, &["keeper", act, "alice"]);
        zoe.sees(&format!(":zoe MODE zoe {mode}"));
        guest.until(&format!("-- You have the authority of a keeper of the server {told}"));
    }
    zoe.say("MODE zoe");
    zoe.sees(":irc.example 221 zoe +");
    // Logging in to the account of a keeper is the same.
    done(&data, &["keeper", "add", "alice"]);
    zoe.sees(":zoe MODE zoe +o");
    let mut yuri = Chatter::connect(irc).enter_with("yuri", "sasl");
    authenticate(&mut yuri, "alice", PASSWORD);
    yuri.until(":yuri MODE yuri +o");
    done(&data, &["name", "release", "alice"]);
    yuri.until(":yuri MODE yuri -o");
    zoe.until(":zoe MODE zoe -o");
    server.close((guest, zoe, yuri));
}

#[test]
fn a_rank_that_comes_with_another_connection_of_the_owner_is_told() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    let mut bob = Chatter::connect(irc).enter("bob");
    bob.joins("#den");
    let mut zoe = logged_in(irc, "zoe", "alice");
    zoe.joins("#den");
    guest.say("/join den");
    bob.until(":alice!{} JOIN #den");
    for mode in ["+o", "+v"] {
        bob.say(&format!("MODE #den {mode} zoe"));
        bob.sees(&format!(":bob!{{}} MODE #den {mode} zoe"));
    }
    zoe.say("NICK alice");
    bob.sees(":zoe!{} PART #den");
    bob.sees(":irc.example MODE #den +o alice");
    bob.sees(":irc.example MODE #den +v alice");
    bob.say("NAMES #den");
    let names = bob.sees(":irc.example 353 bob = #den :{}");
    assert!(names.line.contains("@alice"), "{names:?}");
    server.close((guest, bob, zoe));
}

#[test]
fn a_name_that_is_left_to_another_connection_is_shown_as_away() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    guest.say("/away lunch");
    guest.until("-- You are away: lunch; type /away when you are back");
    let mut alice = Chatter::connect(irc);
    alice.say(&format!("PASS :{PASSWORD}"));
    let mut alice = alice.enter_with("alice", "away-notify");
    alice.joins("#lobby");
    alice.say("AWAY :meeting");
    alice.until(":irc.example 306 alice :{}");
    alice.until_pong();
    alice.say("NICK anna");
    alice.sees(":alice!{} NICK :anna");
    alice.sees(":alice!{} JOIN #lobby");
    alice.sees(":alice!{} AWAY :lunch");
    alice.until_pong();
    server.close((guest, alice));
}
