//! The values of the model as bytes.
//!
//! | value | bytes |
//! |---|---|
//! | person | the low 40 bits of the number, as a number; then the other 24 bits, as a number |
//! | time | milliseconds since 1970-01-01 00:00 UTC, as a signed number |
//! | duration | seconds; nanoseconds within the second |
//! | line | a text of at most 12,288 bytes |
//! | hash | 32 bytes |
//! | hash of a password | a text of at most 512 bytes |
//! | profile | the user, the real name, the host, each a text of at most 512 bytes; whether it is a program |
//! | key | a text of at most 1,024 bytes |
//! | room | its name, a text of at most 128 bytes |
//! | name | the name as it is shown, a text of at most 128 bytes; the first key; the second key. In place of a key that equals the text before it stands the number 0, and otherwise the length of a key is 1 more than its bytes |
//! | node | its name, a text of at most 63 bytes |
//! | looks | the shown look, a key; a list of the other looks, each as two keys |
//! | address | a list of 4 or 16 numbers |
//! | addresses | the number of bits that all addresses have in common; then the first address |
//!
//! The other values are the records and choices below: their rows have the order of the fields and
//! the numbers of the variants. A number never gets another meaning.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use parlor_core::model::{
    Act, Author, By, Claim, ConversationId, Deed, End, Extras, Format, Hashed, Here, InGroup, Line,
    Looks, Manner, Modes, NAME_CHARS_MAX, Name, Net, NodeName, NodeProgram, OwnedName,
    PROFILE_BYTES_MAX, PersonId, Profile, Proof, ProvenAccount, Rank, Reach, RoomName, RoomRules,
    Spoken, Topic, Verb, WallTime, Who, Whom,
};

use super::bytes::{Packed, Packer, UnpackError, Unpacker, choice, record};
use crate::style::LINE_BYTES_MAX;

/// A character has at most four bytes.
const NAME_BYTES_MAX: usize = 4 * NAME_CHARS_MAX;

/// The look of a character has at most 21 bytes.
const KEY_BYTES_MAX: usize = 32 * NAME_CHARS_MAX;

/// A hash of a password has all that is needed to check it: its method, its cost and its salt.
const PASSWORD_BYTES_MAX: usize = 512;

/// Each byte that is not UTF-8 becomes a character of three bytes.
const TEXT_BYTES_MAX: usize = 3 * LINE_BYTES_MAX;

const NO_NAME: UnpackError =
    UnpackError::Malformed("a name is empty or has a character that no name has");

const NO_ADDRESSES: UnpackError = UnpackError::Malformed("these are no addresses");

/// A person's number has these low bits for the count, and above them those of the boot.
const COUNT_BITS: u32 = 40;

record!(WallTime(millis));

record!(Proof(number));

record!(End { seq, at });

record!(Who { id, name, account, profile });

record!(Topic { text, is_locked });

record!(RoomRules { is_invited_only, is_moderated, is_secret, password, people_max });

record!(Spoken { manner, text, extras });

record!(Extras { tags, label, group, breaks, log });

record!(InGroup { index, lines, blanks });

choice!(Manner, "a manner", { 0 => Plain, 1 => Action, 2 => Gone, 3 => Notice });

record!(Claim { name, account });

record!(ProvenAccount { name, proof });

record!(OwnedName { name, keys });

record!(Act { deed, by, reach, at });

record!(Deed { verb, whom, time, text });

choice!(By, "an author", { 0 => Operator, 1 => Oneself, 2 => NewPassword, 3 => Keeper(author), 4 => KeeperForNow(author), 5 => NoKeeper, 6 => Node });

record!(Author { name, account, id });

choice!(Rank, "a rank", { 0 => Stranger, 1 => Owner, 2 => Keeper });

choice!(Here, "a place", { 0 => Operator, 1 => Room(room), 2 => Server, 3 => RoomOnly(room) });

choice!(ConversationId, "a conversation", { 0 => Room(room), 1 => With(name) });

choice!(Reach, "a reach", { 0 => Server, 1 => Room(room) });

