//! HOST:PORT, for listening and for joining. Asks no resolver, and opens no socket.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::units::{InvalidValue, whole};

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The host: a machine, or some interfaces of this one.
    pub host: Host,
    /// The TCP port.
    pub port: u16,
}

impl Address {
    /// Reads `HOST` or `HOST:PORT`; without a port, takes `default_port`.
    ///
    /// # Errors
    /// A sentence if the host or the port is wrong.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, InvalidValue> {
        let (host, port) = split_port(text)?;
        Ok(Self { host, port: port.unwrap_or(default_port) })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Reads `HOST` or `HOST:PORT`.
pub(super) fn split_port(text: &str) -> Result<(Host, Option<u16>), InvalidValue> {
    if !text.starts_with('[') && text.matches(':').count() > 1 {
        return Err(InvalidValue::new(format!(
            "{text:?} is not a host; write an IPv6 address in brackets, as in [::1]:8000"
        )));
    }
    // A port follows the last colon; one inside brackets belongs to the address.
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(read_port(port)?)),
        _ => (text, None),
    };
    Ok((host.parse()?, port))
}

fn read_port(text: &str) -> Result<u16, InvalidValue> {
    whole(text).filter(|_| !text.is_empty()).and_then(|port| u16::try_from(port).ok()).ok_or_else(
        || InvalidValue::new(format!("{text:?} is not a port; write a number from 0 to 65535")),
    )
}

/// A machine by name or by address, or every interface of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// `*`: all interfaces, IPv4 and IPv6.
    All,
    /// `192.0.2.7` or `[2001:db8::7]`.
    Ip(IpAddr),
    /// `[fe80::7%eth0]`: an address that is valid only on the link behind an interface of this
    /// machine (RFC 4007).
    Scoped(Ipv6Addr, String),
    /// A name for the resolver, in lower case.
    Name(String),
}

impl Host {
    /// Reads `2001:db8::7`, or `fe80::7%eth0` with the interface.
    ///
    /// # Errors
    ///
    /// A sentence if it is neither.
    pub fn ipv6(text: &str) -> Result<Self, InvalidValue> {
        let (address, zone) = match text.split_once('%') {
            Some((address, zone)) => (address, Some(zone)),
            None => (text, None),
        };
        let ip: Ipv6Addr = address
            .parse()
            .map_err(|_| InvalidValue::new(format!("{text:?} is not an IPv6 address")))?;
        match zone {
            None => Ok(Self::Ip(ip.into())),
            Some(zone) if is_interface(zone) => Ok(Self::Scoped(ip, zone.to_owned())),
            Some(zone) => Err(InvalidValue::new(format!(
                "{zone:?} is not an interface; write it as in fe80::7%eth0"
            ))),
        }
    }

    /// The host and a port, for the system's resolver, which knows the numbers of interfaces.
    pub fn to_lookup(&self, port: u16) -> (String, u16) {
        let host = self.to_string();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        (bare.map_or(host.clone(), str::to_owned), port)
    }

    /// Whether only this machine can reach it. Names other than localhost are not resolved.
    pub fn is_this_machine(&self) -> bool {
        match self {
            Self::All | Self::Scoped(..) => false,
            Self::Ip(ip) => ip.to_canonical().is_loopback(),
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

impl FromStr for Host {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Self::ipv6(inside);
        }
        match text {
            "" => {
                Err(InvalidValue::new("no host; write a name, an address, or * for all interfaces"))
            }
            "*" => Ok(Self::All),
            _ => {
                text.parse::<Ipv4Addr>().map(|ip| Self::Ip(ip.into())).or_else(|_| read_name(text))
            }
        }
    }
}

/// Whether an interface could have this name; Linux allows more, but nobody uses it.
fn is_interface(zone: &str) -> bool {
    let may_hold = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.', '@'].contains(&c);
    !zone.is_empty() && zone.chars().all(may_hold)
}

/// Reads a name of the domain name system. A name that ends in digits is a mistyped IPv4 address.
fn read_name(text: &str) -> Result<Host, InvalidValue> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let labels_are_words =
        text.split('.').all(|label| !label.is_empty() && label.bytes().all(word));
    let last = text.rsplit('.').next().unwrap_or_default();
    if labels_are_words && whole(last).is_none() {
        Ok(Host::Name(text.to_ascii_lowercase()))
    } else {
        Err(InvalidValue::new(format!("{text:?} is not a host name or an IPv4 address")))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Scoped(ip, zone) => write!(f, "[{ip}%{zone}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use proptest::prelude::*;

    use super::Address;

    fn round(text: &str) -> String {
        Address::parse(text, 8000).unwrap().to_string()
    }

    fn refusal(text: &str) -> String {
        Address::parse(text, 8000).unwrap_err().to_string()
    }

    #[test]
    fn a_port_may_be_left_out() {
        assert_eq!(round("Chat.Example.org"), "chat.example.org:8000");
        assert_eq!(round("*:0"), "*:0");
        assert_eq!(round("192.0.2.7:90"), "192.0.2.7:90");
        assert_eq!(round("[::1]"), "[::1]:8000");
        assert_eq!(round("[fe80::7%eth0]:90"), "[fe80::7%eth0]:90");
        assert_eq!(round("[2001:db8::7]:65535"), "[2001:db8::7]:65535");
    }

    #[test]
    fn refusals_say_what_would_be_right() {
        for (text, sentence) in [
            ("", "no host; write a name, an address, or * for all interfaces"),
            (":8000", "no host; write a name, an address, or * for all interfaces"),
            ("::1", "\"::1\" is not a host; write an IPv6 address in brackets, as in [::1]:8000"),
            ("[::1", "\"[:\" is not a host name or an IPv4 address"),
            ("[::g]:1", "\"::g\" is not an IPv6 address"),
            ("[fe80::7%]:1", "\"\" is not an interface; write it as in fe80::7%eth0"),
            ("localhost:", "\"\" is not a port; write a number from 0 to 65535"),
            ("localhost:65536", "\"65536\" is not a port; write a number from 0 to 65535"),
            ("localhost:+1", "\"+1\" is not a port; write a number from 0 to 65535"),
            ("256.1.1.1", "\"256.1.1.1\" is not a host name or an IPv4 address"),
            ("me@host", "\"me@host\" is not a host name or an IPv4 address"),
            ("a..b", "\"a..b\" is not a host name or an IPv4 address"),
        ] {
            assert_eq!(refusal(text), sentence, "{text:?}");
        }
    }

    #[test]
    fn only_loopback_is_this_machine() {
        let here = |text| Address::parse(text, 1).unwrap().host.is_this_machine();
        assert!(
            here("localhost") && here("127.3.2.1") && here("[::1]") && here("[::ffff:127.0.0.1]")
        );
        assert!(!here("*") && !here("0.0.0.0") && !here("[::]") && !here("chat.example.org"));
    }

    proptest! {
        #[test]
        fn an_address_prints_and_reads_back_the_same(text in r"([a-z0-9.*_:%\[\]-]{0,12}|\PC*)(:[0-9]{0,5})?") {
            if let Ok(address) = Address::parse(&text, 8000) {
                prop_assert_eq!(Address::parse(&address.to_string(), 1), Ok(address));
            }
        }
    }
}
