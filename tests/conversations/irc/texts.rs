//! Texts: formatting, CTCP, and lines that are too long for a message.

use crate::support::Chatter;

use super::capabilities::modern;
use super::{alice_and_bob, enter, in_lobby, netcat, server, stranger};

#[test]
fn each_code_of_formatting_is_taken_off() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for (sent, read) in [
        ("\u{2}bold\u{2}", "bold"),
        ("\u{1d}italic\u{1d}", "italic"),
        ("\u{1f}underlined\u{1f}", "underlined"),
        ("\u{1e}struck\u{1e}", "struck"),
        ("\u{11}code\u{11}", "code"),
        ("\u{16}reverse\u{16}", "reverse"),
        ("plain\u{f}", "plain"),
        ("\u{3}4red", "red"),
        ("\u{3}04red", "red"),
        ("\u{3}4,12both", "both"),
        ("\u{3}4,comma", ",comma"),
        ("\u{3},comma", ",comma"),
        ("\u{3}123three digits", "3three digits"),
        ("\u{3}\u{3}", ""),
        ("\u{4}ff00aahex", "hex"),
        ("\u{4}ff00aa,00ff00both", "both"),
        ("\u{4}ff00 is none", "ff00 is none"),
        ("a\u{2}\u{1f}\u{3}5b\u{f}c", "abc"),
    ] {
        alice.say(&format!("PRIVMSG #lobby :{sent}!"));
        bob.sees(&format!("alice: {read}!"));
    }
    alice.sees_nothing();
}

#[test]
fn a_text_of_nothing_but_formatting_is_no_text() {
    let server = server();
    let (mut alice, _bob) = alice_and_bob(&server);
    for nothing in [
        "\u{2}\u{2}",
        "\u{3}04",
        "\u{f}",
        " ",
        "\u{2} \u{1f}",
        "\u{200b}",
        "\u{1}ACTION\u{1}",
        "\u{1}ACTION \u{1}",
    ] {
        alice.say(&format!("PRIVMSG #lobby :{nothing}"));
        alice.sees(":irc.example 412 alice :{}");
        alice.sees_nothing();
    }
}

#[test]
fn formatting_is_taken_off_a_topic_a_reason_and_last_words() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = enter(&server, "alice");
    alice.joins("#lobby");
    bob.sees("alice has arrived");
    alice.say("TOPIC #lobby :\u{2}Assam\u{2} \u{3}04now");
    alice.sees(":alice!alice@irc TOPIC #lobby :Assam now");
    bob.sees("alice changed the topic to: Assam now");
    alice.say("PART #lobby :\u{3}4bye");
    bob.sees("alice has left (bye)");
    alice.sees(":alice!alice@irc PART #lobby :bye");
    alice.joins("#lobby");
    bob.sees("alice has arrived");
    alice.say("QUIT :\u{2}so long");
    bob.sees("alice has left (so long)");
}

#[test]
fn formatting_is_taken_off_a_real_name_a_removal_and_a_topic_through_the_server() {
    let server = server();
    let mut alice = stranger(&server);
    alice.say("NICK alice");
    alice.say("USER alice 0 * :\u{2}Alice\u{2} \u{3}04Liddell");
    alice.sees(":irc.example 001 alice :{}");
    alice.until_end_of_motd();
    alice.joins("#tea");
    alice.say("WHOIS alice");
    alice.sees(":irc.example 311 alice alice alice irc * :Alice Liddell");
    alice.until_pong();
    alice.say("PRIVMSG parlor :#tea topic \u{2}Assam\u{2}");
    alice.sees(":alice!alice@irc TOPIC #tea :Assam");
    let mut bob = enter(&server, "bob");
    bob.joins("#tea");
    alice.sees(":bob!bob@irc JOIN #tea");
    alice.say("KICK #tea bob :\u{1d}too\u{1d} loud");
    bob.sees(":alice!alice@irc KICK #tea bob :too loud");
    alice.sees(":alice!alice@irc KICK #tea bob :too loud");
    alice.say("INVITE bob\u{2} #tea"); // no name has codes
    alice.sees(":irc.example 401 alice {}");
    bob.sees_nothing();
}

#[test]
fn programs_of_two_people_ask_each_other() {
    let server = server();
    let mut alice = enter(&server, "alice");
    let mut bob = enter(&server, "bob");
    for (question, answer) in [
        ("VERSION", "VERSION irssi 1.4.3"),
        ("PING 1234567", "PING 1234567"),
        ("TIME", "TIME Mon, 1 Jan"),
        ("CLIENTINFO", "CLIENTINFO ACTION PING"),
        ("DCC CHAT chat 2130706433 5000", "ERRMSG no"),
    ] {
        alice.say(&format!("PRIVMSG bob :\u{1}{question}\u{1}"));
        bob.sees(&format!(":alice!alice@irc PRIVMSG bob :\u{1}{question}\u{1}"));
        bob.say(&format!("NOTICE alice :\u{1}{answer}\u{1}"));
        alice.sees(&format!(":bob!bob@irc NOTICE alice :\u{1}{answer}\u{1}"));
    }
    alice.sees_nothing();
    bob.sees_nothing();
}

