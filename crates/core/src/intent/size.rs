//! The size of intents in a proposal. Knows no encoding: it is an estimate that is never too small.

use std::slice;
use std::sync::Arc;

use super::import::{Import, ImportedLines, ImportedMessage, PastAct, PastLog};
use super::kinds::{Intent, Reentry};
use crate::model::{
    Act, Author, Claim, ConversationId, Deed, Erasable, Extras, Line, Looks, Name, Profile,
    RoomName, Seal, Spoken,
};

/// The size of an intent without its texts, in bytes; an estimate that is never too small.
const EMPTY_BYTES: usize = 96;

/// The largest number in a message, in bytes.
const NUMBER_BYTES: usize = 10;

/// A hash in a message, in bytes.
const HASH_BYTES: usize = 32;

/// A person in a message, in bytes: two numbers.
const PERSON_BYTES: usize = 2 * NUMBER_BYTES;

impl Intent {
    /// Its size in a message, in bytes; an estimate that is never too small.
    pub fn bytes(&self) -> usize {
        let texts = match self {
            Intent::Say { room, lines, .. } => {
                room.as_str().len() + erasable_bytes(&lines.seal) + lines_bytes(&lines.value)
            }
            Intent::Signal { room, extras, .. } => room.as_str().len() + extras_bytes(extras),
            Intent::Come { name, looks, profile, .. } => {
                claim_bytes(name) + looks_bytes(looks) + profile_bytes(profile)
            }
            Intent::Enter { name, looks, profile, room, .. } => {
                let named = claim_bytes(name) + looks_bytes(looks);
                named + profile_bytes(profile) + room.as_str().len()
            }
            Intent::ComeBack { profile, room, .. } => {
                profile_bytes(profile) + room.as_ref().map_or(0, |room| room.as_str().len())
            }
            Intent::SpeakOnce { name, looks, profile, room, password, lines, .. } => {
                let named = claim_bytes(name) + looks_bytes(looks) + profile_bytes(profile);
                let password = password.as_ref().map_or(0, Line::len);
                let lines = erasable_bytes(&lines.seal) + lines_bytes(&lines.value);
                named + room.as_str().len() + password + lines
            }
            Intent::Join { room, password, .. } => {
                room.as_str().len() + password.as_ref().map_or(0, Line::len)
            }
            Intent::Invite { to, room, .. } => name_bytes(to) + room.as_str().len(),
            Intent::MakeCode { room, .. }
            | Intent::MoveCode { room, .. }
            | Intent::GiveUp { room, .. }
            | Intent::EndRoom { room, .. } => room.as_str().len(),
            Intent::Leave { room, words, .. } => {
                room.as_str().len() + words.as_ref().map_or(0, Line::len)
            }
            Intent::LeaveServer { words, removal, .. } => {
                let removal = removal.as_ref().map_or(0, |act| act_bytes(act));
                words.as_ref().map_or(0, Line::len) + removal
            }
            Intent::Rename { name, looks, .. } => claim_bytes(name) + looks_bytes(looks),
            Intent::SetAway { text, .. } => text.as_ref().map_or(0, Line::len),
            Intent::SetRealname { realname, .. } => realname.len(),
            Intent::SetModes { .. } => NUMBER_BYTES,
            Intent::LogIn { account, .. } | Intent::Oper { account, .. } => {
                name_bytes(&account.name)
            }
            Intent::SetTopic { room, text, .. } => {
                room.as_str().len() + text.as_ref().map_or(0, Line::len)
            }
            Intent::Register { name, password, .. } => {
                let keys = name.keys.iter().map(|key| key.len() + NUMBER_BYTES);
                name_bytes(&name.name) + keys.sum::<usize>() + password_bytes(password)
            }
            Intent::ChangePassword { name, password, .. }
            | Intent::Rehash { name, password, .. } => name_bytes(name) + password_bytes(password),
            Intent::SetToken { name, token, .. } => {
                let token = token.as_ref().map_or(0, |token| erasable_bytes(&token.seal));
                name_bytes(name) + token
            }
            Intent::Release(name) => name_bytes(name),
            Intent::KeysErased(keys) => keys.len() * NUMBER_BYTES,
            Intent::Readings(readings) => readings.len() * (HASH_BYTES + NUMBER_BYTES),
            Intent::Act { here, deed, .. } => {
                here.room().map_or(0, |room| room.as_str().len()) + deed_bytes(deed)
            }
            Intent::Remove { people, act } => people.len() * PERSON_BYTES + act_bytes(act),
            Intent::Up { node, program, .. } => node.as_str().len() + program.version().len(),
            Intent::Return(reentry) => {
                let Reentry { name, looks, otherwise, profile, away, .. } = &**reentry;
                let Reentry { lent, markers, rooms, codes, .. } = &**reentry;
                let (other, other_looks) = otherwise;
                let names = claim_bytes(name) + name_bytes(other);
                let looks = looks_bytes(looks) + looks_bytes(other_looks);
                let rooms = rooms.iter().map(|room| room.as_str().len() + NUMBER_BYTES);
                names
                    + looks
                    + profile_bytes(profile)
                    + away.as_ref().map_or(0, Line::len)
                    + lent.as_ref().map_or(0, |lent| name_bytes(&lent.name) + NUMBER_BYTES)
                    + markers.keys().map(|key| key.len() + 2 * NUMBER_BYTES).sum::<usize>()
                    + rooms.sum::<usize>()
                    + codes.len() * HASH_BYTES
            }
            Intent::MarkRead { conversation, .. } => match conversation {
                ConversationId::Room(room) => room.as_str().len(),
                ConversationId::With(name) => name_bytes(name),
            },
            Intent::KeepMessage { to, spoken, .. } => {
                name_bytes(to)
                    + erasable_bytes(&spoken.seal)
                    + lines_bytes(slice::from_ref(&spoken.value))
            }
            Intent::Import(import) => import_bytes(import),
            Intent::EndCode { .. }
            | Intent::Delivered { .. }
            | Intent::ExpireCodes(_)
            | Intent::DeleteLines { .. }
            | Intent::UseFormat(_)
            | Intent::Alive
            | Intent::Down { .. }
            | Intent::Leaving => 0,
        };
        EMPTY_BYTES + texts
    }
}

