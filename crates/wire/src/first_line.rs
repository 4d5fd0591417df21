//! Recognises clients of other protocols by the first lines of a connection. Knows nothing of later
//! lines.
//!
//! A web page can make a browser open any port and send text that looks like lines: the request,
//! its header fields and a body of the page's choosing. Scanners send other protocols, and so do
//! programs with a wrong port in their settings. None of that may appear in a room, so such a
//! client is refused at once. Sentences of people pass, such as `NICK is here`.

/// The protocol of a client that does not send lines of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// HTTP.
    Http,
    /// Text in UTF-16, as some editors and shells of Windows write it.
    Utf16,
    /// IRC.
    Irc,
    /// Something else.
    Other,
}

/// A client with this much doubt is refused.
const DOUBT_MAX: u8 = 2;

/// A person may press Enter more often than a program sends blank lines in front of its request.
const BLANKS_MAX: u8 = 4;

/// How many bytes after a line are examined: more than any request needs.
const AHEAD_BYTES_MAX: usize = 512;

/// Watches the lines of a connection, up to the first line that only a person sends.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    is_over: bool,
    /// How much the lines so far look like another protocol.
    doubt: u8,
    /// The number of blank lines so far: PROXY's version 2 begins with two.
    blanks: u8,
    /// A line was too long. If it was a request, the next line is a header field.
    had_too_long: bool,
}

impl Watch {
    /// Takes the next line, and whether it ended with CR LF: most programs send that, and few
    /// people do.
    pub fn line(&mut self, line: &[u8], ends_in_crlf: bool) -> Option<Foreign> {
        if self.is_over {
            return None;
        }
        let line = without_mark(line);
        let text = line.trim_ascii();
        if text.is_empty() {
            self.blanks += 1;
            self.is_over = self.blanks > BLANKS_MAX;
            return None;
        }
        if self.blanks > 0 && line == b"\0" {
            return Some(Foreign::Other); // as PROXY's version 2 continues
        }
        let field = || (self.had_too_long && is_field(line)).then_some(Foreign::Http);
        let foreign = begins_foreign(line).or_else(|| request(line)).or_else(field);
        if foreign.is_some() {
            return foreign;
        }
        match doubt(text) {
            None => self.is_over = true,
            // A program or a person; the next line may decide.
            Some((doubt, foreign)) => {
                self.doubt = self.doubt.saturating_add(doubt.count(ends_in_crlf));
                return (self.doubt >= DOUBT_MAX).then_some(foreign);
            }
        }
        None
    }

    /// Examines the unfinished next line: some protocols have no lines.
    pub fn unfinished(&self, line: &[u8]) -> Option<Foreign> {
        match self.is_over {
            true => None,
            false => begins_foreign(without_mark(line)),
        }
    }

    /// Examines the bytes after the last line, if that line alone does not decide.
    pub fn ahead(&self, bytes: &[u8]) -> Option<Foreign> {
        if self.is_over {
            return None;
        }
        let mut watch = self.clone();
        let bytes = bytes.get(..AHEAD_BYTES_MAX).unwrap_or(bytes);
        bytes.split(|byte| *byte == b'\n').find_map(|line| {
            let text = line.strip_suffix(b"\r");
            watch.line(text.unwrap_or(line), text.is_some())
        })
    }

    /// Recognises nothing from here on: the client is refused.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    /// A line was too long. The URL of a request can be the reason; then a header field is next.
    pub(crate) fn too_long(&mut self) {
        self.had_too_long = true;
    }
}

/// The protocol of a line, or of the beginning of a line, that alone shows that no lines of text
/// follow.
pub fn opening(line: &[u8]) -> Option<Foreign> {
    let line = without_mark(line);
    begins_foreign(line).or_else(|| request(line))
}

/// The line without the byte order mark of UTF-8, with which some files begin.
fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// The first bytes of protocols that may not send a line.
const OPENINGS: &[(&str, &[u8])] = &[
    ("TLS", b"\x16\x03"),
    ("SOCKS with a password alone", b"\x05\x01\x02"),
    ("SSH (RFC 4253, section 4.2)", b"SSH-1."),
    ("SSH", b"SSH-2."),
    ("VNC", b"RFB 0"),
    ("XMPP", b"<?xml"),
    ("XMPP", b"<stream:"),
    ("Flash", b"<policy-file-request/>"),
];

/// Recognises protocols by their first bytes, before a line has ended or in a whole line.
fn begins_foreign(line: &[u8]) -> Option<Foreign> {
    if is_utf16(line) {
        return Some(Foreign::Utf16);
    }
    let mut openings = OPENINGS.iter();
    let opens = openings.any(|(_, opening)| line.starts_with(opening));
    (opens || is_ldap(line) || is_git(line) || is_binary(line)).then_some(Foreign::Other)
}

