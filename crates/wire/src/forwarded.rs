//! The headers in which web proxies name their clients: `Forwarded` (RFC 7239) and
//! `X-Forwarded-For`. Knows no connection.
//!
//! Each proxy adds the address from which a request came to it, on the right. What stands further
//! left may be a lie of the client, so the headers are read from the right.

use std::net::{IpAddr, SocketAddr};

/// How many proxies may stand one behind the other.
pub const HOPS_MAX: usize = 16;

/// The facts that one proxy tells about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// The address from which it came; none if the proxy does not know or tell it.
    pub client: Option<IpAddr>,
    /// The scheme of the request, such as `https`, in lower case; none if the proxy does not tell it.
    pub scheme: Option<String>,
}

/// Reads the hops of all fields `Forwarded`, the leftmost first. None if one is malformed.
pub fn forwarded<'a>(fields: impl Iterator<Item = &'a str>) -> Option<Vec<Hop>> {
    let mut hops = Vec::new();
    for field in fields {
        read_field(field, &mut hops)?;
    }
    Some(hops)
}

/// Reads the hops of all fields `X-Forwarded-For`, the leftmost first.
pub fn x_forwarded_for<'a>(fields: impl Iterator<Item = &'a str>) -> Vec<Hop> {
    let nodes = fields.flat_map(|field| field.split(','));
    nodes.map(|node| Hop { client: address(node.trim()), scheme: None }).collect()
}

/// The hop of the client: the first one from the right whose address is not that of a trusted
/// proxy, or the last one with an address. None if the nearest proxy tells no address.
pub fn client(hops: &[Hop], is_trusted: impl Fn(IpAddr) -> bool) -> Option<&Hop> {
    let mut found = None;
    for hop in hops.iter().rev().take(HOPS_MAX) {
        let Some(ip) = hop.client else {
            break; // nothing further left can be believed
        };
        found = Some(hop);
        if !is_trusted(ip) {
            break;
        }
    }
    found
}

/// Reads one field `Forwarded`: `for=192.0.2.7;proto=https, for="[2001:db8::7]:50000"`.
fn read_field(field: &str, hops: &mut Vec<Hop>) -> Option<()> {
    let mut rest = field.trim_matches(BLANKS);
    let mut pairs = Vec::new();
    loop {
        if !rest.starts_with([';', ',']) && !rest.is_empty() {
            let (name, value) = rest.split_once('=')?;
            let (value, behind) = read_value(value)?;
            pairs.push((name.to_ascii_lowercase(), value));
            rest = behind.trim_start_matches(BLANKS);
        }
        let is_last = rest.is_empty();
        if is_last || rest.starts_with(',') {
            hops.push(Hop::of(&std::mem::take(&mut pairs))?);
        }
        if is_last {
            return Some(());
        }
        rest = rest.strip_prefix([';', ','])?.trim_start_matches(BLANKS);
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// Reads a token or a quoted string. Returns it with the text behind it.
fn read_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t', '"']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        return (!value.is_empty()).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            other => value.push(other),
        }
    }
}

impl Hop {
    /// The hop of these pairs. None if a name is no token, or occurs twice.
    fn of(pairs: &[(String, String)]) -> Option<Hop> {
        let is_sign = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_token =
            |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte));
        let mut names: Vec<_> = pairs.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let are_different = names.windows(2).all(|two| two.first() != two.last());
        if !are_different || !names.iter().all(|name| !name.is_empty() && is_token(name)) {
            return None;
        }
        let value = |wanted| Some(&pairs.iter().find(|(name, _)| name == wanted)?.1);
        Some(Hop {
            client: value("for").and_then(|node| address(node)),
            scheme: value("proto").map(|scheme| scheme.to_ascii_lowercase()),
        })
    }
}

