//! Packing: numbers, texts and lists as bytes. Of the model it knows only rooms.
//!
//! A value has exactly one form in bytes, and everything else is refused. So bytes that can be
//! unpacked are packed into the same bytes again.
//!
//! | value | bytes |
//! |---|---|
//! | number | 7 bits in each byte, the lowest first; all bytes but the last have the highest bit set (LEB128); as short as possible, and at most 64 bits |
//! | signed number | the number 2n if n is not negative, else -2n - 1 |
//! | text | its length in bytes as a number, then UTF-8 |
//! | yes or no | the number 1 or 0 |
//! | optional value | the number 0; or the number 1, then the value |
//! | list | its length as a number, then each value |
//! | map | a list of its keys, each with its value; the keys are in order, each once |
//! | set | a list of its values; they are in order, each once |
//! | record | its fields in order |
//! | choice | the number of the variant, then its fields in order |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

pub(super) use parlor_core::model::Format;
use parlor_core::model::RoomName;

/// The newest format of proposals and snapshots that this version of the program reads and writes.
pub const NEWEST: Format = Format(2);

/// The longest list for which memory is taken at once; a longer one takes memory as it is read. A
/// list that ends too early has taken 2 MiB at most.
const CAPACITY_MAX: usize = 8_192;

/// The reason why bytes cannot be unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnpackError {
    /// The format has this number; this version of the program does not know it yet.
    NewerFormat(u64),
    /// This kind of value has no variant with this number.
    NoVariant(&'static str, u64),
    /// The bytes break this rule of the format.
    Malformed(&'static str),
}

impl fmt::Display for UnpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnpackError::NewerFormat(format) => {
                write!(f, "the bytes have format {format}; a newer version of Parlor reads it")
            }
            UnpackError::NoVariant(kind, number) => write!(f, "{kind} has no variant {number}"),
            UnpackError::Malformed(rule) => f.write_str(rule),
        }
    }
}

impl std::error::Error for UnpackError {}

/// A value is larger than the format allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is larger than its format allows")
    }
}

impl std::error::Error for TooLarge {}

/// The reason why a value is not packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackError {
    /// It is larger than the format allows.
    TooLarge,
    /// This version of the program cannot write the format with this number.
    NewerFormat(u64),
}

impl From<TooLarge> for PackError {
    fn from(_: TooLarge) -> PackError {
        PackError::TooLarge
    }
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PackError::TooLarge => TooLarge.fmt(f),
            PackError::NewerFormat(format) => {
                write!(f, "a newer version of Parlor writes format {format}")
            }
        }
    }
}

impl std::error::Error for PackError {}

/// A value with a form in bytes.
pub(super) trait Packed: Sized {
    /// Appends the bytes.
    fn pack(&self, to: &mut Packer);

    /// Takes the value from the front of the bytes.
    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, UnpackError>;
}

/// Bytes that are being packed.
#[derive(Default)]
pub(super) struct Packer {
    /// The format in which they are written.
    pub(super) format: Format,
    bytes: Vec<u8>,
    is_too_large: bool,
}

impl Packer {
    /// Bytes in a format that a program writes whose newest one is `newest`.
    pub(super) fn in_format(format: Format, newest: Format) -> Result<Packer, PackError> {
        match (Format::FIRST..=newest).contains(&format) {
            true => Ok(Packer { format, ..Packer::default() }),
            false => Err(PackError::NewerFormat(format.0)),
        }
    }

    /// Appends a text of at most `bytes_max` bytes.
    pub(super) fn text(&mut self, text: &str, bytes_max: usize) {
        text.len().pack(self);
        self.rest_of_text(text, bytes_max);
    }

