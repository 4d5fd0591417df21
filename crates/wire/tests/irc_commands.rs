//! The commands of a registered IRC client: the requests to the session that each one becomes, in
//! brackets, and the answers that need no session.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod irc_clients;

use parlor_core::link::{Decoder, Input};
use parlor_core::model::{Extras, InGroup, Spoken};
use parlor_wire::irc::Cap;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use irc_clients::{Client, line};

#[test]
fn the_welcome_has_its_parts_in_order() {
    let mut client = Client::before_welcome(&[]);
    let lines = client.sends("PONG x");
    let (first, rest) = lines.split_at(5);
    assert_eq!(
        first,
        [
            "(WantRoster(true))",
            "001 alice :Welcome to the Parlor network, alice",
            "002 alice :Your host is irc.local, running version parlor-0.1.0",
            "003 alice :This server was started 1970-01-01 00:00",
            "004 alice irc.local parlor-0.1.0 Biow biklmnostv bklov",
        ]
    );
    let (isupport, motd) = rest.split_at(2);
    for line in isupport {
        assert!(line.starts_with("005 alice "), "{line}");
        assert!(line.ends_with(" :are supported by this server"), "{line}");
    }
    assert!(isupport.concat().contains(" NETWORK=Parlor "));
    assert_eq!(
        motd,
        [
            "(Ask(Query(Totals)))",
            "375 alice :- irc.local Message of the day -",
            "372 alice :- Be kind",
            "(Command(Rooms))",
            "372 alice :- Lines here are not stored: they are gone when the server stops",
            "376 alice :End of /MOTD command",
        ]
    );
    let mut client = Client::before_welcome(&[Cap::NoImplicitNames]);
    assert_eq!(client.sends("PONG x")[0], "(WantRoster(false))");
}

#[test]
fn questions_about_people() {
    let cut = |line: &str| line.split_once(" :").unwrap().0.to_owned();
    let mut client = Client::new(&[]);
    client.talks(&[
        ("WHO #tea %tn,42", &["(ListPeople(RoomName(tea)))", "315 alice #tea :End of /WHO list"]),
        (
            "WHO bob,#tea,carol",
            &[
                "(ListPeople(RoomName(tea)))",
                "(Ask(Query(Present([bob, carol]))))",
                "315 alice bob,#tea,carol :End of /WHO list",
            ],
        ),
        (
            "WHO b*,?x,#tea o%n",
            &[
                "(ListPeople(RoomName(tea)))",
                "(FindPeople(2))",
                "315 alice b*,?x,#tea :End of /WHO list",
            ],
        ),
        ("WHO irc h", &["(FindPeople(1))", "315 alice irc :End of /WHO list"]),
        (
            "WHO 1,2,3,4,5,6,7,8,9,10,11,12",
            &[
                "(Ask(Query(Present([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))))",
                "407 alice 11 :Too many targets: this one and those behind it are left out",
                "315 alice 1,2,3,4,5,6,7,8,9,10,11,12 :End of /WHO list",
            ],
        ),
        (
            "WHOIS Bob,carol",
            &[
                "(Ask(Query(Whois(Bob))))",
                "407 alice carol :Too many targets: this one and those behind it are left out",
                "318 alice Bob :End of /WHOIS list",
            ],
        ),
        ("WHOIS irc.local Bob", &["(Ask(Query(Whois(Bob))))", "318 alice Bob :End of /WHOIS list"]),
        ("WHOIS b.ob b.ob", &["(Ask(Query(Whois(b.ob))))", "318 alice b.ob :End of /WHOIS list"]),
        ("WHOIS else.where Bob", &["402 alice else.where :There is no other server"]),
        ("WHOIS Bob", &["(Ask(Query(Whois(Bob))))", "318 alice Bob :End of /WHOIS list"]),
        ("WHOIS x Bob", &["(Ask(Query(Whois(Bob))))", "318 alice Bob :End of /WHOIS list"]),
        ("WHOIS", &["431 alice :No nickname given"]),
        ("WHOWAS bob 1", &["(Ask(Query(Whowas(bob))))", "369 alice bob :End of /WHOWAS"]),
        ("WHOWAS ,", &["431 alice :No nickname given"]),
        ("ISON a :b c", &["(Ask(Query(Present([a, b, c]))))"]),
        ("ISON :", &["461 alice ISON :Not enough parameters"]),
        ("USERHOST 1.2.3.4~5", &["(Ask(Query(Present([1.2.3.4:5]))))"]),
        ("USERHOST", &["461 alice USERHOST :Not enough parameters"]),
        ("LUSERS", &["(Ask(Query(Totals)))"]),
    ]);
    let many: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    let asked = client.sends(&format!("USERHOST {}", many.join(" ")));
    assert_eq!(asked.concat().matches(", ").count(), 9);
    assert_eq!(cut(&client.sends("WHO")[0]), "461 alice WHO");
}

