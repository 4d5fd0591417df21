//! For each rule of the checker, a small story that keeps all rules, and one that breaks this rule.

use std::collections::HashSet;

use super::{
    Dialect, End, Event, Kind, Listened, NO_RANKS, Reader, Room, Rule, Shown, Story, check,
    check_privates, nobody_after, together,
};

fn event(commit: u64, person: usize, kind: Kind, shown: Shown) -> Event {
    Event { commit, person: Some(person), kind, shown, reads_on: false, ranks: NO_RANKS }
}

pub(super) fn arrived(commit: u64, person: usize, name: &str) -> Event {
    event(commit, person, Kind::Told, Shown::Arrived(name.into()))
}

pub(super) fn left(commit: u64, person: usize, name: &str) -> Event {
    event(commit, person, Kind::Told, Shown::left(name.into(), None))
}

pub(super) fn said(commit: u64, seq: u64, person: usize, name: &str, text: &str) -> Event {
    let shown = Shown::Said { name: name.into(), text: text.into(), is_action: false };
    let at = 1_000;
    event(commit, person, Kind::Line { seq, at }, shown)
}

pub(super) fn renamed(commit: u64, person: usize, from: &str, to: &str) -> Event {
    let (from, to) = (from.into(), to.into());
    event(commit, person, Kind::Other, Shown::Renamed { from, to })
}

pub(super) fn room(name: &str, events: Vec<Event>) -> Room {
    Room { name: name.into(), before: 0, events, is_whole: true }
}

fn reader(person: usize, end: End, lines: &[&str]) -> Reader {
    Reader {
        person: Some(person),
        dialect: Dialect::Named,
        text: lines.iter().flat_map(|line| [line, "\n"]).collect::<String>().into(),
        end,
        has_left: end == End::Left,
        fell_silently: false,
        listened: None,
        caps: "",
        barriers: Vec::new(),
    }
}

/// Two people arrive and talk; one is renamed, and one leaves.
fn good() -> Story {
    let events = vec![
        arrived(1, 1, "alice"),
        said(2, 1, 1, "alice", "s1n1"),
        arrived(3, 2, "bob"),
        said(4, 2, 2, "bob", "s2n1"),
        said(5, 3, 1, "alice", "s1n2"),
        renamed(6, 2, "bob", "rob"),
        said(7, 4, 2, "rob", "s2n2"),
        left(8, 2, "rob"),
        said(9, 5, 1, "alice", "s1n3"),
    ];
    let alice = [
        "You are alice",
        "In lobby: nobody else",
        "-- /help lists what you can type",
        "-- Lines here are not stored: they are gone when the server stops",
        "alice: s1n1",
        "bob has arrived",
        "bob: s2n1",
        "alice: s1n2",
        "bob is now known as rob",
        "rob: s2n2",
        "rob has left",
        "alice: s1n3",
    ];
    let bob = [
        "You are bob",
        "In lobby: alice",
        "[12:00] alice: s1n1",
        "-- 2 lines skipped: you were reading too slowly",
        "You are rob",
        "rob: s2n2",
    ];
    Story {
        rooms: vec![room("lobby", events)],
        readers: vec![reader(1, End::Here, &alice), reader(2, End::Left, &bob)],
        ..Story::default()
    }
}

#[track_caller]
pub(super) fn breaks(rule: Rule, story: &Story) {
    match check(story) {
        Err(broken) => assert_eq!(broken.rule, rule, "{broken}"),
        Ok(()) => panic!("{rule:?} is broken, and passes"),
    }
}

/// The good story, with this text of one reader replaced.
fn rewritten(number: usize, that: &str, this: &str) -> Story {
    let mut story = good();
    let reader = &mut story.readers[number];
    let text = String::from_utf8(reader.text.clone()).unwrap();
    assert!(text.contains(that), "{that:?} in {text:?}");
    reader.text = text.replacen(that, this, 1).into();
    story
}

/// The good story, with changed events and no readers.
fn happened(change: impl FnOnce(&mut Vec<Event>)) -> Story {
    let mut story = good();
    story.readers.clear();
    change(&mut story.rooms[0].events);
    story
}

#[test]
fn a_good_story_passes() {
    assert!(check(&good()).is_ok(), "{:?}", check(&good()));
}

