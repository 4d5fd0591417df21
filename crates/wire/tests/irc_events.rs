//! Entries of a room as IRC clients read them, by the class of the client.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod irc_clients;

use std::sync::Arc;

use parlor_core::log::{Encoding, Scene};
use parlor_core::model::{
    Act, ActOf, Author, By, Deed, Entry, Extras, InGroup, Line, Manner, Name, PersonChange,
    PersonEvent, PersonId, Profile, RankChange, Reach, Renaming, RoomName, RoomRank, Said, Telling,
    Together, Verb, WallTime, Who, Whom,
};
use parlor_wire::irc::{Cap, Caps, Class, IrcEncoding, IrcMessage};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use irc_clients::server;

/// 2011-10-19T16:40:51.620Z
const AT: WallTime = WallTime(1_319_042_451_620);

fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

fn name(name: &str) -> Name {
    Name::parse(name).unwrap()
}

/// A person with netcat, of whom only the name and the door are known.
fn bob() -> Who {
    let profile = Profile::new(["", "", "nc"].map(line), false);
    Who { profile: Some(profile.into()), ..Who::new(PersonId::new(2), name("bob")) }
}

/// A person with IRC and an account.
fn alice() -> Who {
    let profile = Profile::new(["al", "Alice A.", "irc"].map(line), false);
    Who {
        account: Some(name("Alice")),
        profile: Some(profile.into()),
        ..Who::new(PersonId::new(1), name("alice"))
    }
}

fn tea() -> RoomName {
    RoomName::parse("tea").unwrap()
}

fn said(who: Who, manner: Manner, text: &str) -> Said {
    Said { seq: 17, at: AT, who: who.into(), manner, text: line(text), extras: None }
}

/// The lines that a client with these capabilities reads of an entry.
fn read(caps: &[Cap], entry: &Entry) -> Vec<String> {
    let encoding = IrcEncoding::new(server(), Class::of(Caps::of(caps)));
    let room = tea();
    let scene = Scene { room: &room, seq: 16, at: AT };
    let mut out = Vec::new();
    encoding.encode(entry, scene, &mut out);
    let text = String::from_utf8(out).unwrap();
    text.split_terminator("\r\n").map(str::to_owned).collect()
}

/// Checks that a client without capabilities reads these lines of an entry.
#[track_caller]
fn reads(entry: &Entry, lines: &[&str]) {
    assert_eq!(read(&[], entry), lines);
}

#[test]
fn lines_are_messages_in_their_manner() {
    for (manner, text, shown) in [
        (Manner::Plain, "Hi", ":bob!bob@nc PRIVMSG #tea :Hi"),
        (Manner::Plain, ":-) a\tb", ":bob!bob@nc PRIVMSG #tea ::-) a b"),
        (Manner::Plain, "", ":bob!bob@nc PRIVMSG #tea : "),
        (Manner::Action, "waves", ":bob!bob@nc PRIVMSG #tea :\u{1}ACTION waves\u{1}"),
        (Manner::Notice, "Hi", ":bob!bob@nc NOTICE #tea :Hi"),
        (Manner::Plain, "\u{1}VERSION\u{1}", ":bob!bob@nc PRIVMSG #tea :␁VERSION␁"),
    ] {
        reads(&Entry::Said(said(bob(), manner, text)), &[shown]);
    }
    reads(&Entry::Said(said(bob(), Manner::Gone, "")), &[]);
    let stored = Who::new(PersonId::BYGONE, Name::of_address("[2001:db8::1]:64208"));
    let shown = ":2001~db8~~1~64208!u@kept PRIVMSG #tea :Hi";
    reads(&Entry::Said(said(stored, Manner::Plain, "Hi")), &[shown]);
}