#[test]
fn commands_about_the_connection() {
    Client::new(&[]).talks(&[
        ("PING x", &["PONG irc.local x"]),
        ("PING :a b", &["PONG irc.local :a b"]),
        ("PING", &["461 alice PING :Not enough parameters"]),
        ("PONG x", &[]),
        ("PASS x", &["462 alice :You have registered already"]),
        ("USER a b c d", &["462 alice :You have registered already"]),
        ("NICK bob", &["(Command(Name(bob)))"]),
        ("NICK", &["431 alice :No nickname given"]),
        ("NICK global", &["(Command(Name(global)))"]),
        (
            "NICK [x]",
            &["432 alice [x] :A name can contain only letters, digits, -, _ and .; leave out ["],
        ),
        ("CAP LIST", &["CAP alice LIST :"]),
        (
            "CAP REQ :server-time no-implicit-names",
            &["CAP alice ACK :server-time no-implicit-names", "(WantRoster(false))"],
        ),
        ("CAP LIST", &["CAP alice LIST :server-time no-implicit-names"]),
        ("CAP REQ :-no-implicit-names nonsense", &["CAP alice NAK :-no-implicit-names nonsense"]),
        (
            "CAP REQ :-no-implicit-names",
            &["CAP alice ACK :-no-implicit-names", "(WantRoster(true))"],
        ),
        ("CAP END", &[]),
        ("CAP NONSENSE", &["410 alice NONSENSE :Invalid CAP command"]),
        ("AUTHENTICATE PLAIN", &["AUTHENTICATE +"]),
        ("AUTHENTICATE *", &["906 alice :SASL authentication aborted"]),
        ("REHASH", &["421 alice REHASH :Unknown command"]),
        ("nonsense", &["421 alice nonsense :Unknown command"]),
        ("QUIT :bye", &["(Command(Quit(Some(bye))))"]),
        ("QUIT", &["(Command(Quit(None)))"]),
    ]);
}

#[test]
fn commands_about_accounts() {
    Client::new(&[]).talks(&[
        ("AUTHENTICATE PLAIN", &["AUTHENTICATE +"]),
        ("AUTHENTICATE AGppbGxlcwBzZXNhbWU=", &["(LogIn { name: Some(jilles), password: sesame })"]),
        ("REGISTER * * secret", &["(Register(secret))"]),
        ("REGISTER Alice * secret", &["(Register(secret))"]),
        (
            "REGISTER * * correct horse",
            &["FAIL REGISTER UNACCEPTABLE_PASSWORD * :A password with blanks needs a colon before \
               it: nothing is registered"],
        ),
        (
            "REGISTER bob * secret",
            &["FAIL REGISTER ACCOUNT_NAME_MUST_BE_NICK bob :The account is your nick"],
        ),
        ("REGISTER *", &["461 alice REGISTER :Not enough parameters"]),
        ("VERIFY x y", &["FAIL VERIFY INVALID_CODE x :Accounts need no verification here"]),
    ]);
}

