//! For each rule about messages of IRC, a small story that keeps all rules, and one that breaks it.

use super::tests::{arrived, breaks, left, renamed, room, said};
use super::{
    Barrier, Dialect, End, Event, Kind, NO_RANKS, Parameter, Reader, Room, Rule, Shown, Story,
    check,
};

fn event(commit: u64, person: Option<usize>, shown: Shown) -> Event {
    Event { commit, person, kind: Kind::Other, shown, reads_on: false, ranks: NO_RANKS }
}

/// Alice is in two rooms. Bob comes to both, talks, is rob from then on, and goes; in the tea room
/// he is told to.
fn rooms() -> Vec<Room> {
    let lobby = vec![
        arrived(1, 3, "10.0.0.3:4000"),
        arrived(2, 1, "alice"),
        arrived(3, 2, "bob"),
        said(4, 1, 2, "bob", "s2n1 and more"),
        said(5, 2, 1, "alice", "s1n1"),
        renamed(6, 2, "bob", "rob"),
        said(7, 3, 2, "rob", "s2n3"),
        left(9, 2, "rob"),
        said(10, 4, 3, "10.0.0.3:4000", "s3n1"),
    ];
    let topic = Shown::Topic { name: "bob".into(), text: Some("topic 1".into()) };
    let topic = event(5, Some(2), topic);
    let tea = vec![
        arrived(2, 1, "alice"),
        arrived(3, 2, "bob"),
        said(4, 1, 2, "bob", "s2n2"),
        topic,
        renamed(6, 2, "bob", "rob"),
        left(9, 2, "rob"),
        left(11, 1, "alice"),
    ];
    vec![room("lobby", lobby), room("tea", tea)]
}

/// The end of the welcome. It stands behind the first message of each story.
const END_OF_WELCOME: &str = ":irc.sim.test 376 alice :End of /MOTD command";

/// The messages that alice reads, but for the end of the welcome.
const ALICE: [&str; 24] = [
    ":irc.sim.test 001 alice :Welcome",
    ":alice!u@irc JOIN #lobby",
    ":irc.sim.test 353 alice = #lobby :alice 10.0.0.3~4000",
    ":irc.sim.test 366 alice #lobby :End of /NAMES list",
    ":alice!u@irc JOIN #tea",
    ":irc.sim.test 353 alice = #tea :@alice",
    ":irc.sim.test 366 alice #tea :End of /NAMES list",
    ":bob!u@nc JOIN #lobby",
    "@time=x;msgid=log.lobby.1 :bob!u@nc PRIVMSG #lobby :s2n1 and",
    ":bob!u@nc PRIVMSG #lobby : more",
    ":bob!u@nc JOIN #tea",
    "@msgid=log.tea.1 :bob!u@nc PRIVMSG #tea :s2n2",
    ":bob!u@nc TOPIC #tea :topic 1",
    ":irc.sim.test PONG irc.sim.test first",
    ":bob!u@nc NICK :rob",
    ":irc.sim.test 353 alice = #tea :@alice rob",
    ":irc.sim.test 366 alice #tea :End of /NAMES list",
    ":rob!u@nc PRIVMSG #lobby :s2n3",
    ":irc.sim.test PONG irc.sim.test second",
    ":rob!u@nc QUIT :Quit",
    ":10.0.0.3~4000!u@nc PRIVMSG #lobby :s3n1",
    ":irc.sim.test 401 alice after.s3n1 :No such nick",
    ":alice!u@irc PART #tea",
    ":carol!u@irc PRIVMSG alice :p4n1",
];

fn story(lines: &[&str]) -> Story {
    let barrier = |token: &str, lobby, tea| Barrier {
        token: token.to_owned(),
        events: vec![(0, lobby), (1, tea)],
    };
    let alice = Reader {
        person: Some(1),
        dialect: Dialect::Irc,
        text: text_of(&[&lines[..1], &[END_OF_WELCOME], &lines[1..]].concat()),
        end: End::Here,
        has_left: false,
        fell_silently: false,
        listened: None,
        caps: "",
        barriers: vec![barrier("first", 5, 4), barrier("second", 7, 5)],
    };
    Story { rooms: rooms(), readers: vec![alice], ..Story::default() }
}

