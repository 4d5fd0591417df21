//! The PROXY header, with which a proxy names the client whose bytes follow: versions 1 and 2 of
//! the protocol of HAProxy (proxy-protocol.txt). Knows no socket.
//!
//! The reader asks for exactly the bytes of the header, so nothing that follows is swallowed: it
//! may belong to TLS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header of version 1, with its line ending (section 2.1).
pub const V1_BYTES_MAX: usize = 107;

/// The longest header of version 2 that is taken: addresses, and more than proxies add to them.
pub const V2_BYTES_MAX: usize = 2_048;

/// The bytes that both versions have at least: they tell which one it is.
const FIRST_BYTES: usize = 12;

/// The beginning of version 2 (section 2.2).
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The part of version 2 before the addresses: signature, command, family, length.
const V2_HEAD_BYTES: usize = 16;

/// The type of the field about TLS between client and proxy (`PP2_TYPE_SSL`, section 2.2.6).
const V2_TLS_FIELD: u8 = 0x20;

/// The bit in this field for a client that came by TLS (`PP2_CLIENT_SSL`).
const V2_CAME_BY_TLS: u8 = 1;

/// A header, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// The proxy speaks for itself, as in a health check, or does not know the client.
    OfItself,
    /// The proxy speaks for a client.
    Client {
        /// The address of the client.
        address: SocketAddr,
        /// Whether the client came to the proxy by TLS. Version 1 does not say it.
        is_tls: bool,
    },
}

/// The bytes are not a header of either version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadProxyHeader;

/// Reads one header.
#[derive(Debug, Default)]
pub struct ProxyReader {
    bytes: Vec<u8>,
}

impl ProxyReader {
    /// How many bytes belong to the header for sure, beyond those taken. Never 0.
    #[must_use]
    pub fn wanted(&self) -> usize {
        let taken = self.bytes.len();
        match self.v2_length() {
            _ if taken < FIRST_BYTES => FIRST_BYTES - taken,
            Some(length) => length.saturating_sub(taken).max(1),
            None if self.bytes.ends_with(b"\r") => 1,
            None => 2, // at least the line ending
        }
    }

    /// Takes the next bytes, at most as many as are [wanted](Self::wanted). Returns the header when
    /// it is complete.
    ///
    /// # Errors
    /// This is no header, or one that is too long.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Option<ProxyHeader>, BadProxyHeader> {
        if bytes.len() > self.wanted() {
            return Err(BadProxyHeader);
        }
        self.bytes.extend_from_slice(bytes);
        match self.v2_length() {
            Some(length) if length > V2_BYTES_MAX => Err(BadProxyHeader),
            Some(length) if self.bytes.len() == length => {
                read_v2(&self.bytes).map(Some).ok_or(BadProxyHeader)
            }
            Some(_) => Ok(None),
            None => self.take_v1(),
        }
    }

    fn take_v1(&self) -> Result<Option<ProxyHeader>, BadProxyHeader> {
        if self.bytes.len() > V1_BYTES_MAX {
            return Err(BadProxyHeader);
        }
        if let Some(line) = self.bytes.strip_suffix(b"\r\n") {
            return read_v1(line).map(Some).ok_or(BadProxyHeader);
        }
        let begins_well = self.bytes.iter().zip(b"PROXY ").all(|(byte, wanted)| byte == wanted);
        match begins_well && !self.bytes.contains(&b'\n') {
            true => Ok(None),
            false => Err(BadProxyHeader),
        }
    }

    /// The length of a header of version 2, as far as it is known; none for other bytes.
    fn v2_length(&self) -> Option<usize> {
        let begun = self.bytes.len().min(FIRST_BYTES);
        if begun == 0 || self.bytes.get(..begun) != V2_SIGNATURE.get(..begun) {
            return None;
        }
        let length = self.bytes.get(14..V2_HEAD_BYTES).and_then(|bytes| bytes.first_chunk());
        Some(V2_HEAD_BYTES + length.map_or(0, |length| u16::from_be_bytes(*length).into()))
    }
}

/// Reads `PROXY TCP4 192.0.2.7 192.0.2.1 50000 8000`.
fn read_v1(line: &[u8]) -> Option<ProxyHeader> {
    let text = str::from_utf8(line).ok()?.strip_prefix("PROXY ")?;
    if text.split(' ').next() == Some("UNKNOWN") {
        return Some(ProxyHeader::OfItself); // the rest of the line has no meaning
    }
    let mut words = text.split(' ');
    let mut next = || words.next();
    let family = next()?;
    let ip = |text: &str| match family {
        "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => None,
    };
    let (client, _own) = (ip(next()?)?, ip(next()?)?);
    let (port, _own_port) = (port(next()?)?, port(next()?)?);
    match next() {
        None => Some(client_at(client, port, false)),
        Some(_) => None,
    }
}