#[test]
fn commands_about_channels() {
    Client::new(&[]).talks(&[
        ("JOIN", &["461 alice JOIN :Not enough parameters"]),
        ("JOIN 0", &["(LeaveAll)"]),
        ("JOIN :", &["461 alice JOIN :Not enough parameters"]),
        ("JOIN #tea,#Coffee,&x,#a:b key", &[
            "(enter tea key Usual)",
            "(enter coffee Usual)",
            "403 alice &x :No such channel; a channel begins with #",
            "403 alice #a:b :A name can contain only letters, digits, -, _ and .; leave out :",
        ]),
        ("PART #tea,#coffee :\u{2}both\u{2} of them", &[
            "(leave tea: both of them)",
            "(leave coffee: both of them)",
        ]),
        ("PART #tea", &["(leave tea)"]),
        ("TOPIC", &["461 alice TOPIC :Not enough parameters"]),
        ("TOPIC #tea", &["(Ask(Query(Topic(RoomName(tea)))))"]),
        ("TOPIC #tea :\u{3}4tea at five", &["(in tea Command(SetTopic(Some(tea at five))))"]),
        ("TOPIC #tea :", &["(in tea Command(SetTopic(None)))"]),
        ("NAMES #tea,#milk", &[
            "(ListPeople(RoomName(tea)))",
            "407 alice #milk :Too many targets: this one and those behind it are left out",
            "366 alice #tea :End of /NAMES list",
        ]),
        ("INVITE", &["(Ask(Query(Invitations)))"]),
        ("INVITE bob", &["461 alice INVITE :Not enough parameters"]),
        ("NAMES invalid", &["366 alice invalid :End of /NAMES list"]),
        ("NAMES", &["366 alice * :End of /NAMES list"]),
        ("LIST >1", &[
            "321 alice Channel :Users  Name",
            "(ListRooms)",
            "323 alice :End of /LIST",
        ]),
        ("KICK #tea", &["461 alice KICK :Not enough parameters"]),
        ("KICK #tea bob,127.0.0.1~5 :why", &[
            "(Ask(Change(Act { here: RoomOnly(RoomName(tea)), deed: Deed { verb: Kick, whom: Name(bob), time: None, text: Some(why) } })))",
            "(Ask(Change(Act { here: RoomOnly(RoomName(tea)), deed: Deed { verb: Kick, whom: Name(127.0.0.1:5), time: None, text: Some(why) } })))",
        ]),
        ("KICK #a,#b x,y,z", &[
            "(Ask(Change(Act { here: RoomOnly(RoomName(a)), deed: Deed { verb: Kick, whom: Name(x), time: None, text: None } })))",
            "(Ask(Change(Act { here: RoomOnly(RoomName(b)), deed: Deed { verb: Kick, whom: Name(y), time: None, text: None } })))",
            "403 alice * :No such channel; a channel begins with #",
        ]),
    ]);
    let mut client = Client::new(&[Cap::Chathistory]);
    assert_eq!(client.sends("JOIN #tea"), ["(enter tea Last(0))"], "the client asks by itself");
}

#[test]
fn modes_are_acts_of_keepers() {
    let act = |verb: &str, whom: &str, time: &str| {
        let is_of_room_alone = ["Ban", "Unban", "Mute", "Unmute"].contains(&verb);
        let here = if is_of_room_alone { "RoomOnly" } else { "Room" };
        format!(
            "(Ask(Change(Act {{ here: {here}(RoomName(tea)), deed: Deed {{ verb: {verb}, whom: {whom}, \
             time: {time}, text: None }} }})))"
        )
    };
    let mut client = Client::new(&[]);
    assert_eq!(
        client.sends("MODE #tea +o-t+b bob carl!*@*"),
        [
            act("AddKeeper", "Name(bob)", "None"),
            act("UnlockTopic", "Everybody", "None"),
            act("Ban", "Name(carl)", "None"),
        ]
    );
    assert_eq!(
        client.sends("MODE #tea -o+t-bb bob carl *!*@192.0.2.7"),
        [
            act("RemoveKeeper", "Name(bob)", "None"),
            act("LockTopic", "Everybody", "None"),
            act("Unban", "Name(carl)", "None"),
            act("Unban", "Net(Net { first: 192.0.2.7, bits: 32 })", "None"),
        ]
    );
    assert_eq!(
        client.sends("MODE #tea +b-b m:carl m:carl"),
        [act("Mute", "Name(carl)", "Some(31536000s)"), act("Unmute", "Name(carl)", "None"),]
    );
    let with = |verb: &str, text: &str| {
        act(verb, "Everybody", "None").replace("text: None", &format!("text: {text}"))
    };
    assert_eq!(
        client.sends("MODE #tea +imskl-v beer 5 bob"),
        [
            act("InvitedOnly", "Everybody", "None"),
            act("Moderate", "Everybody", "None"),
            act("Hide", "Everybody", "None"),
            with("SetRoomPassword", "Some(beer)"),
            with("Limit", "Some(5)"),
            act("TakeVoice", "Name(bob)", "None"),
        ]
    );
    assert_eq!(
        client.sends("MODE #tea -imslk+v beer bob"),
        [
            act("LetEverybodyIn", "Everybody", "None"),
            act("Unmoderate", "Everybody", "None"),
            act("Unhide", "Everybody", "None"),
            act("Unlimit", "Everybody", "None"),
            act("RemoveRoomPassword", "Everybody", "None"),
            act("GiveVoice", "Name(bob)", "None"),
        ]
    );
    client.talks(&[
        ("MODE", &["461 alice MODE :Not enough parameters"]),
        ("MODE #tea", &["(Ask(Query(Rules(RoomName(tea)))))"]),
        ("MODE #tea +k :", &["696 alice #tea k * :The mode needs a parameter"]),
        ("MODE #tea +k a,b", &[
            "696 alice #tea k * :A password has up to 32 bytes, and no blanks, commas or colons",
        ]),
        ("MODE #tea +l 0", &[
            "696 alice #tea l 0 :The limit is a number of people from 1 to 1000000",
        ]),
        ("MODE #tea +l", &["696 alice #tea l * :The mode needs a parameter"]),
        ("MODE #tea b", &["(ListBans(RoomName(tea)))", "368 alice #tea :End of channel ban list"]),
        ("MODE #tea +nz", &["472 alice z :is no mode of a channel here"]),
        ("MODE #tea +o", &["696 alice #tea o * :The mode needs a parameter"]),
        ("MODE #tea +b *!*@*.example", &[
            "696 alice #tea b *!*@*.example :A ban is of a name or of addresses: NAME, NAME!*@* or \
             *!*@ADDRESS; a mute is m:NAME",
        ]),
    ]);
}

