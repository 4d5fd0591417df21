//! For any bytes: either an error, or a proposal that has these bytes again.

use parlor_wire::pack::UnpackError;
use parlor_wire::pack::proposal::{FORMAT, pack, unpack};

/// The bytes are a proposal, and also the part after the format.
pub(crate) fn run(data: &[u8]) {
    check(data);
    check(&[&[FORMAT as u8], data].concat());
}

fn check(bytes: &[u8]) {
    match unpack(bytes) {
        Ok(proposal) => assert_eq!(pack(&proposal).as_deref(), Ok(bytes)),
        Err(UnpackError::NewerFormat(format)) => assert!(format > FORMAT),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
