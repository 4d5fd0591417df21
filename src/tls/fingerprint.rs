//! The fingerprint by which people recognise a certificate. Knows no connection.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::config::InvalidValue;

/// The SHA-256 digest of a certificate. It is shown as browsers and openssl show it: `AB:CD:...`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; SHA256_OUTPUT_LEN]);

impl Fingerprint {
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Fingerprint(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidValue;

    /// Reads `AB:CD:...`, also in lower case, without the colons, or behind `SHA256` and a colon or
    /// a blank.
    fn from_str(text: &str) -> Result<Fingerprint, InvalidValue> {
        let digits = without_algorithm(text.trim());
        let pairs: Vec<&[u8]> = match digits.contains(':') {
            true => digits.split(':').map(str::as_bytes).collect(),
            false => digits.as_bytes().chunks(2).collect(),
        };
        let bytes: Option<Vec<u8>> = pairs.into_iter().map(byte).collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Fingerprint).ok_or_else(|| {
            InvalidValue::new("write a SHA256 fingerprint as the server prints it, AB:CD:..., with 64 hexadecimal digits")
        })
    }
}

/// The text behind `SHA256:` or `SHA256 `.
fn without_algorithm(text: &str) -> &str {
    match text.split_at_checked("SHA256".len()) {
        Some((name, digits)) if name.eq_ignore_ascii_case("SHA256") => {
            digits.strip_prefix([':', ' ']).unwrap_or(text).trim_start()
        }
        _ => text,
    }
}

/// The byte that two hexadecimal digits write.
fn byte(pair: &[u8]) -> Option<u8> {
    let [high, low] = pair else {
        return None;
    };
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use proptest::prelude::*;

    use super::Fingerprint;

    proptest! {
        #[test]
        fn a_fingerprint_reads_back_in_every_form(bytes: [u8; 32]) {
            let fingerprint = Fingerprint(bytes);
            let shown = fingerprint.to_string();
            let bare = shown.replace(':', "");
            for form in [
                shown.to_lowercase(),
                format!("SHA256:{shown}"),
                format!("sha256 {bare}"),
                format!(" {} ", bare.to_lowercase()),
                format!("Sha256: {bare}"),
                bare,
                shown,
            ] {
                prop_assert_eq!(form.parse(), Ok(fingerprint), "{}", form);
            }
        }

        #[test]
        fn a_fingerprint_with_a_mistake_is_refused(
            bytes: [u8; 32],
            at in 0..64_usize,
            wrong in "[^0-9A-Fa-f]|[0-9a-f]{2}|",
        ) {
            let mut bare = Fingerprint(bytes).to_string().replace(':', "");
            bare.replace_range(at..=at, &wrong);
            let named = format!("SHA256:{bare}");
            for text in [bare, named] {
                prop_assert!(text.parse::<Fingerprint>().is_err(), "{}", text);
            }
        }

        #[test]
        fn anything_may_be_typed(text in "\\PC*|(SHA256[: ]?)?([0-9A-F]{2}:?)*") {
            let read: Result<Fingerprint, _> = text.parse();
            if let Ok(fingerprint) = read {
                prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
            }
        }
    }

    #[test]
    fn colons_stand_between_all_bytes_or_none() {
        let shown = Fingerprint([0xAB; 32]).to_string();
        for wrong in [
            "",
            "SHA256:",
            "SHA1:ABAB",
            &shown.replacen(':', "", 1),
            &format!("{shown}:"),
            &format!(":{shown}"),
            &shown.replace(':', " "),
            &format!("SHA256{shown}"),
        ] {
            let refusal = wrong.parse::<Fingerprint>().unwrap_err().to_string();
            assert!(refusal.contains("with 64 hexadecimal digits"), "{wrong}: {refusal}");
        }
    }
}
