//! The programs in front of this server, whose word about their clients is believed. Knows no
//! header.

use std::fmt;
use std::net::IpAddr;

use parlor_core::model::Net;

use crate::config::InvalidValue;

/// The sources of a list in a URL.
#[derive(Clone, Default)]
pub(crate) struct TrustedSources(pub(super) Vec<TrustedSource>);

/// Where trusted programs come from.
#[derive(Clone, PartialEq)]
pub(super) enum TrustedSource {
    /// These addresses.
    Net(Net),
    /// A Unix socket.
    Unix,
}

impl TrustedSources {
    /// Whether a connection from this address, or from a Unix socket, is that of a trusted program.
    pub(super) fn include(&self, ip: Option<IpAddr>) -> bool {
        self.0.iter().any(|source| match (source, ip) {
            (TrustedSource::Unix, None) => true,
            (TrustedSource::Net(net), Some(ip)) => Net::of(ip, net.bits()) == Some(*net),
            _ => false,
        })
    }
}

impl TrustedSource {
    /// Reads `10.0.0.0/8`, `192.0.2.7` or `unix`.
    pub(super) fn read(text: &str) -> Result<TrustedSource, InvalidValue> {
        // A single address of IPv6 is that address, and not its household as in a ban.
        let alone = |ip: IpAddr| Net::of(ip, if ip.is_ipv4() { 32 } else { 128 });
        let net = match text {
            "unix" => return Ok(TrustedSource::Unix),
            text if text.contains('/') => Net::parse(text),
            text => text.parse().ok().and_then(|ip: IpAddr| alone(ip.to_canonical())),
        };
        net.map(TrustedSource::Net).ok_or_else(|| {
            InvalidValue::new(format!(
                "{text:?} is not a range of addresses; write 127.0.0.1, 10.0.0.0/8, 2001:db8::/32, or unix"
            ))
        })
    }
}

impl fmt::Display for TrustedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrustedSource::Net(net) => net.fmt(f),
            TrustedSource::Unix => f.write_str("unix"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_sources_are_trusted() {
        let sources = ["10.0.0.0/8", "127.0.0.1", "2001:db8::1", "unix"];
        let sources = sources.map(|text| TrustedSource::read(text).unwrap());
        let trusted = TrustedSources(sources.to_vec());
        let includes = |ip: &str| trusted.include(Some(ip.parse().unwrap()));
        assert!(includes("10.255.0.1") && includes("127.0.0.1") && includes("2001:db8::1"));
        assert!(!includes("11.0.0.1") && !includes("127.0.0.2") && !includes("2001:db8::2"));
        assert!(trusted.include(None) && !TrustedSources::default().include(None));
        for wrong in ["", "10.0.0.0/33", "localhost", "10.0.0.1:80", "[::1]"] {
            assert!(TrustedSource::read(wrong).is_err(), "{wrong}");
        }
    }
}