#[test]
fn operators_and_modes_of_people() {
    let change = |set, removed| {
        format!(
            "(Ask(Change(SetModes {{ of: alice, set: Modes({set}), removed: Modes({removed}) }})))"
        )
    };
    let mut client = Client::new(&[]);
    for (line, set, removed) in
        [("MODE alice +iw-B", 3, 4), ("MODE alice -o+i-i", 0, 9), ("MODE alice +o", 8, 0)]
    {
        assert_eq!(client.sends(line), [change(set, removed)], "{line}");
    }
    assert_eq!(
        client.sends("MODE alice +xB"),
        ["501 alice :Unknown mode of a person".to_owned(), change(4, 0)]
    );
    let act =
        |deed: &str| format!("(Ask(Change(Act {{ here: Server, deed: Deed {{ {deed} }} }})))");
    assert_eq!(
        client.sends("KILL bob :too \u{2}loud"),
        [act("verb: Kick, whom: Name(bob), time: None, text: Some(too loud)")]
    );
    assert_eq!(
        client.sends("WALLOPS :hi everyone"),
        [act("verb: Wallops, whom: Everybody, time: None, text: Some(hi everyone)")]
    );
    client.talks(&[
        ("MODE alice", &["(Ask(Query(Modes(alice))))"]),
        ("OPER alice secret", &["(Oper { name: alice, password: secret })"]),
        ("OPER alice", &["461 alice OPER :Not enough parameters"]),
        ("KILL", &["461 alice KILL :Not enough parameters"]),
        ("WALLOPS", &["461 alice WALLOPS :Not enough parameters"]),
    ]);
}

