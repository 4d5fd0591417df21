//! The values of the options for certificates from an authority (ACME). Asks no authority.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::units::InvalidValue;

/// The longest name of a host (RFC 1035, section 2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// The longest part of such a name.
const LABEL_BYTES_MAX: usize = 63;

/// How the authority checks that the names belong to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AcmeChallenge {
    /// At port 443, in the handshake of any door with TLS
    Tls,
    /// At port 80, with a request to a web door
    Http,
}

/// The options for a certificate from an authority.
#[derive(Debug, Clone)]
pub(crate) struct AcmeOptions {
    /// The names in the certificate.
    pub(crate) names: Vec<String>,
    /// The address of the authority's directory.
    pub(crate) directory: String,
    /// The certificates by which the authority is known; none for those that this machine trusts.
    pub(crate) ca: Option<PathBuf>,
}

/// Parses a name for a certificate.
pub(super) fn name(typed: &str) -> Result<String, InvalidValue> {
    let name = typed.strip_suffix('.').unwrap_or(typed).to_ascii_lowercase();
    if name.starts_with("*.") {
        return Err(InvalidValue::new(
            "the authority checks each name at the doors of this server, which cannot show that all names \
             below a domain belong to it; write each name, as in chat.example.org",
        ));
    }
    if !name.is_ascii() {
        return Err(InvalidValue::new(
            "write a name with other letters in its ASCII form, as in xn--bcher-kva.example",
        ));
    }
    let is_label = |label: &str| {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(is_sign)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // The last part of an address is a number, and authorities know names of the internet only.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_address = last.bytes().all(|byte| byte.is_ascii_digit());
    match name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label) && !is_address {
        true => Ok(name),
        false => Err(InvalidValue::new(
            "write the name of a host, as in chat.example.org, without a port; authorities give no \
             certificate to an address",
        )),
    }
}

/// Parses the address of mail to the operator.
pub(super) fn contact(typed: &str) -> Result<String, InvalidValue> {
    // RFC 8555, section 7.3: one address, and no fields of the header behind it.
    let is_sign = |c: char| c.is_ascii_graphic() && !"?,<>\"%:/".contains(c);
    let is_mail = typed
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    match is_mail && typed.chars().all(is_sign) {
        true => Ok(typed.to_owned()),
        false => Err(InvalidValue::new("write one address for mail, as in admin@example.org")),
    }
}

/// Parses the address of an authority's directory.
pub(super) fn directory(typed: &str) -> Result<String, InvalidValue> {
    let address: Option<hyper::Uri> = typed.parse().ok();
    let is_https = address.as_ref().is_some_and(|address| {
        let user = address.authority().is_some_and(|authority| authority.as_str().contains('@'));
        address.scheme_str() == Some("https") && address.host().is_some() && !user
    });
    match is_https {
        true => Ok(typed.to_owned()),
        false => Err(InvalidValue::new(
            "write the address of the authority's directory, as in https://acme-v02.api.letsencrypt.org/directory",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{contact, directory, name};

    #[test]
    fn names_are_those_of_hosts() {
        for (typed, read) in [
            ("chat.example.org", "chat.example.org"),
            ("Chat.Example.ORG.", "chat.example.org"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("4chan.example", "4chan.example"),
        ] {
            assert_eq!(name(typed).as_deref(), Ok(read));
        }
        for wrong in ["", ".", "a..b", "-a.b", "a-.b", "a_b.c", "a b", "a:443", "192.0.2.7", "::1"]
        {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
        assert!(name(&format!("{}.example", "a".repeat(64))).is_err());
        assert!(name(&["a"; 128].join(".")).is_err());
        let refusal = |typed| name(typed).map_or_else(|error| error.to_string(), |_| String::new());
        assert!(refusal("*.example.org").contains("write each name"));
        assert!(refusal("bücher.example").contains("ASCII form"));
    }

    #[test]
    fn a_contact_is_one_address_and_a_directory_has_https() {
        assert!(contact("admin@example.org").is_ok() && contact("a.b+c@d").is_ok());
        for wrong in
            ["", "admin", "@b", "a@", "a@b@c", "a@b,c@d", "a@b?subject=x", "a@b c", "mailto:a@b"]
        {
            assert!(contact(wrong).is_err(), "{wrong:?}");
        }
        assert!(directory("https://localhost:14000/dir").is_ok());
        for wrong in
            ["", "acme.example", "http://acme.example/", "https://", "https://a b/", "https://u@a/"]
        {
            assert!(directory(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn anything_may_be_typed(text in "\\PC*|(https://)?[a-z@.:/*-]*") {
            let _ = (name(&text), contact(&text), directory(&text));
        }
    }
}
