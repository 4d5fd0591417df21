//! Properties of every name, and of every character that looks like another.

use parlor_core::model::{Line, Name, RoomName, fold};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

const RESERVED: [&str; 20] = [
    "server", "parlor", "root", "admin", "operator", "nickserv", "chanserv", "ns", "cs",
    "hostserv", "operserv", "memoserv", "botserv", "global", "kept", "all", "here", "everyone",
    "you", "nobody",
];

/// Text that may be a name: mostly letters of one script, some marks and signs.
fn name_like() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9._-]{1,33}",
        "[\\p{Latin}0-9]{1,5}",
        "[a-zA-Z\u{300}-\u{345}]{1,5}",
        "[\\p{Greek}\u{300}-\u{345}]{1,5}",
        "\\p{Cyrillic}{1,5}",
        "\\p{Armenian}{1,5}",
        "\\p{Devanagari}{1,5}",
        "\\p{Thai}{1,5}",
        "\\p{Arabic}{1,5}",
        "[\\p{Han}\\p{Hiragana}\\p{Katakana}a-z]{1,5}",
        "[\\p{Hangul}a-z]{1,5}",
        "\\PC{0,12}",
    ]
}

proptest! {
    #[test]
    fn folding_twice_changes_nothing(text in prop_oneof![any::<String>(), name_like()]) {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded.as_str());
        prop_assert_eq!(fold(&text.nfd().collect::<String>()), folded);
    }

    #[test]
    fn a_name_is_safe_to_show_and_reads_back(typed in name_like()) {
        let Ok(name) = Name::parse(&typed) else { return Ok(()) };
        prop_assert!((1..=32).contains(&name.as_str().chars().count()));
        let line = Line::sanitise(name.as_str().as_bytes());
        prop_assert_eq!(line.as_str(), name.as_str());
        let again = Name::parse(&name.to_string());
        prop_assert_eq!(again.as_ref().map(Name::keys), Ok(name.keys()));
        prop_assert_eq!(again.as_ref(), Ok(&name));
    }

    #[test]
    fn case_and_composition_do_not_make_another_name(typed in name_like()) {
        let Ok(name) = Name::parse(&typed) else { return Ok(()) };
        for key in name.keys() {
            prop_assert_eq!(fold(key), key);
            prop_assert_eq!(fold(&key.to_uppercase()), key);
            prop_assert_eq!(fold(&key.to_lowercase()), key);
        }
        let variants = [typed.to_uppercase(), typed.to_lowercase(), typed.nfd().collect()];
        for other in variants.iter().filter_map(|v| Name::parse(v).ok()) {
            prop_assert!(other.looks_like(&name), "{other} and {name}");
        }
    }

    #[test]
    fn a_refusal_is_safe_to_show(typed in prop_oneof![any::<String>(), name_like()]) {
        let Err(error) = Name::parse(&typed) else { return Ok(()) };
        let sentence = error.to_string();
        let line = Line::sanitise(sentence.as_bytes());
        prop_assert_eq!(line.as_str(), sentence);
    }

    #[test]
    fn a_room_is_in_lower_case_and_reads_back(typed in name_like()) {
        let Ok(room) = RoomName::parse(&typed) else { return Ok(()) };
        prop_assert_eq!(room.as_str().to_lowercase(), room.as_str());
        prop_assert_eq!(RoomName::parse(room.as_str()), Ok(room));
    }
}

/// Every character that looks like other letters or digits, with these letters or digits.
fn confusables() -> impl Iterator<Item = (char, String)> {
    ('\0'..='\u{2ffff}').filter_map(|c| {
        let looks: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
        let letters = !looks.is_empty() && looks.chars().all(char::is_alphanumeric);
        (letters && looks.nfc().ne([c])).then_some((c, looks))
    })
}

#[test]
fn every_look_alike_collides_with_its_original() {
    let mut collided = 0;
    for (c, looks) in confusables() {
        for (before, after) in [("", ""), ("", "x"), ("x", ""), ("x", "y"), ("б", "д"), ("α", "γ")]
        {
            let Ok(name) = Name::parse(&format!("{before}{c}{after}")) else {
                continue;
            };
            let plain = format!("{before}{looks}{after}");
            let key: String = skeleton(&plain).collect();
            assert!(name.keys().contains(&&*fold(&key)), "{name} and {plain}");
            if let Ok(plain) = Name::parse(&plain) {
                assert!(name.looks_like(&plain), "{name} and {plain}");
                collided += 1;
            }
        }
    }
    assert!(collided > 100, "only {collided} look-alikes were tried");
}

#[test]
fn no_look_alike_of_a_reserved_name_passes() {
    let mut tried = 0;
    for (c, looks) in confusables() {
        let looks = fold(&looks);
        for word in RESERVED {
            let drawn: String = skeleton(word).collect();
            for word in [word, &drawn] {
                for (at, _) in word.match_indices(&looks) {
                    let (before, after) = (&word[..at], &word[at + looks.len()..]);
                    let disguised = format!("{before}{c}{after}");
                    assert!(Name::parse(&disguised).is_err(), "{disguised:?} passed as {word}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 1000, "only {tried} disguises were tried");
}

#[test]
fn no_look_alike_of_an_address_passes() {
    let mut tried = 0;
    for c in '\0'..='\u{2ffff}' {
        let colon = skeleton(c.encode_utf8(&mut [0; 4])).eq([':']);
        for host in ["127.0.0.1", "127.0.0.10", "10.1.1.1"].iter().filter(|_| colon) {
            let disguised = format!("{host}{c}64208");
            assert!(Name::parse(&disguised).is_err(), "{disguised} passed");
            tried += 1;
        }
    }
    assert!(tried > 10, "only {tried} disguises were tried");
}

#[test]
fn no_case_lets_a_look_alike_of_a_reserved_name_through() {
    for name in ["N1ckServ", "NlckServ", "N1CKSERV", "nlckserv", "NICKSERV", "G1obal", "GIobal"] {
        assert!(Name::parse(name).is_err(), "{name}");
    }
    for name in ["nick", "niko", "serv", "nsa", "keptin", "Ali"] {
        assert!(Name::parse(name).is_ok(), "{name}");
    }
}