#[test]
fn messages_go_to_rooms_and_people() {
    Client::new(&[]).talks(&[
        ("PRIVMSG", &["411 alice :No recipient given"]),
        ("PRIVMSG #tea", &["412 alice :No text to send"]),
        ("PRIVMSG #tea :\u{2}", &["412 alice :No text to send"]),
        (
            "PRIVMSG #tea,bob,#x:y :/quit it",
            &[
                "(in tea say Plain /quit it)",
                "(tell bob Plain /quit it)",
                "403 alice #x:y :A name can contain only letters, digits, -, _ and .; leave out :",
            ],
        ),
        (
            "PRIVMSG #tea,#a,#b,#c,#d,#e :hi",
            &[
                "(in tea say Plain hi)",
                "(in a say Plain hi)",
                "(in b say Plain hi)",
                "(in c say Plain hi)",
                "407 alice #d :Too many targets: no more are told",
            ],
        ),
        ("PRIVMSG #tea :\u{2}bold\u{2} \u{3}04,12red\u{1b}[m", &["(in tea say Plain bold red␛[m)"]),
        ("PRIVMSG #tea :\u{1}ACTION waves\u{1}", &["(in tea say Action waves)"]),
        ("PRIVMSG #tea :\u{1}VERSION\u{1}", &["404 alice #tea :Only ACTION is passed on"]),
        ("PRIVMSG 2001~db8~~1~5 :hi", &["(tell [2001:db8::1]:5 Plain hi)"]),
        ("NOTICE #tea :the build is green", &["(in tea say Notice the build is green)"]),
        ("PRIVMSG bob :\u{1}ACTION waves\u{1}", &["(tell bob Action waves)"]),
        ("PRIVMSG bob :\u{1}PING 12 3\u{1}", &["(tell bob for programs Plain PING 12 3)"]),
        ("NOTICE bob :\u{1}VERSION x 1\u{1}", &["(tell bob for programs Notice VERSION x 1)"]),
        ("NOTICE bob :hi", &["(tell bob Notice hi)"]),
        ("NOTICE", &[]),
        ("NOTICE #tea", &[]),
        ("NOTICE #x:y :a", &[]),
        ("NOTICE #tea :\u{1}VERSION x\u{1}", &[]),
    ]);
}

#[test]
fn a_message_that_would_be_cut_for_others_is_refused() {
    let mut client = Client::new(&[]);
    let longest = 510 - ":alice!al@irc PRIVMSG #tea :".len();
    for (bytes, passes) in [(longest, true), (longest + 1, false)] {
        let text = "x".repeat(bytes);
        let seen = match passes {
            true => format!("(in tea say Plain {text})"),
            false => "417 alice :Input line was too long".to_owned(),
        };
        assert_eq!(client.sends(&format!("PRIVMSG #tea :{text}")), [seen]);
    }
    let long = client.sends(&format!("PRIVMSG #tea :{}", "x".repeat(600)));
    assert_eq!(long, ["417 alice :Input line was too long"]);
}

/// The lines of the only post that a line becomes.
fn posted(client: &mut Client, line: &str) -> Vec<Spoken> {
    let bytes = format!("{line}\r\n");
    let mut rest = bytes.as_bytes();
    let mut posts = Vec::new();
    while !rest.is_empty() || client.decoder.has_more() {
        match client.decoder.next(&mut rest) {
            Some(Input::In(_, input)) => match *input {
                Input::Say(spoken) => posts.push(spoken),
                Input::SayAll(lines) => posts.extend(lines),
                other => panic!("{other:?}"),
            },
            Some(Input::Begin(_) | Input::End) => {}
            other => panic!("{other:?}"),
        }
    }
    posts
}

#[test]
fn tags_of_clients_and_labels_go_with_the_line() {
    let caps = [Cap::MessageTags, Cap::LabeledResponse];
    let mut client = Client::new(&caps);
    let [said] = &posted(&mut client, "@+a=1;b=2;label=l1;+c PRIVMSG #tea :hi")[..] else {
        panic!()
    };
    let extras =
        Extras { tags: Some(line("+a=1;+c")), label: Some(line("l1")), ..Extras::default() };
    assert_eq!(said.extras.as_deref(), Some(&extras));
    assert_eq!(posted(&mut client, "@b=2 PRIVMSG #tea :hi")[0].extras, None);
    assert_eq!(posted(&mut Client::new(&[]), "@+a=1;label=x PRIVMSG #tea :hi")[0].extras, None);
    client.talks(&[
        ("@label=l2 PRIVMSG #tea :hi", &["(in tea say Plain hi)", "@label=l2 ACK"]),
        ("@label=l3 PONG", &["@label=l3 ACK"]),
        ("@label=l4 PING x", &["@label=l4 PONG irc.local x"]),
        ("@label=l5 nonsense", &["@label=l5 421 alice nonsense :Unknown command"]),
        ("@label=l6 JOIN #tea,##", &[
            "(enter tea Usual)",
            "@label=l6 403 alice ## :A name can contain only letters, digits, -, _ and .; leave out #",
        ]),
    ]);
    let links = client.sends("@label=l7 LINKS");
    assert!(links[0].starts_with("@label=l7 BATCH +"), "{links:?}");
    assert!(links[1].starts_with("@batch=") && links[2].starts_with("@batch="));
    assert!(links.len() == 4 && links[3].starts_with("BATCH -"));
}

