//! Labels: whatever a client asks with a label, it is answered once, by one message with the label or
//! by one batch.

use crate::support::{Chatter, Message, TestServer};

use super::{DOORS, enter, stranger};

/// The capabilities by which a client reads what it did itself.
const CAPS: &str = "labeled-response batch message-tags server-time draft/chathistory \
                    draft/multiline setname away-notify account-notify invite-notify \
                    draft/read-marker standard-replies";

/// The messages that a client reads after a command with a label, up to two barriers behind it.
fn read(client: &mut Chatter, command: &str) -> Vec<Message> {
    client.until_pong();
    client.say(&match command.strip_prefix('@') {
        Some(tagged) => format!("@label=x;{tagged}"),
        None => format!("@label=x {command}"),
    });
    [client.until_pong(), client.until_pong()].concat()
}

/// Whether it has come from its reader, and is not the answer: what people write to themselves comes
/// twice.
fn is_to_oneself(message: &Message) -> bool {
    let parameters = message.parameters();
    let own =
        parameters.first().is_some_and(|nick| message.source().starts_with(&format!("{nick}!")));
    own && message.tag("label").is_none()
}

/// Whether one answer has the label, and all others are in its batch.
fn is_answered_once(read: &[Message]) -> bool {
    let (mut labels, mut batches) = (0, Vec::<&str>::new());
    for message in read.iter().filter(|message| !is_to_oneself(message)) {
        let (has_label, batch) = (message.tag("label").is_some(), message.tag("batch"));
        let is_inside = batch.is_some_and(|batch| batches.contains(&batch));
        let name = message.parameters().first().copied().filter(|_| message.command() == "BATCH");
        let ends = name.and_then(|name| name.strip_prefix('-'));
        let is_end = ends.is_some_and(|name| batches.contains(&name));
        if !(has_label || is_inside || is_end) {
            return false;
        }
        labels += usize::from(has_label);
        batches.extend(name.and_then(|name| name.strip_prefix('+')));
    }
    labels == 1
}

/// One command or more of each kind.
const COMMANDS: &[&str] = &[
    // The connection.
    "CAP LIST",
    "CAP LS 302",
    "CAP REQ :-setname",
    "CAP REQ :nonsense",
    "AUTHENTICATE PLAIN",
    "AUTHENTICATE *",
    "PASS x",
    "USER a b c d",
    "NICK alina",
    "NICK bob",
    "NICK",
    "PING x",
    "PING",
    "PONG x",
    "REGISTER * * password",
    "VERIFY a b",
    // Rooms.
    "JOIN #milk",
    "JOIN #milk,#sugar",
    "JOIN #tea",
    "JOIN",
    "JOIN #a\u{7}b",
    "JOIN 0",
    "PART #tea",
    "PART #tea :bye",
    "PART #tea,#hall",
    "PART #none",
    "PART",
    "TOPIC #tea",
    "TOPIC #tea :Assam",
    "TOPIC #none",
    "NAMES #tea",
    "NAMES",
    "LIST",
    "LIST #tea",
    "INVITE carol #tea",
    "INVITE nobody #tea",
    "INVITE bob #tea",
    "INVITE",
    "KICK #tea bob",
    "KICK #tea bob :spam",
    "KICK #tea nobody",
    "KICK #tea bob,carol",
    "KICK #hall bob",
    "KICK",
    "MODE #tea",
    "MODE #tea b",
    "MODE #tea +b bob",
    "MODE #tea +b m:bob",
    "MODE #tea +t",
    "MODE #tea -t",
    "MODE #tea +imsk beer",
    "MODE #tea +l 5",
    "MODE #tea +o bob",
    "MODE #tea +v bob",
    "MODE #tea -v bob",
    "MODE #tea +x",
    "MODE #none +t",
    "MODE alice",
    "MODE alice +i",
    "MODE alice +B",
    "MODE bob",
    "MODE",
    // Messages.
    "PRIVMSG #tea :hi",
    "PRIVMSG bob :hi",
    "PRIVMSG alice :hi",
    "PRIVMSG #tea,#hall,bob :hi",
    "PRIVMSG #tea :\u{1}ACTION waves\u{1}",
    "PRIVMSG bob :\u{1}VERSION\u{1}",
    "PRIVMSG #none :hi",
    "PRIVMSG nobody :hi",
    "PRIVMSG #tea :",
    "PRIVMSG",
    "PRIVMSG parlor :help",
    "PRIVMSG parlor :#tea last",
    "PRIVMSG NickServ :help",
    "PRIVMSG ChanServ :help",
    "PRIVMSG #tea,#tea,#tea,#tea,#tea :hi",
    "PRIVMSG away :hi",
    "NOTICE #tea :hi",
    "NOTICE bob :hi",
    "NOTICE alice :hi",
    "NOTICE nobody :hi",
    "NOTICE",
    "@+typing=active TAGMSG #tea",
    "@+typing=active TAGMSG bob",
    "@+typing=active TAGMSG alice",
    "@+typing=active TAGMSG #tea,#hall",
    "@+typing=active TAGMSG nobody",
    "@+typing=active TAGMSG #none",
    "TAGMSG #tea",
    "TAGMSG",
    "BATCH -1",
    "BATCH +1 nonsense",
    "CHATHISTORY LATEST #tea * 10",
    "CHATHISTORY LATEST #none * 10",
    "CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2040-01-01T00:00:00.000Z 10",
    "CHATHISTORY",
    "NICKSERV HELP",
    "CHANSERV HELP",
    "MARKREAD #tea",
    "MARKREAD #tea timestamp=2020-01-01T00:00:00.000Z",
    "MARKREAD",
    // People.
    "WHO #tea",
    "WHO bob",
    "WHO #tea %tcuhnf,1",
    "WHO",
    "WHOIS bob",
    "WHOIS alice",
    "WHOIS nobody",
    "WHOIS",
    "WHOWAS bob",
    "WHOWAS",
    "ISON bob carol",
    "ISON",
    "USERHOST bob",
    "MONITOR + bob,nobody",
    "MONITOR L",
    "MONITOR S",
    "MONITOR C",
    "AWAY :lunch",
    "AWAY",
    "SETNAME :Alice A.",
    "SETNAME",
    // The server.
    "OPER alice password",
    "OPER",
    "KILL bob :spam",
    "WALLOPS :hi",
    "MOTD",
    "LUSERS",
    "VERSION",
    "TIME",
    "ADMIN",
    "INFO",
    "STATS u",
    "STATS",
    "LINKS",
    "HELP",
    "HELPOP PRIVMSG",
    "REHASH",
    "NONSENSE",
];

