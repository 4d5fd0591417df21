//! INVITE and `/invite`: people ask each other into rooms, whatever their doors are.

use super::{enter, in_lobby, netcat, server, stranger};

#[test]
fn an_invitation_is_read_at_every_door() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    let mut carol = stranger(&server).enter_with("carol", "invite-notify");
    carol.joins("#tea");
    alice.sees(":carol!carol@irc JOIN #tea");
    let mut dave = enter(&server, "dave");
    dave.joins("#tea");
    alice.sees(":dave!dave@irc JOIN #tea");
    carol.sees(":dave!dave@irc JOIN #tea");
    alice.say("INVITE Bob #Tea");
    alice.sees(":irc.example 341 alice bob #tea");
    bob.sees("-- alice invites you to tea: /join tea");
    carol.sees(":alice!alice@irc INVITE bob #tea");
    dave.sees_nothing();
    alice.sees_nothing();
    bob.say("/invite dave");
    dave.sees(":bob!{}@nc INVITE dave #lobby");
    bob.sees("-- dave is invited to lobby");
    carol.say("INVITE alice #tea");
    carol.sees(":irc.example 443 carol alice #tea :alice is already in tea");
}

#[test]
fn a_client_asks_where_it_is_invited() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut carol = enter(&server, "carol");
    bob.say("/invite carol");
    carol.sees(":bob!{}@nc INVITE carol #lobby");
    carol.say("INVITE");
    carol.sees(":irc.example 336 carol #lobby");
    carol.sees(":irc.example 337 carol :{}");
    carol.joins("#lobby");
    carol.say("INVITE");
    carol.sees(":irc.example 337 carol :{}");
}

#[test]
fn an_invitation_is_refused_with_the_reason() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    let mut carol = enter(&server, "carol");
    carol.joins("#tea");
    for (command, answer) in [
        ("INVITE", "337 alice :End of /INVITE list"),
        ("INVITE bob", "461 alice INVITE :Not enough parameters"),
        ("INVITE carol #nowhere", "403 alice #nowhere :There is no room nowhere; {}"),
        ("INVITE bob #tea", "442 alice #tea :You are not in that room"),
        ("INVITE bob tea", "403 alice tea :No such channel; a channel begins with #"),
        ("INVITE dave #lobby", "401 alice dave :Nobody here is called dave; {}"),
        ("INVITE bob #lobby", "443 alice bob #lobby :bob is already in lobby"),
        ("INVITE alice #lobby", "443 alice alice #lobby :alice is already in lobby"),
        ("INVITE carol #lobby", "341 alice carol #lobby"),
    ] {
        alice.say(command);
        alice.sees(&format!(":irc.example {answer}"));
    }
    carol.sees(":alice!alice@irc INVITE carol #lobby");
    alice.say("INVITE carol #lobby");
    alice.sees(":irc.example NOTICE alice :carol was invited a moment ago; invite again in {}");
    bob.say("/invite");
    bob.sees("-- Type /invite NAME: it invites somebody to this room");
    bob.say("/invite alice");
    bob.sees("-- alice is already in lobby");
}

#[test]
fn invitations_of_an_ignored_person_are_not_shown() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    bob.say("/join tea");
    bob.sees("In tea: nobody else");
    bob.sees("-- You keep this room while you are here");
    bob.say("/ignore alice");
    bob.sees("-- You no longer see lines from alice; /unignore alice shows them again");
    alice.sees(":bob!{} PART #lobby");
    alice.say("INVITE bob #lobby");
    alice.sees(":irc.example 341 alice bob #lobby");
    bob.say("still here");
    bob.sees("bob: still here");
}