/// Reads a port as the protocol writes it: without leading zeros and signs.
fn port(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok()?;
    (port.to_string() == text).then_some(port)
}

/// Reads a whole header of version 2.
fn read_v2(header: &[u8]) -> Option<ProxyHeader> {
    let (head, rest) = header.split_at_checked(V2_HEAD_BYTES)?;
    let &[version_and_command, family, ..] = head.get(FIRST_BYTES..)? else {
        return None;
    };
    match version_and_command {
        0x20 => return Some(ProxyHeader::OfItself), // LOCAL: the rest has no meaning
        0x21 => {}
        _ => return None,
    }
    match family {
        0x11 => {
            let (addresses, fields) = rest.split_first_chunk::<12>()?;
            let &[a, b, c, d, _, _, _, _, high, low, _, _] = addresses;
            let ip = Ipv4Addr::new(a, b, c, d).into();
            Some(client_at(ip, u16::from_be_bytes([high, low]), came_by_tls(fields)?))
        }
        0x21 => {
            let (addresses, fields) = rest.split_first_chunk::<36>()?;
            let ip = Ipv6Addr::from(*addresses.first_chunk::<16>()?).into();
            let port = u16::from_be_bytes(*addresses.get(32..)?.first_chunk()?);
            Some(client_at(ip, port, came_by_tls(fields)?))
        }
        0x00 => Some(ProxyHeader::OfItself),
        0x31 => rest.get(..216).map(|_paths| ProxyHeader::OfItself), // a Unix socket of the proxy
        _ => None,
    }
}

fn client_at(ip: IpAddr, port: u16, is_tls: bool) -> ProxyHeader {
    ProxyHeader::Client { address: SocketAddr::new(ip.to_canonical(), port), is_tls }
}