#[test]
fn lines_of_a_batch_are_one_post() {
    let mut client = Client::new(&[Cap::Multiline, Cap::MessageTags, Cap::LabeledResponse]);
    client.talks(&[
        ("@label=x;+a BATCH +1 draft/multiline #tea", &[]),
        ("@batch=1 PRIVMSG #tea :", &[]),
        ("@batch=1 PRIVMSG #tea :how is ", &[]),
        ("@batch=1;draft/multiline-concat PRIVMSG #tea :everyone?", &[]),
        ("PING x", &["PONG irc.local x"]),
    ]);
    let lines = posted(&mut client, "BATCH -1");
    let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["", "how is everyone?"]);
    let group = Some(InGroup { index: 1, lines: 2, blanks: 1 });
    let extras = Extras {
        tags: Some(line("+a")),
        label: Some(line("x")),
        group,
        breaks: vec![7],
        log: None,
    };
    assert_eq!(lines[1].extras.as_deref(), Some(&extras));
}

#[test]
fn a_wrong_batch_is_refused_once_and_as_a_whole() {
    let long = format!("@batch=1;draft/multiline-concat PRIVMSG #tea :{}", "x".repeat(400));
    for (lines, refusal) in [
        (
            &["@batch=1 PRIVMSG #milk :a"][..],
            "MULTILINE_INVALID_TARGET #tea #milk :All lines of a batch have its target",
        ),
        (&["@batch=2 PRIVMSG #tea :a"], "MULTILINE_INVALID :There is no open batch with this name"),
        (
            &["@batch=1 PRIVMSG #tea :a", "@batch=1 NOTICE #tea :a"],
            "MULTILINE_INVALID :All lines of a batch have the same command",
        ),
        (
            &["@batch=1 PRIVMSG #tea :\u{1}ACTION a\u{1}"],
            "MULTILINE_INVALID :No line of a batch is CTCP",
        ),
        (
            &["@batch=1;draft/multiline-concat PRIVMSG #tea :a"],
            "MULTILINE_INVALID :The first line of a batch continues no other",
        ),
        (
            &["@batch=1 PRIVMSG #tea :a", "@batch=1;draft/multiline-concat PRIVMSG #tea :"],
            "MULTILINE_INVALID :A line that continues another one has words",
        ),
        (
            &["BATCH +2 draft/multiline #tea"],
            "MULTILINE_INVALID :Another batch was open: both are given up",
        ),
        (&["BATCH -2"], "MULTILINE_INVALID :There is no open batch with this name"),
        (&["@batch=1 PRIVMSG #tea :", "BATCH -1"], "MULTILINE_INVALID :The batch has no words"),
        (
            &[&["@batch=1 PRIVMSG #tea :a"][..], &[&*long; 11]].concat(),
            "MULTILINE_INVALID :A joined line has too many bytes",
        ),
        (
            &["@batch=1 PRIVMSG #tea :a"; 201],
            "MULTILINE_MAX_LINES 200 :The batch has too many lines",
        ),
    ] {
        let mut client = Client::new(&[Cap::Multiline]);
        assert_eq!(client.sends("BATCH +1 draft/multiline #tea"), [""; 0]);
        let seen: Vec<_> = lines.iter().flat_map(|line| client.sends(line)).collect();
        assert_eq!(seen, [format!("FAIL BATCH {refusal}")]);
        let after = client.sends("BATCH -1");
        assert!(
            after.is_empty() || after[0].starts_with("FAIL BATCH MULTILINE_INVALID :"),
            "{after:?}"
        );
        assert_eq!(client.sends("PRIVMSG #tea :hi"), ["(in tea say Plain hi)"]);
    }
    let mut client = Client::new(&[]);
    assert_eq!(
        client.sends("BATCH +1 draft/multiline #tea"),
        ["FAIL BATCH MULTILINE_INVALID :Batches need the capability draft/multiline",]
    );
}

