//! The life of a certificate (X.509, RFC 5280), and the name by which its authority knows it. Checks
//! no signature.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The tags of the parts that are read (DER, ITU-T X.690).
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const KEY_IDENTIFIER: u8 = 0x80;

/// The extension that names the key of the authority: 2.5.29.35.
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];

/// The life of a certificate, and its name at the authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The begin of its life, in seconds since 1970.
    pub not_before: i64,
    /// The end of its life, in seconds since 1970.
    pub not_after: i64,
    /// The name by which its authority knows it (RFC 9773, section 4.1); none if it does not name
    /// the key of its authority.
    pub renewal_id: Option<String>,
}

impl CertificateFacts {
    /// Reads the DER of a certificate. None if it is not one.
    pub fn read(certificate: &[u8]) -> Option<CertificateFacts> {
        let (signed, _) = part(certificate, SEQUENCE)?;
        let (mut facts, _) = part(signed, SEQUENCE)?;
        if let Some((_, rest)) = part(facts, VERSION) {
            facts = rest;
        }
        let (serial, rest) = part(facts, INTEGER)?;
        let (_, rest) = part(rest, SEQUENCE)?; // the algorithm of the signature
        let (_, rest) = part(rest, SEQUENCE)?; // the name of the authority
        let (life, rest) = part(rest, SEQUENCE)?;
        let (not_before, life) = time(life)?;
        let (not_after, _) = time(life)?;
        let encoded = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let renewal_id =
            authority_key(rest).map(|key| format!("{}.{}", encoded(key), encoded(serial)));
        Some(CertificateFacts { not_before, not_after, renewal_id })
    }
}

/// The first part of `bytes` without its head, and the rest. None unless it has this tag and is
/// whole.
fn part(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = any_part(bytes)?;
    (found == tag).then_some((content, rest))
}

/// The tag and the content of the first part of `bytes`, and the rest.
fn any_part(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], mut rest) = bytes.split_first_chunk()?;
    let length = match short {
        0..=0x7f => usize::from(short),
        // The number of bytes of the length; no certificate is longer than three bytes can say.
        0x81..=0x83 => {
            let (long, behind) = rest.split_at_checked(usize::from(short & 0x7f))?;
            rest = behind;
            long.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A time in seconds since 1970, and the rest. A year of two digits is from 1950 to 2049 (RFC 5280,
/// section 4.1.2.5.1).
fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (tag, digits, rest) = any_part(bytes)?;
    let digits =
        digits.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let mut numbers = digits.chunks_exact(2).map(|two| {
        let [tens, ones] = *two else { return 0 };
        i16::from(tens - b'0') * 10 + i16::from(ones - b'0')
    });
    let year = match (tag, digits.len()) {
        (UTC_TIME, 12) => numbers.next().map(|year| year + if year < 50 { 2000 } else { 1900 })?,
        (GENERALIZED_TIME, 14) => numbers.next()? * 100 + numbers.next()?,
        _ => return None,
    };
    let mut number = || numbers.next().and_then(|number| i8::try_from(number).ok());
    let [month, day, hour, minute, second] =
        [number()?, number()?, number()?, number()?, number()?];
    let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some((TimeZone::UTC.to_timestamp(time).ok()?.as_second(), rest))
}

/// The identifier of the authority's key, in the parts of a certificate behind its life.
fn authority_key(mut bytes: &[u8]) -> Option<&[u8]> {
    let mut extensions = loop {
        let (tag, content, rest) = any_part(bytes)?;
        if tag == EXTENSIONS {
            break part(content, SEQUENCE)?.0;
        }
        bytes = rest;
    };
    loop {
        let (extension, rest) = part(extensions, SEQUENCE)?;
        extensions = rest;
        let (name, behind) = part(extension, OBJECT)?;
        if name == AUTHORITY_KEY {
            let (value, _) = part(behind, OCTETS)?; // it is never critical
            let (identifiers, _) = part(value, SEQUENCE)?;
            return part(identifiers, KEY_IDENTIFIER).map(|(key, _)| key);
        }
    }
}