    /// Appends a text without its length.
    pub(super) fn rest_of_text(&mut self, text: &str, bytes_max: usize) {
        self.is_too_large |= text.len() > bytes_max;
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends bytes without their length.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Refuses the value: it has no form in bytes.
    pub(super) fn refuse(&mut self) {
        self.is_too_large = true;
    }

    /// Appends a list.
    pub(super) fn list<T: Packed>(&mut self, values: &[T], len_max: usize) {
        self.is_too_large |= values.len() > len_max;
        values.len().pack(self);
        values.iter().for_each(|value| value.pack(self));
    }

    /// All bytes, unless they or a part of them are larger than allowed.
    pub(super) fn finish(self, bytes_max: usize) -> Result<Vec<u8>, TooLarge> {
        let fits = !self.is_too_large && self.bytes.len() <= bytes_max;
        fits.then_some(self.bytes).ok_or(TooLarge)
    }
}

/// Bytes that are being unpacked.
pub(super) struct Unpacker<'a> {
    /// The format in which they are written.
    pub(super) format: Format,
    rest: &'a [u8],
    /// The rooms so far, by name. Many values have the same room, and share its name in memory.
    pub(super) rooms: BTreeMap<&'a str, RoomName>,
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(bytes: &'a [u8], bytes_max: usize) -> Result<Unpacker<'a>, UnpackError> {
        match bytes.len() <= bytes_max {
            true => Ok(Unpacker { format: Format::FIRST, rest: bytes, rooms: BTreeMap::new() }),
            false => Err(UnpackError::Malformed("there are too many bytes")),
        }
    }

    /// The format in front of the bytes, if it is at most `newest`.
    pub(super) fn format(&mut self, newest: u64) -> Result<u64, UnpackError> {
        match u64::unpack(self)? {
            0 => Err(UnpackError::Malformed("formats are counted from 1")),
            format if format > newest => Err(UnpackError::NewerFormat(format)),
            format => Ok(format),
        }
    }

    /// Takes a text of at most `bytes_max` bytes.
    pub(super) fn text(&mut self, bytes_max: usize) -> Result<&'a str, UnpackError> {
        let len = usize::unpack(self)?;
        self.rest_of_text(len, bytes_max)
    }

    /// Takes a text after its length.
    pub(super) fn rest_of_text(
        &mut self,
        len: usize,
        bytes_max: usize,
    ) -> Result<&'a str, UnpackError> {
        if len > bytes_max {
            return Err(UnpackError::Malformed("a text is too long"));
        }
        let text = self.slice(len)?;
        str::from_utf8(text).map_err(|_| UnpackError::Malformed("a text is not UTF-8"))
    }

    /// Takes this many bytes.
    pub(super) fn raw<const LEN: usize>(&mut self) -> Result<[u8; LEN], UnpackError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// Takes this many bytes, which may be any.
    pub(super) fn slice(&mut self, len: usize) -> Result<&'a [u8], UnpackError> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// How many bytes are left.
    pub(super) fn rest_len(&self) -> usize {
        self.rest.len()
    }

    /// Takes all bytes that are left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Takes a list of at most `len_max` values. Each value has at least one byte.
    pub(super) fn list<T: Packed>(&mut self, len_max: usize) -> Result<Vec<T>, UnpackError> {
        let len = usize::unpack(self)?;
        if len > len_max {
            return Err(UnpackError::Malformed("a list is too long"));
        }
        if len > self.rest.len() {
            return Err(TOO_SHORT);
        }
        let mut list = Vec::with_capacity(len.min(CAPACITY_MAX));
        for _ in 0..len {
            list.push(T::unpack(self)?);
        }
        Ok(list)
    }

    /// Ends the unpacking. No byte is left.
    pub(super) fn finish(self) -> Result<(), UnpackError> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(UnpackError::Malformed("bytes are left over")),
        }
    }
}

pub(super) const TOO_SHORT: UnpackError = UnpackError::Malformed("the bytes end too early");

impl Packed for u64 {
    fn pack(&self, to: &mut Packer) {
        let mut rest = *self;
        while rest >= 0x80 {
            to.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        to.bytes.push(rest as u8);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<u64, UnpackError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = from.rest.split_first().ok_or(TOO_SHORT)?;
            from.rest = rest;
            let bits = u64::from(byte & 0x7f) << shift;
            if bits >> shift != u64::from(byte & 0x7f) {
                break;
            }
            number |= bits;
            match byte {
                0 if shift > 0 => {
                    return Err(UnpackError::Malformed("a number is not as short as possible"));
                }
                0..0x80 => return Ok(number),
                0x80.. => {}
            }
        }
        Err(UnpackError::Malformed("a number has more than 64 bits"))
    }
}

