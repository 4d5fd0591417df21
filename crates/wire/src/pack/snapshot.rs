//! Snapshots of the ledger as bytes.
//!
//! A snapshot is a number for its format, now 1, and a record; its rows below have the order of the
//! fields. `bytes.rs` and `model.rs` say how each field is packed. Maps are in the order of the
//! numbers of people, and of the bytes of rooms and keys.

use parlor_core::ledger::{
    Absent, Account, Boot, Invited, Kept, Markers, Mute, OwnerKeys, Person, ReturnCode,
    RulesOfRoom, Seals, Snapshot, Validity,
};

use super::bytes::{Packed, Packer, TooLarge, UnpackError, Unpacker, choice, record};

/// The newest format, which is the one that is written.
pub const FORMAT: u64 = 1;

/// The largest snapshot, in bytes: it has space for several million people.
pub const BYTES_MAX: usize = 1 << 30;

record!(Snapshot {
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

record!(Boot { node, nonce, version, last, is_live });

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

/// The bytes of a snapshot.
///
/// # Errors
/// It has more than [`BYTES_MAX`] bytes, or a text that is longer than a person can type.
pub fn pack(snapshot: &Snapshot) -> Result<Vec<u8>, TooLarge> {
    let mut packer = Packer::default();
    FORMAT.pack(&mut packer);
    snapshot.pack(&mut packer);
    packer.finish(BYTES_MAX)
}

/// The snapshot in these bytes. If it has format [`FORMAT`], [`pack`] returns the same bytes again.
///
/// # Errors
/// The format is newer than this version of the program, or these bytes are no snapshot.
pub fn unpack(bytes: &[u8]) -> Result<Snapshot, UnpackError> {
    let mut unpacker = Unpacker::new(bytes, BYTES_MAX)?;
    unpacker.format(FORMAT)?;
    let snapshot = Snapshot::unpack(&mut unpacker)?;
    unpacker.finish()?;
    Ok(snapshot)
}
