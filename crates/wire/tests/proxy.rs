//! A PROXY header of any client is read back, and what follows stays.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "it needs one of the bodies")]
mod fuzz_bodies;

use std::net::{IpAddr, SocketAddr};

use parlor_wire::proxy::ProxyHeader;
use proptest::collection::vec;
use proptest::prelude::*;

/// Writes a header of version 1.
fn v1(client: SocketAddr) -> Vec<u8> {
    let (family, own) = match client.is_ipv4() {
        true => ("TCP4", "192.0.2.1"),
        false => ("TCP6", "2001:db8::1"),
    };
    format!("PROXY {family} {} {own} {} 8000\r\n", client.ip(), client.port()).into_bytes()
}

/// Writes a header of version 2, with a field about TLS among others.
fn v2(client: SocketAddr, is_tls: bool, others: &[u8]) -> Vec<u8> {
    let port = client.port().to_be_bytes();
    let (family, addresses) = match client.ip() {
        IpAddr::V4(ip) => (0x11, [&ip.octets()[..], &[192, 0, 2, 1], &port, &[0, 80]].concat()),
        IpAddr::V6(ip) => (0x21, [&ip.octets()[..], &[7; 16], &port, &[0, 80]].concat()),
    };
    let length = u16::try_from(others.len()).unwrap().to_be_bytes();
    let other = [&[0xe0, length[0], length[1]], others].concat();
    let tls = [0x20, 0, 5, u8::from(is_tls), 0, 0, 0, 0];
    let rest = [&addresses[..], &other, &tls, &other].concat();
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n\x21", &[family][..], &length, &rest].concat()
}

proptest! {
    #[test]
    fn a_header_is_read_back_and_what_follows_stays(
        client: SocketAddr,
        is_tls: bool,
        others in vec(any::<u8>(), 0..900),
        following in vec(any::<u8>(), 0..40),
        piece in 1..40_usize,
    ) {
        let client = SocketAddr::new(client.ip(), client.port()); // without a flow and a scope
        let address = SocketAddr::new(client.ip().to_canonical(), client.port());
        for (header, is_tls) in [(v1(client), false), (v2(client, is_tls, &others), is_tls)] {
            let bytes = [&header[..], &following].concat();
            let read = fuzz_bodies::proxy::read(&bytes, piece);
            prop_assert_eq!(read, (Some(Ok(ProxyHeader::Client { address, is_tls })), header.len()));
        }
    }

    #[test]
    fn any_bytes_are_handled(
        beginning in prop_oneof![
            Just("PROXY "), Just("PROXY TCP4 192.0.2.7 "), Just("PROXY UNKNOWN"), Just(""),
            Just("\r\n\r\n\0\r\nQUIT\n"), Just("\r\n\r\n\0\r\nQUIT\n\x21\x11\0"),
        ],
        piece: u8,
        rest in vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b' ')], 0..200),
    ) {
        fuzz_bodies::proxy::run(&[&[piece], beginning.as_bytes(), &rest].concat());
    }
}
