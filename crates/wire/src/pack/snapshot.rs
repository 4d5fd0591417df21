//! Snapshots of the ledger as bytes.
//!
//! A snapshot is a record; its rows below have the order of the fields, and the first one is its
//! format: the one that was in force. `bytes.rs` and `model.rs` say how each field is packed. Maps are
//! in the order of the numbers of people, and of the bytes of rooms and keys.
//!
//! | format | what is new |
//! |---|---|
//! | 1 | |
//! | 2 | the rest of each kept message, sealed: a node that begins with the snapshot has its text |

use parlor_core::ledger::{
    Absent, Account, Boot, Invited, Kept, Markers, Mute, OwnerKeys, Person, ReturnCode,
    RulesOfRoom, SealedMessage, Seals, Snapshot, Validity,
};

pub use super::bytes::NEWEST;
use super::bytes::{Format, PackError, Packed, Packer, UnpackError, Unpacker, choice, record};

/// The largest snapshot, in bytes: it has space for several million people.
pub const BYTES_MAX: usize = 1 << 30;

/// The first format with the rest of kept messages.
const WITH_MESSAGES: Format = Format(2);

record!(Snapshot {
    format,
    people,
    accounts,
    owned,
    last_proof,
    keepers,
    makers,
    bans,
    mutes,
    ends,
    topics,
    is_stored,
    codes,
    kept,
    last_kept,
    absent,
    boots,
    last_boot,
    at,
    events,
    locked_for_now,
    markers,
    rules,
    seals,
    importing
});

record!(Account { name, since, password, token, proof });

record!(ReturnCode { claim, looks, room, seq, validity });

impl Packed for Kept {
    fn pack(&self, to: &mut Packer) {
        let Kept { number, writer, rank, key, sealed } = self;
        number.pack(to);
        writer.pack(to);
        rank.pack(to);
        key.pack(to);
        if to.format >= WITH_MESSAGES {
            sealed.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Kept, UnpackError> {
        Ok(Kept {
            number: Packed::unpack(from)?,
            writer: Packed::unpack(from)?,
            rank: Packed::unpack(from)?,
            key: Packed::unpack(from)?,
            sealed: if from.format >= WITH_MESSAGES { Packed::unpack(from)? } else { None },
        })
    }
}

record!(SealedMessage { at, from, writer, spoken });

record!(Seals { lines, in_use, to_erase });

record!(OwnerKeys { live, given_up });

choice!(Validity, "a validity", { 0 => Held(person), 1 => Until(time) });

record!(Boot { node, nonce, program, last, is_live });

record!(Person {
    name,
    account,
    looks,
    profile,
    seats,
    keeps_for_now,
    voices,
    away,
    boot,
    markers,
    modes,
    lent
});

record!(Markers(by_conversation));

record!(Mute { people, act });

record!(Absent { who, heir, room });

record!(RulesOfRoom { now, lasting, invited });

record!(Invited { name, people, account });

/// The bytes of a snapshot in its format, for a program whose newest format is `newest`.
///
/// # Errors
/// The format is newer. Or it has more than [`BYTES_MAX`] bytes, or a text that is longer than a person
/// can type.
pub fn pack(snapshot: &Snapshot, newest: Format) -> Result<Vec<u8>, PackError> {
    let mut packer = Packer::in_format(snapshot.format, newest)?;
    snapshot.pack(&mut packer);
    Ok(packer.finish(BYTES_MAX)?)
}

/// The snapshot in these bytes, for a program whose newest format is `newest`. [`pack`] returns the
/// same bytes again.
///
/// # Errors
/// The format is newer, or these bytes are no snapshot.
pub fn unpack(bytes: &[u8], newest: Format) -> Result<Snapshot, UnpackError> {
    let format = Format(Unpacker::new(bytes, BYTES_MAX)?.format(newest.0)?);
    let mut unpacker = Unpacker::new(bytes, BYTES_MAX)?;
    unpacker.format = format;
    let snapshot = Snapshot::unpack(&mut unpacker)?;
    unpacker.finish()?;
    Ok(snapshot)
}