#[test]
fn messages_to_services_are_commands() {
    Client::new(&[]).talks(&[
        ("PRIVMSG parlor :rooms", &["(Command(Rooms))"]),
        ("PRIVMSG Parlor :#tea /last 3", &["(in tea Command(Last(3)))"]),
        ("PRIVMSG parlor :join milk", &["(enter milk Usual)"]),
        ("PRIVMSG parlor :dance", &[
            ":parlor!parlor@irc.local NOTICE alice :No command /dance; /msg parlor help lists them",
        ]),
        ("PRIVMSG parlor :quiet", &[
            ":parlor!parlor@irc.local NOTICE alice :That is not possible here: your client would \
             show wrong names",
        ]),
        ("NOTICE parlor :quiet", &[]),
        ("PRIVMSG ChanServ :op me", &[
            ":ChanServ!ChanServ@irc.local NOTICE alice :ChanServ takes no commands: rooms are kept \
             with MODE, KICK and TOPIC",
        ]),
    ]);
    Client::new(&[]).talks(&[
        ("NS IDENTIFY secret", &["(LogIn { name: None, password: secret })"]),
        ("PRIVMSG NickServ :identify bob secret", &["(LogIn { name: Some(bob), password: secret })"]),
        ("NICKSERV REGISTER secret", &["(Register(secret))"]),
        ("NS REGISTER secret a@b.c", &[
            ":NickServ!NickServ@irc.local NOTICE alice :An e-mail address is not needed, and not \
             stored",
            "(Register(secret))",
        ]),
        ("NS set password old new", &["(ChangePassword { present: old, password: new })"]),
    ]);
    let help = Client::new(&[]).sends("PRIVMSG NickServ :HELP");
    assert!(
        help.len() > 1
            && help
                .iter()
                .all(|line| line.starts_with(":NickServ!NickServ@irc.local NOTICE alice :"))
    );
}

#[test]
fn history_is_read_by_places() {
    let client = || Client::new(&[]);
    let at = |seq: u64| format!("Line {{ log: 0af3, seq: {seq} }}");
    let time = "Time(WallTime(1319042451620))";
    for (asked, recall, count) in [
        ("LATEST #tea * 5", "Latest(None)".to_owned(), 5),
        ("LATEST #tea msgid=0af3.tea.5 5000", format!("Latest(Some({}))", at(5)), 1_000),
        ("before #tea msgid=0af3.tea.5 5", format!("Before({})", at(5)), 5),
        ("BEFORE #tea msgid=0af4.tea.5 5", "Before(Line { log: 0af4, seq: 5 })".to_owned(), 5),
        ("AFTER #tea timestamp=2011-10-19T16:40:51.620Z 5", format!("After({time})"), 5),
        ("AROUND #tea msgid=0af3.tea.5 1", format!("Around({})", at(5)), 1),
        (
            "BETWEEN #tea msgid=0af3.tea.5 timestamp=2011-10-19T16:40:51.620Z 5",
            format!("Between({}, {time})", at(5)),
            5,
        ),
    ] {
        let wanted = format!("(in tea Recall({recall}, {count}))");
        assert_eq!(client().sends(&format!("CHATHISTORY {asked}")), [wanted], "{asked}");
    }
    let targets =
        "TARGETS timestamp=2011-10-19T16:40:51.620Z timestamp=2011-10-19T16:40:51.621Z 50";
    assert_eq!(
        client().sends(&format!("CHATHISTORY {targets}")),
        ["(RecallRooms([WallTime(1319042451620), WallTime(1319042451621)], 50))"]
    );
    let no_place = "The place is neither a time nor the msgid of a line in the room";
    let no_subcommand = "There is no such subcommand with these parameters";
    for (asked, refusal) in [
        ("LATEST bob * 5", "INVALID_TARGET LATEST bob :Only rooms have a history"),
        ("LATEST #tea * x", "INVALID_PARAMS LATEST x :The limit is a number from 1 on"),
        ("LATEST #tea * 0", "INVALID_PARAMS LATEST 0 :The limit is a number from 1 on"),
        ("LATEST #tea", "INVALID_PARAMS LATEST :Insufficient parameters"),
        ("LATEST", "INVALID_PARAMS LATEST :Insufficient parameters"),
        ("DANCE #tea * 5", &format!("INVALID_PARAMS DANCE #tea :{no_subcommand}")),
        ("BEFORE #tea * 5", &format!("INVALID_PARAMS BEFORE #tea :{no_subcommand}")),
        (
            "BETWEEN #tea msgid=0af3.tea.5 5",
            &format!("INVALID_PARAMS BETWEEN #tea :{no_subcommand}"),
        ),
        ("BEFORE #tea msgid=0af3.milk.5 5", &format!("INVALID_PARAMS BEFORE #tea :{no_place}")),
        ("BEFORE #tea msgid=0af3.~5.5 5", &format!("INVALID_PARAMS BEFORE #tea :{no_place}")),
        (
            "TARGETS * timestamp=2011-10-19T16:40:51.620Z 5",
            "INVALID_PARAMS TARGETS :The rooms between two times are listed: timestamp=...",
        ),
    ] {
        let seen = client().sends(&format!("CHATHISTORY {asked}"));
        assert_eq!(seen, [format!("FAIL CHATHISTORY {refusal}")]);
    }
}

