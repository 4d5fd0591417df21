//! Clients at the wrong port, and clients that speak telnet.

use crate::support::TestServer;

/// The requests that a web page can make a browser send, with a body that looks like lines.
fn requests() -> impl Iterator<Item = String> {
    const BODY: &str = "mallory\nhello from a web page\n";
    [
        "GET / HTTP/1.1",
        "HEAD / HTTP/1.1",
        "POST / HTTP/1.1",
        "PUT /alice HTTP/1.0",
        "DELETE /alice HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "PATCH /alice?a=b HTTP/1.1",
        "TRACE / HTTP/1.1",
        "CONNECT example.com:443 HTTP/1.1",
        "PRI * HTTP/2.0",
    ]
    .into_iter()
    .map(|line| {
        let length = BODY.len();
        format!("{line}\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{BODY}")
    })
}

#[track_caller]
fn assert_is_refusal(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("speaks lines of text"), "{answer}");
}

#[test]
fn a_browser_is_refused_and_its_request_is_not_broadcast() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    for request in requests() {
        let mut browser = server.guest();
        browser.sees_question();
        browser.send(request);
        assert_is_refusal(&browser.rest());
    }
    alice.say("nothing was heard");
    alice.sees("alice: nothing was heard");
}

#[test]
fn a_browser_with_too_long_a_request_line_is_refused_too() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut browser = server.guest();
    browser.sees_question();
    let path = "a".repeat(5_000);
    browser.send(format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\nhello\n"));
    browser.sees("-- Line too long (4096 bytes at most): not sent");
    browser.sees_question_again();
    assert_is_refusal(&browser.rest());
    alice.say("nothing was heard");
    alice.sees("alice: nothing was heard");
}

#[test]
fn a_browser_at_a_classic_door_arrives_and_leaves_without_a_line() {
    let server =
        TestServer::open(&["tcp://127.0.0.1:0?classic", "tcp://127.0.0.1:0?names=address"], |_| {});
    let mut alice = server.guest();
    alice.sees(&format!("You are {}", alice.address()));
    for request in requests() {
        let mut browser = server.guest();
        let address = browser.address();
        browser.sees(&format!("You are {address}"));
        browser.send(&request);
        assert_is_refusal(&browser.rest());
        alice.sees(&format!("{address} has arrived"));
        alice.sees(&format!("{address} has left"));
    }
    // A door without the name question does the same.
    let mut browser = server.guest_at(1);
    let address = browser.address();
    browser.sees(&format!("You are {address}"));
    browser.sees_roster();
    browser.send("POST / HTTP/1.1\r\n\r\n/me waves\nhello\n");
    assert_is_refusal(&browser.rest());
    alice.sees(&format!("{address} has arrived"));
    alice.sees(&format!("{address} has left"));
}

#[test]
fn people_may_talk_about_http() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    for line in ["GET / HTTP/1.1", "Host: localhost", "I like HTTP/2"] {
        alice.say(line);
        alice.sees(&format!("alice: {line}"));
    }
}

#[test]
fn a_binary_protocol_is_told_what_this_port_speaks() {
    const TLS_CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03";
    const TLS_WITH_A_NEWLINE: &[u8] = b"\x16\x03\x01\x00\x05\n\x00\x00\x01\x03";
    const SMB: &[u8] = b"\x00\x00\x00\x54\xfeSMB";
    const SOCKS: &[u8] = b"\x05\x01\x00";
    let server =
        TestServer::open(&["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?names=address"], |_| {});
    let mut alice = server.enter("alice");
    const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.6\r\n";
    for hello in [TLS_CLIENT_HELLO, TLS_WITH_A_NEWLINE, SMB, SOCKS, SSH] {
        let mut stranger = server.guest();
        stranger.sees_question();
        stranger.send(hello);
        stranger.sees("-- This port speaks lines of text");
        stranger.sees_end();
    }
    let mut stranger = server.guest_at(1);
    let address = stranger.address();
    stranger.sees(&format!("You are {address}"));
    stranger.sees_roster();
    stranger.send(TLS_CLIENT_HELLO);
    stranger.sees("-- This port speaks lines of text");
    stranger.sees_end();
    alice.sees_all([format!("{address} has arrived"), format!("{address} has left")]);
    alice.say("nothing was heard");
    alice.sees("alice: nothing was heard");
}