/// Two bytes for each ASCII character, in either order. The first byte may be missing: telnet reads
/// the byte order mark and it as a command.
fn is_utf16(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xfe").unwrap_or(line);
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let alternates =
        |line: &[u8]| line.chunks(2).all(|pair| matches!(pair, [low] | [low, 0] if is_text(low)));
    let zeros = line.iter().filter(|byte| **byte == 0).count();
    zeros > 1 && (alternates(line) || line.strip_prefix(b"\0").is_some_and(alternates))
}

/// A sequence, its length, and the number of a message (RFC 4511).
fn is_ldap(line: &[u8]) -> bool {
    matches!(line, [b'0', _, 2, 1, ..])
}

/// A length in four digits, and a service: `0032git-upload-pack /project`.
fn is_git(line: &[u8]) -> bool {
    line.split_at_checked(4).is_some_and(|(length, service)| {
        length.iter().all(u8::is_ascii_hexdigit) && service.starts_with(b"git-")
    })
}

/// Whether bytes have zeros at the beginning, as in most binary protocols. One zero alone is a
/// typing mistake: Ctrl and space.
fn is_binary(bytes: &[u8]) -> bool {
    // Tab, and the keys that erase.
    let is_key = |byte: &u8| matches!(byte, 0 | b'\t' | 0x08 | 0x15 | 0x17 | 0x7f);
    let is_strange = |byte: &u8| byte.is_ascii_control() && !is_key(byte);
    match bytes.iter().filter(|byte| **byte == 0).count() {
        0 => false,
        1 => bytes.iter().any(is_strange) || std::str::from_utf8(bytes).is_err(),
        _ => true,
    }
}

/// How surely a line belongs to another protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    /// It may be a person's name. That person is watched for one more line.
    Name,
    /// A person may type it as well.
    Weak,
    /// A person may type it, but hardly ever ends it with CR LF.
    Likely,
    /// No person types it.
    Sure,
}

impl Doubt {
    fn count(self, ends_in_crlf: bool) -> u8 {
        match self {
            Doubt::Name => 0,
            Doubt::Sure => DOUBT_MAX,
            Doubt::Likely if ends_in_crlf => DOUBT_MAX,
            Doubt::Likely | Doubt::Weak => 1,
        }
    }
}

use Doubt::{Likely, Name, Sure, Weak};

/// The first lines of clients of other protocols, between `|`.
///
/// Words in small letters match any case. `?` is a word, `#` a number, `?.?` a word with a point,
/// `TAG` what IMAP's clients number their commands with, `WORD*` a word that begins with WORD, and
/// `*` at the end any rest.
#[rustfmt::skip]
const LINES: &[(&str, Doubt, &str)] = &[
    ("PROXY", Sure, "PROXY TCP4 * | PROXY TCP6 * | PROXY UNKNOWN | PROXY UNKNOWN ? ? # #"),
    (IRC, Sure, "cap ls | cap ls # | CAP REQ * | CAP END | user ? ? ? :* | user ? # ? * | PRIVMSG ? :*"),
    (IRC, Likely, "NICK ? | PASS ? | JOIN #* | PING :*"),
    (IRC, Weak, "nick ? | pass ? | user ?"),
    ("SMTP and LMTP", Sure, "ehlo ?.? | ehlo [* | helo ?.? | helo [* | lhlo ? | mail from:* | rcpt to:*"),
    ("SMTP", Likely, "ehlo ? | helo ?"),
    ("FTP, POP3, NNTP", Sure, "AUTH TLS | AUTH SSL | AUTH PLAIN * | AUTH LOGIN * | AUTHINFO ? *"),
    ("FTP, POP3, NNTP", Likely, "USER ? | MODE READER"),
    ("IMAP", Likely, "TAG CAPABILITY | TAG STARTTLS | TAG LOGIN ? ? | TAG AUTHENTICATE *"),
    ("memcached", Sure, "set ? # # # | set ? # # # noreply | add ? # # # | replace ? # # #"),
    ("memcached", Likely, "get ?"),
    ("Redis without its framing", Likely, "AUTH ? | SET ? ? | FLUSHALL | CONFIG GET * | SLAVEOF *"),
    ("Redis without its framing", Weak, "auth ?"),
    ("HTTP before it had versions", Likely, "GET /* | HEAD /* | POST /* | OPTIONS /*"),
    ("SIP", Sure, "SIP/2.0 # *"),
    ("STOMP and NATS", Sure, "accept-version:* | CONNECT {*"),
    ("telephone exchanges", Likely, "Action: Login"),
    ("telephone exchanges", Weak, "api ?"),
    ("a command alone", Name, "auth | capa | capabilities | connect | data | ehlo | feat | helo | help | info | lhlo"),
    ("a command alone", Name, "monitor | noop | pass | ping | quit | rset | starttls | stats | status | stls | stomp"),
    ("a command alone", Name, "syst | user | version | who"),
];

