//! For any bytes: either an error, or a snapshot that has these bytes again and that a ledger can
//! continue from; and either an error, or a chunk of one that has these bytes again.

use parlor_core::ledger::Ledger;
use parlor_wire::pack::snapshot::{pack, unpack};
use parlor_wire::pack::{NEWEST, UnpackError, chunk};

/// The bytes are a snapshot, and also the part after the format.
pub(crate) fn run(data: &[u8]) {
    check(data);
    check(&[&[NEWEST.0 as u8], data].concat());
}

fn check(bytes: &[u8]) {
    check_chunk(bytes);
    match unpack(bytes, NEWEST) {
        Ok(snapshot) => {
            assert_eq!(pack(&snapshot, NEWEST).as_deref(), Ok(bytes));
            let own = Ledger::restore(snapshot).snapshot(); // without rooms that have nothing
            assert_eq!(Ledger::restore(own.clone()).snapshot(), own);
        }
        Err(UnpackError::NewerFormat(format)) => assert!(format > NEWEST.0),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn check_chunk(bytes: &[u8]) {
    match chunk::unpack(bytes) {
        Ok(chunk) => {
            assert_eq!(chunk::pack(chunk.number, chunk.whole, &chunk.bytes).as_deref(), Ok(bytes));
        }
        Err(UnpackError::NewerFormat(format)) => assert!(format > chunk::FORMAT),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
