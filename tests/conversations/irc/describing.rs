//! Descriptions that people give of themselves: AWAY and SETNAME.

use super::{enter, in_lobby, netcat, server, stranger};

#[test]
fn people_who_write_to_somebody_away_read_so_at_every_door() {
    let server = server();
    let mut bob = in_lobby(&server, "bob");
    let mut carol = netcat(&server, "carol");
    let mut dave = enter(&server, "dave");
    bob.until_pong();
    bob.say("AWAY :at lunch");
    bob.sees(":irc.example 306 bob :{}");
    carol.say("/msg bob are you there?");
    carol.sees("[carol -> bob] are you there?");
    carol.sees("-- bob is away: at lunch");
    bob.sees(":carol!{} PRIVMSG bob :are you there?");
    dave.say("PRIVMSG bob :and now?");
    dave.sees(":irc.example 301 dave bob :at lunch");
    dave.say("NOTICE bob :no answer, please");
    dave.sees_nothing();
    bob.until(":dave!{} NOTICE bob :no answer, please");
    bob.say("AWAY");
    bob.sees(":irc.example 305 bob :{}");
    carol.say("/msg bob welcome back");
    carol.sees("[carol -> bob] welcome back");
    dave.say("PRIVMSG bob :welcome back");
    dave.sees_nothing();
}

#[test]
fn people_in_several_rooms_read_of_an_absence_once_and_those_who_do_not_ask_never() {
    let server = server();
    let mut bob = in_lobby(&server, "bob");
    bob.joins("#tea");
    let mut carol = stranger(&server).enter_with("carol", "away-notify");
    let mut dave = in_lobby(&server, "dave");
    for room in ["#lobby", "#tea"] {
        carol.joins(room);
    }
    let mut netcat = netcat(&server, "erin");
    for client in [&mut bob, &mut carol, &mut dave] {
        client.until_pong();
    }
    for (line, told) in [("AWAY :lunch", "AWAY :lunch"), ("AWAY :", "AWAY")] {
        bob.say(line);
        carol.sees(&format!(":bob!{{}} {told}"));
        carol.sees_nothing();
    }
    bob.until_pong();
    dave.sees_nothing();
    netcat.say("nothing of it");
    netcat.sees("erin: nothing of it");
}

#[test]
fn arrivals_of_people_who_are_away_say_so() {
    let server = server();
    let mut carol = stranger(&server).enter_with("carol", "away-notify");
    carol.joins("#tea");
    carol.until_pong();
    let mut bob = enter(&server, "bob");
    bob.say("AWAY :lunch");
    bob.say("JOIN #tea");
    carol.sees(":bob!{} JOIN #tea");
    carol.sees(":bob!{} AWAY :lunch");
}

#[test]
fn questions_about_people_tell_who_is_away() {
    let server = server();
    let mut bob = in_lobby(&server, "bob");
    bob.say("AWAY :lunch");
    bob.sees(":irc.example 306 bob :{}");
    let mut carol = in_lobby(&server, "carol");
    carol.until_pong();
    carol.say("WHO bob");
    carol.sees(":irc.example 352 carol * bob irc irc.example bob G :0 bob of IRC");
    carol.sees(":irc.example 315 carol bob :{}");
    carol.say("WHO #lobby %nf");
    let mut people = [carol.message().line, carol.message().line];
    people.sort();
    assert_eq!(people, [":irc.example 354 carol bob G", ":irc.example 354 carol carol H"]);
    carol.sees(":irc.example 315 carol #lobby :{}");
    carol.say("USERHOST bob");
    carol.sees(":irc.example 302 carol :bob=-bob@irc");
    carol.say("WHOIS bob");
    let whois = carol.until(":irc.example 318 carol bob :{}");
    assert!(whois.iter().any(|line| line.line == ":irc.example 301 carol bob :lunch"), "{whois:?}");
}

#[test]
fn the_text_of_an_absence_has_390_bytes() {
    let server = server();
    let (mut bob, mut carol) = (enter(&server, "bob"), enter(&server, "carol"));
    bob.say(&format!("AWAY :{}", "x".repeat(391)));
    bob.sees(":irc.example 417 bob :The text of AWAY has at most 390 bytes: nothing is done");
    carol.say("PRIVMSG bob :hello");
    bob.sees(":carol!carol@irc PRIVMSG bob :hello");
    carol.sees_nothing();
    bob.say(&format!("AWAY :{}", "x".repeat(390)));
    bob.sees(":irc.example 306 bob :{}");
    carol.say("PRIVMSG bob :hello");
    carol.sees(&format!(":irc.example 301 carol bob :{}", "x".repeat(390)));
}

#[test]
fn a_new_real_name_is_told_once_to_clients_that_know_it() {
    let server = server();
    let mut bob = stranger(&server).enter_with("bob", "setname");
    let mut carol = stranger(&server).enter_with("carol", "setname");
    let mut dave = in_lobby(&server, "dave");
    for room in ["#lobby", "#tea"] {
        bob.joins(room);
        carol.joins(room);
    }
    for client in [&mut bob, &mut carol, &mut dave] {
        client.until_pong();
    }
    bob.say("SETNAME :Robert, who makes tea");
    for client in [&mut bob, &mut carol] {
        client.sees(":bob!{} SETNAME :Robert, who makes tea");
        client.sees_nothing();
    }
    dave.sees_nothing();
    dave.say("WHO bob");
    dave.sees(":irc.example 352 dave * {} bob H :0 Robert, who makes tea");
    dave.sees(":irc.example 315 {}");
    for wrong in ["SETNAME", "SETNAME :", &format!("SETNAME :{}", "x".repeat(129))] {
        bob.say(wrong);
        bob.sees(":irc.example FAIL SETNAME INVALID_REALNAME :{}");
    }
}
