//! The target of an act: everybody, a name, or addresses. Does not know which people are connected.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::name::{Name, NameError};

/// The target of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Everybody: the act has no single target.
    Everybody,
    /// The person with this name, or with one that looks like it.
    Name(Name),
    /// Everybody who comes from these addresses.
    Net(Net),
}

impl Whom {
    /// Parses an address, a range of addresses, or a name.
    ///
    /// # Errors
    /// The text is none of these; the error says why it is no name.
    pub fn parse(typed: &str) -> Result<Whom, NameError> {
        match Net::parse(typed) {
            Some(net) => Ok(Whom::Net(net)),
            None => Name::parse_owned(typed).map(Whom::Name), // the owner may be here
        }
    }

    /// The name, if this is a name.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Whom::Name(name) => Some(name),
            Whom::Everybody | Whom::Net(_) => None,
        }
    }

    /// Whether it is this name, in upper or lower case.
    pub(crate) fn is_called(&self, name: &Name) -> bool {
        self.name().is_some_and(|own| own.is_same(name))
    }

    /// Whether both mean the same.
    pub fn is_same(&self, other: &Whom) -> bool {
        match other.name() {
            Some(name) => self.is_called(name),
            None => self == other,
        }
    }

    /// Whether a person with this name and this address is meant.
    pub fn includes(&self, name: &Name, address: Option<SocketAddr>) -> bool {
        match self {
            Whom::Everybody => true,
            Whom::Name(meant) => meant.looks_like(name),
            Whom::Net(net) => address.is_some_and(|address| net.contains(address.ip())),
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whom::Everybody => Ok(()),
            Whom::Name(name) => name.fmt(f),
            Whom::Net(net) => net.fmt(f),
        }
    }
}

/// A range of addresses: all that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    first: IpAddr,
    bits: u8,
}

/// The length of the prefix that one household gets in IPv6.
const BITS_V6: u8 = 64;

/// The length of the prefix of the IPv4 addresses within IPv6.
const BITS_MAPPED: u8 = 96;

impl Net {
    /// Parses `192.0.2.7`, `192.0.2.0/24` or `2001:db8::/32`. An IPv6 address alone means its /64.
    /// A port, as in the address of a connection, is ignored.
    pub fn parse(typed: &str) -> Option<Net> {
        let (ip, bits) = match typed.split_once('/') {
            Some((ip, bits)) => (ip.parse().ok()?, Some(whole(bits)?)),
            None => {
                let ip = typed.parse().ok();
                let of_peer = || Some(typed.parse::<SocketAddr>().ok()?.ip());
                (ip.or_else(of_peer)?, None)
            }
        };
        let is_mapped = ip.is_ipv6() && ip.to_canonical().is_ipv4();
        let bits = match bits {
            Some(bits) if is_mapped => Some(bits.checked_sub(BITS_MAPPED)?),
            bits => bits,
        };
        match ip.to_canonical() {
            IpAddr::V6(ip) if !ip.is_loopback() => Net::of(ip.into(), bits.unwrap_or(BITS_V6)),
            ip @ IpAddr::V6(_) => Net::of(ip, bits.unwrap_or(128)),
            ip @ IpAddr::V4(_) => Net::of(ip, bits.unwrap_or(32)),
        }
    }

    /// The range of all addresses that begin with the same bits as this one; none if an address has
    /// fewer bits.
    pub fn of(ip: IpAddr, bits: u8) -> Option<Net> {
        let first = match ip {
            IpAddr::V4(ip) => {
                let rest = 32_u32.checked_sub(bits.into())?;
                let mask = u32::MAX.checked_shl(rest).unwrap_or(0);
                Ipv4Addr::from_bits(ip.to_bits() & mask).into()
            }
            IpAddr::V6(ip) => {
                let rest = 128_u32.checked_sub(bits.into())?;
                let mask = u128::MAX.checked_shl(rest).unwrap_or(0);
                Ipv6Addr::from_bits(ip.to_bits() & mask).into()
            }
        };
        Some(Net { first, bits })
    }

    /// The first address.
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// How many bits all addresses have in common.
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether an address is in the range. This machine's own addresses never are, so a person on
    /// this machine can always enter, and undo a ban that locks everybody else out.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let begins_alike = match (self.first, ip.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(ip)) => {
                let differ = first.to_bits() ^ ip.to_bits();
                differ.leading_zeros() >= self.bits.into()
            }
            (IpAddr::V6(first), IpAddr::V6(ip)) => {
                let differ = first.to_bits() ^ ip.to_bits();
                differ.leading_zeros() >= self.bits.into()
            }
            _ => false,
        };
        begins_alike && !ip.to_canonical().is_loopback()
    }

    /// Whether the range begins with an address of this machine.
    pub(crate) fn is_here(&self) -> bool {
        self.first.is_loopback()
    }
}

/// Parses a number that has only digits.
fn whole(text: &str) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first {
            IpAddr::V4(ip) if self.bits == 32 => ip.fmt(f),
            first => write!(f, "{first}/{}", self.bits),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn net(typed: &str) -> Net {
        Net::parse(typed).unwrap()
    }

    #[test]
    fn addresses_are_understood_as_people_write_them() {
        for (typed, shown) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("192.0.2.7:50000", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
            ("2001:db8::7", "2001:db8::/64"),
            ("2001:db8::7/128", "2001:db8::7/128"),
            ("[2001:db8::7]:50000", "2001:db8::/64"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(net(typed).to_string(), shown, "{typed}");
        }
        for typed in [
            "",
            "bob",
            "192.0.2",
            "192.0.2.7/33",
            "192.0.2.7/",
            "192.0.2.7/+8",
            "::1/129",
            "::ffff:192.0.2.7/64",
            "/8",
        ] {
            assert_eq!(Net::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_net_contains_its_addresses_and_never_this_machine() {
        for (typed, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.200", "192.0.3.1"),
            ("192.0.2.0/24", "::ffff:192.0.2.200", "2001:db8::1"),
            ("2001:db8::7", "2001:db8::ffff", "2001:db8:0:1::7"),
            ("0.0.0.0/0", "198.51.100.1", "127.0.0.1"),
            ("::/0", "2001:db8::1", "::1"),
            ("127.0.0.0/1", "100.0.0.1", "127.3.2.1"),
        ] {
            assert!(net(typed).contains(inside.parse().unwrap()), "{typed} {inside}");
            assert!(!net(typed).contains(outside.parse().unwrap()), "{typed} {outside}");
        }
    }

    #[test]
    fn a_name_includes_names_that_look_like_it() {
        let whom = Whom::parse("paypal").unwrap();
        for (name, is_meant) in [("PayPal", true), ("Раураl", true), ("pay", false)] {
            assert_eq!(whom.includes(&Name::stored(name), None), is_meant, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_net_reads_back_as_it_is_shown(ip in any::<IpAddr>(), bits in 0..=32_u8) {
            let net = Net::parse(&format!("{ip}/{bits}"));
            if let Some(net) = net {
                prop_assert_eq!(Net::parse(&net.to_string()), Some(net));
                prop_assert!(net.contains(ip) || ip.to_canonical().is_loopback());
            }
        }

        #[test]
        fn any_text_is_parsed_without_a_panic(typed in ".*") {
            let _ = Net::parse(&typed);
        }
    }
}
