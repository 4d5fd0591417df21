//! Properties of the IRC dialect over random lines, most of them with a meaning. Named cases are
//! beside the code.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

#[allow(dead_code, reason = "it needs one of the bodies")]
mod fuzz_bodies;

use std::collections::BTreeMap;

use parlor_core::model::{Line, Name};
use parlor_wire::irc::{
    IrcMessage, MESSAGE_BYTES_MAX, MessageWriter, PARAMETERS_MAX, TagWriter, name, parts,
    text_bytes_max,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use fuzz_bodies::irc;

/// Words that have a meaning somewhere.
const WORDS: [&str; 41] = [
    "PRIVMSG",
    "MARKREAD",
    "MODE",
    "CAP",
    "REQ",
    "AUTHENTICATE",
    "+",
    "*",
    "#tea",
    "##",
    "alice",
    "[al]",
    "al!u@irc",
    "alice!*@*",
    "*!*@192.0.2.7/24",
    "*!*@2001:db8::",
    "m:bob",
    "2001~db8~~1~5",
    "127.0.0.1~5",
    "+o-b+t",
    "+xyz",
    "-ob",
    "al*",
    "a?i*e",
    "**a*",
    "sasl",
    "-cap-notify",
    "draft/multiline",
    "labeled-response",
    "0af3.tea.17",
    "msgid=0af3.~1.2",
    "timestamp=2011-10-19",
    "timestamp=2011-10-19T16:40:51.620Z",
    "YWxpY2U=",
    "\u{1}ACTION",
    "waves\u{1}",
    "\u{3}04,12x",
    "\u{2}b\u{f}",
    ":",
    "::-)",
    "größe",
];

/// A line that looks like IRC, with its ending.
fn line() -> impl Strategy<Value = String> {
    let tags =
        select(vec!["", "", "@a=1;b ", "@+typing=active;+x=\\s\\:\\\\;a ", "@;; ", "@", " "]);
    let source = select(vec!["", "", ":al!u@irc ", ": ", ":", "  "]);
    let word = prop_oneof![6 => select(&WORDS[..]).prop_map(str::to_owned), 1 => any::<String>()];
    let gap = select(vec![" ", " ", " ", "  ", " :", "\t", ""]);
    let words = vec((gap, word), 0..20);
    let ending = select(vec!["\r\n", "\n", "\r\r\n", "\0\n"]);
    (tags, source, words, ending).prop_map(|(tags, source, words, ending)| {
        let words: String = words.into_iter().map(|(gap, word)| gap.to_owned() + &word).collect();
        format!("{tags}{source}{}{ending}", words.trim_start_matches(' '))
    })
}

/// A text in some script, with blanks.
fn text() -> impl Strategy<Value = String> {
    let script =
        select(vec!["[a-z ]", "[а-я ]", "[一-龥 ]", "[\u{1f600}-\u{1f64f} ]", "[ก-ฮ]", "\\PC"]);
    script.prop_flat_map(|script| {
        proptest::string::string_regex(&format!("({script}){{0,1500}}")).unwrap()
    })
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_hold(piece: u8, bytes in vec(prop_oneof![
        4 => line().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..40),
        1 => (0..1_100_usize).prop_map(|len| vec![b'x'; len]),
    ], 0..8)) {
        irc::run(&[vec![piece], bytes.concat()].concat());
    }

    #[test]
    fn a_message_is_read_as_it_was_printed(
        tags in btree_map("[+]?([a-z]{1,4}/)?[a-z-]{1,6}", "[\\PC\r\n]{0,20}", 0..4),
        source in option::of("[\\PC&&[^ ]]{0,20}"),
        command in "[A-Z]{1,9}|[0-9]{3}",
        words in vec("[\\PC&&[^: ]][\\PC&&[^ ]]{0,10}", 0..PARAMETERS_MAX - 1),
        last in option::of("[\\PC]{0,30}"),
    ) {
        let mut out = Vec::new();
        let writer = tags.iter().fold(TagWriter::new(&mut out), |all, (key, value)| all.tag(key, value));
        let parameters: Vec<&str> = words.iter().chain(&last).map(String::as_str).collect();
        writer.message(source.as_deref(), &command).all(&parameters);
        let line = String::from_utf8(out).unwrap();
        let message = IrcMessage::parse(line.strip_suffix("\r\n").unwrap()).unwrap();
        let read: BTreeMap<_, _> =
            message.tags.iter().map(|tag| (tag.key().to_owned(), tag.value().into_owned())).collect();
        prop_assert_eq!(read, tags);
        prop_assert_eq!((message.source, message.command), (source.as_deref(), &*command));
        let sent: usize = parameters.iter().map(|parameter| parameter.len() + 2).sum();
        if sent + source.as_ref().map_or(0, String::len) < MESSAGE_BYTES_MAX - 20 {
            prop_assert_eq!(message.parameters(), parameters);
        }
    }

    #[test]
    fn the_parts_of_a_line_fit_and_join_in_every_script(text in text(), room in 0..60_usize) {
        let line = Line::sanitise(text.as_bytes());
        let target = format!("#{}", "r".repeat(room));
        let source = name::source("alice", "al", "irc");
        let mut joined = String::new();
        for part in parts(line.as_str(), text_bytes_max(&source, "PRIVMSG", &target)) {
            let mut out = Vec::new();
            MessageWriter::new(&mut out, Some(&source), "PRIVMSG").with(&target).text(part);
            let sent = String::from_utf8(out).unwrap();
            let message = IrcMessage::parse(sent.strip_suffix("\r\n").unwrap()).unwrap();
            joined.push_str(message.parameter(1).unwrap());
        }
        prop_assert_eq!(joined, line.as_str().replace('\t', " "));
    }

    #[test]
    fn every_name_is_a_nick_that_is_read_back(typed in "[\\PC]{1,12}", address: std::net::SocketAddr) {
        let address = Name::of_address(&address.to_string());
        let names = Name::parse(&typed).into_iter().chain([address]);
        for known in names {
            prop_assert_eq!(name::named(&name::nick(&known)), Ok(known));
        }
    }
}