#[test]
fn tags_are_those_of_the_class() {
    let extras = Extras { tags: Some(line("+draft/reply=x\\:y;+a")), ..Extras::default() };
    let said = Said { extras: Some(extras.into()), ..said(alice(), Manner::Plain, "Hi") };
    let message = ":alice!al@irc PRIVMSG #tea :Hi";
    for (caps, tags) in [
        (&[Cap::Batch, Cap::EchoMessage][..], ""),
        (&[Cap::ServerTime], "@time=2011-10-19T16:40:51.620Z "),
        (&[Cap::AccountTag], "@account=Alice "),
        (&[Cap::ServerTime, Cap::AccountTag], "@time=2011-10-19T16:40:51.620Z;account=Alice "),
        (
            &[Cap::MessageTags],
            "@time=2011-10-19T16:40:51.620Z;account=Alice;msgid=0af3.tea.17;+draft/reply=x\\:y;+a ",
        ),
    ] {
        assert_eq!(read(caps, &Entry::Said(said.clone())), [format!("{tags}{message}")]);
    }
}

#[test]
fn arrivals_and_departures_are_exact() {
    let arrived =
        |who: Who, is_keeper, telling| Entry::Arrived { who, is_keeper, event: None, telling };
    let left = |words: Option<&str>, is_from_server, telling| Entry::Left {
        who: bob().into(),
        words: words.map(line),
        removal: None,
        is_from_server,
        event: None,
        telling,
    };
    for telling in [Telling::Told, Telling::Folded] {
        reads(&arrived(bob(), false, telling), &[":bob!bob@nc JOIN #tea"]);
        reads(&left(None, true, telling), &[":bob!bob@nc QUIT :Quit"]);
    }
    for telling in [Telling::Late, Telling::Untold] {
        reads(&arrived(bob(), true, telling), &[]);
        reads(&left(Some("bye"), true, telling), &[]);
    }
    let told = Telling::Told;
    let keeper = [":alice!al@irc JOIN #tea", ":irc.local MODE #tea +o alice"];
    reads(&arrived(alice(), true, told), &keeper);
    let extended = |who| read(&[Cap::ExtendedJoin], &arrived(who, false, told));
    assert_eq!(extended(alice()), [":alice!al@irc JOIN #tea Alice :Alice A."]);
    assert_eq!(extended(bob()), [":bob!bob@nc JOIN #tea * :bob"]);
    reads(&left(Some("tea is out"), true, told), &[":bob!bob@nc QUIT :tea is out"]);
    reads(&left(Some("tea is out"), false, told), &[":bob!bob@nc PART #tea :tea is out"]);
    reads(&left(None, false, told), &[":bob!bob@nc PART #tea"]);
    reads(&Entry::ArrivedTogether(Together::default()), &[]);
    reads(&Entry::LeftTogether(Together::default()), &[]);
}

#[test]
fn a_removal_is_a_kick_or_the_end() {
    let removed = |verb, by: &By, whom, why: Option<&str>, is_from_server| {
        let deed = Deed { text: why.map(line), ..Deed::to(verb, whom) };
        let act = Act { reach: Reach::Room(tea()), ..Act::by(by.clone(), deed, AT) };
        Entry::Left {
            who: bob().into(),
            words: None,
            removal: Some(Arc::new(act.into())),
            is_from_server,
            event: None,
            telling: Telling::Told,
        }
    };
    let (keeper, bob) = (By::Keeper(Author::owner(name("alice"))), Whom::Name(name("bob")));
    let kick = |by, why| removed(Verb::Kick, by, bob.clone(), why, false);
    reads(&kick(&keeper, Some("spam")), &[":alice!alice@kept KICK #tea bob :spam"]);
    let mut seen = kick(&keeper, Some("spam"));
    if let Entry::Left { removal: Some(act), .. } = &mut seen {
        Arc::make_mut(act).author = Some(alice().into());
    }
    reads(&seen, &[":alice!al@irc KICK #tea bob :spam"]);
    assert_eq!(
        read(&[Cap::AccountTag], &seen),
        ["@account=Alice :alice!al@irc KICK #tea bob :spam"]
    );
    reads(&kick(&keeper, None), &[":alice!alice@kept KICK #tea bob :alice"]);
    reads(&kick(&By::Operator, None), &[":irc.local KICK #tea bob :irc.local"]);
    let ban = |whom| removed(Verb::Ban, &keeper, whom, None, false);
    let both = [":alice!alice@kept MODE #tea +b bob!*@*", ":alice!alice@kept KICK #tea bob :alice"];
    reads(&ban(bob.clone()), &both);
    reads(&ban(Whom::parse("192.0.2.7").unwrap()), &both[1..]);
    let end = |verb, by, why| removed(verb, by, bob.clone(), why, true);
    reads(&end(Verb::Kick, &keeper, Some("spam")), &[":bob!bob@nc QUIT :Removed by alice: spam"]);
    reads(&end(Verb::Ban, &By::Operator, None), &[":bob!bob@nc QUIT :Banned by the operator"]);
}