/// Whether the fields after the addresses say that the client came by TLS. None if they do not fit.
fn came_by_tls(mut fields: &[u8]) -> Option<bool> {
    let mut is_tls = false;
    while !fields.is_empty() {
        let (&[kind, high, low], rest) = fields.split_first_chunk::<3>()?;
        let (value, others) = rest.split_at_checked(u16::from_be_bytes([high, low]).into())?;
        if kind == V2_TLS_FIELD {
            let bits = value.first_chunk::<5>()?[0]; // and 4 bytes about the client's certificate
            is_tls |= bits & V2_CAME_BY_TLS != 0;
        }
        fields = others;
    }
    Some(is_tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a header from the front of these bytes. Returns it with the number of bytes left.
    fn read(mut bytes: &[u8]) -> Result<(ProxyHeader, usize), BadProxyHeader> {
        let mut reader = ProxyReader::default();
        loop {
            let (next, rest) = bytes.split_at_checked(reader.wanted()).ok_or(BadProxyHeader)?;
            bytes = rest;
            if let Some(header) = reader.take(next)? {
                return Ok((header, bytes.len()));
            }
        }
    }

    fn client(address: &str, is_tls: bool) -> Result<(ProxyHeader, usize), BadProxyHeader> {
        let address = address.parse().map_err(|_| BadProxyHeader)?;
        Ok((ProxyHeader::Client { address, is_tls }, 5))
    }

    const OF_ITSELF: Result<(ProxyHeader, usize), BadProxyHeader> = Ok((ProxyHeader::OfItself, 5));

    #[test]
    fn version_1_is_a_line() {
        for (line, wanted) in [
            (
                "PROXY TCP4 192.0.2.7 192.0.2.1 50000 8000\r\nalice",
                client("192.0.2.7:50000", false),
            ),
            ("PROXY TCP6 2001:db8::7 ::1 0 65535\r\nalice", client("[2001:db8::7]:0", false)),
            ("PROXY TCP6 ::ffff:192.0.2.7 ::1 5 6\r\nalice", client("192.0.2.7:5", false)),
            ("PROXY UNKNOWN\r\nalice", OF_ITSELF),
            ("PROXY UNKNOWN ffff:f...f:ffff and more\r\nalice", OF_ITSELF),
        ] {
            assert_eq!(read(line.as_bytes()), wanted, "{line:?}");
        }
    }

    #[test]
    fn lines_that_only_look_like_version_1_are_refused() {
        let long = format!("PROXY UNKNOWN {}\r\nalice", "x".repeat(V1_BYTES_MAX));
        for line in [
            "PROXY TCP4 192.0.2.7 192.0.2.1 50000\r\nalice",
            "PROXY TCP4 192.0.2.7 192.0.2.1 50000 8000 \r\nalice",
            "PROXY  TCP4 192.0.2.7 192.0.2.1 50000 8000\r\nalice",
            "PROXY TCP4 192.0.2.7 192.0.2.1 050000 8000\r\nalice",
            "PROXY TCP4 192.0.2.7 192.0.2.1 +5 8000\r\nalice",
            "PROXY TCP4 192.0.2.7 192.0.2.1 65536 8000\r\nalice",
            "PROXY TCP4 2001:db8::7 ::1 5 6\r\nalice",
            "PROXY TCP6 192.0.2.7 192.0.2.1 5 6\r\nalice",
            "PROXY TCP5 192.0.2.7 192.0.2.1 5 6\r\nalice",
            "PROXY UNKNOWNS\r\nalice",
            "PROXY TCP4 192.0.2.7 192.0.2.1 50000 8000\nalice\r\n",
            "proxy TCP4 192.0.2.7 192.0.2.1 50000 8000\r\nalice",
            "GET / HTTP/1.1\r\n\r\n",
            "alice\r\nhello\r\n",
            &long,
        ] {
            assert_eq!(read(line.as_bytes()), Err(BadProxyHeader), "{line:?}");
        }
    }

    /// A header of version 2 with this command, family and rest, and a name behind it.
    fn v2(command: u8, family: u8, rest: &[&[u8]]) -> Vec<u8> {
        let rest = rest.concat();
        let length = u16::try_from(rest.len()).unwrap_or(u16::MAX).to_be_bytes();
        [V2_SIGNATURE, &[command, family], &length, &rest, b"alice"].concat()
    }

    const V4: &[u8] = &[192, 0, 2, 7, 192, 0, 2, 1, 0xc3, 0x50, 0x1f, 0x40];

    #[test]
    fn version_2_has_addresses_and_fields() {
        let mut v6 = [0; 36];
        (v6[0], v6[15], v6[33]) = (0x20, 7, 80);
        let (unique, tls, plain) =
            ([5, 0, 1, 9], [0x20, 0, 5, 1, 0, 0, 0, 0], [0x20, 0, 5, 2, 0, 0, 0, 0]);
        for (bytes, wanted) in [
            (v2(0x21, 0x11, &[V4]), client("192.0.2.7:50000", false)),
            (v2(0x21, 0x11, &[V4, &unique, &tls]), client("192.0.2.7:50000", true)),
            (v2(0x21, 0x11, &[V4, &plain]), client("192.0.2.7:50000", false)),
            (v2(0x21, 0x21, &[&v6, &tls]), client("[2000::7]:80", true)),
            (v2(0x20, 0x00, &[]), OF_ITSELF),
            (v2(0x20, 0x11, &[V4, b"any rest"]), OF_ITSELF),
            (v2(0x21, 0x00, &[&unique]), OF_ITSELF),
            (v2(0x21, 0x31, &[&[7; 216]]), OF_ITSELF),
            (v2(0x21, 0x11, &[V4, &[4, 7, 0xe1], &[0; 2_017]]), client("192.0.2.7:50000", false)),
        ] {
            assert_eq!(read(&bytes), wanted, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn headers_of_version_2_that_do_not_fit_are_refused() {
        for bytes in [
            v2(0x22, 0x11, &[V4]),
            v2(0x11, 0x11, &[V4]),
            v2(0x21, 0x12, &[V4]),
            v2(0x21, 0x41, &[V4]),
            v2(0x21, 0x11, &[&[0; 11]]),
            v2(0x21, 0x21, &[V4]),
            v2(0x21, 0x31, &[V4]),
            v2(0x21, 0x11, &[V4, &[5, 0]]),
            v2(0x21, 0x11, &[V4, &[5, 0, 2, 9]]),
            v2(0x21, 0x11, &[V4, &[0x20, 0, 4, 1, 0, 0, 0]]),
            v2(0x21, 0x11, &[V4, &[4, 7, 0xe2], &[0; 2_018]]),
            v2(0x20, 0x00, &[&[0; V2_BYTES_MAX]]),
        ] {
            assert_eq!(read(&bytes), Err(BadProxyHeader), "{}", bytes.escape_ascii());
        }
    }
}
