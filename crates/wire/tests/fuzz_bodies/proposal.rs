//! For any bytes: either an error, or a proposal that has these bytes again, whether its seals can be
//! opened or not.

use parlor_wire::pack::proposal::{pack, unpack};
use parlor_wire::pack::sealed::{Cipher, open};
use parlor_wire::pack::{NEWEST, UnpackError};

/// A cipher that changes nothing, so that sealed bytes are read, too.
struct NoCipher;

impl Cipher for NoCipher {
    fn seal(&self, _key: u64, bytes: Vec<u8>) -> Option<Vec<u8>> {
        Some(bytes)
    }

    fn open(&self, _key: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        Some(sealed.to_vec())
    }
}

/// The bytes are a proposal, and also the part after the format.
pub(crate) fn run(data: &[u8]) {
    check(data);
    check(&[&[NEWEST.0 as u8], data].concat());
}

fn check(bytes: &[u8]) {
    match unpack(bytes, NEWEST) {
        Ok(mut proposal) => {
            assert_eq!(pack(&proposal, NEWEST).as_deref(), Ok(bytes));
            proposal.intents.iter_mut().for_each(|intent| open(intent, &NoCipher));
            assert_eq!(pack(&proposal, NEWEST).as_deref(), Ok(bytes));
        }
        Err(UnpackError::NewerFormat(format)) => assert!(format > NEWEST.0),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
