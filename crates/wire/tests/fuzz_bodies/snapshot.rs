//! For any bytes: either an error, or a snapshot that has these bytes again and that a ledger can
//! continue from.

use parlor_core::ledger::Ledger;
use parlor_wire::pack::UnpackError;
use parlor_wire::pack::snapshot::{FORMAT, pack, unpack};

/// The bytes are a snapshot, and also the part after the format.
pub(crate) fn run(data: &[u8]) {
    check(data);
    check(&[&[FORMAT as u8], data].concat());
}

fn check(bytes: &[u8]) {
    match unpack(bytes) {
        Ok(snapshot) => {
            assert_eq!(pack(&snapshot).as_deref(), Ok(bytes));
            let own = Ledger::restore(snapshot).snapshot(); // without rooms that have nothing
            assert_eq!(Ledger::restore(own.clone()).snapshot(), own);
        }
        Err(UnpackError::NewerFormat(format)) => assert!(format > FORMAT),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