#[test]
fn questions_about_the_server_are_answered_at_once() {
    Client::new(&[]).talks(&[
        ("TIME", &["391 alice irc.local :2011-10-19 16:40:51 UTC"]),
        (
            "STATS u",
            &["242 alice :Server Up 15266 days 16:40:51", "219 alice u :End of /STATS report"],
        ),
        ("STATS m", &["219 alice m :End of /STATS report"]),
        ("LINKS", &["364 alice irc.local irc.local :0 Parlor", "365 alice * :End of /LINKS list"]),
        (
            "HELP privmsg",
            &[
                "704 alice PRIVMSG :PRIVMSG TARGET :TEXT",
                "705 alice PRIVMSG :says something in a room, or to one person",
                "706 alice PRIVMSG :End of /HELP",
            ],
        ),
        ("HELPOP x", &["524 alice x :There is no help on this"]),
    ]);
    for (asked, first, last) in [
        ("VERSION", "351 alice parlor-0.1.0 irc.local :", "005 alice "),
        ("ADMIN", "256 alice irc.local :", "259 alice :"),
        ("INFO", "371 alice :", "374 alice :"),
        ("HELP", "704 alice * :", "706 alice * :"),
        ("MOTD", "375 alice :", "376 alice :"),
    ] {
        let seen = Client::new(&[]).sends(asked);
        assert!(seen[0].starts_with(first) && seen.last().unwrap().starts_with(last), "{seen:?}");
    }
}

proptest! {
    #[test]
    fn any_lines_become_safe_inputs_and_answers(
        caps in subsequence(Cap::ALL, 0..Cap::ALL.len()),
        lines in vec(prop_oneof![
            4 => command(),
            1 => vec(any::<u8>(), 0..600),
        ], 0..20),
    ) {
        let mut client = Client::new(&caps);
        let mut rest = &*lines.join(&b'\n');
        while !rest.is_empty() || client.decoder.has_more() {
            let Some(input) = client.decoder.next(&mut rest) else { break };
            irc_clients::check_input(&input);
            client.takes(input);
            client.reads();
        }
    }
}

/// A line that looks like a command.
fn command() -> impl Strategy<Value = Vec<u8>> {
    let tags = select(vec![
        "",
        "",
        "@label=x ",
        "@+a=b;label=y ",
        "@batch=1 ",
        "@batch=1;draft/multiline-concat ",
    ]);
    let word = select(vec![
        "CAP",
        "AUTHENTICATE",
        "NICK",
        "PING",
        "JOIN",
        "PART",
        "TOPIC",
        "NAMES",
        "LIST",
        "KICK",
        "MODE",
        "PRIVMSG",
        "NOTICE",
        "BATCH",
        "CHATHISTORY",
        "STATS",
        "HELP",
        "NS",
    ]);
    let parameter = prop_oneof![
        select(vec![
            "#tea",
            "#tea,#milk",
            "alice",
            "bob,carl",
            "+o-b+t",
            "b",
            "REQ",
            "+1",
            "-1",
            "draft/multiline",
            "LATEST",
            "BETWEEN",
            "TARGETS",
            "timestamp=2011-10-19T16:40:51.620Z",
            "*",
            "msgid=0af3.tea.5",
            "5",
            "parlor",
            "m:bob",
            ":\u{1}ACTION x\u{1}",
            ":-server-time batch",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,12}",
        "[\u{1}-\u{1f}a ]{0,12}",
    ];
    (tags, word, vec(parameter, 0..6)).prop_map(|(tags, word, parameters)| {
        format!("{tags}{word} {}", parameters.join(" ")).into_bytes()
    })
}