choice!(Whom, "a target", { 0 => Everybody, 1 => Name(name), 2 => Net(net) });

choice!(Verb, "a verb", {
    1 => Broadcast,
    2 => Kick,
    3 => Ban,
    4 => Unban,
    5 => Mute,
    6 => Unmute,
    7 => LockTopic,
    8 => UnlockTopic,
    9 => SetTopic,
    10 => MakeRoom,
    11 => AddKeeper,
    12 => RemoveKeeper,
    13 => ReleaseName,
    14 => SetPassword,
    15 => Reload,
    16 => Wallops,
    20 => AddKeeperForNow,
    21 => InvitedOnly,
    22 => LetEverybodyIn,
    23 => Moderate,
    24 => Unmoderate,
    25 => Hide,
    26 => Unhide,
    27 => SetRoomPassword,
    28 => RemoveRoomPassword,
    29 => Limit,
    30 => Unlimit,
    31 => MakePrivate,
    32 => OpenRoom,
    33 => GiveVoice,
    34 => TakeVoice,
});

impl Packed for PersonId {
    fn pack(&self, to: &mut Packer) {
        let boot = self.number() >> COUNT_BITS;
        (self.number() & !(u64::MAX << COUNT_BITS)).pack(to);
        boot.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<PersonId, UnpackError> {
        let count = u64::unpack(from)?;
        let boot = u64::unpack(from)?;
        match count >> COUNT_BITS == 0 && boot >> (u64::BITS - COUNT_BITS) == 0 {
            true => Ok(PersonId::new(boot << COUNT_BITS | count)),
            false => Err(UnpackError::Malformed("the number of a person is too large")),
        }
    }
}

impl Packed for Modes {
    fn pack(&self, to: &mut Packer) {
        self.bits().pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Modes, UnpackError> {
        let modes = Modes::from_bits(u8::unpack(from)?);
        modes.ok_or(UnpackError::Malformed("a person has a mode that nobody has"))
    }
}

impl Packed for Duration {
    fn pack(&self, to: &mut Packer) {
        self.as_secs().pack(to);
        self.subsec_nanos().pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Duration, UnpackError> {
        match (u64::unpack(from)?, u32::unpack(from)?) {
            (secs, nanos @ ..1_000_000_000) => Ok(Duration::new(secs, nanos)),
            _ => Err(UnpackError::Malformed("a second has more than 1,000,000,000 nanoseconds")),
        }
    }
}

impl Packed for Line {
    fn pack(&self, to: &mut Packer) {
        to.text(self.as_str(), TEXT_BYTES_MAX);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Line, UnpackError> {
        let line = Line::checked(from.text(TEXT_BYTES_MAX)?);
        line.ok_or(UnpackError::Malformed("a line has a character that no line has"))
    }
}

impl Packed for Profile {
    fn pack(&self, to: &mut Packer) {
        for text in [self.user(), self.realname(), self.host()] {
            to.text(text.as_str(), PROFILE_BYTES_MAX);
        }
        self.is_bot().pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Profile, UnpackError> {
        let mut text = || {
            let text = Line::checked(from.text(PROFILE_BYTES_MAX)?);
            text.ok_or(UnpackError::Malformed("a line has a character that no line has"))
        };
        let texts = [text()?, text()?, text()?];
        Ok(Profile::new(texts, bool::unpack(from)?))
    }
}

impl Packed for Box<str> {
    fn pack(&self, to: &mut Packer) {
        to.text(self, KEY_BYTES_MAX);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Box<str>, UnpackError> {
        from.text(KEY_BYTES_MAX).map(Box::from)
    }
}

impl Packed for Arc<str> {
    fn pack(&self, to: &mut Packer) {
        to.text(self, PASSWORD_BYTES_MAX);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Arc<str>, UnpackError> {
        from.text(PASSWORD_BYTES_MAX).map(Arc::from)
    }
}

impl Packed for Hashed {
    fn pack(&self, to: &mut Packer) {
        to.raw(&self.0);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Hashed, UnpackError> {
        from.raw().map(Hashed)
    }
}

impl Packed for RoomName {
    fn pack(&self, to: &mut Packer) {
        to.text(self.as_str(), NAME_BYTES_MAX);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<RoomName, UnpackError> {
        let name = from.text(NAME_BYTES_MAX)?;
        if let Some(room) = from.rooms.get(name) {
            return Ok(room.clone());
        }
        let room = RoomName::checked(name).ok_or(NO_NAME)?;
        from.rooms.insert(name, room.clone());
        Ok(room)
    }
}

impl Packed for Name {
    fn pack(&self, to: &mut Packer) {
        let (shown, [first, second]) = (self.as_str(), self.keys());
        to.text(shown, NAME_BYTES_MAX);
        for (key, before) in [(first, shown), (second, first)] {
            match key == before {
                true => 0_usize.pack(to),
                false => {
                    (1 + key.len()).pack(to);
                    to.rest_of_text(key, KEY_BYTES_MAX);
                }
            }
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Name, UnpackError> {
        let shown = from.text(NAME_BYTES_MAX)?;
        let first = unpack_key(from, shown)?;
        let second = unpack_key(from, first)?;
        Name::with_keys(shown, [first, second]).ok_or(NO_NAME)
    }
}

fn unpack_key<'a>(from: &mut Unpacker<'a>, before: &'a str) -> Result<&'a str, UnpackError> {
    let Some(len) = usize::unpack(from)?.checked_sub(1) else {
        return Ok(before);
    };
    match from.rest_of_text(len, KEY_BYTES_MAX)? {
        key if key == before => Err(UnpackError::Malformed("a key equals the text before it")),
        key => Ok(key),
    }
}

impl Packed for NodeName {
    fn pack(&self, to: &mut Packer) {
        to.text(self.as_str(), NodeName::BYTES_MAX);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<NodeName, UnpackError> {
        let name = NodeName::parse(from.text(NodeName::BYTES_MAX)?);
        name.ok_or(UnpackError::Malformed("a node has a name that no node has"))
    }
}

impl Packed for NodeProgram {
    fn pack(&self, to: &mut Packer) {
        to.text(self.version(), NodeProgram::VERSION_BYTES_MAX);
        self.newest.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<NodeProgram, UnpackError> {
        let version = from.text(NodeProgram::VERSION_BYTES_MAX)?;
        let program = NodeProgram::new(version, Format::unpack(from)?);
        program.ok_or(UnpackError::Malformed("a version has a character that none has"))
    }
}

impl Packed for Looks {
    fn pack(&self, to: &mut Packer) {
        let others = self.others_with_keys();
        let others = others.map(|(look, key)| (look.into(), key.into()));
        let others: Vec<(Box<str>, Box<str>)> = others.collect();
        to.text(self.shown(), KEY_BYTES_MAX);
        others.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Looks, UnpackError> {
        Ok(Looks::computed(Packed::unpack(from)?, Packed::unpack(from)?))
    }
}

impl Packed for IpAddr {
    fn pack(&self, to: &mut Packer) {
        match self {
            IpAddr::V4(ip) => to.list(&ip.octets(), usize::MAX),
            IpAddr::V6(ip) => to.list(&ip.octets(), usize::MAX),
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<IpAddr, UnpackError> {
        let bytes: Vec<u8> = from.list(16)?;
        let v4 = || <[u8; 4]>::try_from(&*bytes).map(|bytes| Ipv4Addr::from(bytes).into());
        let v6 = || <[u8; 16]>::try_from(&*bytes).map(|bytes| Ipv6Addr::from(bytes).into());
        v4().or_else(|_| v6()).map_err(|_| NO_ADDRESSES)
    }
}

impl Packed for Net {
    fn pack(&self, to: &mut Packer) {
        self.bits().pack(to);
        self.first().pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Net, UnpackError> {
        let bits = u8::unpack(from)?;
        let first = IpAddr::unpack(from)?;
        let net = Net::of(first, bits).filter(|net| net.first() == first);
        net.ok_or(NO_ADDRESSES)
    }
}