#[test]
fn programs_ask_nobody_with_netcat_and_no_room() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for text in ["VERSION", "PING 1", "FINGER"] {
        alice.say(&format!("PRIVMSG #lobby :\u{1}{text}\u{1}"));
        alice.sees(":irc.example 404 alice #lobby :{}");
        alice.say(&format!("NOTICE #lobby :\u{1}{text}\u{1}")); // and no error for it
        alice.say(&format!("PRIVMSG bob :\u{1}{text}\u{1}"));
    }
    alice.say("PRIVMSG bob :in words");
    bob.sees("[alice -> bob] in words");
    alice.sees_nothing();
}

#[test]
fn an_action_goes_to_rooms_and_people_at_all_doors() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    let mut carol = in_lobby(&server, "carol");
    alice.sees(":carol!carol@irc JOIN #lobby");
    bob.sees("carol has arrived");
    for (sent, read) in [
        ("\u{1}ACTION waves\u{1}", "waves"),
        ("\u{1}action waves\u{1}", "waves"),
        ("\u{1}ACTION waves", "waves"), // without an end
        ("\u{1}ACTION waves  twice\u{1}", "waves  twice"),
        ("\u{1}ACTION \u{2}waves\u{2}\u{1}", "waves"),
    ] {
        alice.say(&format!("PRIVMSG #lobby :{sent}"));
        bob.sees(&format!("* alice {read}"));
        carol.sees(&[":alice!alice@irc PRIVMSG #lobby :\u{1}ACTION ", read, "\u{1}"].concat());
    }
    alice.say("PRIVMSG carol :\u{1}ACTION nods\u{1}");
    carol.sees(":alice!alice@irc PRIVMSG carol :\u{1}ACTION nods\u{1}");
    alice.say("PRIVMSG bob :\u{1}ACTION nods\u{1}");
    let seen = bob.line();
    assert!(seen.contains("alice") && seen.contains("nods") && !seen.contains('\u{1}'), "{seen:?}");
}

#[test]
fn a_long_action_is_several() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    let words = "waves and ".repeat(150) + "rests";
    bob.say(&format!("/me {words}"));
    bob.sees(&format!("* bob {words}"));
    let mut heard = String::new();
    while heard.len() < words.len() {
        let seen = alice.sees(":bob!bob@nc PRIVMSG #lobby :\u{1}ACTION {}\u{1}");
        let text = seen.parameters()[1].to_owned();
        heard += text.strip_prefix("\u{1}ACTION ").unwrap().strip_suffix('\u{1}').unwrap();
    }
    assert_eq!(heard, words);
    alice.sees_nothing();
}

#[test]
fn a_line_is_split_behind_a_blank_and_never_within_a_character() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for line in [
        "word ".repeat(300),
        "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467} ".repeat(60),
        "\u{645}\u{631}\u{62d}\u{628}\u{627} ".repeat(80),
        "\u{4f60}\u{597d}".repeat(300),
        format!("{} {}", "x".repeat(430), "y".repeat(430)),
    ] {
        let line = line.trim_end();
        bob.say(line);
        let said = bob.line();
        let said = said.trim_end().strip_prefix("bob: ").unwrap().to_owned();
        let mut parts = Vec::new();
        while parts.iter().map(String::len).sum::<usize>() < said.len() {
            parts.push(alice.sees(":bob!bob@nc PRIVMSG #lobby :{}").parameters()[1].to_owned());
        }
        assert_eq!(parts.concat(), said);
        assert!(parts.len() > 1, "{parts:?}");
        if said.starts_with("word") {
            assert!(parts[..parts.len() - 1].iter().all(|part| part.ends_with(' ')), "{parts:?}");
        }
    }
}

#[test]
fn the_parts_of_a_line_are_a_batch_for_who_knows_batches_of_lines() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", "draft/multiline message-tags");
    bob.sees("alice has arrived");
    let words = "word ".repeat(200) + "end";
    bob.say(&words);
    bob.sees(&format!("bob: {words}"));
    let begin = alice.sees(":bob!bob@nc BATCH +{} draft/multiline #lobby");
    assert!(begin.tag("msgid").is_some(), "{begin:?}");
    let batch = begin.parameters()[0].trim_start_matches('+').to_owned();
    let mut heard = String::new();
    let inside = alice.until(&format!("{{}}BATCH -{batch}"));
    for (index, message) in inside[..inside.len() - 1].iter().enumerate() {
        assert_eq!(message.tag("batch"), Some(batch.as_str()), "{message:?}");
        assert_eq!(message.tag("draft/multiline-concat").is_some(), index > 0, "{message:?}");
        assert_eq!(message.tag("msgid"), None, "{message:?}");
        heard += message.parameters()[1];
    }
    assert_eq!(heard, words);
    bob.say("short");
    alice.sees(":bob!bob@nc PRIVMSG #lobby :short");
}

