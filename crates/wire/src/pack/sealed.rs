//! Values that can be erased from the order of several nodes, as bytes. Knows no cipher.
//!
//! | value | bytes |
//! |---|---|
//! | not sealed | the number 0, then the value |
//! | sealed lines | the number 1, the number of lines, the number of the key, a list of bytes |
//! | another sealed value | the number 1, the number of the key, a list of bytes |
//!
//! The list is for a [cipher](Cipher), which makes it of the bytes of the value.

use std::sync::Arc;

use parlor_core::intent::{BYTES_MAX, ErasableOf, Intent};
use parlor_core::ledger::{Account, SealedMessage};
use parlor_core::model::{Blank, Erasable, Hashed, Seal, SealKey, Spoken};

use super::bytes::{Packed, Packer, TOO_SHORT, UnpackError, Unpacker};

/// Something with keys that seals values and opens seals.
pub trait Cipher {
    /// Seals bytes with the key of this number; none without the key.
    fn seal(&self, key: u64, bytes: Vec<u8>) -> Option<Vec<u8>>;

    /// Opens sealed bytes; none without the key, or if this is no seal with it.
    fn open(&self, key: u64, sealed: &[u8]) -> Option<Vec<u8>>;
}

/// Seals the value of an intent with the key that it names. Returns false without that key.
#[must_use]
pub fn seal(intent: &mut Intent, cipher: &impl Cipher) -> bool {
    match intent.erasable() {
        None => true,
        Some(ErasableOf::Lines(lines)) => seal_value(lines, cipher),
        Some(ErasableOf::Password(password)) => seal_value(password, cipher),
        Some(ErasableOf::Token(token)) => seal_value(token, cipher),
        Some(ErasableOf::Message(message)) => seal_value(message, cipher),
    }
}

/// Opens the seal of an intent, if the cipher can. If not, the blank stays.
pub fn open(intent: &mut Intent, cipher: &impl Cipher) {
    match intent.erasable() {
        None => {}
        Some(ErasableOf::Lines(lines)) => open_value(lines, cipher),
        Some(ErasableOf::Password(password)) => open_value(password, cipher),
        Some(ErasableOf::Token(token)) => open_value(token, cipher),
        Some(ErasableOf::Message(message)) => open_value(message, cipher),
    }
}

/// Opens the seals of an account, as far as the cipher can.
pub fn open_account(account: &mut Account, cipher: &impl Cipher) {
    open_value(&mut account.password, cipher);
    account.token.iter_mut().for_each(|token| open_value(token, cipher));
}

/// Opens the seal of a kept message, if the cipher can.
pub fn open_message(message: &mut SealedMessage, cipher: &impl Cipher) {
    open_value(&mut message.spoken, cipher);
}

fn seal_value<T: Sealable>(erasable: &mut Erasable<T>, cipher: &impl Cipher) -> bool {
    let Some(seal) = &mut erasable.seal else {
        return true;
    };
    let SealKey::Number(key) = seal.key else {
        return false;
    };
    let mut plain = Packer::default();
    erasable.value.pack(&mut plain);
    let sealed = plain.finish(BYTES_MAX).ok().and_then(|plain| cipher.seal(key, plain));
    let Some(sealed) = sealed else {
        return false;
    };
    seal.bytes = sealed.into();
    true
}

fn open_value<T: Sealable>(erasable: &mut Erasable<T>, cipher: &impl Cipher) {
    let Some(Seal { key: SealKey::Number(key), bytes }) = erasable.seal.as_deref() else {
        return;
    };
    let opened = cipher.open(*key, bytes).and_then(|plain| unpack_value::<T>(&plain));
    if let Some(value) = opened.filter(|value| value.fits(&erasable.value)) {
        erasable.value = value;
    }
}

fn unpack_value<T: Packed>(plain: &[u8]) -> Option<T> {
    let mut unpacker = Unpacker::new(plain, BYTES_MAX).ok()?;
    let value = T::unpack(&mut unpacker).ok()?;
    unpacker.finish().ok()?;
    Some(value)
}

/// A value that can be sealed.
trait Sealable: Packed + Blank {
    /// Appends what everybody knows about the value.
    fn pack_blank(&self, _to: &mut Packer) {}

    /// Takes that.
    fn unpack_blank(from: &mut Unpacker<'_>) -> Result<Self, UnpackError>;

    /// Whether this value can stand in the place of a blank.
    fn fits(&self, _blank: &Self) -> bool {
        true
    }
}

impl Sealable for Vec<Spoken> {
    fn pack_blank(&self, to: &mut Packer) {
        self.len().pack(to);
    }

    fn unpack_blank(from: &mut Unpacker<'_>) -> Result<Vec<Spoken>, UnpackError> {
        let lines = usize::unpack(from)?;
        // Each line has at least a byte among the sealed ones.
        match lines <= from.rest_len() {
            true => Ok((0..lines).map(|_| Spoken::gone()).collect()),
            false => Err(TOO_SHORT),
        }
    }

    fn fits(&self, blank: &Vec<Spoken>) -> bool {
        self.len() == blank.len()
    }
}

impl Sealable for Spoken {
    fn unpack_blank(_from: &mut Unpacker<'_>) -> Result<Spoken, UnpackError> {
        Ok(Spoken::gone())
    }
}

impl Sealable for Arc<str> {
    fn unpack_blank(_from: &mut Unpacker<'_>) -> Result<Arc<str>, UnpackError> {
        Ok("".into())
    }
}

impl Sealable for Hashed {
    fn unpack_blank(_from: &mut Unpacker<'_>) -> Result<Hashed, UnpackError> {
        Ok(Hashed([0; 32]))
    }
}

impl<T: Sealable> Packed for Erasable<T> {
    fn pack(&self, to: &mut Packer) {
        self.seal.is_some().pack(to);
        match self.seal.as_deref() {
            None => self.value.pack(to),
            Some(Seal { key: SealKey::Number(key), bytes }) if !bytes.is_empty() => {
                self.value.pack_blank(to);
                key.pack(to);
                bytes.len().pack(to);
                to.raw(bytes);
            }
            Some(_) => to.refuse(), // it is to be sealed first
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Erasable<T>, UnpackError> {
        if !bool::unpack(from)? {
            return T::unpack(from).map(Erasable::from);
        }
        let value = T::unpack_blank(from)?;
        let key = SealKey::Number(u64::unpack(from)?);
        let len = usize::unpack(from)?;
        let bytes: Arc<[u8]> = from.slice(len)?.into();
        match bytes.is_empty() {
            true => Err(UnpackError::Malformed("a seal is empty")),
            false => Ok(Erasable { value, seal: Some(Box::new(Seal { key, bytes })) }),
        }
    }
}
