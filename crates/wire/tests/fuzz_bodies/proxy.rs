//! For any bytes in any pieces: the same header or none, from exactly the bytes that belong to it.

use parlor_wire::proxy::{BadProxyHeader, ProxyHeader, ProxyReader, V1_BYTES_MAX, V2_BYTES_MAX};

/// The first byte is the size of a piece; a proxy or a stranger sends the others.
pub(crate) fn run(data: &[u8]) {
    let [piece, bytes @ ..] = data else {
        return;
    };
    let (header, used) = read(bytes, usize::MAX);
    assert_eq!(read(bytes, usize::from(*piece).max(1)).0, header);
    match header {
        Some(Ok(_)) if bytes.starts_with(b"PROXY ") => {
            assert!(used <= V1_BYTES_MAX);
            let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
            assert_eq!(used, end + 2);
        }
        Some(Ok(_)) => {
            assert!(used <= V2_BYTES_MAX);
            assert_eq!(used, 16 + usize::from(u16::from_be_bytes([bytes[14], bytes[15]])));
        }
        Some(Err(_)) => assert!(used <= V2_BYTES_MAX),
        None => assert!(bytes.len() < V2_BYTES_MAX),
    }
}

/// Reads a header in pieces of at most this size. Returns what it was, none if bytes are missing,
/// and how many bytes were taken.
pub(crate) fn read(
    bytes: &[u8],
    piece: usize,
) -> (Option<Result<ProxyHeader, BadProxyHeader>>, usize) {
    let mut reader = ProxyReader::default();
    let mut used = 0;
    loop {
        let wanted = reader.wanted();
        assert!(wanted > 0);
        let rest = &bytes[used..];
        let next = &rest[..wanted.min(piece).min(rest.len())];
        if next.is_empty() {
            return (None, used);
        }
        used += next.len();
        match reader.take(next) {
            Ok(None) => {}
            Ok(Some(header)) => return (Some(Ok(header)), used),
            Err(error) => return (Some(Err(error)), used),
        }
    }
}
