//! What a first line gives away about a client that does not belong here. Knows nothing of the lines that follow.
//!
//! A web page can make a browser open any port and send what looks like lines: the request, its header fields and
//! a body of the page's choosing. None of it may be said in a room, so whoever begins in HTTP is refused at once.

/// Whether a client's first line shows that it speaks HTTP: a request line in any version or method, known or not
/// (RFC 9112, section 3: a token, a target and a version).
///
/// A URL can make the request line longer than any limit, so ask this of the first line that was *not* too long:
/// after a request line comes the field `Host`, which browsers send before all others, and it counts too.
pub fn is_http_request(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    is_request_line(line).unwrap_or(false) || is_host_field(line)
}

/// `METHOD target HTTP/1.1`; `None` if it has no three words.
fn is_request_line(line: &[u8]) -> Option<bool> {
    let (method, rest) = line.split_at_checked(memchr::memchr(b' ', line)?)?;
    let (target, version) = rest.split_at_checked(memchr::memrchr(b' ', rest)?)?;
    let target = target.strip_prefix(b" ")?;
    let version = version.strip_prefix(b" HTTP/")?;
    Some(is_token(method) && is_target(target) && is_version(version))
}

/// RFC 9110, section 5.6.2. Methods are usually in capitals, but a script may ask for `patch`.
fn is_token(word: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !word.is_empty() && word.iter().all(allowed)
}

/// RFC 9112, section 3.2: `/path`, `http://host/path`, `host:port` or `*`; so `I like HTTP/2` may be said.
fn is_target(target: &[u8]) -> bool {
    let is_uri = target.contains(&b':') && !target.contains(&b' ');
    target.starts_with(b"/") || target == b"*" || is_uri
}

/// What follows `HTTP/`: digits, with points between.
fn is_version(version: &[u8]) -> bool {
    let digits = version
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    digits && version.first().is_some_and(u8::is_ascii_digit)
}

/// Field names have no case (RFC 9110, section 5.1).
fn is_host_field(line: &[u8]) -> bool {
    line.split_at_checked(5)
        .is_some_and(|(name, _)| name.eq_ignore_ascii_case(b"host:"))
}

/// The whole answer to an HTTP request, after which the connection is to be closed. `command` joins the chat from
/// a terminal, such as `nc chat.example 8000`.
pub fn http_refusal(command: &str) -> String {
    let body = format!(
        "This port is a Parlor chat. It speaks lines of text and has no web page.\n\
         To join, type in a terminal: {command}\n"
    );
    format!(
        "HTTP/1.1 400 Bad Request\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\n\
         Connection: close\r\n\
         \r\n\
         {body}",
        body.len()
    )
}

/// Whether a first line, or what there is of it, is no text: it holds a control byte other than tab, as the
/// handshakes of TLS and of most binary protocols do within their first bytes.
///
/// Meant for what the framer gives out, which is free of line endings and of telnet.
pub fn is_junk(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .any(|byte| byte.is_ascii_control() && *byte != b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framer::{Frame, Framer};

    #[test]
    fn requests_are_recognised_whatever_their_method_and_target() {
        for line in [
            "GET / HTTP/1.1",
            "GET /a?b=c HTTP/1.0",
            "POST /say HTTP/1.1",
            "patch /x HTTP/1.1",
            "M-SEARCH * HTTP/1.1",
            "x /x HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "CONNECT example.org:443 HTTP/1.1",
            "GET http://example.org/ HTTP/1.1",
            "PRI * HTTP/2.0",
            "GET / HTTP/3",
            "GET /a b HTTP/1.1",
            "GET / HTTP/1.1 ",
            "Host: localhost:8000",
            "host:localhost",
        ] {
            assert!(is_http_request(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_request_too_long_for_a_line_shows_in_the_next() {
        let request = [
            b"GET /",
            &[b'a'; 5000][..],
            b" HTTP/1.1\r\nHost: x\r\n\r\nhi\n",
        ]
        .concat();
        let mut input = &request[..];
        let mut framer = Framer::new(4096);
        assert_eq!(framer.next(&mut input), Some(Frame::TooLong));
        let Some(Frame::Line(first)) = framer.next(&mut input) else {
            panic!("no line follows");
        };
        assert!(is_http_request(&first));
    }

    #[test]
    fn what_people_say_is_no_request() {
        for line in [
            "",
            " ",
            "alice",
            "GET",
            "GET /",
            "GET / ",
            "I like HTTP/2",
            "what does GET / HTTP/1.1 mean?",
            "is it: is this HTTP/1.1",
            "GET / HTTP/",
            "GET / HTTP/x",
            "GET / HTTP/1x",
            "GET / http/1.1",
            "/me /reads HTTP/1.1",
            " / HTTP/1.1",
            "GET HTTP/1.1",
            "hosts: alice and bob",
        ] {
            assert!(!is_http_request(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn the_refusal_is_a_whole_http_response() {
        let response = http_refusal("nc chät.example 8000");
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or_default();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"));
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
        assert!(head.ends_with("\r\nConnection: close"));
        assert!(body.ends_with("type in a terminal: nc chät.example 8000\n"));
    }

    #[test]
    fn handshakes_of_other_protocols_are_junk() {
        let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
        let smb = b"\x00\x00\x00\x54\xffSMBr";
        let postgres = b"\x00\x00\x00\x08\x04\xd2\x16\x2f";
        for bytes in [&tls[..], smb, postgres, b"\x1b[A", b"a\rb", b"\x7f"] {
            assert!(is_junk(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn text_is_no_junk() {
        for line in [
            "",
            "alice",
            "a\tb",
            "Zoë",
            "王",
            "SSH-2.0-OpenSSH_9.9",
            "👩‍👩‍👧",
        ] {
            assert!(!is_junk(line.as_bytes()), "{line}");
        }
        assert!(!is_junk(b"\xff\xfe caf\xe9"));
    }
}