#[test]
fn numbers_with_a_hole_are_rejected() {
    let story = happened(|events| {
        events.remove(4);
    });
    breaks(Rule::Dense, &story);
}

#[test]
fn numbers_used_twice_are_rejected() {
    let story = happened(|events| events[4] = said(5, 2, 1, "alice", "s1n2"));
    breaks(Rule::Dense, &story);
}

#[test]
fn times_that_go_back_are_rejected() {
    let story = happened(|events| events[4].kind = Kind::Line { seq: 3, at: 999 });
    breaks(Rule::Time, &story);
}

#[test]
fn a_speakers_lines_out_of_order_are_rejected() {
    let story = happened(|events| {
        events[1] = said(2, 1, 1, "alice", "s1n2");
        events[4] = said(5, 3, 1, "alice", "s1n1");
    });
    breaks(Rule::Spoken, &story);
}

#[test]
fn a_speakers_lines_out_of_order_between_rooms_are_rejected() {
    let mut story = happened(|_| {});
    let events = vec![arrived(2, 1, "alice"), said(3, 1, 1, "alice", "s1n1")];
    story.rooms.push(room("tea", events));
    check(&story).unwrap(); // said in two rooms at once
    story.rooms[1].events[1] = said(3, 1, 1, "alice", "s1n3");
    breaks(Rule::Spoken, &story);
}

#[test]
fn arriving_twice_is_rejected() {
    let story = happened(|events| events.insert(3, arrived(3, 2, "bobby")));
    breaks(Rule::Balance, &story);
}

#[test]
fn leaving_twice_is_rejected() {
    let story = happened(|events| events.push(left(9, 2, "rob")));
    breaks(Rule::Balance, &story);
}

#[test]
fn speaking_after_leaving_is_rejected() {
    let story = happened(|events| events.push(said(9, 6, 2, "rob", "s2n9")));
    breaks(Rule::Balance, &story);
}

#[test]
fn speaking_under_an_old_name_is_rejected() {
    let story = happened(|events| events[6] = said(7, 4, 2, "bob", "s2n2"));
    breaks(Rule::Balance, &story);
}

#[test]
fn two_wearers_of_a_name_in_a_room_are_rejected() {
    let story = happened(|events| events.insert(3, arrived(3, 3, "bob")));
    breaks(Rule::Name, &story);
}

#[test]
fn two_wearers_of_a_name_on_the_server_are_rejected() {
    let mut story = happened(|_| {});
    story.rooms.push(room("tea", vec![arrived(6, 3, "Alice")]));
    breaks(Rule::Name, &story);
}

#[test]
fn a_name_may_pass_to_another_person_within_a_commit() {
    let mut story = happened(|_| {});
    story.rooms.insert(0, room("tea", vec![arrived(8, 3, "rob")]));
    assert!(check(&story).is_ok(), "{:?}", check(&story));
}

/// Within commit 3, alice talks in the tea room, leaves it, and is carol from then on; bob takes
/// this name.
fn name_handed_on(taker: &str) -> Story {
    let lobby = vec![
        arrived(1, 1, "alice"),
        arrived(2, 2, "bob"),
        renamed(3, 1, "alice", "carol"),
        renamed(3, 2, "bob", taker),
    ];
    let tea = vec![arrived(2, 1, "alice"), said(3, 1, 1, "alice", "s1n1"), left(3, 1, "alice")];
    Story { rooms: vec![room("lobby", lobby), room("tea", tea)], ..Story::default() }
}

#[test]
fn a_room_that_was_left_does_not_tell_the_name_at_the_end_of_a_commit() {
    let mut story = name_handed_on("alice");
    check(&story).unwrap();
    story.rooms.reverse();
    check(&story).unwrap();
    breaks(Rule::Name, &name_handed_on("Carol"));
}

#[test]
fn one_person_under_two_names_is_rejected() {
    let mut story = happened(|_| {});
    story.rooms.push(room("tea", vec![arrived(3, 1, "alice")]));
    check(&story).unwrap();
    story.rooms[1].events[0] = arrived(3, 1, "Alice");
    breaks(Rule::Name, &story);
}

