//! Owners of names that were reserved after they were registered.

use crate::admin::done;
use crate::chatter::Chatter;
use crate::data::{Data, STORED, enter};
use crate::guest::Guest;
use crate::irc::{logged_in, owner};
use crate::owners::{PASSWORD, register_as};
use crate::web::curl;

/// A file of a version that did not reserve the name `global`, in which it has an owner.
fn with_global() -> Data {
    let data = Data::new();
    let server = data.open(&[]);
    let mut guest = enter(&server, "glory");
    register_as(&mut guest, "glory", PASSWORD);
    server.close(guest);
    let file = rusqlite::Connection::open(data.file()).unwrap();
    file.execute("UPDATE accounts SET name = 'global', fold = 'global'", []).unwrap();
    data
}

#[test]
fn an_owner_of_a_name_that_became_reserved_enters_under_it_and_nobody_else_does() {
    let data = with_global();
    let irc = "irc://127.0.0.1:0?server=irc.example";
    let server = data.open(&["--listen", irc, "--listen", "http://127.0.0.1:0"]);
    let (irc, web) = (server.listening("irc"), server.listening("http"));
    let mut guest = Guest::connect(server.address);
    guest.say("Global");
    guest.until("-- global is registered: type its password (Enter to go without this name)");
    guest.say(PASSWORD);
    guest.until(STORED);
    let mut bob = Chatter::connect(irc).enter("bob");
    bob.joins("#lobby");
    // With IRC, with the password of the nick, with SASL under another nick, and with NICK.
    let mut client = owner(irc, "global");
    client.joins("#lobby");
    client.say("PRIVMSG #lobby :here I am");
    bob.sees(":global!{} PRIVMSG #lobby :here I am");
    let mut zoe = logged_in(irc, "zoe", "global");
    zoe.say("NICK global");
    zoe.sees(":zoe!{} NICK :global");
    // With a token, for curl.
    let user = format!("global:{}", guest.token());
    for (user, status) in [(&*user, "200"), ("global:wrong", "401")] {
        assert_eq!(curl(web, &["-d", "by a script", "-u", user], "/lobby").1, status);
    }
    assert_eq!(curl(web, &["-d", "x"], "/lobby?name=global").1, "401");
    assert_eq!(curl(web, &["-d", "x"], "/lobby?name=kept").1, "400");
    bob.sees(":global!{} PRIVMSG #lobby :by a script");
    // Strangers.
    bob.say("NICK global");
    bob.until(":irc.example 433 bob global {}");
    bob.say("NICK kept");
    bob.until(":irc.example 432 bob kept :kept is reserved; choose another name");
    let mut mallory = Chatter::connect(irc);
    mallory.say("NICK global");
    mallory.say("USER m 0 * :M");
    mallory.until(":irc.example 433 * global {}");
    mallory.say("NICK parlor");
    mallory.until(":irc.example 432 * parlor :parlor is reserved; choose another name");
    // The operator and keepers reach the person.
    done(&data, &["kick", "global", "enough"]);
    client.is_closed_with("ERROR :{}enough");
    server.close((guest, bob, zoe, mallory));
}