/// The first bytes of clients of other protocols.
const PACKETS: &[&[u8]] = &[
    b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nFrom: <sip:a@a>\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\n\
      CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
    b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: cheap\r\nbuy this\r\n.\r\nQUIT\r\n",
    b"PASS x\r\nNICK zed\r\nUSER zed 0 * :Zed\r\nJOIN #a\r\nPRIVMSG #a :hi\r\nPING 1\r\nWHO\r\n",
    b"NICK zed\nUSER zed 0 * :Zed\nJOIN #a\nPRIVMSG #a :hi\n",
    b"CAP LS 302\r\nNICK zed\r\n",
    b"*1\r\n$4\r\nPING\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nalice\r\nhello\r\n",
    b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x00\x01\x00\x02alice\nhello\n",
    b"OPTIONS rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    b"USER anonymous\r\nPASS a@b\r\nLIST\r\n",
    b"a1 LOGIN bob secret\r\na2 SELECT INBOX\r\n",
    b"set k 0 0 5\r\nhello\r\n",
    b"GET /\r\n\r\nhello\r\n",
    b"get / http/1.1\r\nhost: x\r\n\r\nhello\r\n",
    b"<stream:stream to='example.org' xmlns='jabber:client'>",
    b"0032git-upload-pack /project\0host=example.org\0",
    b"RFB 003.008\n",
    b"JRMI\x00\x02K",
    b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02ci",
    b"\x00\x00\x00\x54\x00\x03\x00\x00user\x00alice\x00\x00",
    b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00",
    b"\x13BitTorrent protocol\0\0\0\0\0\0\0\0",
];

#[test]
fn other_protocols_are_answered_once_and_not_broadcast() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    for packet in PACKETS {
        for piece in [packet.len(), 7] {
            let mut stranger = server.guest();
            stranger.sees_question();
            for piece in packet.chunks(piece) {
                stranger.try_send(piece); // the server may have closed the connection already
            }
            let answer = stranger.rest();
            assert!(answer.contains("speaks lines of text"), "{answer}");
            let sentences = answer.matches("speaks lines of text").count();
            assert_eq!(sentences, 1, "{answer}");
        }
    }
    alice.say("nothing was heard");
    alice.sees("alice: nothing was heard");
}

#[test]
fn other_protocols_at_a_door_without_a_question_leave_and_are_not_broadcast() {
    let doors = ["tcp://127.0.0.1:0?classic", "tcp://127.0.0.1:0?names=address"];
    let server = TestServer::open(&doors, |_| {});
    let mut alice = server.guest();
    alice.sees(&format!("You are {}", alice.address()));
    for (door, packet) in
        [0, 1].into_iter().flat_map(|door| PACKETS.iter().map(move |packet| (door, packet)))
    {
        let mut stranger = server.guest_at(door);
        let address = stranger.address();
        stranger.send(packet);
        let answer = stranger.rest();
        assert!(answer.contains("speaks lines of text"), "{answer}");
        alice.sees_all([format!("{address} has arrived"), format!("{address} has left")]);
    }
}

#[test]
fn names_and_sentences_are_not_taken_for_another_protocol() {
    let server = TestServer::open(&["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?classic"], |_| {});
    for name in ["nick", "get", "user", "options", "ehlo", "DATA", "QUIT", "ci"] {
        let mut guest = server.guest();
        guest.sees_question();
        guest.send(format!("{name}\nGET / is broken\nNICK says EHLO\n"));
        guest.sees(&format!("You are {name}"));
        guest.sees_roster();
        let said = format!("{name}: GET / is broken");
        while guest.line() != said {} // skips lines of the others
        guest.sees(&format!("{name}: NICK says EHLO"));
        guest.shut();
        guest.sees_end();
    }
    for line in ["GET / is broken", "EHLO there", "USER error", "PASS me the salt", "*1", "Host"] {
        let mut guest = server.guest_at(1);
        let address = guest.address();
        guest.sees(&format!("You are {address}"));
        guest.say(line);
        guest.sees(&format!("{address}: {line}"));
        guest.shut();
        guest.rest();
    }
}

#[test]
fn lines_sent_before_a_name_is_accepted_are_not_broadcast() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut paste = server.guest();
    paste.sees_question();
    paste.send("one two\n".repeat(6));
    let answer = paste.rest();
    assert!(
        answer.ends_with(
            "-- None of these lines is a name: closed; the first line you send is your name\n"
        ),
        "{answer}"
    );
    alice.say("nothing was heard");
    alice.sees("alice: nothing was heard");
}