/// How surely a line belongs to another protocol, and to which; none if only a person sends it.
fn doubt(line: &[u8]) -> Option<(Doubt, Foreign)> {
    let line = std::str::from_utf8(line).ok()?;
    let is_known = |patterns: &str| patterns.split(" | ").any(|pattern| matches(pattern, line));
    let known = LINES.iter().filter(|(_, _, patterns)| is_known(patterns));
    let known = known.map(|(protocol, doubt, _)| match *protocol {
        IRC => (*doubt, Foreign::Irc),
        _ => (*doubt, Foreign::Other),
    });
    let framed = (is_resp(line) || is_json_rpc(line)).then_some((Likely, Foreign::Other));
    known.chain(framed).max_by_key(|(doubt, _)| *doubt)
}

/// The name of IRC in [`LINES`].
const IRC: &str = "IRC";

fn matches(pattern: &str, line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    for wanted in pattern.split(' ') {
        if wanted == "*" {
            return true;
        }
        if !words.next().is_some_and(|word| is_like(wanted, word)) {
            return false;
        }
    }
    words.next().is_none()
}

fn is_like(wanted: &str, word: &str) -> bool {
    match wanted {
        "?" => true,
        "#" => word.bytes().all(|byte| byte.is_ascii_digit()),
        "?.?" => word.contains('.'),
        "TAG" => word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'),
        _ => match wanted.strip_suffix('*') {
            Some(start) => word.get(..start.len()).is_some_and(|word| is_same(start, word)),
            None => is_same(wanted, word),
        },
    }
}

fn is_same(wanted: &str, word: &str) -> bool {
    let has_case = wanted.bytes().any(|byte| byte.is_ascii_uppercase());
    wanted == word || !has_case && wanted.eq_ignore_ascii_case(word)
}