#[test]
fn every_command_with_a_label_is_answered_once() {
    let server = TestServer::open(&DOORS, |config| config.rate = parlor::config::RateLimit::Off);
    let mut wrong = Vec::new();
    for echo in ["", " echo-message"] {
        for (number, command) in COMMANDS.iter().enumerate() {
            let own = |text: &str| {
                let names = ["alice", "bob", "carol", "#tea", "#hall"];
                names.iter().fold(text.to_owned(), |text, name| {
                    text.replace(name, &format!("{name}{number}{}", echo.len()))
                })
            };
            let capabilities = format!("{CAPS}{echo}");
            let mut alice = stranger(&server).enter_with(&own("alice"), &capabilities);
            let mut bob = enter(&server, &own("bob"));
            let mut carol = enter(&server, &own("carol"));
            alice.joins(&own("#tea"));
            for client in [&mut alice, &mut bob, &mut carol] {
                client.joins(&own("#hall"));
            }
            bob.joins(&own("#tea"));
            let read = read(&mut alice, &own(command));
            if !is_answered_once(&read) {
                wrong.push((command, echo, read));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_batch_that_fails_is_answered_once_with_its_label() {
    let server = TestServer::open(&DOORS, |config| config.rate = parlor::config::RateLimit::Off);
    let mut alice = stranger(&server).enter_with("alice", CAPS);
    alice.joins("#tea");
    for (line, end, answer) in [
        ("@batch=d PRIVMSG #tea :\u{1}VERSION\u{1}", "BATCH -d", "MULTILINE_INVALID"),
        ("@batch=d PRIVMSG #milk :a", "BATCH -d", "MULTILINE_INVALID_TARGET #tea #milk"),
        ("@batch=d PRIVMSG #tea :", "BATCH -d", "MULTILINE_INVALID"),
        ("@batch=x PRIVMSG #tea :a", "PING x", "MULTILINE_INVALID"),
        ("@batch=d PRIVMSG #tea :a", "BATCH -x", "MULTILINE_INVALID"),
        ("@batch=d PRIVMSG #tea :a", "BATCH +e draft/multiline #tea", "MULTILINE_INVALID"),
    ] {
        alice.say("@label=L1 BATCH +d draft/multiline #tea");
        alice.say(line);
        alice.say(end);
        let seen = alice.until_pong();
        let (answers, others): (Vec<_>, Vec<_>) =
            seen.iter().partition(|message| message.tag("label") == Some("L1"));
        let is_answer = |message: &&Message| {
            message.line.contains(&format!("FAIL BATCH {answer} :"))
                && message.tag("batch").is_none()
        };
        assert!(answers.len() == 1 && answers.iter().all(is_answer), "{line} {end}: {seen:?}");
        assert!(others.iter().all(|message| message.command() == "PONG"), "{line} {end}: {seen:?}");
    }
    // Each of two batches that are given up has its own answer.
    alice.say("@label=L1 BATCH +d draft/multiline #tea");
    alice.say("@label=L2 BATCH +e draft/multiline #tea");
    for label in ["L2", "L1"] {
        let seen = alice.sees("{} FAIL BATCH MULTILINE_INVALID :Another batch was open{}");
        assert_eq!(seen.tag("label"), Some(label), "{seen:?}");
    }
    alice.sees_nothing();
    // A room that is refused at the end, and a text that was meant as a command.
    for (target, line, answer) in
        [("#milk", "a", "403 alice #milk"), ("#tea", " /msg NickServ x", "404 alice #tea")]
    {
        alice.say(&format!("@label=L3 BATCH +d draft/multiline {target}"));
        alice.say(&format!("@batch=d PRIVMSG {target} :{line}"));
        alice.say("BATCH -d");
        let seen = alice.sees(&format!("{{}} {answer} :{{}}"));
        assert_eq!(seen.tag("label"), Some("L3"), "{seen:?}");
        alice.sees_nothing();
    }
}