#[test]
fn a_name_worn_by_two_in_a_room_within_a_commit_is_rejected() {
    let mut story = name_handed_on("alice");
    story.rooms[0].events.swap(2, 3);
    breaks(Rule::Name, &story);
}

#[test]
fn a_crowd_in_which_somebody_arrives_twice_is_rejected() {
    let story = happened(|events| {
        let shown = together(vec!["alice".into()], 0, true);
        let (kind, reads_on, ranks) = (Kind::Summary, false, NO_RANKS);
        events.push(Event { commit: 9, person: None, kind, shown, reads_on, ranks });
    });
    breaks(Rule::Presence, &story);
}

/// Bob continues on another connection, as person 3 and under this name.
fn moved(name: &str) -> Story {
    let untold = |event| Event { kind: Kind::Untold, ..event };
    let events = vec![
        arrived(1, 1, "alice"),
        arrived(2, 2, "bob"),
        said(3, 1, 1, "alice", "s1n1"),
        untold(left(4, 2, "bob")),
        untold(arrived(4, 3, name)),
        said(5, 2, 3, name, "s3n1"),
    ];
    let alice = ["In lobby: nobody else", "bob has arrived", "alice: s1n1", "bob: s3n1"];
    let (before, after) = (["In lobby: alice"], ["In lobby: alice", "bob: s3n1"]);
    let readers = vec![
        reader(1, End::Here, &alice),
        reader(2, End::Left, &before),
        reader(3, End::Here, &after),
    ];
    Story { rooms: vec![room("lobby", events)], readers, ..Story::default() }
}

#[test]
fn a_person_who_continues_on_another_connection_keeps_the_name() {
    check(&moved("bob")).unwrap();
    breaks(Rule::Presence, &moved("rob"));
    let mut told = moved("bob");
    told.readers[0].text.extend(b"bob has left\n");
    breaks(Rule::Presence, &told);
}

#[test]
fn an_owner_may_be_away_where_another_connection_sits() {
    let away = |name: &str| {
        let shown = Shown::Away { name: name.into(), text: Some("lunch".into()) };
        event(2, 2, Kind::Other, shown)
    };
    let story = |here: &str, away| {
        let tea = vec![arrived(1, 1, here), away];
        Story { rooms: vec![room("tea", tea)], ..Story::default() }
    };
    check(&story("olga", away("olga"))).unwrap();
    breaks(Rule::Balance, &story("bob", away("olga")));
    breaks(Rule::Balance, &story("bob", away("bob")));
}

/// Alice sits in two rooms, is away, comes to a third one, and is back.
fn away(change: impl FnOnce(&mut [Vec<Event>; 3])) -> Story {
    let away = |commit, text: Option<&str>| {
        let (name, text) = ("alice".into(), text.map(str::to_owned));
        event(commit, 1, Kind::Other, Shown::Away { name, text })
    };
    let (lunch, back) = (away(3, Some("lunch")), away(5, None));
    let mut rooms = [
        vec![arrived(1, 1, "alice"), lunch.clone(), back.clone()],
        vec![arrived(2, 1, "alice"), lunch, back.clone()],
        vec![arrived(4, 1, "alice"), away(4, Some("lunch")), back],
    ];
    change(&mut rooms);
    let [lobby, tea, den] = rooms;
    let rooms = vec![room("lobby", lobby), room("tea", tea), room("den", den)];
    Story { rooms, ..Story::default() }
}

#[test]
fn a_room_that_is_not_told_who_is_away_is_rejected() {
    check(&away(|_| {})).unwrap();
    for place in [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)] {
        breaks(Rule::Presence, &away(|rooms| drop(rooms[place.0].remove(place.1))));
    }
    breaks(Rule::Presence, &away(|rooms| rooms[1][1] = rooms[1][2].clone()));
}

#[test]
fn a_speaker_beyond_the_announced_crowd_is_rejected() {
    let story = happened(|events| events[2].kind = Kind::Folded);
    breaks(Rule::Presence, &story);
}

#[test]
fn control_bytes_are_rejected() {
    breaks(Rule::Text, &rewritten(0, "s1n1", "s1n1\x1b[2J"));
    breaks(Rule::Text, &rewritten(0, "s1n1", "s1\rn1"));
}

