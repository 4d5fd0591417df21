//! The deeds of simulated keepers: they remove, ban and mute people, name keepers, and change the
//! rules of the room.

use std::time::Duration;

use fastrand::Rng;
use parlor_core::link::Change;
use parlor_core::model::{Deed, Here, Name, RoomName, Verb, Whom};

use crate::checker::OWNED;
use crate::guest::NAMES;
use crate::voice::{line, pick};

/// The modes without a person, and how often each is typed: rules end more often than they begin, so
/// that people still come and talk.
const MODES: [&str; 24] = [
    "+m", "-m", "-m", "-m", "+i", "+i", "-i", "-i", "+k beer", "-k *", "-k *", "-k *", "+l 1",
    "+l 1", "-l", "-l", "-l", "+t", "-t", "+s", "-s", "b", "", "+ml-i 7",
];

/// The modes of a person.
const PERSONAL: [&str; 14] = [
    "+b ",
    "-b ",
    "-b ",
    "-b ",
    "+b m:",
    "-b m:",
    "-b m:",
    "+o ",
    "+o ",
    "-o ",
    "+v ",
    "+v ",
    "-v ",
    "+oo olga ",
];

/// A command of IRC with which a keeper changes something in a room.
pub(crate) fn command(room: &RoomName, rng: &mut Rng) -> String {
    match rng.u8(0..10) {
        // Owners with a voice take other names, and the room is told of their rank then.
        9 => format!("MODE #{room} +v {OWNED}"),
        0..2 => format!("KICK #{room} {}{}", somebody(rng), ["", " :spam"][rng.usize(0..2)]),
        2..5 => format!("MODE #{room} {}{}", pick(rng, &PERSONAL), somebody(rng)),
        _ => format!("MODE #{room} {}", pick(rng, &MODES)),
    }
}

/// A request with which a keeper at another door changes something in a room.
pub(crate) fn request(room: &RoomName, rng: &mut Rng) -> Change {
    let deed = match rng.u8(0..4) {
        0 => Deed { text: Some(line("spam")), ..of_somebody(Verb::Kick, rng) },
        1 => {
            let verb = pick(rng, &[Verb::Ban, Verb::Mute]);
            let time = Some(Duration::from_secs(rng.u64(1..1_000)));
            Deed { time, text: rng.bool().then(|| line("spam")), ..of_somebody(verb, rng) }
        }
        2 => {
            let verbs = [Verb::Unban, Verb::Unmute, Verb::AddKeeper, Verb::GiveVoice];
            of_somebody(pick(rng, &verbs), rng)
        }
        _ => {
            let verbs = [
                Verb::Moderate,
                Verb::Unmoderate,
                Verb::LetEverybodyIn,
                Verb::RemoveRoomPassword,
                Verb::Unlimit,
                Verb::Unhide,
                Verb::UnlockTopic,
            ];
            Deed::to_all(pick(rng, &verbs), None)
        }
    };
    Change::Act { here: Here::Room(room.clone()), deed }
}

fn of_somebody(verb: Verb, rng: &mut Rng) -> Deed {
    Deed::to(verb, Whom::Name(Name::stored(&somebody(rng))))
}

/// Somebody who may be here: often a name that many people want.
pub(crate) fn somebody(rng: &mut Rng) -> String {
    match rng.u8(0..6) {
        0..2 => OWNED.to_owned(),
        2..5 => pick(rng, &NAMES[..3]).to_string(),
        _ => pick(rng, &NAMES).to_string(),
    }
}