/// The size of a part of the past, in bytes.
fn import_bytes(import: &Import) -> usize {
    let of_room = |room: &RoomName| room.as_str().len();
    match import {
        Import::Account { name, password, .. } => {
            let keys = name.keys.iter().map(|key| key.len() + NUMBER_BYTES);
            name_bytes(&name.name) + keys.sum::<usize>() + password_bytes(password)
        }
        Import::Token { name, token } => name_bytes(name) + erasable_bytes(&token.seal),
        Import::Keeper { reach, name } => name_bytes(name) + reach.room().map_or(0, of_room),
        Import::Maker { room, name } => name_bytes(name) + of_room(room),
        Import::Ban(act) | Import::Mute(act) => act_bytes(act),
        Import::Topic { room, topic } => of_room(room) + topic.text.as_ref().map_or(0, Line::len),
        Import::Rules { room, rules } => {
            of_room(room) + rules.password.as_ref().map_or(0, Line::len)
        }
        Import::Code { claim, looks, room, .. } => {
            HASH_BYTES + claim_bytes(claim) + looks_bytes(looks) + of_room(room)
        }
        Import::Marker { owner, key, .. } => name_bytes(owner) + key.len(),
        Import::Message(ImportedMessage { owner, from, spoken, .. }) => {
            let words = erasable_bytes(&spoken.seal) + lines_bytes(slice::from_ref(&spoken.value));
            HASH_BYTES + name_bytes(owner) + name_bytes(from) + words
        }
        Import::Act(PastAct { by, account, room, deed, whom, reason, .. }) => {
            let texts = [by, account, room, deed, whom, reason];
            texts.map(|text| text.len() + NUMBER_BYTES).into_iter().sum()
        }
        Import::Log(PastLog { name, ends, .. }) => {
            let ends = ends.iter().map(|(room, _)| of_room(room) + 2 * NUMBER_BYTES);
            name.len() + ends.sum::<usize>()
        }
        Import::Lines(ImportedLines { room, name, owner, times, lines, .. }) => {
            let named = of_room(room) + name.len() + owner.as_ref().map_or(0, name_bytes);
            let lines = erasable_bytes(&lines.seal) + lines_bytes(&lines.value);
            named + times.len() * NUMBER_BYTES + lines
        }
        Import::LastMessage(_) | Import::Complete => 0,
    }
}

/// The size of lines that are said together, in bytes.
pub fn lines_bytes(lines: &[Spoken]) -> usize {
    let line = |spoken: &Spoken| {
        let extras = spoken.extras.as_deref();
        spoken.text.len() + NUMBER_BYTES + extras.map_or(0, extras_bytes)
    };
    lines.iter().map(line).sum()
}

/// The size of a seal without the bytes of the value, in bytes: the key, and what a cipher adds.
const SEAL_BYTES: usize = 64;

fn erasable_bytes(seal: &Option<Box<Seal>>) -> usize {
    seal.as_ref().map_or(0, |seal| SEAL_BYTES + seal.bytes.len())
}

fn password_bytes(password: &Erasable<Arc<str>>) -> usize {
    erasable_bytes(&password.seal) + password.value.len()
}

fn extras_bytes(extras: &Extras) -> usize {
    let texts = [&extras.tags, &extras.label].into_iter().flatten();
    let log = extras.log.as_ref().map_or(0, |log| log.len());
    texts.map(Line::len).sum::<usize>() + log + (6 + extras.breaks.len()) * NUMBER_BYTES
}

fn profile_bytes(profile: &Option<Arc<Profile>>) -> usize {
    profile.as_ref().map_or(0, |profile| {
        let texts = [profile.user(), profile.realname(), profile.host()];
        texts.map(|text| text.len() + NUMBER_BYTES).into_iter().sum()
    })
}

fn name_bytes(name: &Name) -> usize {
    let keys = name.keys().into_iter().map(|key| key.len() + NUMBER_BYTES);
    name.as_str().len() + keys.sum::<usize>()
}

fn claim_bytes(Claim { name, account }: &Claim) -> usize {
    name_bytes(name) + account.as_ref().map_or(0, |account| name_bytes(&account.name))
}

fn looks_bytes(looks: &Looks) -> usize {
    let pair = |(look, key): (&str, &str)| look.len() + key.len() + PERSON_BYTES;
    looks.shown().len() + looks.others_with_keys().map(pair).sum::<usize>()
}

fn deed_bytes(deed: &Deed) -> usize {
    let name = deed.whom.name().map_or(2 * PERSON_BYTES, name_bytes);
    name + deed.text.as_ref().map_or(0, Line::len)
}

fn act_bytes(act: &Act) -> usize {
    let author = |Author { name, account, .. }: &Author| {
        name_bytes(name) + account.as_ref().map_or(0, name_bytes) + PERSON_BYTES
    };
    let by = act.by.author().map_or(0, author);
    let room = act.reach.room().map_or(0, |room| room.as_str().len());
    deed_bytes(&act.deed) + by + room + EMPTY_BYTES
}
