//! Refusals, each with its numeric.

use super::{alice_and_bob, asks, enter, in_lobby, netcat, server};

#[test]
fn commands_without_their_parameters_are_refused() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for command in [
        "JOIN",
        "JOIN :",
        "PART",
        "PART :",
        "TOPIC",
        "KICK",
        "KICK #lobby",
        "MODE",
        "PING",
        "STATS",
        "BATCH",
        "CHATHISTORY",
        "USERHOST",
        "ISON",
        "WHO",
        "REGISTER",
        "REGISTER x",
    ] {
        let word = command.split(' ').next().unwrap();
        asks(&mut alice, &[(command, &format!(":irc.example 461 alice {word} :{{}}"))]);
    }
    asks(
        &mut alice,
        &[
            ("NICK", ":irc.example 431 alice :{}"),
            ("NICK :", ":irc.example 431 alice :{}"),
            ("WHOIS", ":irc.example 431 alice :{}"),
            ("WHOWAS", ":irc.example 431 alice :{}"),
            ("PRIVMSG", ":irc.example 411 alice :{}"),
            ("PRIVMSG bob", ":irc.example 412 alice :{}"),
            ("PRIVMSG #lobby :", ":irc.example 412 alice :{}"),
        ],
    );
}

#[test]
fn unknown_commands_are_refused_by_their_name() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for command in [
        "REHASH", "DIE", "SQUIT", "CONNECT", "KLINE", "SUMMON", "USERS", "12", "F\u{fc}r", "/join",
        "join#tea",
    ] {
        let answer = format!(":irc.example 421 alice {command} :{{}}");
        asks(&mut alice, &[(command, &answer)]);
    }
}

#[test]
fn a_client_registers_once() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for line in ["USER al 0 * :Alice", "USER", "PASS x", "PASS"] {
        asks(&mut alice, &[(line, ":irc.example 462 alice :{}")]);
    }
}

#[test]
fn everything_before_registration_is_refused() {
    let server = server();
    let mut stranger = super::stranger(&server);
    for command in [
        "JOIN #lobby",
        "PART #lobby",
        "PRIVMSG #lobby :hello",
        "NOTICE #lobby :hello",
        "TOPIC #lobby",
        "MODE #lobby",
        "WHO #lobby",
        "WHOIS bob",
        "NAMES #lobby",
        "LIST",
        "KICK #lobby bob",
        "MOTD",
        "LUSERS",
        "VERSION",
        "NONSENSE",
        "CHATHISTORY LATEST #lobby * 1",
    ] {
        let word = command.split(' ').next().unwrap();
        asks(&mut stranger, &[(command, &format!(":irc.example 451 * {word} :{{}}"))]);
    }
    asks(
        &mut stranger,
        &[("REGISTER * * password", "{}FAIL REGISTER COMPLETE_CONNECTION_REQUIRED * :{}")],
    );
}

#[test]
fn a_new_nick_is_refused_with_the_rule_that_it_breaks() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for nick in [
        "b!b",
        "b@b",
        "#bob",
        "bob,carol",
        ":",
        "bob:x",
        "[bob]",
        "bo|b",
        "bob`",
        "bob~1",
        "127.0.0.1~5",
        "-bob",
        "...",
        "*",
        "parlor",
    ] {
        alice.say(&format!("NICK {nick}"));
        let number = if nick == ":" { 431 } else { 432 };
        let seen = alice.message();
        assert_eq!(seen.command(), number.to_string(), "{nick}: {seen:?}");
        alice.sees_nothing();
    }
    for nick in ["bob", "BOB", "B0b"] {
        asks(
            &mut alice,
            &[(&format!("NICK {nick}"), &format!(":irc.example 433 alice {nick} :{{}}"))],
        );
    }
    alice.say("NICK alice"); // is called so already
    alice.sees_nothing();
    alice.say("NICK Alice"); // another case of the own name
    alice.sees(":alice!alice@irc NICK {}Alice");
    bob.sees("alice is now known as Alice");
}