#[test]
fn a_new_name_is_what_the_room_sees_of_it() {
    let renamed = |is_still_worn, is_accompanied| Entry::Renamed {
        who: Who { name: name("dora"), ..alice() }.into(),
        from: name("alice"),
        seen: Renaming {
            is_still_worn,
            is_accompanied,
            old_name_stays: is_still_worn,
            new_name_was_here: is_accompanied,
            ..Renaming::default()
        },
        event: PersonEvent::new(1, [], []).into(),
    };
    reads(&renamed(false, false), &[":alice!al@irc NICK :dora"]);
    reads(&renamed(true, false), &[":dora!al@irc JOIN #tea"]);
    reads(&renamed(false, true), &[":alice!al@irc PART #tea"]);
    reads(&renamed(true, true), &[]);
    let mut of_room = renamed(false, false);
    if let Entry::Renamed { seen, .. } = &mut of_room {
        seen.old_name_stays = true; // in another room
        seen.rank = RoomRank { is_keeper: true, has_voice: true };
    }
    reads(
        &of_room,
        &[
            ":alice!al@irc PART #tea",
            ":dora!al@irc JOIN #tea",
            ":irc.local MODE #tea +o dora",
            ":irc.local MODE #tea +v dora",
        ],
    );
}

#[test]
fn changes_of_a_person_are_told_to_clients_that_want_to_know_them() {
    let changed = |who: Who, change| Entry::Changed {
        who: who.into(),
        change,
        event: PersonEvent::new(1, [], []).into(),
    };
    let before = || PersonChange::Account { before: None };
    let bob = Who { account: None, ..alice() };
    for (cap, entry, told) in [
        (Cap::AccountNotify, changed(alice(), before()), ":alice!al@irc ACCOUNT Alice"),
        (Cap::AccountNotify, changed(bob, before()), ":alice!al@irc ACCOUNT *"),
        (
            Cap::AwayNotify,
            changed(alice(), PersonChange::Away(Some(line("at lunch")))),
            ":alice!al@irc AWAY :at lunch",
        ),
        (Cap::AwayNotify, changed(alice(), PersonChange::Away(None)), ":alice!al@irc AWAY"),
        (Cap::Setname, changed(alice(), PersonChange::Realname), ":alice!al@irc SETNAME :Alice A."),
    ] {
        assert_eq!(read(&[cap], &entry), [told]);
        reads(&entry, &[]);
    }
    let ranked = |change| Entry::Ranked { who: alice().into(), change };
    reads(&ranked(RankChange::Keeper(true)), &[":irc.local MODE #tea +o alice"]);
    reads(&ranked(RankChange::Keeper(false)), &[":irc.local MODE #tea -o alice"]);
    reads(&ranked(RankChange::Voice(true)), &[":irc.local MODE #tea +v alice"]);
    reads(&ranked(RankChange::Voice(false)), &[":irc.local MODE #tea -v alice"]);
}

#[test]
fn topics_are_shown_up_to_their_length() {
    let topic = |text: Option<&str>| Entry::Topic { who: alice(), text: text.map(line) };
    reads(&topic(Some("tea at five")), &[":alice!al@irc TOPIC #tea :tea at five"]);
    reads(&topic(None), &[":alice!al@irc TOPIC #tea :"]);
    let full = "x".repeat(390);
    reads(&topic(Some(&full)), &[&format!(":alice!al@irc TOPIC #tea :{full}")]);
    let cut = format!(":alice!al@irc TOPIC #tea :{}…", "x".repeat(387));
    reads(&topic(Some(&(full + "x"))), &[&cut]);
}

