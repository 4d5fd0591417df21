//! Tests the index by itself: it finds any line, and understands any search.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use std::time::{Duration, Instant};

use parlor_core::model::RoomName;
use proptest::prelude::*;
use tempfile::TempDir;

use super::index::Index;
use super::words;
use crate::journal::sqlite::LineRow;
use crate::journal::traits::Found;

/// The time for a search that is not to be cut, also on a slow machine.
const LONG_ENOUGH: Duration = Duration::from_mins(1);

/// An index in its own directory.
struct Table {
    directory: TempDir,
    index: Index,
}

impl Table {
    fn new() -> Table {
        let directory = tempfile::tempdir().unwrap();
        let index = Index::open(&directory.path().join("index.db"), "a log");
        Table { index: index.unwrap().unwrap(), directory }
    }

    /// Lines of a room, each a second after the one before.
    fn of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Table {
        let mut table = Table::new();
        let lines: Vec<_> = (1..).zip(lines).map(|(seq, text)| said(seq, text)).collect();
        table.add("lobby", &lines);
        table
    }

    fn add(&mut self, room: &str, lines: &[LineRow]) {
        let followed = lines.last().unwrap().seq as u64;
        let room = RoomName::parse(room).unwrap();
        self.index.add(&room, lines, followed).unwrap();
    }

    fn find_within(&self, typed: &str, time: Duration) -> Option<Found> {
        let phrases = words::looked_for(typed);
        if phrases.is_empty() {
            return None;
        }
        let path = self.directory.path().join("index.db");
        let until = Instant::now() + time;
        let index = Index::open_to_read(&path, move || Instant::now() >= until).unwrap();
        let found = index.find(&phrases, 0, 20, |room| room.as_str() != "secret");
        Some(found.unwrap_or_else(|error| panic!("{typed:?}, {phrases:?}: {error}")))
    }

    fn find(&self, typed: &str) -> Vec<u64> {
        let found = self.find_within(typed, LONG_ENOUGH).unwrap_or_default();
        found.lines.into_iter().map(|(_, seq)| seq).collect()
    }
}

fn said(seq: i64, text: &str) -> LineRow {
    let at = 1_700_000_000_000 + seq * 1_000;
    LineRow { seq, at, manner: 0, name: "alice".to_owned(), text: text.to_owned() }
}

#[test]
fn lines_are_found_by_their_words() {
    let table = Table::of([
        "Where is the tea?",
        "the TIME for tea is now",
        "今天天气很好",
        "東京タワーに行きました",
        "오늘 날씨가 좋네요",
        "Un CAFÉ, s'il vous plaît",
        "teatime 🍵",
        "สวัสดีครับผมชื่อสมชาย",
        "مُحَمَّد said شـــكرا",
        "ຂ້ອຍຮຽນພາສາລາວ 🇱🇦 👍🏽",
    ]);
    for (typed, numbers) in [
        ("tea", &[2, 1][..]),
        ("tea the is", &[2, 1]),
        ("tea where", &[1]),
        ("\"the tea\"", &[1]),
        ("\"tea the\"", &[]),
        ("\"tea is now", &[2]),
        ("天气", &[3]),
        ("今天 很好", &[3]),
        ("天好", &[]),
        ("气", &[3]),
        ("好", &[3]),
        ("京", &[4]),
        ("東京", &[4]),
        ("タワー", &[4]),
        ("날씨", &[5]),
        ("cafe", &[6]),
        ("s'il PLAIT", &[6]),
        ("🍵", &[7]),
        ("ชื่อ", &[8]),
        ("ครับ ผม", &[8]),
        ("ชือ", &[]),
        ("محمد", &[9]),
        ("شكرا", &[9]),
        ("ພາສາ", &[10]),
        ("🇱🇦", &[10]),
        ("👍", &[10]),
        ("👍🏿", &[10]),
        ("te", &[]),
    ] {
        assert_eq!(table.find(typed), numbers, "{typed:?}");
    }
}

#[test]
fn the_newest_of_all_rooms_come_first_and_the_others_are_counted() {
    let mut table = Table::new();
    let lines: Vec<_> = (1..=30).map(|seq| said(seq, "tea")).collect();
    let of = |parity| {
        let of = lines.iter().filter(move |said| said.seq % 2 == parity);
        of.cloned().collect::<Vec<_>>()
    };
    table.add("odd", &of(1));
    table.add("even", &of(0));
    table.add("secret", &lines);
    let found = table.find_within("tea", LONG_ENOUGH).unwrap();
    let numbers: Vec<_> = found.lines.iter().map(|(_, seq)| *seq).collect();
    assert_eq!(numbers, (11..=30).rev().collect::<Vec<_>>());
    assert_eq!((found.more, found.is_cut), (10, false));
}

#[test]
fn lines_of_one_moment_come_in_their_order() {
    let mut table = Table::new();
    let at_once = |seq| LineRow { at: 7, ..said(seq, "tea") };
    table.add("lobby", &[at_once(1), at_once(2)]);
    table.add("lobby", &[at_once(3)]);
    assert_eq!(table.find("tea"), [3, 2, 1]);
}

#[test]
fn a_search_that_takes_too_long_is_cut() {
    let lines: Vec<_> = (1..=500).map(|seq| said(seq, "tea")).collect();
    let mut table = Table::new();
    table.add("lobby", &lines);
    assert!(table.find_within("tea", Duration::ZERO).unwrap().is_cut);
    assert!(!table.find_within("tea", LONG_ENOUGH).unwrap().is_cut);
}

#[test]
fn long_lines_are_understood() {
    for typed in ["a ".repeat(2_000), "天".repeat(1_300), "\"a b".repeat(1_000), "x".repeat(65_535)]
    {
        assert_eq!(Table::of([typed.as_str()]).find(&typed), [1], "{typed:.20}");
    }
    let many: String = (0..1_000).map(|number| format!("{number} ")).collect();
    assert_eq!(Table::of([many.as_str()]).find(&many), [1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_is_typed_is_an_error(typed in r#"(\PC|["*()^:+{}\-]|AND|NEAR|天|[\x00-\x20]){0,40}"#) {
        Table::of(["tea"]).find(&typed);
    }

    #[test]
    fn each_word_of_a_line_finds_it(text in r"(\PC| |[a-z]{2}|[一-三]|[ぁ-お]){0,30}") {
        let table = Table::of([text.as_str()]);
        for word in text.split_whitespace().chain([text.as_str()]) {
            if !words::looked_for(word).is_empty() {
                prop_assert_eq!(table.find(word), [1], "{:?}", word);
            }
        }
        let quoted = format!("\"{}\"", text.replace(['"', '“', '”', '„'], " "));
        if !words::looked_for(&quoted).is_empty() {
            prop_assert_eq!(table.find(&quoted), [1]);
        }
    }

    #[test]
    fn any_two_characters_side_by_side_are_found(text in "[一-丏ぁ-おア-オ]{2,12}", from in 0..11usize) {
        let chars: Vec<char> = text.chars().collect();
        let from = from.min(chars.len() - 2);
        let table = Table::of([text.as_str()]);
        let pair: String = chars[from..from + 2].iter().collect();
        prop_assert_eq!(table.find(&pair), [1]);
        prop_assert_eq!(table.find(&chars[from].to_string()), [1]);
    }
}