#[test]
fn a_message_that_reaches_nobody_says_why() {
    let server = server();
    let mut alice = enter(&server, "alice");
    let _bob = in_lobby(&server, "bob");
    asks(
        &mut alice,
        &[
            ("PRIVMSG dave :hello", ":irc.example 401 alice dave :{}"),
            ("PRIVMSG #lobby :hello", ":irc.example 404 alice #lobby :{}"),
            ("PRIVMSG #nowhere :hello", ":irc.example 403 alice #nowhere :{}"),
            ("PRIVMSG # :hello", ":irc.example 403 alice # :{}"),
            ("PRIVMSG &local :hello", ":irc.example 401 alice &local :{}"),
            ("PRIVMSG @#lobby :hello", ":irc.example 401 alice @#lobby :{}"),
            ("PRIVMSG bob!bob@irc :hello", ":irc.example 401 alice bob!bob@irc :{}"),
            ("PRIVMSG $*.example :hello", ":irc.example 401 alice $*.example :{}"),
            ("PRIVMSG #lobby :\u{1}VERSION\u{1}", ":irc.example 404 alice #lobby :{}"),
        ],
    );
}

#[test]
fn a_notice_is_never_refused() {
    let server = server();
    let mut alice = enter(&server, "alice");
    let _bob = in_lobby(&server, "bob");
    for line in [
        "NOTICE",
        "NOTICE :",
        "NOTICE dave",
        "NOTICE dave :",
        "NOTICE dave :hello",
        "NOTICE #lobby :hello",
        "NOTICE #nowhere :hello",
        "NOTICE # :hello",
        "NOTICE @#lobby :hello",
        "NOTICE #lobby :\u{1}VERSION\u{1}",
        "NOTICE a,b,c,d,e,f :hello",
    ] {
        alice.say(line);
        alice.sees_nothing();
    }
}

#[test]
fn only_keepers_change_a_room() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    let mut carol = in_lobby(&server, "carol");
    bob.sees("carol has arrived");
    alice.sees(":carol!carol@irc JOIN #lobby");
    for line in [
        "MODE #lobby +t",
        "MODE #lobby -t",
        "MODE #lobby +o bob",
        "MODE #lobby +b bob",
        "MODE #lobby +b *!*@192.0.2.7",
        "MODE #lobby +b m:bob",
        "KICK #lobby bob",
        "KICK #lobby carol :too loud",
    ] {
        asks(&mut alice, &[(line, ":irc.example 482 alice #lobby :{}")]);
    }
    carol.sees_nothing();
    bob.say("nothing has happened");
    bob.sees("bob: nothing has happened");
}

#[test]
fn modes_that_there_are_not_are_refused_one_by_one() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    for letter in ["z", "H", "1"] {
        asks(
            &mut alice,
            &[(
                &format!("MODE #lobby +{letter}"),
                &format!(":irc.example 472 alice {letter} :{{}}"),
            )],
        );
    }
    alice.say("MODE #lobby +zH");
    alice.sees(":irc.example 472 alice z :{}");
    alice.sees(":irc.example 472 alice H :{}");
    asks(
        &mut alice,
        &[
            ("MODE #lobby +o", ":irc.example 696 alice #lobby o * :{}"),
            ("MODE #lobby -o", ":irc.example 696 alice #lobby o * :{}"),
        ],
    );
    asks(&mut alice, &[("MODE #lobby -n", ":irc.example 696 alice #lobby n * :{}")]);
    alice.say("MODE #lobby +n"); // it is always so
    alice.sees_nothing();
}

#[test]
fn a_mask_of_a_door_is_refused_with_the_command_that_bans() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    let mut bob = netcat(&server, "bob");
    bob.say("/join tea");
    alice.sees(":bob!bob@nc JOIN #tea");
    for (sign, mask, command) in [
        ("+", "*!*bob@nc", "/mode #tea +b bob"), // of irssi
        ("+", "*!bob@nc", "/mode #tea +b bob"),  // of WeeChat
        ("-", "*!bob@nc", "/mode #tea -b bob"),
        ("+", "bob!*@nc", "/mode #tea +b bob"),
        ("+", "*!*al@irc", "/mode #tea +b NICK, with"), // nobody's name, perhaps
        ("+", "*!*@web", "/mode #tea +b NICK, with"),
    ] {
        alice.say(&format!("MODE #tea {sign}b {mask}"));
        let seen = alice.sees(&format!(":irc.example 696 alice #tea b {mask} :{{}}"));
        assert!(seen.line.contains(command), "{mask}: {seen:?}");
        alice.sees_nothing();
    }
    alice.say("MODE #tea +b bob");
    alice.sees(":alice!alice@irc MODE #tea +b bob!*@*");
    alice.sees(":alice!alice@irc KICK #tea bob :{}");
}