#[test]
fn acts_in_a_room_are_modes_and_others_are_sentences() {
    let act = |verb, whom, reach| {
        let deed = Deed::to(verb, whom);
        Entry::Act(Arc::new(
            Act { reach, ..Act::by(By::Keeper(Author::owner(name("alice"))), deed, AT) }.into(),
        ))
    };
    let bob = || Whom::Name(name("bob"));
    let net = || Whom::parse("192.0.2.0/24").unwrap();
    for (verb, whom, mode) in [
        (Verb::Ban, bob(), "+b bob!*@*"),
        (Verb::Ban, net(), "+b *!*@192.0.2.0/24"),
        (Verb::Unban, bob(), "-b bob!*@*"),
        (Verb::Mute, bob(), "+b m:bob!*@*"),
        (Verb::Unmute, bob(), "-b m:bob!*@*"),
        (Verb::AddKeeper, bob(), "+o bob"),
        (Verb::RemoveKeeper, bob(), "-o bob"),
        (Verb::LockTopic, Whom::Everybody, "+t"),
        (Verb::UnlockTopic, Whom::Everybody, "-t"),
    ] {
        let shown = format!(":alice!alice@kept MODE #tea {mode}");
        reads(&act(verb, whom, Reach::Room(tea())), &[&shown]);
    }
    let deed = Deed::to(Verb::Ban, bob());
    let ban = Act {
        reach: Reach::Room(tea()),
        ..Act::by(By::Keeper(Author::owner(name("alice"))), deed, AT)
    };
    let seen = Entry::Act(Arc::new(ActOf { author: Some(alice().into()), ..ActOf::from(ban) }));
    reads(&seen, &[":alice!al@irc MODE #tea +b bob!*@*"]);
    let muted = ":irc.local NOTICE #tea :alice muted bob";
    reads(&act(Verb::Mute, bob(), Reach::Server), &[muted]);
    let deleted = ":irc.local NOTICE #tea :alice deleted everything alice said";
    reads(&Entry::LinesDeleted { who: alice() }, &[deleted]);
}

#[test]
fn a_line_of_several_messages_is_told_in_them_to_those_who_read_batches_and_to_the_others() {
    let breaks = vec![7, 7, 9, 500, 11, 12];
    let extras = Extras { tags: Some(line("+a")), breaks, ..Extras::default() };
    let joined = said(bob(), Manner::Plain, "how is a 世界");
    let joined = Entry::Said(Said { extras: Some(extras.into()), ..joined });
    let texts = |caps: &[Cap]| -> Vec<(String, bool)> {
        let lines = read(caps, &joined);
        let lines = lines.iter().map(|line| IrcMessage::parse(line).unwrap());
        let said = lines.filter(|message| message.command == "PRIVMSG");
        said.map(|message| {
            let is_concat = message.tags.get("draft/multiline-concat").is_some();
            (message.parameter(1).unwrap().to_owned(), is_concat)
        })
        .collect()
    };
    let parts = |is_concat: bool| {
        [("how is ", false), ("a ", is_concat), ("世", is_concat), ("界", is_concat)]
            .map(|(text, is_concat)| (text.to_owned(), is_concat))
    };
    assert_eq!(texts(&[Cap::Multiline, Cap::MessageTags]), parts(true));
    assert_eq!(texts(&[Cap::MessageTags]), parts(false));
}

/// The lines of a post with these texts.
fn together(texts: &[&str]) -> Vec<Entry> {
    let blanks = texts.iter().take_while(|text| text.is_empty()).count();
    let entries = texts.iter().enumerate().map(|(index, text)| {
        let [index, lines, blanks] =
            [index, texts.len(), blanks].map(|count| u32::try_from(count).unwrap());
        let group = Some(InGroup { index, lines, blanks });
        let extras = Some(Arc::new(Extras { group, tags: Some(line("+a")), ..Extras::default() }));
        let seq = 17 + u64::from(index);
        Entry::Said(Said { seq, extras, ..said(bob(), Manner::Plain, text) })
    });
    entries.collect()
}