#[test]
fn text_that_is_not_utf_8_is_rejected() {
    let mut story = good();
    story.readers[0].text[0] = 0xff;
    breaks(Rule::Text, &story);
}

#[test]
fn half_a_line_is_rejected_unless_the_connection_broke() {
    let mut story = rewritten(0, "s1n3\n", "s1");
    breaks(Rule::Text, &story);
    story.readers[0].end = End::Broken;
    assert!(check(&story).is_ok(), "{:?}", check(&story));
}

#[test]
fn lines_of_an_unknown_form_are_rejected() {
    breaks(Rule::Text, &rewritten(0, "alice: s1n2", "alice s1n2"));
}

#[test]
fn seeing_a_line_that_was_not_stored_is_rejected() {
    breaks(Rule::Kept, &rewritten(0, "bob: s2n1", "bob: s2n7"));
    breaks(Rule::Kept, &rewritten(1, "alice: s1n1", "alice: s1n7"));
}

#[test]
fn seeing_a_line_under_another_name_is_rejected() {
    breaks(Rule::Kept, &rewritten(0, "bob: s2n1", "rob: s2n1"));
}

#[test]
fn seeing_a_line_twice_is_rejected() {
    breaks(Rule::Order, &rewritten(0, "rob: s2n2", "alice: s1n2"));
}

#[test]
fn seeing_lines_in_another_order_is_rejected() {
    let story = rewritten(0, "bob: s2n1\nalice: s1n2", "alice: s1n2\nbob: s2n1");
    breaks(Rule::Count, &story);
}

#[test]
fn a_missing_line_that_is_not_counted_is_rejected() {
    breaks(Rule::Count, &rewritten(0, "bob: s2n1\n", ""));
}

#[test]
fn a_wrong_count_of_skipped_lines_is_rejected() {
    breaks(Rule::Count, &rewritten(1, "2 lines skipped", "1 line skipped"));
    breaks(Rule::Order, &rewritten(1, "2 lines skipped", "3 lines skipped"));
    breaks(Rule::Count, &rewritten(1, "2 lines skipped", "7 lines skipped"));
}

#[test]
fn a_missing_last_line_is_rejected() {
    breaks(Rule::Count, &rewritten(1, "rob: s2n2\n", ""));
}

#[test]
fn a_reader_who_has_not_caught_up_is_rejected() {
    breaks(Rule::Converged, &rewritten(0, "alice: s1n3\n", ""));
}

#[test]
fn an_unannounced_arrival_is_rejected() {
    breaks(Rule::Presence, &rewritten(0, "bob has arrived\n", ""));
}

#[test]
fn an_arrival_may_be_lost_with_skipped_lines() {
    let seen = "bob has arrived\nbob: s2n1\nalice: s1n2\nbob is now known as rob\n";
    let mut story = rewritten(0, seen, "");
    story.readers[0].text = String::from_utf8(story.readers[0].text.clone())
        .unwrap()
        .replace("rob: s2n2", "-- 2 lines skipped: you were reading too slowly\nrob: s2n2")
        .into();
    assert!(check(&story).is_ok(), "{:?}", check(&story));
}

#[test]
fn seeing_the_readers_own_departure_is_rejected() {
    breaks(Rule::Presence, &rewritten(1, "rob: s2n2\n", "rob: s2n2\nrob has left\n"));
}

#[test]
fn seeing_a_line_from_after_the_readers_departure_is_rejected() {
    breaks(Rule::Presence, &rewritten(1, "rob: s2n2\n", "rob: s2n2\nalice: s1n3\n"));
}

#[test]
fn a_wrong_roster_is_rejected() {
    breaks(Rule::Presence, &rewritten(1, "In lobby: alice", "In lobby: nobody else"));
    breaks(Rule::Presence, &rewritten(1, "In lobby: alice", "In lobby: carol"));
    breaks(Rule::Presence, &rewritten(1, "In lobby: alice", "In tea: alice"));
}

#[test]
fn leaving_a_room_without_a_departure_is_rejected() {
    let mut story = good();
    story.rooms[0].events.remove(7);
    story.readers.remove(0);
    breaks(Rule::Balance, &story);
}