/// A count or a length of Redis: `*1`, `$4`.
fn is_resp(line: &str) -> bool {
    let number = line.strip_prefix(['*', '$']).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A call in JSON, as miners send it: `{"id":1,"method":"mining.subscribe"}`.
fn is_json_rpc(line: &str) -> bool {
    line.starts_with('{') && line.ends_with('}') && line.contains("\"method\"")
}

/// A request in HTTP, or in a protocol of its form: a request line in any version or method, known
/// or not (RFC 9112, section 3: a token, a target and a version).
///
/// A URL can make the request line longer than any limit. Then the field `Host` shows the protocol:
/// browsers send it before all other fields.
fn request(line: &[u8]) -> Option<Foreign> {
    if is_host_field(line) {
        return Some(Foreign::Http);
    }
    let line = line.trim_ascii_end();
    let (method, rest) = line.split_at_checked(line.iter().position(is_blank)?)?;
    let (target, version) = rest.split_at_checked(rest.iter().rposition(is_blank)?)?;
    let protocol = protocol(version.trim_ascii())?;
    (is_token(method) && is_target(target.trim_ascii())).then_some(protocol)
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// RFC 9110, section 5.6.2. Methods are usually in capitals, but a script may send `patch`.
fn is_token(word: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !word.is_empty() && word.iter().all(allowed)
}

/// RFC 9112, section 3.2: `/path`, `http://host/path`, `host:port` or `*`; so `I like HTTP/2` is a
/// sentence.
fn is_target(target: &[u8]) -> bool {
    let is_uri = target.contains(&b':') && !target.contains(&b' ');
    target.starts_with(b"/") || target == b"*" || is_uri
}

/// The end of a request line: a protocol, and digits with points between.
fn protocol(version: &[u8]) -> Option<Foreign> {
    let (protocol, number) = version.split_at_checked(memchr::memchr(b'/', version)?)?;
    let number = number.get(1..)?;
    let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let is_number = number.first()?.is_ascii_digit() && number.iter().all(is_part);
    let foreign = match protocol.to_ascii_uppercase().as_slice() {
        b"HTTP" => Foreign::Http,
        b"SIP" | b"RTSP" | b"ICAP" => Foreign::Other,
        _ => return None,
    };
    is_number.then_some(foreign)
}

/// Field names have no case (RFC 9110, section 5.1).
fn is_host_field(line: &[u8]) -> bool {
    line.split_at_checked(5).is_some_and(|(name, _)| name.eq_ignore_ascii_case(b"host:"))
}

/// Any header field: a name and a value.
fn is_field(line: &[u8]) -> bool {
    let colon = memchr::memchr(b':', line);
    let name = colon.and_then(|colon| line.get(..colon));
    name.is_some_and(is_token)
}

/// The whole answer to an HTTP request, after which the connection must be closed. `command` joins
/// the chat from a terminal, such as `nc chat.example 8000`.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The protocol of these bytes, read line by line, with an unfinished line at the end.
    fn seen(bytes: &[u8]) -> Option<Foreign> {
        let mut watch = Watch::default();
        let mut lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
        let last = lines.pop().unwrap_or_default();
        let one_by_one = lines.iter().find_map(|line| {
            let text = line.strip_suffix(b"\r");
            watch.line(text.unwrap_or(line), text.is_some())
        });
        one_by_one.or_else(|| watch.unfinished(last))
    }

    #[test]
    fn requests_are_recognised_with_any_method_and_target() {
        for line in [
            "GET / HTTP/1.1",
            "GET /a?b=c HTTP/1.0",
            "POST /say HTTP/1.1",
            "patch /x HTTP/1.1",
            "get / http/1.1",
            "GET\t/\tHTTP/1.1",
            "GET  /  HTTP/1.1",
            "M-SEARCH * HTTP/1.1",
            "x /x HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "CONNECT example.org:443 HTTP/1.1",
            "GET http://example.org/ HTTP/1.1",
            "PRI * HTTP/2.0",
            "GET / HTTP/3",
            "GET /a b HTTP/1.1",
            "GET / HTTP/1.1 ",
            "\u{feff}GET / HTTP/1.1",
            "Host: localhost:8000",
            "host:localhost",
        ] {
            let line = format!("{line}\n");
            assert_eq!(seen(line.as_bytes()), Some(Foreign::Http), "{line}");
        }
    }

    #[test]
    fn a_request_too_long_for_a_line_is_recognised_by_the_next_line() {
        let mut watch = Watch::default();
        watch.too_long();
        assert_eq!(watch.line(b"Accept: */*", true), Some(Foreign::Http));
    }

    #[test]
    fn sentences_and_names_belong_to_no_other_protocol() {
        for line in [
            "",
            " ",
            "alice",
            "nick",
            "NICK",
            "get",
            "GET",
            "user",
            "options",
            "ehlo",
            "data",
            "GET /",
            "GET / ",
            "GET / is broken",
            "I like HTTP/2",
            "what does GET / HTTP/1.1 mean?",
            "is it: is this HTTP/1.1",
            "GET / HTTP/",
            "GET / HTTP/x",
            "GET / HTTP/1x",
            "/me /reads HTTP/1.1",
            " / HTTP/1.1",
            "GET HTTP/1.1",
            "hosts: alice and bob",
            "Subject: cheap",
            "NICK is here",
            "NICK Cave",
            "user error is a problem",
            "USER error",
            "PASS me the salt",
            "EHLO there",
            "mail from: the bank",
            "status",
            "Connect",
            "auth is broken",
            "set a b c d",
            "proxy unknown",
            "PROXY TCP is odd",
            "*1",
            "{\"a\": 1}",
            "{method}",
            "0032git is a length",
            "caf\u{e9} \u{738b} \u{1f469}\u{200d}\u{1f467}",
            "a\tb",
            "ali\0ce",
            "\u{1b}[Dalice\u{8}\u{7f}\u{15}\u{17}\u{c}\u{1}",
        ] {
            assert_eq!(seen(line.as_bytes()), None, "{line}");
            let line = format!("{line}\n");
            assert_eq!(seen(line.as_bytes()), None, "{line}");
        }
        assert_eq!(seen(b"Well, STARTTLS\r\n"), None, "no tag of IMAP");
        assert_eq!(seen(b"ci\nGET / HTTP/1.1\r\nNICK x\r\n"), None, "a name first");
        assert_eq!(seen(b"caf\xe9\n\xff\xfe caf\xe9"), None, "no UTF-8");
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
    fn other_protocols_are_recognised_by_their_first_bytes() {
        let dns = b"\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example";
        for bytes in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], // TLS
            b"\x16\x03\x01\n",
            b"\x00\x00\x00\x54\xffSMBr",
            b"\x00\x00\x00\x08\x04\xd2\x16\x2f", // PostgreSQL
            b"\x00\x00\x00\x0f\x00\x03\x00\x00user\0x\0",
            b"\x55\x00\x00\x01\x85\xa6\x03\x00", // MySQL
            b"\x10\x0c\x00\x04MQTT\x04\x02",
            b"AMQP\x00\x00\x09\x01",
            b"\x03\x00\x00\x13\x0e\xe0", // RDP
            b"\x13BitTorrent protocol\0\0\0\0",
            b"\x04\x01\x00\x50\x7f\x00\x00\x01", // SOCKS
            b"\x05\x01\x00",
            b"\x05\x01\x02",
            b"\x00\x01\x00\x00\x21\x12\xa4\x42", // STUN
            dns,
            b"0\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04", // LDAP
            b"JRMI\x00\x02K",
            b"l\x00\x0b\x00\x00", // X11
            b"SSH-2.0-OpenSSH_9.9",
            b"RFB 003.008\n",
            b"<?xml version='1.0'?>",
            b"<stream:stream to='x'>",
            b"0032git-upload-pack /p\0host=h\0",
            b"\r\n\r\n\x00\r\nQUIT\n\x21\x11", // PROXY, version 2
        ] {
            assert_eq!(seen(bytes), Some(Foreign::Other), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn other_protocols_are_recognised_by_their_first_lines() {
        for lines in [
            "OPTIONS sip:a SIP/2.0\r\n",
            "OPTIONS rtsp://a/b RTSP/1.0\r\n",
            "EHLO x\r\n",
            "EHLO mail.example.com\n",
            "ehlo [127.0.1.1]\n",
            "EHLO x\nMAIL FROM:<a@example.com>\n",
            "LHLO mail.example.com\n",
            "*1\r\n$4\r\nPING\r\n",
            "*1\n$4\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY UNKNOWN\r\n",
            "USER anonymous\r\n",
            "CAPA\r\nUSER bob\r\n",
            "a1 CAPABILITY\r\n",
            ". STARTTLS\r\n",
            "a1 LOGIN bob secret\r\n",
            "set k 0 0 5\r\n",
            "get k\r\n",
            "GET /\r\n",
            "GET /\n\nGET /x\n",
            "CAPA\r\nAUTH\r\nUSER bob\r\n",
            "PING\r\nSET a b\r\n",
            "stats\r\nget k\r\n",
            "CONNECT\naccept-version:1.2\n",
            "STOMP\naccept-version:1.1,1.2\n",
            "CONNECT {\"verbose\":false}\r\n",
            "auth ClueCon\n\napi status\n",
            "Action: Login\r\n",
            "{\"id\":1,\"method\":\"mining.subscribe\"}\r\n",
        ] {
            assert_eq!(seen(lines.as_bytes()), Some(Foreign::Other), "{lines}");
        }
        for lines in [
            "PASS x\r\n",
            "PASS x\nNICK zed\n",
            "nick zed\nuser zed 0 * :Zed\n",
            "NICK zed\r\n",
            "USER zed 0 * :Zed\n",
            "CAP LS 302\n",
        ] {
            assert_eq!(seen(lines.as_bytes()), Some(Foreign::Irc), "{lines}");
        }
    }

    #[test]
    fn the_rest_of_a_packet_decides_if_a_line_alone_does_not() {
        let mut watch = Watch::default();
        assert_eq!(watch.line(b"", true), None);
        assert_eq!(watch.ahead(b"\r\n\0\r\nQUIT\n"), Some(Foreign::Other));
        assert_eq!(watch.ahead(b"\r\nhello\r\nGET / HTTP/1.1\r\n"), None);
        let mut verb = Watch::default();
        assert_eq!(verb.line(b"CAPA", true), None);
        assert_eq!(verb.ahead(b"AUTH\r\nUSER bob\r\n"), Some(Foreign::Other));
        assert_eq!(verb.ahead(b"hello\r\nUSER bob\r\n"), None);
        assert_eq!(watch.line(b"EHLO x", false), None);
        assert_eq!(watch.ahead(b"MAIL FROM:<a@b>\n"), Some(Foreign::Other));
        assert_eq!(watch.ahead(b"everybody\n"), None);
    }

    #[test]
    fn text_in_utf_16_differs_from_other_zeros() {
        for bytes in [
            &b"c\0i\0\r\0"[..],
            b"\0i\0\r\0",      // telnet has taken the mark and a letter
            b"\xfe\0c\0i\0\r", // and half of the mark
        ] {
            assert_eq!(seen(bytes), Some(Foreign::Utf16), "{}", bytes.escape_ascii());
        }
    }
}
