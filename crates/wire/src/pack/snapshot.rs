//! Snapshots of the ledger as bytes.
//!
//! A snapshot is a record; its rows below have the order of the fields, and the first one is its
//! format: the one that was in force. `bytes.rs` and `model.rs` say how each field is packed. Maps are
//! in the order of the numbers of people, and of the bytes of rooms and keys.

use parlor_core::ledger::{
    Absent, Account, Boot, Invited, Kept, Markers, Mute, OwnerKeys, Person, ReturnCode,
    RulesOfRoom, Seals, Snapshot, Validity,
};

pub use super::bytes::NEWEST;
use super::bytes::{Format, PackError, Packed, Packer, UnpackError, Unpacker, choice, record};

/// The largest snapshot, in bytes: it has space for several million people.
pub const BYTES_MAX: usize = 1 << 30;

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

record!(Kept { number, writer, rank, key });

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
    Unpacker::new(bytes, BYTES_MAX)?.format(newest.0)?;
    let mut unpacker = Unpacker::new(bytes, BYTES_MAX)?;
    let snapshot = Snapshot::unpack(&mut unpacker)?;
    unpacker.finish()?;
    Ok(snapshot)
}
