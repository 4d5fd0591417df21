//! Proposals as bytes.
//!
//! | part | bytes |
//! |---|---|
//! | format | a number, 1 up to now |
//! | boot | a number below 2^32 |
//! | number of the proposal | a number |
//! | position that its node had applied | a number |
//! | position and digest of a check | two numbers |
//! | intents | a list of at most 8,192 intents |
//!
//! All together are at most 512 KiB. An intent is a choice: its rows below have the number of each
//! variant and the order of its fields. `bytes.rs` and `model.rs` say how each field is packed.
//!
//! The number of an intent never gets another meaning. An intent that changes gets a new number in
//! a new format, and the old number is still read. A node proposes the new one only while that format
//! is in force, and the old one before that.

pub use parlor_core::intent::{BYTES_MAX, INTENTS_MAX};
use parlor_core::intent::{Check, Format, Intent, Proposal, ProposalId, Reentry};

pub use super::bytes::{NEWEST, UnpackError};
use super::bytes::{PackError, Packed, Packer, Unpacker, choice, record};

record!(ProposalId { boot, number });

record!(Check { position, digest });

record!(Reentry {
    person,
    name,
    looks,
    otherwise,
    profile,
    away,
    modes,
    lent,
    markers,
    rooms,
    codes
});

choice!(Intent, "an intent", {
    1 => Say { person, room, lines },
    2 => Enter { person, name, looks, profile, room },
    3 => ComeBack { person, code, now, profile, room },
    4 => Join { person, room, password },
    5 => Leave { person, room, words },
    6 => GiveUp { heir, room },
    7 => SpeakOnce { person, name, looks, profile, room, password, lines },
    8 => Rename { person, name, looks },
    9 => SetTopic { person, room, text },
    10 => DeleteLines { person, since },
    11 => Register { name, since, password, by },
    12 => Release(name),
    13 => Act { asker, here, deed },
    14 => EndRoom { room, last },
    15 => Remove { people, act },
    16 => Up { node, nonce, program, after },
    17 => Alive,
    18 => Down { boot, last },
    19 => Leaving,
    20 => Return(reentry),
    21 => ChangePassword { name, proof, password, keeps_token, by },
    22 => Rehash { name, proof, password },
    23 => SetToken { name, proof, token },
    24 => MakeCode { person, code, room, seq },
    25 => MoveCode { person, code, room, seq },
    26 => EndCode { person, code, seq, until },
    27 => Readings(readings),
    28 => ExpireCodes(time),
    29 => Come { person, name, looks, profile },
    30 => LeaveServer { person, words, removal },
    31 => KeepMessage { from, to, writer, spoken },
    32 => Delivered { person, last },
    33 => LogIn { person, account },
    34 => SetAway { person, text },
    35 => SetRealname { person, realname },
    41 => Invite { by, to, room },
    39 => Signal { person, room, extras },
    47 => MarkRead { person, conversation, read },
    37 => Oper { person, account },
    38 => SetModes { person, set, removed },
    48 => KeysErased(keys),
    49 => Import(import),
    50 => UseFormat(format),
});

/// The bytes of a proposal in its format, for a program whose newest format is `newest`.
///
/// # Errors
/// The format is newer. Or it has more than [`BYTES_MAX`] bytes or [`INTENTS_MAX`] intents, or a text
/// that is longer than a person can type.
pub fn pack(proposal: &Proposal, newest: Format) -> Result<Vec<u8>, PackError> {
    let Proposal { format, id, after, check, intents } = proposal;
    let mut packer = Packer::in_format(*format, newest)?;
    format.pack(&mut packer);
    id.pack(&mut packer);
    after.pack(&mut packer);
    check.pack(&mut packer);
    packer.list(intents, INTENTS_MAX);
    Ok(packer.finish(BYTES_MAX)?)
}

/// The proposal in these bytes, for a program whose newest format is `newest`. [`pack`] returns the
/// same bytes again.
///
/// # Errors
/// The format is newer, or these bytes are no proposal.
pub fn unpack(bytes: &[u8], newest: Format) -> Result<Proposal, UnpackError> {
    let mut unpacker = Unpacker::new(bytes, BYTES_MAX)?;
    let format = Format(unpacker.format(newest.0)?);
    let id = ProposalId::unpack(&mut unpacker)?;
    let after = u64::unpack(&mut unpacker)?;
    let check = Check::unpack(&mut unpacker)?;
    let intents = unpacker.list(INTENTS_MAX)?;
    unpacker.finish()?;
    Ok(Proposal { format, id, after, check, intents })
}