#[test]
fn only_the_first_part_of_a_line_has_its_id() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", "message-tags");
    bob.sees("alice has arrived");
    let words = "word ".repeat(200) + "end";
    bob.say(&words);
    bob.sees(&format!("bob: {words}"));
    let ids = |alice: &mut Chatter| {
        alice.sees(":bob!bob@nc PRIVMSG #lobby :{}").tag("msgid").map(str::to_owned)
    };
    let (first, second) = (ids(&mut alice), ids(&mut alice));
    assert!(first.is_some() && second.is_none(), "{first:?} {second:?}");
}

#[test]
fn a_long_private_message_is_split_too() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = enter(&server, "alice");
    let words = "word ".repeat(200) + "end";
    bob.say(&format!("/msg alice {words}"));
    bob.sees(&format!("[bob -> alice] {words}"));
    let mut heard = String::new();
    while heard.len() < words.len() {
        heard += alice.sees(":bob!bob@nc PRIVMSG alice :{}").parameters()[1];
    }
    assert_eq!(heard, words);
    alice.sees_nothing();
}

#[test]
fn a_message_is_counted_behind_the_longest_source_that_it_may_get() {
    let server = server();
    let mut bob = in_lobby(&server, "bob");
    let mut alice = in_lobby(&server, "alice-with-quite-a-long-name");
    bob.sees(":alice-with-quite-a-long-name!{}@irc JOIN #lobby");
    let source = ":alice-with-quite-a-long-name!alice-with@irc PRIVMSG #lobby :";
    let text = "x".repeat(510 - source.len());
    alice.say(&format!("PRIVMSG #lobby :{text}"));
    bob.sees(&format!("{source}{text}"));
    alice.say(&format!("PRIVMSG #lobby :{text}x"));
    alice.sees(":irc.example 417 {} :{}");
    bob.sees_nothing();
}

#[test]
fn a_notice_is_a_notice_with_irc_and_a_line_elsewhere() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    let mut carol = in_lobby(&server, "carol");
    bob.sees("carol has arrived");
    alice.sees(":carol!carol@irc JOIN #lobby");
    alice.say("NOTICE #lobby :build 7 is green");
    bob.sees("alice: build 7 is green");
    carol.sees(":alice!alice@irc NOTICE #lobby :build 7 is green");
    alice.say("NOTICE bob :just you");
    bob.sees("[alice -> bob] just you");
    alice.say("NOTICE carol :just you");
    carol.sees(":alice!alice@irc NOTICE carol :just you");
    // It stays one in the replay.
    let mut dora = enter(&server, "dora");
    dora.joins("#lobby");
    dora.sees(":alice!{} NOTICE #lobby :{}build 7 is green");
}

#[test]
fn a_line_that_begins_with_a_slash_is_said_as_it_is() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for line in ["/quit", "//shrug", "/msg bob psst", "/me waves", " /usr/bin"] {
        alice.say(&format!("PRIVMSG #lobby :{line}"));
        let seen = bob.line();
        assert_eq!(seen.trim_end(), format!("alice: {line}"), "{line}");
    }
    alice.sees_nothing();
}

#[test]
fn a_text_beside_a_command_has_390_bytes() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    alice.joins("#tea");
    let (long, full) = ("x".repeat(391), "x".repeat(390));
    for command in ["TOPIC #tea", "PART #tea", "KICK #tea bob", "KILL bob", "WALLOPS"] {
        let word = command.split(' ').next().unwrap();
        let answer = format!("The text of {word} has at most 390 bytes: nothing is done");
        alice.say(&format!("{command} :{long}"));
        alice.sees(&format!(":irc.example 417 alice :{answer}"));
        alice.sees_nothing();
    }
    alice.say(&format!("TOPIC #tea :\u{2}{full}")); // formatting does not count
    alice.sees(&format!(":alice!alice@irc TOPIC #tea :{full}"));
    alice.say(&format!("PART #tea :{full}"));
    alice.sees(&format!(":alice!alice@irc PART #tea :{full}"));
    // A client that quits is gone, whatever it is answered.
    let mut carol = in_lobby(&server, "carol");
    alice.sees(":carol!carol@irc JOIN #lobby");
    bob.sees("carol has arrived");
    carol.say(&format!("QUIT :{long}"));
    carol.is_closed_with("ERROR :{}");
    alice.sees(&format!(":carol!carol@irc QUIT :{}\u{2026}", "x".repeat(387)));
    bob.sees(&format!("carol has left ({long})"));
}