/// The story of the lobby with these events, in which she sends no PING.
fn of_lobby(events: Vec<Event>, lines: &[&str]) -> Story {
    let Story { mut readers, .. } = story(lines);
    readers[0].barriers.clear();
    Story { rooms: vec![room("lobby", events)], readers, ..Story::default() }
}

fn text_of(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line, "\r\n"]).collect::<String>().into()
}

/// The story in which these messages are changed.
fn changed(change: impl FnOnce(&mut Vec<&str>)) -> Story {
    let mut lines = ALICE.to_vec();
    change(&mut lines);
    story(&lines)
}

/// The story in which a message is another one, or several, or none.
fn with(index: usize, instead: &[&'static str]) -> Story {
    changed(|lines| drop(lines.splice(index..=index, instead.iter().copied())))
}

#[test]
fn a_good_story_of_irc_passes() {
    check(&story(&ALICE)).unwrap();
}

#[test]
fn a_client_may_read_its_own_lines() {
    let mut lines = ALICE.to_vec();
    lines.insert(13, ":alice!u@irc PRIVMSG #lobby :s1n1");
    let mut echoed = story(&lines);
    breaks(Rule::Presence, &echoed);
    echoed.readers[0].caps = "echo-message";
    check(&echoed).unwrap();
    let mut missing = story(&ALICE);
    missing.readers[0].caps = "echo-message";
    breaks(Rule::Answer, &missing);
}

#[test]
fn mail_from_others_before_the_end_of_the_welcome_is_rejected() {
    let begins = |lines: &[&str]| {
        let mut story = story(&ALICE);
        story.readers[0].text = text_of(&[lines, &ALICE[1..]].concat());
        story
    };
    const INVITE: &str = ":bob!u@nc INVITE alice :#lobby";
    let names = [":irc.sim.test CAP * ACK :batch", ":irc.sim.test 433 * bob :Taken"];
    let welcome = [ALICE[0], ":irc.sim.test 002 alice :Your host", END_OF_WELCOME];
    check(&begins(&[&names[..], &welcome].concat())).unwrap();
    for mail in [INVITE, ALICE[23], ":irc.sim.test NOTICE alice :psst", ":alice!u@irc NICK :al"] {
        breaks(Rule::Welcome, &begins(&[ALICE[0], mail, END_OF_WELCOME]));
    }
    breaks(Rule::Welcome, &begins(&[INVITE, ALICE[0], END_OF_WELCOME]));
    breaks(Rule::Welcome, &begins(&welcome[..2])); // it has no end
    breaks(Rule::Welcome, &begins(&welcome[2..]));
}

#[test]
fn messages_that_no_server_sends_are_rejected() {
    let long = format!(":bob!u@nc PRIVMSG #tea :s2n2 {}", "x".repeat(500));
    for line in [
        "PRIVMSG",
        ":bob!u@nc HELLO #tea",
        ":bob!u@nc PRIVMSG #tea :s2n2\x02",
        ":bob!u@nc PRIVMSG #tea :s2n2\rQUIT",
        ":bob!u@nc PRIVMSG  #tea :s2n2",
        "@batch=7 :bob!u@nc PRIVMSG #tea :s2n2",
        ":bob!u@nc PRIVMSG #tea :a part alone",
        &long,
    ] {
        let mut lines = ALICE.to_vec();
        lines[11] = line;
        breaks(Rule::Text, &story(&lines));
    }
    let mut bare = story(&ALICE);
    bare.readers[0].text.retain(|byte| *byte != b'\r');
    breaks(Rule::Text, &bare);
}

#[test]
fn a_line_that_is_missing_twice_or_out_of_order_is_rejected() {
    let mut missing = with(17, &[]);
    breaks(Rule::Answer, &missing); // before PONG
    missing.readers[0].barriers.clear();
    breaks(Rule::Count, &missing);
    breaks(Rule::Order, &with(17, &[ALICE[17], ALICE[17]]));
    breaks(Rule::Kept, &with(9, &[])); // the line is not whole
    breaks(Rule::Kept, &with(17, &[":rob!u@nc PRIVMSG #lobby :s2n4"]));
    breaks(Rule::Kept, &with(17, &[":bob!u@nc PRIVMSG #lobby :s2n3"]));
    breaks(Rule::Count, &with(11, &["@msgid=log.tea.2 :bob!u@nc PRIVMSG #tea :s2n2"]));
    breaks(Rule::Converged, &with(20, &[]));
}

#[test]
fn a_list_that_is_wrong_is_rejected() {
    breaks(Rule::Presence, &with(2, &[":irc.sim.test 353 alice = #lobby :alice"]));
    breaks(Rule::Presence, &with(5, &[":irc.sim.test 353 alice = #tea :alice bob"]));
    breaks(Rule::Presence, &with(15, &[":irc.sim.test 353 alice = #tea :alice bob"]));
    breaks(Rule::Presence, &with(3, &[])); // it sees bob before it knows the others
}

#[test]
fn people_who_come_or_go_without_a_message_are_rejected() {
    breaks(Rule::Presence, &with(7, &[]));
    breaks(Rule::Presence, &with(10, &[]));
    breaks(Rule::Presence, &with(19, &[]));
    breaks(Rule::Presence, &with(14, &[]));
}

#[test]
fn a_change_that_is_told_twice_or_in_one_room_only_is_rejected() {
    breaks(Rule::Presence, &with(19, &[ALICE[19], ALICE[19]]));
    breaks(Rule::Presence, &with(14, &[ALICE[14], ALICE[14]]));
    breaks(Rule::Balance, &with(10, &[ALICE[10], ALICE[10]]));
    let parts = [":rob!u@nc PART #lobby", ":rob!u@nc PART #tea"];
    check(&with(19, &parts)).unwrap();
    breaks(Rule::Presence, &with(19, &parts[..1]));
}

#[test]
fn a_change_before_all_rooms_have_come_to_it_is_rejected() {
    breaks(Rule::Presence, &changed(|lines| lines.swap(12, 14)));
    breaks(Rule::Count, &changed(|lines| lines[17..20].swap(0, 2)));
}

#[test]
fn an_answer_to_ping_before_what_was_visible_is_rejected() {
    let early = |from: usize, to: usize| {
        changed(move |lines| {
            let pong = lines.remove(from);
            lines.insert(to, pong);
        })
    };
    check(&early(13, 20)).unwrap(); // PONG may come later than it must
    breaks(Rule::Answer, &early(13, 12));
    breaks(Rule::Answer, &early(18, 13));
    breaks(Rule::Answer, &with(18, &[ALICE[18], ALICE[18]]));
    breaks(Rule::Converged, &with(18, &[]));
}

#[test]
fn an_answer_before_the_line_that_came_first_is_rejected() {
    breaks(Rule::Answer, &changed(|lines| lines.swap(20, 21)));
}

#[test]
fn rooms_in_which_the_client_is_not_are_rejected() {
    breaks(Rule::Presence, &with(22, &[ALICE[22], ":rob!u@nc JOIN #tea"]));
    breaks(Rule::Presence, &with(4, &[":alice!u@irc JOIN #den"]));
    breaks(Rule::Presence, &with(4, &[ALICE[4], ALICE[4]]));
    breaks(Rule::Balance, &with(22, &[ALICE[22], ":alice!u@irc PART #lobby"]));
    breaks(Rule::Presence, &with(22, &[ALICE[22], ":alice!u@irc QUIT :Quit"]));
}

/// Alice misses two lines and an arrival in the lobby, and comes in again.
fn too_slow(skipped: &str, names: &str, then: &[&str]) -> Story {
    let lobby = vec![
        arrived(1, 2, "bob"),
        arrived(2, 1, "alice"),
        said(3, 1, 2, "bob", "s2n1"),
        said(4, 2, 1, "alice", "s1n1"), // read without a message
        said(5, 3, 2, "bob", "s2n2"),
        arrived(6, 3, "carol"),
        said(7, 4, 3, "carol", "s3n1"),
        left(8, 2, "bob"),
        said(9, 5, 3, "carol", "s3n2"),
    ];
    let before = [
        ":irc.sim.test 001 alice :Welcome",
        ":alice!u@irc JOIN #lobby",
        ":irc.sim.test 353 alice = #lobby :alice bob",
        ":irc.sim.test 366 alice #lobby :End of /NAMES list",
        ":bob!u@nc PRIVMSG #lobby :s2n1",
        skipped,
        ":alice!u@irc PART #lobby :You were reading too slowly",
        ":alice!u@irc JOIN #lobby",
        names,
        ":irc.sim.test 366 alice #lobby :End of /NAMES list",
    ];
    of_lobby(lobby, &[&before, then].concat())
}

#[test]
fn a_reader_who_was_too_slow_comes_in_again_behind_the_counted_lines() {
    const TWO: &str = ":irc.sim.test NOTICE #lobby :2 lines skipped: you were reading too slowly";
    const BOTH: &str = ":irc.sim.test 353 alice = #lobby :alice bob carol";
    const CAROL: &str = ":irc.sim.test 353 alice = #lobby :alice carol";
    const QUIT: &str = ":bob!u@nc QUIT :Quit";
    const LAST: &str = ":carol!u@irc PRIVMSG #lobby :s3n2";
    check(&too_slow(TWO, BOTH, &[QUIT, LAST])).unwrap();
    check(&too_slow(TWO, CAROL, &[LAST])).unwrap();
    breaks(Rule::Presence, &too_slow(TWO, CAROL, &[QUIT, LAST]));
    breaks(Rule::Presence, &too_slow(TWO, BOTH, &[LAST]));
    breaks(Rule::Presence, &too_slow(TWO, ":irc.sim.test 353 alice = #lobby :alice", &[LAST]));
    breaks(Rule::Converged, &too_slow(TWO, CAROL, &[]));
    let count = |lines| {
        let notice = TWO.replace("2 lines", lines);
        too_slow(&notice, CAROL, &[LAST])
    };
    breaks(Rule::Presence, &count("1 line"));
    breaks(Rule::Count, &count("9 lines"));
    breaks(Rule::Kept, &too_slow(TWO, CAROL, &[":bob!u@nc PRIVMSG #lobby :s2n9"]));
}

/// Alice is too slow to read that olga, another connection of the owner, comes to the lobby, and takes
/// that name.
fn takes_back(change: impl FnOnce(&mut Vec<&str>)) -> Story {
    let by_room = Kind::ByRoom { leaves: true, arrives: false };
    let lobby = vec![
        arrived(1, 2, "bob"),
        arrived(2, 1, "alice"),
        arrived(3, 3, "olga"),
        said(4, 1, 2, "bob", "s2n1"),
        Event { kind: by_room, ..renamed(5, 1, "alice", "olga") },
        said(6, 2, 2, "bob", "s2n2"),
    ];
    let mut lines = vec![
        ":irc.sim.test 001 alice :Welcome",
        ":alice!u@irc JOIN #lobby",
        ":irc.sim.test 353 alice = #lobby :alice bob",
        ":irc.sim.test 366 alice #lobby :End of /NAMES list",
        ":olga!u@irc PART #lobby",
        ":alice!u@irc NICK :olga",
        ":irc.sim.test NOTICE #lobby :1 line skipped: you were reading too slowly",
        ":olga!u@irc PART #lobby :You were reading too slowly",
        ":olga!u@irc JOIN #lobby",
        ":irc.sim.test 353 olga = #lobby :olga bob",
        ":irc.sim.test 366 olga #lobby :End of /NAMES list",
        ":bob!u@nc PRIVMSG #lobby :s2n2",
    ];
    change(&mut lines);
    of_lobby(lobby, &lines)
}

#[test]
fn an_unknown_name_goes_only_where_the_client_takes_it_and_comes_in_again() {
    check(&takes_back(|_| {})).unwrap();
    breaks(Rule::Balance, &takes_back(|lines| lines[4] = ":mike!u@irc PART #lobby"));
    breaks(Rule::Balance, &takes_back(|lines| drop(lines.drain(6..11))));
    breaks(Rule::Balance, &takes_back(|lines| lines.truncate(6)));
}

#[test]
fn an_answer_from_a_later_place_is_right_only_before_coming_in_again() {
    const LATER: [&str; 2] = [
        ":irc.sim.test 353 alice = #lobby :alice bob carol",
        ":irc.sim.test 366 alice #lobby :End of /NAMES list",
    ];
    const TWO: &str = ":irc.sim.test NOTICE #lobby :2 lines skipped: you were reading too slowly";
    const LAST: &str = ":carol!u@irc PRIVMSG #lobby :s3n2";
    let with_list = |list_at: &str| {
        let mut story = too_slow(TWO, ":irc.sim.test 353 alice = #lobby :alice carol", &[LAST]);
        let text = String::from_utf8(story.readers[0].text.clone()).unwrap();
        let list = LATER.map(|line| format!("{line}\r\n")).concat();
        story.readers[0].text = text.replacen(list_at, &format!("{list}{list_at}"), 1).into();
        story
    };
    check(&with_list(TWO)).unwrap();
    breaks(Rule::Presence, &with_list(":bob!u@nc PRIVMSG #lobby :s2n1"));
    breaks(Rule::Presence, &with_list(LAST));
}

/// Carol, who keeps the lobby, gives bob a voice, is away, and removes bob from the room.
fn kept_in_order(change: impl FnOnce(&mut Vec<&str>)) -> Story {
    let act = |mode: &str| {
        let parameter = Parameter(Some(String::new()));
        Shown::Act { by: Some("carol".into()), mode: mode.into(), parameter }
    };
    let away = Shown::Away { name: "carol".into(), text: Some("lunch".into()) };
    let removed = Shown::removed("bob".into(), Some("spam".into()), "carol".into(), true);
    let lobby = vec![
        arrived(1, 3, "carol"),
        arrived(2, 1, "alice"),
        arrived(3, 2, "bob"),
        event(4, None, act("+v bob")),
        event(5, Some(3), away),
        event(6, None, act("+b m:mike")),
        Event { kind: Kind::Told, ..event(7, Some(2), removed) },
    ];
    let mut lines = vec![
        ":irc.sim.test 001 alice :Welcome",
        ":alice!u@irc JOIN #lobby",
        ":irc.sim.test 353 alice = #lobby :alice @carol",
        ":irc.sim.test 366 alice #lobby :End of /NAMES list",
        ":bob!u@nc JOIN #lobby",
        ":carol!u@irc MODE #lobby +v bob",
        ":irc.sim.test 353 alice = #lobby :alice @carol +bob",
        ":irc.sim.test 366 alice #lobby :End of /NAMES list",
        ":carol!u@irc AWAY :lunch",
        ":carol!u@irc MODE #lobby +b m:mike!*@*",
        ":carol!u@irc MODE #lobby +b bob!*@*",
        ":carol!u@irc KICK #lobby bob :spam",
    ];
    change(&mut lines);
    let Story { mut readers, .. } = story(&lines);
    (readers[0].caps, readers[0].barriers) = ("message-tags away-notify", Vec::new());
    Story { rooms: vec![room("lobby", lobby)], readers, ..Story::default() }
}

#[test]
fn acts_and_removals_that_are_missing_or_wrong_are_rejected() {
    check(&kept_in_order(|_| {})).unwrap();
    let looks_alike = |line: &'static str| {
        let mut story = kept_in_order(move |lines| {
            (lines[4], lines[5]) = (":mike!u@nc JOIN #lobby", ":carol!u@irc MODE #lobby +v mike");
            lines[6] = ":irc.sim.test 353 alice = #lobby :alice @carol +mike";
            (lines[10], lines[11]) = (line, ":carol!u@irc KICK #lobby mike :spam");
        });
        for event in &mut story.rooms[0].events {
            match &mut event.shown {
                Shown::Arrived(name) | Shown::Left { name, .. } if name == "bob" => {
                    "mike".clone_into(name);
                }
                Shown::Act { mode, .. } if mode == "+v bob" => "+v mike".clone_into(mode),
                _ => {}
            }
        }
        story
    };
    check(&looks_alike(":carol!u@irc MODE #lobby +b rnike!*@*")).unwrap();
    breaks(Rule::Kept, &looks_alike(":carol!u@irc MODE #lobby +b nike!*@*"));
    let without = |index: usize| kept_in_order(move |lines| drop(lines.drain(index..=index)));
    let with = |index: usize, line| kept_in_order(move |lines| lines[index] = line);
    breaks(Rule::Presence, &without(5));
    breaks(Rule::Presence, &without(8)); // AWAY
    breaks(Rule::Presence, &without(9));
    breaks(Rule::Presence, &without(10)); // the ban before the removal
    breaks(Rule::Kept, &without(11)); // a ban alone is another act
    breaks(Rule::Converged, &kept_in_order(|lines| lines.truncate(10)));
    breaks(Rule::Kept, &with(5, ":carol!u@irc MODE #lobby +o bob"));
    breaks(Rule::Kept, &with(9, ":alice!u@irc MODE #lobby +b m:mike!*@*"));
    breaks(Rule::Presence, &with(8, ":carol!u@irc AWAY :dinner"));
    breaks(Rule::Presence, &with(11, ":carol!u@irc KICK #lobby bob :noise"));
    breaks(Rule::Kept, &with(11, ":bob!u@nc PART #lobby"));
    breaks(Rule::Kept, &with(11, ":carol!u@irc KICK #lobby alice :spam"));
    let mut unaware = kept_in_order(|_| {});
    unaware.readers[0].caps = "";
    breaks(Rule::Presence, &unaware); // of AWAY
}