#[test]
fn a_locked_topic_is_for_keepers_also_where_others_do_not_speak() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    let mut bob = enter(&server, "bob");
    bob.joins("#tea");
    alice.sees(":bob!bob@irc JOIN #tea");
    alice.say("MODE #tea +mt");
    for client in [&mut alice, &mut bob] {
        client.sees(":alice!alice@irc MODE #tea +m");
        client.sees(":alice!alice@irc MODE #tea +t");
    }
    asks(&mut bob, &[("TOPIC #tea :Coffee", ":irc.example 482 bob #tea :{}topic{}")]);
    alice.say("MODE #tea -t");
    bob.sees(":alice!alice@irc MODE #tea -t");
    asks(&mut bob, &[("TOPIC #tea :Coffee", ":irc.example 482 bob #tea :{}voice{}")]);
    asks(&mut bob, &[("PRIVMSG #tea :Coffee", ":irc.example 404 bob #tea :{}voice{}")]);
}

#[test]
fn a_room_that_is_opened_loses_the_modes_that_it_has() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    for (modes, shown) in [
        (&["+i", "+s"][..], "-is"),
        (&["+l 5"], "-l"),
        (&["+k beer"], "-k *"),
        (&["+m", "+k beer", "+s"], "-smk *"),
        (&["+i", "+s", "+l 5", "+m", "+k beer"], "-islmk *"),
    ] {
        for mode in modes {
            alice.say(&format!("MODE #tea {mode}"));
            alice.until(&format!(":alice!alice@irc MODE #tea {mode}"));
        }
        alice.until_pong();
        alice.say("PRIVMSG parlor :#tea room open");
        alice.sees(&format!(":alice!alice@irc MODE #tea {shown}"));
        alice.say("MODE #tea");
        alice.sees(":irc.example 324 alice #tea +n");
        alice.sees(":irc.example 329 alice #tea {}");
    }
    for (has, gets) in [("+i", "+s"), ("+s", "+i"), ("+m", "+is")] {
        alice.say(&format!("MODE #tea {has}"));
        alice.until(&format!(":alice!alice@irc MODE #tea {has}"));
        alice.until_pong();
        alice.say("PRIVMSG parlor :#tea room private");
        alice.until(&format!(":alice!alice@irc MODE #tea {gets}"));
        alice.until_pong();
        alice.say("PRIVMSG parlor :#tea room open");
        alice.sees(":alice!alice@irc MODE #tea -is{}");
    }
    alice.say("MODE #tea +k beer");
    alice.sees(":alice!alice@irc MODE #tea +k beer");
    alice.say("MODE #tea -k"); // nobody has to type the password to take it away
    alice.until(":alice!alice@irc MODE #tea -k *");
    alice.say("MODE #tea -k"); // it is so already
    alice.sees_nothing();
}

#[test]
fn a_mask_that_is_neither_a_name_nor_an_address_is_refused() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    for mask in [
        "*!*@*",
        "*!bob@*",
        "bob*!*@*",
        "*!*@*.example",
        "bob!*@192.0.2.7",
        "*!*@192.0.2.7/99",
        "m:",
        "m:*",
        "~a:bob",
        "*",
    ] {
        asks(
            &mut alice,
            &[(
                &format!("MODE #lobby +b {mask}"),
                &format!(":irc.example 696 alice #lobby b {mask} :{{}}"),
            )],
        );
    }
}

#[test]
fn the_modes_of_other_people_are_theirs() {
    let server = server();
    let (mut alice, _bob) = alice_and_bob(&server);
    asks(
        &mut alice,
        &[
            ("MODE bob", ":irc.example 502 alice :{}"),
            ("MODE bob +i", ":irc.example 502 alice :{}"),
            ("MODE alice", ":irc.example 221 alice +{}"),
            ("MODE ALICE", ":irc.example 221 alice +{}"),
        ],
    );
}

#[test]
fn a_kick_names_who_is_not_there() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = enter(&server, "alice");
    alice.joins("#tea");
    bob.say("hi");
    bob.sees("bob: hi");
    for (line, number) in
        [("KICK #nowhere bob", "403"), ("KICK nowhere bob", "403"), ("KICK #lobby bob", "442")]
    {
        alice.say(line);
        let seen = alice.message();
        assert_eq!(seen.command(), number, "{line}: {seen:?}");
        alice.sees_nothing();
    }
}

