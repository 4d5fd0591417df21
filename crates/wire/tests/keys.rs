//! A batch finds the bytes of an encoding by its key, so no two encodings may have the same one.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use parlor_core::link::Encoder;
use parlor_core::log::{Encoding, EncodingKey};
use parlor_core::model::WallTime;
use parlor_wire::irc::{Cap, Caps, Class};
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::{LineMode, LocalClock, Storage};
use parlor_wire::web::{Follow, FollowEncoder, WebEncoder};

fn clock() -> LocalClock {
    LocalClock { zone: TimeZone::UTC, now: WallTime::default }
}

/// The keys of all encoders. A new encoder adds its own here.
fn keys() -> Vec<EncodingKey> {
    let mut keys = Vec::new();
    for mode in [LineMode::Classic, LineMode::Named] {
        let mut encoder = LineEncoder::new(mode, Storage::Memory, clock());
        keys.push(encoder.key());
        encoder.raw(b"\xff\xfb\x01", &mut Vec::new()); // an answer to telnet, whose lines end in CR LF
        keys.push(encoder.key());
    }
    keys.push(WebEncoder::new(Storage::Memory, clock()).key());
    for follow in [Follow::JsonLines, Follow::Events] {
        keys.push(FollowEncoder::new(follow, String::new(), Storage::Memory, clock()).key());
    }
    keys.extend(classes().iter().map(|class| class.key("irc.example")));
    keys
}

/// All classes of clients of IRC.
fn classes() -> HashSet<Class> {
    let class = |caps: &[Cap]| Class::of(Caps::of(caps));
    let all = Cap::ALL.iter().copied();
    let decisive: Vec<Cap> = all.filter(|cap| class(&[*cap]) != Class::default()).collect();
    let subset = |bits: u32| -> Vec<Cap> {
        let chosen = decisive.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
        chosen.map(|(_, cap)| *cap).collect()
    };
    (0..1 << decisive.len()).map(|bits| class(&subset(bits))).collect()
}

#[test]
fn no_two_encodings_have_the_same_key() {
    let keys = keys();
    let different: HashSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len(), "{keys:?}");
}