impl Packed for Format {
    fn pack(&self, to: &mut Packer) {
        self.0.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Format, UnpackError> {
        u64::unpack(from).map(Format)
    }
}

impl Packed for i64 {
    fn pack(&self, to: &mut Packer) {
        (self.cast_unsigned() << 1 ^ (self >> 63).cast_unsigned()).pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<i64, UnpackError> {
        let number = u64::unpack(from)?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

/// Numbers with fewer bits.
macro_rules! narrow {
    ($($type:ident),*) => { $(
        impl Packed for $type {
            fn pack(&self, to: &mut Packer) {
                (*self as u64).pack(to);
            }

            fn unpack(from: &mut Unpacker<'_>) -> Result<$type, UnpackError> {
                let narrow = $type::try_from(u64::unpack(from)?);
                narrow.map_err(|_| UnpackError::Malformed("a number is too large"))
            }
        }
    )* };
}

narrow!(u8, u16, u32, usize);

impl Packed for bool {
    fn pack(&self, to: &mut Packer) {
        u8::from(*self).pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<bool, UnpackError> {
        match u64::unpack(from)? {
            0 => Ok(false),
            1 => Ok(true),
            number => Err(UnpackError::NoVariant("a yes or no", number)),
        }
    }
}

impl<T: Packed> Packed for Option<T> {
    fn pack(&self, to: &mut Packer) {
        self.is_some().pack(to);
        if let Some(value) = self {
            value.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Option<T>, UnpackError> {
        bool::unpack(from)?.then(|| T::unpack(from)).transpose()
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn pack(&self, to: &mut Packer) {
        to.list(self, usize::MAX);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Vec<T>, UnpackError> {
        from.list(usize::MAX)
    }
}

impl<K: Packed + Ord, V: Packed> Packed for BTreeMap<K, V> {
    fn pack(&self, to: &mut Packer) {
        self.len().pack(to);
        for (key, value) in self {
            key.pack(to);
            value.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<BTreeMap<K, V>, UnpackError> {
        let pairs: Vec<(K, V)> = Packed::unpack(from)?;
        match pairs.is_sorted_by(|(before, _), (after, _)| before < after) {
            true => Ok(pairs.into_iter().collect()),
            false => Err(UnpackError::Malformed("the keys of a map are not in order")),
        }
    }
}

impl<T: Packed + Ord> Packed for BTreeSet<T> {
    fn pack(&self, to: &mut Packer) {
        self.len().pack(to);
        self.iter().for_each(|value| value.pack(to));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<BTreeSet<T>, UnpackError> {
        let values: Vec<T> = Packed::unpack(from)?;
        match values.is_sorted_by(|before, after| before < after) {
            true => Ok(values.into_iter().collect()),
            false => Err(UnpackError::Malformed("the values of a set are not in order")),
        }
    }
}

impl<A: Packed, B: Packed> Packed for (A, B) {
    fn pack(&self, to: &mut Packer) {
        self.0.pack(to);
        self.1.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<(A, B), UnpackError> {
        Ok((A::unpack(from)?, B::unpack(from)?))
    }
}

impl<T: Packed> Packed for Box<T> {
    fn pack(&self, to: &mut Packer) {
        T::pack(self, to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Box<T>, UnpackError> {
        T::unpack(from).map(Box::new)
    }
}

impl<T: Packed> Packed for Arc<T> {
    fn pack(&self, to: &mut Packer) {
        T::pack(self, to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Arc<T>, UnpackError> {
        T::unpack(from).map(Arc::new)
    }
}

/// Packs a record field by field. A field that is missing here does not compile.
macro_rules! record {
    ($type:ident $(($($value:ident),*))? $({ $($field:ident),* $(,)? })?) => {
        impl Packed for $type {
            fn pack(&self, to: &mut Packer) {
                let $type $(($($value),*))? $({ $($field),* })? = self;
                $($($value.pack(to);)*)?
                $($($field.pack(to);)*)?
            }

            fn unpack(from: &mut Unpacker<'_>) -> Result<$type, UnpackError> {
                $($(let $value = Packed::unpack(from)?;)*)?
                $($(let $field = Packed::unpack(from)?;)*)?
                Ok($type $(($($value),*))? $({ $($field),* })?)
            }
        }
    };
}

/// Packs a choice: the number of its variant, then its fields. A variant or field that is missing
/// here does not compile.
macro_rules! choice {
    ($type:ident, $kind:literal, {
        $($number:literal => $variant:ident
            $(($($value:ident),*))? $({ $($field:ident),* })?),* $(,)?
    }) => {
        impl Packed for $type {
            fn pack(&self, to: &mut Packer) {
                match self {
                    $($type::$variant $(($($value),*))? $({ $($field),* })? => {
                        u64::pack(&$number, to);
                        $($($value.pack(to);)*)?
                        $($($field.pack(to);)*)?
                    })*
                }
            }

            fn unpack(from: &mut Unpacker<'_>) -> Result<$type, UnpackError> {
                Ok(match u64::unpack(from)? {
                    $($number => {
                        $($(let $value = Packed::unpack(from)?;)*)?
                        $($(let $field = Packed::unpack(from)?;)*)?
                        $type::$variant $(($($value),*))? $({ $($field),* })?
                    })*
                    number => return Err(UnpackError::NoVariant($kind, number)),
                })
            }
        }
    };
}

pub(super) use {choice, record};