#[test]
fn a_rank_that_no_mode_tells_is_rejected() {
    let listed = |list| kept_in_order(move |lines| lines[6] = list);
    breaks(Rule::Rank, &listed(":irc.sim.test 353 alice = #lobby :alice carol +bob"));
    breaks(Rule::Rank, &listed(":irc.sim.test 353 alice = #lobby :+alice @carol +bob"));
    // An answer may be ahead of the room.
    check(&kept_in_order(|lines| lines[5..8].rotate_left(1))).unwrap();
    check(&listed(":irc.sim.test 353 alice = #lobby :alice @carol bob")).unwrap();
}

/// Carol, who keeps the lobby, comes behind alice, gives the room a password and a limit, and gets a
/// voice; bob takes the name rob, under which he kept the room on another connection.
fn ranked(change: impl FnOnce(&mut Vec<&str>)) -> Story {
    let act = |mode: &str, parameter: &str| {
        let parameter = Parameter(Some(parameter.into()));
        Shown::Act { by: Some("carol".into()), mode: mode.into(), parameter }
    };
    let voice = Shown::Ranked { name: "carol".into(), mode: "+v".into() };
    let by_room = Kind::ByRoom { leaves: true, arrives: true };
    let lobby = vec![
        arrived(1, 1, "alice"),
        Event { ranks: ["o", ""], ..arrived(2, 3, "carol") },
        event(3, None, act("+k", "beer")),
        event(4, None, act("+l", "7")),
        event(5, None, act("-k", "*")),
        event(6, Some(3), voice),
        arrived(7, 2, "bob"),
        Event { kind: by_room, ranks: ["ov", ""], ..renamed(8, 2, "bob", "rob") },
        said(9, 1, 2, "rob", "s2n1"),
    ];
    let mut lines = vec![
        ":irc.sim.test 001 alice :Welcome",
        ":alice!u@irc JOIN #lobby",
        ":irc.sim.test 353 alice = #lobby :alice",
        ":irc.sim.test 366 alice #lobby :End of /NAMES list",
        ":carol!u@irc JOIN #lobby",
        ":irc.sim.test MODE #lobby +o carol",
        ":carol!u@irc MODE #lobby +k beer",
        ":carol!u@irc MODE #lobby +l 7",
        ":carol!u@irc MODE #lobby -k *",
        ":irc.sim.test MODE #lobby +v carol",
        ":bob!u@nc JOIN #lobby",
        ":bob!u@nc PART #lobby",
        ":rob!u@nc JOIN #lobby",
        ":irc.sim.test MODE #lobby +o rob",
        ":irc.sim.test MODE #lobby +v rob",
        ":rob!u@nc PRIVMSG #lobby :s2n1",
    ];
    change(&mut lines);
    of_lobby(lobby, &lines)
}