#[test]
fn lines_said_together_are_one_batch_for_those_who_know_batches() {
    let group = together(&["", "one", &"x".repeat(500)]);
    let all = |caps: &[Cap]| -> Vec<String> {
        group.iter().flat_map(|entry| read(caps, entry)).collect()
    };
    let lines = all(&[Cap::Multiline, Cap::MessageTags]);
    let first = IrcMessage::parse(&lines[0]).unwrap();
    let id = first.parameter(0).unwrap().strip_prefix('+').unwrap();
    assert!(id.chars().all(|c| c.is_ascii_alphanumeric()));
    let space = 510 - ":bob!bob@nc PRIVMSG #tea :".len();
    assert_eq!(
        lines,
        [
            format!(
                "@time=2011-10-19T16:40:51.620Z;msgid=0af3.tea.17;+a \
                 :bob!bob@nc BATCH +{id} draft/multiline #tea"
            ),
            format!("@batch={id} :bob!bob@nc PRIVMSG #tea :"),
            format!("@batch={id} :bob!bob@nc PRIVMSG #tea :one"),
            format!("@batch={id} :bob!bob@nc PRIVMSG #tea :{}", "x".repeat(space)),
            format!(
                "@batch={id};draft/multiline-concat :bob!bob@nc PRIVMSG #tea :{}",
                "x".repeat(500 - space)
            ),
            format!(":bob!bob@nc BATCH -{id}"),
        ]
    );
    assert_eq!(all(&[Cap::Multiline])[0], format!(":bob!bob@nc BATCH +{id} draft/multiline #tea"));
    let tags: Vec<String> = all(&[Cap::MessageTags])
        .iter()
        .map(|line| line.split_once(' ').unwrap().0.replace("@time=2011-10-19T16:40:51.620Z;", ""))
        .collect();
    assert_eq!(tags, ["msgid=0af3.tea.17;+a", "+a", "+a"], "blank lines are left out");
    assert_eq!(all(&[]).len(), 3);
}

#[test]
fn a_long_line_is_several_messages_of_which_the_first_has_the_id() {
    let long = Entry::Said(said(bob(), Manner::Plain, &"word ".repeat(200)));
    let lines = read(&[Cap::MessageTags], &long);
    assert_eq!(
        lines.iter().map(|line| line.matches("msgid=").count()).collect::<Vec<_>>(),
        [1, 0, 0]
    );
    let batch = read(&[Cap::Multiline], &long);
    assert_eq!(batch.len(), 5);
    assert_eq!(batch.iter().filter(|line| line.contains("draft/multiline-concat")).count(), 2);
    let action = read(&[], &Entry::Said(said(bob(), Manner::Action, &"x".repeat(600))));
    assert!(action.len() == 2 && action.iter().all(|line| line.ends_with('\u{1}')));
}

/// Any capability that decides about bytes.
fn caps() -> impl Strategy<Value = Vec<Cap>> {
    subsequence(Cap::ALL, 0..Cap::ALL.len())
}