/// The address of a node, with or without a port; none for `unknown`, `_hidden` and other words.
fn address(node: &str) -> Option<IpAddr> {
    let bare = node.strip_prefix('[').and_then(|node| node.strip_suffix(']'));
    let ip = bare.unwrap_or(node).parse::<IpAddr>();
    let ip = ip.or_else(|_| node.parse::<SocketAddr>().map(|address| address.ip())).ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The client behind proxies at 10.0.0.0/8, and the scheme.
    fn client_of(hops: &[Hop]) -> String {
        let is_trusted = |ip: IpAddr| matches!(ip, IpAddr::V4(ip) if ip.octets()[0] == 10);
        let Some(Hop { client: Some(client), scheme }) = client(hops, is_trusted) else {
            return "-".to_owned();
        };
        format!("{client} {}", scheme.as_deref().unwrap_or("-"))
    }

    #[test]
    fn the_client_is_the_first_address_from_the_right_that_is_not_trusted() {
        for (fields, wanted) in [
            (&["for=192.0.2.7"][..], "192.0.2.7 -"),
            (&["For=\"192.0.2.7:50000\";Proto=HTTPS;by=10.0.0.1"], "192.0.2.7 https"),
            (&["for=\"[2001:db8::7]:50000\""], "2001:db8::7 -"),
            (&["for=\"[::ffff:192.0.2.7]\""], "192.0.2.7 -"),
            (&["for=6.6.6.6;proto=https, for=192.0.2.7;proto=http"], "192.0.2.7 http"),
            (&["for=6.6.6.6", "for=192.0.2.7, for=10.0.0.2"], "192.0.2.7 -"),
            (&["for=192.0.2.7;proto=https,for=10.0.0.2;proto=http"], "192.0.2.7 https"),
            (&["for=10.0.0.3, for=10.0.0.2"], "10.0.0.3 -"),
            (&["for=6.6.6.6, for=unknown"], "-"),
            (&["for=6.6.6.6, for=_hidden, for=10.0.0.2"], "10.0.0.2 -"),
            (&["for=6.6.6.6;, ;;for=192.0.2.7 ; x=\"a, b; \\\" c\""], "192.0.2.7 -"),
            (&[""], "-"),
            (&["for=6.6.6.6,"], "-"),
        ] {
            let hops = forwarded(fields.iter().copied()).unwrap();
            assert_eq!(client_of(&hops), wanted, "{fields:?}");
        }
        let many = "for=6.6.6.6".to_owned() + &", for=10.0.0.2".repeat(HOPS_MAX);
        assert_eq!(client_of(&forwarded([&*many].into_iter()).unwrap()), "10.0.0.2 -");
    }

    #[test]
    fn a_malformed_field_is_refused_wherever_it_is() {
        for field in [
            "for",
            "for=",
            "=192.0.2.7",
            "for=\"192.0.2.7",
            "for=\"evil, for=192.0.2.7",
            "for=192.0.2.7 for=192.0.2.8",
            "for=192.0.2.7;for=unknown",
            "f or=192.0.2.7",
            "for=192.0.2.7;proto=\"https\"x",
        ] {
            assert_eq!(forwarded([field].into_iter()), None, "{field:?}");
            assert_eq!(forwarded([field, "for=192.0.2.7"].into_iter()), None, "{field:?}");
        }
    }

    #[test]
    fn the_older_header_is_a_list_of_addresses() {
        for (fields, wanted) in [
            (&["192.0.2.7"][..], "192.0.2.7 -"),
            (&["6.6.6.6, 192.0.2.7"], "192.0.2.7 -"),
            (&["6.6.6.6", " 192.0.2.7 ,10.0.0.2"], "192.0.2.7 -"),
            (&["2001:db8::7,10.0.0.2:80"], "2001:db8::7 -"),
            (&["evil, 10.0.0.2"], "10.0.0.2 -"),
            (&["evil"], "-"),
            (&["192.0.2.7, "], "-"),
        ] {
            assert_eq!(client_of(&x_forwarded_for(fields.iter().copied())), wanted, "{fields:?}");
        }
    }

    proptest! {
        #[test]
        fn the_address_that_a_proxy_adds_is_read_after_any_text_of_the_client(
            sent in "(for=[0-9a-f.]{1,9}|[;,=\" \\\\a-z]{0,9}){0,4}",
            client: std::net::Ipv4Addr,
        ) {
            prop_assume!(client.octets()[0] != 10);
            let added = format!("for={client};proto=https");
            let own_line = forwarded([&*sent, &added].into_iter());
            let same_line = forwarded([&*format!("{sent}, {added}")].into_iter());
            // A field of the client that is malformed spoils its own request, and no more.
            for hops in [own_line, same_line].into_iter().flatten() {
                prop_assert_eq!(client_of(&hops), format!("{client} https"));
            }
            let hops = x_forwarded_for([&*format!("{sent}, {client}")].into_iter());
            prop_assert_eq!(client_of(&hops), format!("{client} -"));
        }
    }
}