#[test]
fn an_answer_before_an_earlier_line_is_rejected() {
    let after = nobody_after("s1n2");
    let answer = format!("-- Nobody here is called {after}; /who lists the people in this room\n");
    let good = rewritten(0, "bob is now", &format!("{answer}bob is now"));
    assert!(check(&good).is_ok(), "{:?}", check(&good));
    breaks(Rule::Answer, &rewritten(0, "alice: s1n2", &format!("{answer}alice: s1n2")));
}

#[test]
fn a_private_message_read_by_a_third_or_twice_is_rejected() {
    let private = "[alice -> bob] p1\n";
    let mut story = rewritten(0, "bob: s2n1\n", &format!("bob: s2n1\n{private}"));
    story.readers[1].text.splice(0..0, private.bytes());
    assert!(check(&story).is_ok(), "{:?}", check(&story));
    let mut twice = story.clone();
    twice.readers[1].text.splice(0..0, private.bytes());
    breaks(Rule::Private, &twice);
    let mut third = reader(3, End::Broken, &[]);
    third.text = private.into();
    story.readers.push(third);
    breaks(Rule::Private, &story);
}

#[test]
fn private_messages_out_of_order_or_read_although_they_were_refused_are_rejected() {
    let read = |texts: &[&str]| {
        let lines: String = texts.iter().map(|text| format!("[alice -> bob] {text}\n")).collect();
        Reader { text: lines.into(), ..reader(2, End::Broken, &[]) }
    };
    let good = [read(&["p1n2", "p3n1", "p1n4 and more"]), read(&["p1n3"])];
    let unread = |message| HashSet::from([message]);
    check_privates(&good, &unread((1, 5))).unwrap();
    let is_broken = |readers: &[Reader], message| {
        let broken = check_privates(readers, &unread(message)).unwrap_err();
        assert_eq!(broken.rule, Rule::Private, "{broken}");
    };
    is_broken(&[read(&["p1n4", "p1n2"])], (1, 5));
    is_broken(&good, (1, 4));
}

/// The good story as told by a journal on disk and a client of a real server: lines only.
fn lines_only(mut story: Story) -> Story {
    for room in &mut story.rooms {
        room.is_whole = false;
        room.events.retain(|event| matches!(event.kind, Kind::Line { .. }));
    }
    for reader in &mut story.readers {
        reader.person = None;
    }
    story
}

#[test]
fn a_good_story_passes_by_its_lines_alone() {
    let story = lines_only(good());
    assert!(check(&story).is_ok(), "{:?}", check(&story));
}

#[test]
fn breaking_a_rule_of_lines_is_rejected_by_lines_alone() {
    for (rule, number, that, this) in [
        (Rule::Count, 0, "bob: s2n1\n", ""),
        (Rule::Order, 0, "rob: s2n2", "alice: s1n2"),
        (Rule::Kept, 0, "rob: s2n2", "rob: s2n9"),
        (Rule::Converged, 0, "alice: s1n3\n", ""),
        (Rule::Balance, 0, "rob has left", "rob has arrived"),
        (Rule::Count, 1, "2 lines", "1 line"),
        (Rule::Text, 1, "rob: s2n2", "rob: s2n2\x07"),
    ] {
        breaks(rule, &lines_only(rewritten(number, that, this)));
    }
}