fn who() -> impl Strategy<Value = Who> {
    let profile = option::of(
        any::<[String; 3]>()
            .prop_map(|texts| Arc::new(Profile::new(texts.map(|text| line(&text)), false))),
    );
    let account = select(vec![None, Some("Alice"), Some("Борис")]);
    let shown = prop_oneof![
        select(vec!["alice", "世界", "Zoë"]).prop_map(name),
        any::<std::net::SocketAddr>().prop_map(|address| Name::of_address(&address.to_string())),
    ];
    (profile, account, shown).prop_map(|(profile, account, shown)| Who {
        account: account.map(name),
        profile,
        ..Who::new(PersonId::new(1), shown)
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,1500}", "[ -~]{0,1500}", "[\u{0}-\u{ff}]{0,40}", "(\u{4f60}| ){0,1365}"]
}

fn act() -> impl Strategy<Value = Act> {
    let verb = select(vec![
        Verb::Kick,
        Verb::Ban,
        Verb::Mute,
        Verb::AddKeeper,
        Verb::LockTopic,
        Verb::Broadcast,
    ]);
    (verb, text(), any::<bool>()).prop_map(|(verb, why, is_here)| {
        let deed = Deed { text: Some(line(&why)), ..Deed::to(verb, Whom::Name(name("bob"))) };
        let reach = if is_here { Reach::Room(tea()) } else { Reach::Server };
        Act { reach, ..Act::by(By::Keeper(Author::owner(name("世界"))), deed, AT) }
    })
}

fn change() -> impl Strategy<Value = PersonChange> {
    prop_oneof![
        option::of(text()).prop_map(|text| PersonChange::Away(text.map(|text| line(&text)))),
        Just(PersonChange::Realname),
        Just(PersonChange::Account { before: None }),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let manner = select(vec![Manner::Plain, Manner::Action, Manner::Notice, Manner::Gone]);
    let telling = select(vec![Telling::Told, Telling::Folded, Telling::Late, Telling::Untold]);
    let group = option::of((0..3_u32, 1..4_u32, 0..3_u32));
    prop_oneof![
        4 => (who(), manner, text(), group, "[+a-z=;\\\\]{0,40}", vec(0..40_u32, 0..3)).prop_map(|(who, manner, text, group, tags, breaks)| {
            let group = group.map(|(index, lines, blanks)| InGroup { index, lines, blanks });
            let extras = Extras { tags: Some(line(&tags)), group, label: None, breaks, log: None };
            Entry::Said(Said { extras: Some(extras.into()), ..said(who, manner, &text) })
        }),
        1 => (who(), any::<bool>(), telling.clone()).prop_map(|(who, is_keeper, telling)| Entry::Arrived { who, is_keeper, event: None, telling }),
        1 => (who(), text(), any::<bool>(), telling).prop_map(|(who, words, is_from_server, telling)| Entry::Left {
            who: who.into(), words: Some(line(&words)), removal: None, is_from_server, event: None, telling,
        }),
        1 => (who(), act()).prop_map(|(who, act)| Entry::Left {
            who: who.into(), words: None, removal: Some(Arc::new(act.into())), is_from_server: false, event: None, telling: Telling::Told,
        }),
        1 => (who(), any::<[bool; 5]>()).prop_map(|(who, [is_still_worn, is_accompanied, is_elsewhere, is_keeper, has_voice])| Entry::Renamed {
            who: who.into(), from: name("bob"), seen: Renaming {
                is_still_worn, is_accompanied,
                old_name_stays: is_still_worn || is_elsewhere, new_name_was_here: is_accompanied,
                rank: RoomRank { is_keeper, has_voice }, old_rank: RoomRank::default(),
            },
            event: PersonEvent::new(1, [], []).into(),
        }),
        1 => (who(), option::of(text())).prop_map(|(who, text)| Entry::Topic { who, text: text.map(|text| line(&text)) }),
        1 => act().prop_map(|act| Entry::Act(Arc::new(act.into()))),
        1 => who().prop_map(|who| Entry::LinesDeleted { who }),
        1 => (who(), any::<bool>()).prop_map(|(who, is_keeper)| Entry::Ranked {
            who: who.into(),
            change: RankChange::Keeper(is_keeper),
        }),
        1 => (who(), "[+a-z=;\\\\]{0,40}").prop_map(|(who, tags)| {
            let extras = Extras { tags: Some(line(&tags)), ..Extras::default() };
            Entry::Signal { who: who.into(), extras: extras.into(), number: 7 }
        }),
        2 => (who(), change()).prop_map(|(who, change)| Entry::Changed {
            who: who.into(), change, event: PersonEvent::new(1, [], []).into(),
        }),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_is_told_in_safe_lines_that_depend_on_the_class_alone(caps in caps(), entry in entry()) {
        let class = Class::of(Caps::of(&caps));
        let lines = read(&caps, &entry);
        for line in &lines {
            irc_clients::check(line);
        }
        let decisive: Vec<Cap> = Cap::ALL.iter().copied().filter(|cap| class.has(*cap)).collect();
        prop_assert_eq!(read(&decisive, &entry), lines);
    }

    #[test]
    fn the_parts_of_a_line_are_the_line(caps in caps(), who in who(), text in text()) {
        let text = line(&text);
        let lines = read(&caps, &Entry::Said(said(who, Manner::Plain, text.as_str())));
        let mut joined = String::new();
        for message in lines.iter().filter_map(|line| IrcMessage::parse(line)) {
            if message.is("PRIVMSG") {
                joined += message.parameter(1).unwrap();
            }
        }
        prop_assert_eq!(joined, if text.is_empty() { " ".to_owned() } else { text.as_str().replace('\t', " ") });
    }
}