#[test]
fn text_in_utf_16_is_answered_with_advice() {
    let server = TestServer::named();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    for bytes in [utf16("\u{feff}ci\r\nhello\r\n"), utf16("ci\nhello\n")] {
        let mut guest = server.guest();
        guest.sees_question();
        guest.send(bytes);
        guest.sees("-- This port speaks lines of text in UTF-8, and this looks like UTF-16: send it as UTF-8");
        guest.sees_end();
    }
}

#[test]
fn a_byte_order_mark_is_no_text() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut ci = server.guest();
    ci.sees_question();
    ci.send("\u{feff}ci\r\n\u{feff}build is green\r\n\u{feff}/me waves\r\n");
    ci.sees("You are ci");
    alice.sees_all(["ci has arrived", "ci: build is green", "* ci waves"]);
}

#[test]
fn typing_errors_in_the_name_can_be_corrected() {
    let server = TestServer::named();
    for typed in [
        "alixe\x08\x08ce\r\n",
        "alixe\x7f\x7fce\n",
        "bob\x15alice\n",
        "bob \x17alice\n",
        "alie\x1b[Dc\n",
        "\x0calice\x07\n",
        "\u{feff}  alice \u{a0}\u{3000}\r\n",
        "\x1b[200~alice\x1b[201~\n",
    ] {
        let mut alice = server.guest();
        alice.sees_question();
        for byte in typed.as_bytes() {
            alice.send([*byte]); // like telnet on Windows
        }
        alice.sees("You are alice");
        alice.sees_roster();
        alice.shut();
        alice.sees_end();
    }
    // Keys alone do not answer the question.
    let mut alice = server.guest();
    alice.sees_question();
    alice.say("\x0c");
    alice.line();
    alice.sees_question_again();
}

#[test]
fn telnet_options_are_refused_and_telnet_gets_its_line_endings() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut bob = server.guest();
    bob.sees_question();
    bob.send(b"\xff\xfb\x1f"); // WILL window size
    bob.sees_bytes(b"\xff\xfe\x1f"); // DONT
    bob.send("bob\r\n");
    bob.sees_bytes(b"You are bob\r\nIn lobby: alice\r\n");
    bob.sees_bytes(b"-- /help lists what you can type\r\n");
    bob.sees_bytes(b"-- Lines here are not stored: they are gone when the server stops\r\n");
    alice.sees("bob has arrived");
    // In the middle of a word: DO echo, a window size, a no-operation.
    bob.send(b"he\xff\xfd\x01ll\xff\xfa\x1f\x00\x50\x00\x0a\xff\xf0o\xff\xf1\r\n");
    bob.sees_bytes(b"\xff\xfc\x01"); // WONT
    bob.sees_bytes(b"bob: hello\r\n");
    alice.sees("bob: hello");
    bob.send(b"CR NUL\r\0ends a line\r\0");
    bob.sees_bytes(b"bob: CR NUL\r\nbob: ends a line\r\n");
    alice.sees_all(["bob: CR NUL", "bob: ends a line"]);
    alice.say("Hi!");
    alice.sees("alice: Hi!");
    bob.sees_bytes(b"alice: Hi!\r\n");
    bob.send(b"/topic\r\n");
    bob.sees_bytes(b"-- lobby has no topic; /topic TEXT sets one\r\n");
}

#[test]
fn telnet_commands_are_never_shown_in_classic_mode_either() {
    let server = TestServer::classic();
    let mut alice = server.guest();
    alice.sees(&format!("You are {}", alice.address()));
    let mut bob = server.guest();
    let address = bob.address();
    bob.sees(&format!("You are {address}"));
    alice.sees(&format!("{address} has arrived"));
    bob.send(b"a\xff\xf1b\xff\xffc\n"); // a no-operation, and an escaped 255
    alice.sees(&format!("{address}: ab\u{fffd}c"));
    bob.sees(&format!("{address}: ab\u{fffd}c"));
    bob.send(b"\xff\xfb\x01hello\n");
    bob.sees_bytes(b"\xff\xfe\x01");
    bob.sees_bytes(format!("{address}: hello\r\n").as_bytes());
    alice.sees(&format!("{address}: hello"));
}