/// A client of the web dialect: alice reads two rooms at once.
fn with_objects(change: impl FnOnce(&mut Vec<String>)) -> Story {
    let mut story = good();
    story.rooms.push(room(
        "tea",
        vec![arrived(2, 1, "alice"), said(10, 1, 1, "alice", "s1n4"), left(11, 1, "alice")],
    ));
    let entered = |room| {
        format!(r#"{{"kind":"entered","room":"{room}","seq":0,"names":[],"others":0,"text":"In"}}"#)
    };
    let line = |room, seq, name, text| {
        format!(r#"{{"kind":"line","room":"{room}","seq":{seq},"name":"{name}","text":"{text}"}}"#)
    };
    let mut objects = vec![
        entered("lobby"),
        line("lobby", 1, "alice", "s1n1"),
        entered("tea"),
        r#"{"kind":"arrived","room":"lobby","seq":1,"name":"bob"}"#.to_owned(),
        r#"{"kind":"skipped","room":"lobby","lines":2,"first":2,"last":3,"text":"2 lines skipped"}"#
            .to_owned(),
        line("tea", 1, "alice", "s1n4"),
        r#"{"kind":"departed","room":"tea","text":"You are no longer in tea"}"#.to_owned(),
        r#"{"kind":"renamed","room":"lobby","seq":3,"from":"bob","name":"rob"}"#.to_owned(),
        line("lobby", 4, "rob", "s2n2"),
        r#"{"kind":"left","room":"lobby","seq":4,"name":"rob"}"#.to_owned(),
        line("lobby", 5, "alice", "s1n3"),
    ];
    change(&mut objects);
    let alice = Reader {
        dialect: Dialect::Web,
        text: objects.iter().flat_map(|object| frame(object)).collect(),
        ..reader(1, End::Here, &[])
    };
    story.readers = vec![alice];
    story
}

fn frame(object: &str) -> Vec<u8> {
    let size = u16::try_from(object.len()).unwrap().to_be_bytes();
    [&[0x81, 126], &size[..], object.as_bytes()].concat()
}

#[test]
fn two_rooms_side_by_side_pass() {
    check(&with_objects(|_| {})).unwrap();
}

#[test]
fn a_list_behind_the_silent_departure_may_be_older() {
    let listed = |end| {
        let mut events = vec![arrived(1, 1, "alice"), arrived(2, 2, "bob"), left(3, 1, "alice")];
        events.truncate(if end == End::Left { 3 } else { 2 });
        let objects = [
            r#"{"kind":"entered","room":"lobby","seq":0,"names":[],"others":0,"text":"In"}"#,
            r#"{"kind":"arrived","room":"lobby","seq":0,"name":"bob"}"#,
            r#"{"kind":"people","room":"lobby","names":["alice"],"next":null}"#,
        ];
        let text = objects.iter().flat_map(|object| frame(object)).collect();
        let alice = Reader { dialect: Dialect::Web, text, ..reader(1, end, &[]) };
        Story { rooms: vec![room("lobby", events)], readers: vec![alice], ..Story::default() }
    };
    check(&listed(End::Left)).unwrap();
    breaks(Rule::Presence, &listed(End::Here));
}

#[test]
fn breaking_a_rule_of_several_rooms_is_rejected() {
    let removed = |number: usize| with_objects(move |objects| drop(objects.remove(number)));
    breaks(Rule::Dense, &removed(1)); // a line
    breaks(Rule::Presence, &removed(2)); // the entry
    breaks(Rule::Presence, &removed(9)); // a departure
    breaks(Rule::Dense, &removed(4)); // the count of skipped lines
    breaks(Rule::Count, &removed(5)); // the last line of a room that was left
    breaks(Rule::Converged, &removed(10)); // and of a room that was not
    let twice = with_objects(|objects| objects.insert(5, objects[2].clone()));
    breaks(Rule::Presence, &twice);
    let afterwards = with_objects(|objects| objects.swap(5, 6));
    breaks(Rule::Presence, &afterwards);
    let elsewhere = with_objects(|objects| objects[5] = objects[5].replace("s1n4", "s1n3"));
    breaks(Rule::Kept, &elsewhere);
    let cut_off = |end| {
        let mut story = with_objects(|_| {});
        story.readers[0].text.pop();
        story.readers[0].end = end;
        story
    };
    breaks(Rule::Text, &cut_off(End::Here));
    check(&cut_off(End::Broken)).unwrap();
}

/// A listener in the lobby, from bob's arrival up to his first line.
fn listened(lines: &[&str]) -> Story {
    let listened = Listened { room: 0, from: 2, to: Some(4) };
    let mut story = good();
    story.readers =
        vec![Reader { person: None, listened: Some(listened), ..reader(0, End::Left, lines) }];
    story
}

#[test]
fn a_listener_hears_exactly_one_piece_of_a_room() {
    check(&listened(&["bob has arrived", "bob: s2n1"])).unwrap();
    breaks(Rule::Count, &listened(&["bob has arrived"]));
    breaks(Rule::Presence, &listened(&["bob: s2n1"]));
    let beyond = ["bob has arrived", "bob: s2n1", "alice: s1n2"];
    breaks(Rule::Presence, &listened(&beyond));
}