#[test]
fn a_mode_of_the_server_that_is_missing_double_or_wrong_is_rejected() {
    check(&ranked(|_| {})).unwrap();
    for index in [5, 9, 13, 14] {
        breaks(Rule::Rank, &ranked(|lines| drop(lines.drain(index..=index))));
        breaks(Rule::Rank, &ranked(|lines| lines.insert(index, lines[index])));
    }
    breaks(Rule::Rank, &ranked(|lines| lines[9] = ":irc.sim.test MODE #lobby -v carol"));
    breaks(Rule::Rank, &ranked(|lines| lines[9] = ":irc.sim.test MODE #lobby +v alice"));
    breaks(Rule::Rank, &ranked(|lines| lines.insert(12, lines[13])));
    breaks(Rule::Presence, &ranked(|lines| drop(lines.drain(7..8))));
    breaks(Rule::Order, &ranked(|lines| lines.insert(7, lines[6])));
}

#[test]
fn a_mode_with_another_parameter_is_rejected() {
    for (index, line) in [
        (6, ":carol!u@irc MODE #lobby +k wine"),
        (7, ":carol!u@irc MODE #lobby +l 8"),
        (7, ":carol!u@irc MODE #lobby +l"),
        (8, ":carol!u@irc MODE #lobby -k beer"),
    ] {
        breaks(Rule::Kept, &ranked(|lines| lines[index] = line));
    }
}

