//! The facts of a certificate are read back, whatever else it says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "it needs one of the bodies")]
mod fuzz_bodies;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use parlor_wire::certificate::CertificateFacts;
use proptest::collection::vec;
use proptest::prelude::*;

/// A part with its head.
fn part(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..0x80 => vec![length as u8],
        0x80..0x100 => vec![0x81, length as u8],
        _ => vec![0x82, (length >> 8) as u8, length as u8],
    };
    [&[tag], &head[..], content].concat()
}

/// A time in the form that RFC 5280 demands: two digits of the year until 2049.
fn time(seconds: i64) -> Vec<u8> {
    let time = TimeZone::UTC.to_datetime(Timestamp::from_second(seconds).unwrap());
    match time.year() {
        1950..2050 => part(0x17, time.strftime("%y%m%d%H%M%SZ").to_string().as_bytes()),
        _ => part(0x18, time.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes()),
    }
}

/// A certificate that nobody has signed.
fn certificate(life: [i64; 2], serial: &[u8], key: Option<&[u8]>, other: &[u8]) -> Vec<u8> {
    let sequence = |parts: &[Vec<u8>]| part(0x30, &parts.concat());
    let named = |name: &[u8], value: &[u8]| sequence(&[part(0x06, name), part(0x04, value)]);
    let key = key.map(|key| named(&[0x55, 0x1d, 0x23], &sequence(&[part(0x80, key)])));
    let extensions = [Some(named(&[0x55, 0x1d, 0x11], other)), key].map(Option::unwrap_or_default);
    let facts = [
        part(0xa0, &[2, 1, 2]),
        part(0x02, serial),
        sequence(&[part(0x06, &[0x2a, 3])]),
        sequence(&[part(0x31, other)]),
        sequence(&life.map(time)),
        sequence(&[]),
        sequence(&[part(0x03, other)]),
        part(0xa3, &sequence(&extensions)),
    ];
    sequence(&[sequence(&facts), sequence(&[part(0x06, &[0x2a, 3])]), part(0x03, &[0, 7])])
}

#[test]
fn the_name_of_a_certificate_is_that_of_the_rfc() {
    // RFC 9773, section 4.1.
    let key = b"\x69\x88\x5b\x6b\x87\x46\x40\x41\xe1\xb3\x7b\x84\x7b\xa0\xae\x2c\xde\x01\xc8\xd4";
    let whole = certificate([0, 1], &[0, 0x87, 0x65, 0x43, 0x21], Some(key), b"");
    let facts = CertificateFacts::read(&whole).unwrap();
    assert_eq!(facts.renewal_id.as_deref(), Some("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"));
}

/// From 1950 to the year 9999.
const TIMES: std::ops::Range<i64> = -631_152_000..253_402_207_200;

proptest! {
    #[test]
    fn the_facts_of_a_certificate_are_read_back(
        life in [TIMES, TIMES], serial in vec(any::<u8>(), 1..20), other in vec(any::<u8>(), 0..400),
        key in proptest::option::of(vec(any::<u8>(), 1..30)), cut in any::<proptest::sample::Index>(),
    ) {
        let whole = certificate(life, &serial, key.as_deref(), &other);
        let facts = CertificateFacts::read(&whole).unwrap();
        prop_assert_eq!([facts.not_before, facts.not_after], life);
        prop_assert_eq!(facts.renewal_id.is_some(), key.is_some());
        fuzz_bodies::certificate::run(&whole);
        let cut = &whole[..cut.index(whole.len())];
        prop_assert_eq!(CertificateFacts::read(cut), None);
    }

    #[test]
    fn any_bytes_may_come_in_place_of_a_certificate(
        bytes in vec(any::<u8>(), 0..60), place in any::<proptest::sample::Index>(), byte in any::<u8>(),
    ) {
        fuzz_bodies::certificate::run(&bytes);
        let mut spoiled = certificate([0, 1], &bytes, Some(&bytes), &bytes);
        let place = place.index(spoiled.len());
        spoiled[place] = byte;
        fuzz_bodies::certificate::run(&spoiled);
    }
}
