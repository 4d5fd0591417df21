//! For any bytes: either an error, or a question to another node that has these bytes again; and the
//! same for an answer.

use parlor_wire::pack::UnpackError;
use parlor_wire::pack::carried::{FORMAT, pack, pack_answer, unpack, unpack_answer};

/// The bytes are a question and an answer, and also the part after each format.
pub(crate) fn run(data: &[u8]) {
    check(data);
    for format in 1..=FORMAT {
        check(&[&[format as u8], data].concat());
    }
}

fn check(bytes: &[u8]) {
    let again = unpack(bytes).map(|question| pack(&question));
    is_same(bytes, again.map(Result::ok));
    let again = unpack_answer(bytes).map(|answer| pack_answer(&answer));
    is_same(bytes, again.map(Result::ok));
}

fn is_same(bytes: &[u8], again: Result<Option<Vec<u8>>, UnpackError>) {
    match again {
        Ok(again) => assert_eq!(again.as_deref(), Some(bytes)),
        Err(UnpackError::NewerFormat(format)) => assert!(format > 1),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