#[test]
fn the_capability_for_passwords_is_not_there_without_a_disk() {
    let server = server();
    let mut alice = enter(&server, "alice");
    asks(
        &mut alice,
        &[
            ("AUTHENTICATE PLAIN", ":irc.example 904 alice :{}"),
            ("REGISTER * * password", "{}FAIL REGISTER TEMPORARILY_UNAVAILABLE * :{}"),
            ("VERIFY alice 1", "{}FAIL VERIFY INVALID_CODE alice :{}"),
        ],
    );
}

#[test]
fn history_that_cannot_be_shown_says_why() {
    let server = server();
    let mut alice = super::capabilities::modern(&server, "alice", "draft/chathistory");
    for (parameters, answer) in [
        ("LATEST #nowhere * 5", "INVALID_TARGET LATEST #nowhere"),
        ("LATEST bob * 5", "INVALID_TARGET LATEST bob"),
        ("LATEST #lobby * 0", "INVALID_PARAMS LATEST 0"),
        ("LATEST #lobby * many", "INVALID_PARAMS LATEST many"),
        ("LATEST #lobby * -1", "INVALID_PARAMS LATEST -1"),
        ("LATEST #lobby nonsense 5", "INVALID_PARAMS LATEST #lobby"),
        ("BEFORE #lobby * 5", "INVALID_PARAMS BEFORE #lobby"),
        ("DANCE #lobby * 5", "INVALID_PARAMS DANCE #lobby"),
        ("BETWEEN #lobby * * 5", "INVALID_PARAMS BETWEEN #lobby"),
    ] {
        alice.say(&format!("CHATHISTORY {parameters}"));
        alice.until(&format!(":irc.example FAIL CHATHISTORY {answer} :{{}}"));
        alice.sees_nothing();
    }
}

#[test]
fn a_command_behind_a_blank_or_a_stray_key_is_not_said_with_irc() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for (typed, name) in [
        (" /msg NickServ IDENTIFY secret", "msg"),
        ("  /NS identify secret", "ns"),
        (" /identify secret", "identify"),
        (" /oper alice secret", "oper"),
        (" /join #tea", "join"),
        ("\u{2}/msg NickServ IDENTIFY secret", "msg"),
        ("\u{ff0f}msg NickServ IDENTIFY secret", "msg"),
    ] {
        for target in ["#lobby", "bob"] {
            alice.say(&format!("PRIVMSG {target} :{typed}"));
            let said = format!(":irc.example 404 alice {target} :Did you mean /{name}? {{}}");
            alice.sees(&said);
        }
        alice.say(&format!("NOTICE #lobby :{typed}"));
        alice.sees_nothing();
    }
    for line in [" /usr/bin is a path", "/usr/bin", "/msg is a command", " and /msg, too"] {
        alice.say(&format!("PRIVMSG #lobby :{line}"));
        bob.sees(&format!("alice: {line}"));
    }
}

#[test]
fn advice_is_what_an_irc_client_types() {
    let server = server();
    let mut alice = enter(&server, "alice");
    let nobody = "Nobody here is called dave; /names #ROOM lists the people in a room";
    let no_room = "There is no room nope; /list lists the rooms, /join #nope creates it";
    alice.say("WHOIS dave");
    alice.sees(&format!(":irc.example 401 alice dave :{nobody}"));
    alice.until(":irc.example 318 {}");
    alice.joins("#mine");
    alice.until_pong();
    asks(
        &mut alice,
        &[
            ("PRIVMSG dave :x", &format!(":irc.example 401 alice dave :{nobody}")),
            ("INVITE dave #mine", &format!(":irc.example 401 alice dave :{nobody}")),
            ("TOPIC #nope", &format!(":irc.example 403 alice #nope :{no_room}")),
            (
                "MODE #mine +l 99999999999",
                ":irc.example 696 alice #mine l 99999999999 :The limit is a number of people from \
                 1 to {}",
            ),
            (
                "PRIVMSG parlor :#mine last 3",
                ":parlor!{} NOTICE alice :There are no such lines here",
            ),
            ("PRIVMSG parlor :dance", ":parlor!{} NOTICE alice :{}; /msg parlor help lists them{}"),
            (
                "CHATHISTORY LATEST #mine * 0",
                ":irc.example FAIL CHATHISTORY INVALID_PARAMS LATEST 0 :The limit is a number from 1 on",
            ),
        ],
    );
}
