//! Examples of allowed and refused names.

use unicode_normalization::UnicodeNormalization;

use super::{Name, NameError};

fn refused(typed: &str) -> NameError {
    match Name::parse(typed) {
        Err(error) => error,
        Ok(name) => panic!("{typed:?} passed as {name}"),
    }
}

#[test]
fn names_of_people_everywhere_pass() {
    for typed in [
        "alice",
        "Bob",
        "R2-D2",
        "a",
        "4ever",
        "mary_ann.2",
        "Zoë",
        "Łukasz",
        "Nguyễn",
        "Straße",
        "Ελένη",
        "Борис",
        "Oʻzbek",
        "יעל",
        "مُحَمَّد",
        "प्रिया",
        "தமிழ்",
        "สมศรี",
        "ที่รัก",
        "မြွှော့်",
        "བསྒྲུབས",
        "សុភា",
        "ไทย",
        "조세핀",
        "さくら",
        "サトー",
        "佐々木",
        "佐藤ken",
        "김bob",
        "x\u{301}avi",
    ] {
        match Name::parse(typed) {
            Ok(name) => assert_eq!(name.as_str(), typed.nfc().collect::<String>()),
            Err(error) => panic!("{typed}: {error:?}"),
        }
    }
}

#[test]
fn blanks_around_a_name_are_left_out() {
    assert_eq!(Name::parse(" \talice\r\n"), Name::parse("alice"));
    assert_eq!(refused(" \t "), NameError::Empty);
    assert_eq!(refused("alice b"), NameError::Blank);
    assert_eq!(refused("alice\u{3000}b"), NameError::Blank);
}

#[test]
fn a_name_has_1_to_32_characters_however_many_bytes() {
    assert!(Name::parse(&"é".repeat(32)).is_ok());
    assert!(Name::parse(&"e\u{301}".repeat(32)).is_ok());
    assert_eq!(refused(&"é".repeat(33)), NameError::TooLong { count: 33 });
    assert_eq!(refused(""), NameError::Empty);
}

#[test]
fn a_name_begins_with_a_letter_or_digit_and_has_a_letter() {
    assert_eq!(refused("-alice"), NameError::Start('-'));
    assert_eq!(refused(".a"), NameError::Start('.'));
    assert_eq!(refused("\u{301}a"), NameError::Start('\u{301}'));
    assert_eq!(refused("42"), NameError::NoLetter);
    assert_eq!(refused("127.0.0.1"), NameError::NoLetter);
}

#[test]
fn signs_and_invisible_characters_are_refused() {
    for sign in [
        '!',
        '/',
        ':',
        '@',
        '#',
        '*',
        '\'',
        '"',
        '<',
        '[',
        '\u{b7}',
        '\u{0}',
        '\u{1b}',
        '\u{7f}',
        '\u{ad}',
        '\u{9b}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{202e}',
        '\u{2060}',
        '\u{fe0f}',
        '\u{34f}',
        '\u{feff}',
        '\u{e0041}',
        '\u{fffd}',
        '\u{2800}',
        '🎉',
    ] {
        assert_eq!(refused(&format!("al{sign}ice")), NameError::Sign(sign));
    }
    for rare in ['ａ', '𝒶', 'ⓐ', 'ᚠ', 'ſ', '\u{3164}', '\u{115f}', '²', 'ː'] {
        assert_eq!(refused(&format!("al{rare}ice")), NameError::Rare(rare));
    }
}

#[test]
fn marks_stand_on_letters_and_are_few() {
    assert_eq!(refused("a1\u{301}"), NameError::LooseMark('\u{301}'));
    assert_eq!(refused("a-\u{301}"), NameError::LooseMark('\u{301}'));
    assert_eq!(refused("x\u{301}\u{301}"), NameError::TooManyMarks);
    assert_eq!(refused("é\u{301}"), NameError::TooManyMarks);
    assert!(Name::parse("x\u{300}\u{301}\u{302}\u{303}").is_ok());
    assert_eq!(refused("x\u{300}\u{301}\u{302}\u{303}\u{304}"), NameError::TooManyMarks);
    assert_eq!(refused(&format!("क{}", "\u{93e}\u{93f}".repeat(5))), NameError::TooManyMarks);
}

#[test]
fn alphabets_that_look_alike_do_not_mix() {
    for typed in ["аlice", "paypаl", "αlice", "bоb", "Ꭺlice", "boբ", "aक"] {
        let error = refused(typed);
        assert!(
            matches!(error, NameError::MixedScripts | NameError::Rare(_)),
            "{typed}: {error:?}"
        );
    }
}

#[test]
fn reserved_names_are_refused_in_every_disguise() {
    for (typed, word) in [
        ("server", "server"),
        ("SERVER", "server"),
        ("Ѕеrvеr", ""),
        ("parIor", "parlor"),
        ("par1or", "parlor"),
        ("r00t", "root"),
        ("RO0T", "root"),
        ("adrnin", "admin"),
        ("ADMIN", "admin"),
        ("ADMlN", "admin"),
        ("ADM1N", "admin"),
        ("admın", "admin"),
        ("NickServ", "nickserv"),
        ("ChanServ", "chanserv"),
        ("N0body", "nobody"),
        ("a11", "all"),
        ("aII", "all"),
        ("hеrе", ""),
        ("everyоne", ""),
        ("уоu", ""),
    ] {
        let error = refused(typed);
        match word {
            "" => assert_eq!(error, NameError::MixedScripts, "{typed}"),
            _ => assert_eq!(error, NameError::Reserved(word), "{typed}"),
        }
    }
    assert!(Name::parse("administrator").is_ok());
}

#[test]
fn look_alikes_of_a_worn_name_are_found() {
    let name = |typed| Name::parse(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
    for (worn, typed) in [
        ("alice", "ALICE"),
        ("alice", "AIice"),
        ("AIice", "alice"),
        ("bob", "b0b"),
        ("mike", "rnike"),
        ("ace", "асе"),
        ("HOPE", "НОРЕ"),
        ("strasse", "Straße"),
        ("zoë", "zoe\u{308}"),
    ] {
        assert!(name(worn).looks_like(&name(typed)), "{worn} and {typed}");
        assert!(name(typed).looks_like(&name(worn)), "{typed} and {worn}");
    }
    for (a, b) in [("neil", "nell"), ("zoe", "zoë"), ("al", "ali")] {
        assert!(!name(a).looks_like(&name(b)), "{a} and {b}");
    }
}

#[test]
fn an_address_is_its_own_name() {
    let here = Name::of_address("127.0.0.10:64208");
    assert_eq!(here.to_string(), "127.0.0.10:64208");
    assert_eq!(here.keys()[0], "127.0.0.10:64208");
    assert!(!here.looks_like(&Name::of_address("127.0.0.1:64208")));
    assert_eq!(refused(here.as_str()), NameError::Sign(':'));
    // A Devanagari sign looks like a colon, but is allowed only on a letter.
    assert_eq!(refused("127.0.0.10\u{903}64208"), NameError::LooseMark('\u{903}'));
}