/// Bob invites alice, who is outside, to the lobby. Carol, who is in it, may be told.
fn invited(invitations: &[&str], end: End) -> Story {
    let shown = Shown::Invited { by: "bob".into(), to: "alice".into() };
    let events = vec![arrived(1, 2, "bob"), event(2, Some(2), shown)];
    let lines = [&[":irc.sim.test 001 alice :Welcome"], invitations].concat();
    let mut story = of_lobby(events, &lines);
    story.readers[0].end = end;
    let names_cut_off = (end == End::Broken).then(|| "alice".to_owned()).into_iter().collect();
    Story { is_whole: true, names_cut_off, ..story }
}

#[test]
fn an_invitation_that_is_missing_double_or_for_somebody_else_is_rejected() {
    const INVITE: &str = ":bob!u@nc INVITE alice #lobby";
    check(&invited(&[INVITE], End::Here)).unwrap();
    check(&invited(&[], End::Broken)).unwrap();
    check(&invited(&[":alice!u@irc NICK :al", ":bob!u@nc INVITE al #lobby"], End::Here)).unwrap();
    breaks(Rule::Invitation, &invited(&[], End::Here));
    let mut beside = invited(&[], End::Here);
    beside.names_cut_off.insert("mike".to_owned());
    breaks(Rule::Invitation, &beside);
    breaks(Rule::Invitation, &invited(&[INVITE, INVITE], End::Here));
    breaks(Rule::Invitation, &invited(&[":carol!u@nc INVITE alice #lobby"], End::Here));
    breaks(Rule::Invitation, &invited(&[":bob!u@nc INVITE alice #tea"], End::Here));
    breaks(Rule::Presence, &invited(&[":bob!u@nc INVITE carol #lobby"], End::Here));
    let mut other = invited(&[INVITE], End::Here);
    other.rooms[0].events[1].shown = Shown::Invited { by: "bob".into(), to: "mike".into() };
    breaks(Rule::Invitation, &other);
}

#[test]
fn a_reader_who_was_too_slow_and_does_not_come_in_again_is_rejected() {
    let mut story = too_slow(ALICE[21], ALICE[21], &[]);
    let text = String::from_utf8(story.readers[0].text.clone()).unwrap();
    let end = text.rfind(":alice!u@irc JOIN").unwrap();
    story.readers[0].text.truncate(end);
    breaks(Rule::Converged, &story);
}
