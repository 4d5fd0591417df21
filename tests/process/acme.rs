//! Certificates from an authority: got and renewed while people talk, and what happens if the
//! authority does not do its part.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::DEADLINE;
use crate::admin::done;
use crate::authority::{Front, Pebble, free_ports, write_answer};
use crate::data::Data;
use crate::guest::{Guest, hear};
use crate::server::Server;
use crate::tls::{Program, curl, shown_at};

const DOORS: [&str; 6] = [
    "--listen",
    "tls://127.0.0.1:0",
    "--listen",
    "https://127.0.0.1:0",
    "--listen",
    "http://127.0.0.1:0?redirect",
];

/// A server that asks an authority for a certificate, with doors of all kinds.
fn open(data: &Data, front: &Front, way: &str, more: &[&str]) -> Server {
    let options = front.options(way);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    data.open(&[&DOORS[..], &options, more].concat())
}

/// The line about a new certificate, the nth one.
fn new_certificate(server: &Server, times: usize) -> String {
    server.logged_times(
        "the certificate for chat.example.org is new, from localhost, valid until ",
        times,
    )
}

#[test]
fn the_first_certificate_comes_at_the_doors_with_tls_while_people_talk() {
    let (data, front) = (Data::new(), Front::to_pebble());
    let sts = ["--listen", "ircs://127.0.0.1:0", "--listen", "irc://127.0.0.1:0"];
    let server = open(&data, &front, "tls", &sts);
    let (tls, web) = (server.listening("tls"), server.listening("https"));
    let own = shown_at(tls);
    server.logged(&format!("the certificate is our own: SHA256 fingerprint {own}"));
    let mut alice = Program::enter(tls, "alice");
    let mut bob = Guest::connect(server.address);
    bob.say("bob");
    bob.until("You are bob");
    let strict = || {
        let answer = curl(&["-k", "-i"], &format!("https://{web}/"));
        String::from_utf8_lossy(&answer.stdout)
            .to_lowercase()
            .contains("strict-transport-security:")
    };
    let offers_sts = || {
        let mut guest = Guest::connect(server.listening("irc"));
        guest.say("CAP LS 302");
        guest.line().contains(" :sts=port=")
    };
    assert!(!strict() && !offers_sts());
    let Some(_pebble) = Pebble::start(&front, web.port(), 1, 90 * 86_400) else {
        return;
    };
    let line = new_certificate(&server, 1);
    for door in [tls, web, server.listening("ircs")] {
        assert!(line.ends_with(&shown_at(door)), "{line}");
    }
    assert!(strict() && offers_sts(), "clients can trust it");
    alice.say("over the old certificate");
    hear(&mut bob, "over the old certificate");
    for file in ["account.json", "certificate.pem", "tries.json"] {
        use std::os::unix::fs::PermissionsExt;
        let file = data.directory().join("acme").join(file);
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    drop(alice);
    let log = server.close(bob);
    let lines = log.iter().filter(|line| line.contains("certificate for chat.example.org"));
    assert_eq!(lines.count(), 1, "one line a try: {log:#?}");

    // A restart shows the same certificate, and asks nobody.
    let visits = front.visits.load(Ordering::Relaxed);
    let server = open(&data, &front, "tls", &[]);
    server.logged("the certificate for chat.example.org is from localhost, valid until ");
    assert!(line.ends_with(&shown_at(server.listening("tls"))), "{line}");
    let mut carol = Program::enter(server.listening("tls"), "carol");
    carol.say("still there");
    carol.until("carol: still there");
    drop(carol);
    server.close(());
    assert_eq!(front.visits.load(Ordering::Relaxed), visits);
}

#[test]
fn the_first_certificate_comes_at_a_web_door_that_sends_all_others_to_https() {
    let (data, front) = (Data::new(), Front::to_pebble());
    let server = open(&data, &front, "http", &[]);
    let (web, secure) = (server.web(), server.listening("https"));
    let Some(_pebble) = Pebble::start(&front, 1, web.port(), 90 * 86_400) else {
        return;
    };
    let line = new_certificate(&server, 1);
    assert!(line.ends_with(&shown_at(secure)), "{line}");
    let target = format!("http://localhost:{}/lobby?name=ci", web.port());
    let head = curl(&["-i", "-d", "over https"], &target);
    let head = String::from_utf8_lossy(&head.stdout).into_owned();
    assert!(head.starts_with("HTTP/1.1 308 "), "{head}");
    let place = format!("location: https://localhost:{}/lobby?name=ci\r\n", secure.port());
    assert!(head.contains(&place), "{head}");
    assert!(!head.to_lowercase().contains("strict-transport-security"), "{head}");
    let mut alice = Guest::connect(server.address);
    alice.say("alice");
    alice.until("You are alice");
    let said = curl(&["-k", "-L", "-d", "over https"], &target);
    assert!(said.status.success(), "{said:?}");
    hear(&mut alice, "over https");
    // An unknown challenge is not found, and a header cannot get into the answer.
    let answer = |request: &str| {
        let mut stream = TcpStream::connect(web).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(stream, "{request}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let unknown = answer("GET /.well-known/acme-challenge/abc HTTP/1.1\r\nHost: anything.example");
    assert!(unknown.starts_with("HTTP/1.1 404 "), "{unknown}");
    let without = answer("GET / HTTP/1.1\r\nHost: a@b");
    assert!(without.starts_with("HTTP/1.1 400 ") && !without.contains("location"), "{without}");
    server.close(alice);
}

#[test]
fn a_proxy_that_has_received_a_request_with_tls_is_not_sent_to_https_again() {
    let server = Server::open(&["--listen", "http://127.0.0.1:0?redirect&forwarded=127.0.0.1"]);
    let target = format!("http://localhost:{}/-/healthz", server.web().port());
    let answer = |scheme: &str| {
        let scheme = format!("X-Forwarded-Proto: {scheme}");
        let answer =
            curl(&["-i", "-H", "X-Forwarded-For: 192.0.2.7", "-H", &scheme], &target).stdout;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let without = answer("http");
    assert!(without.contains("location: https://localhost/-/healthz\r\n"), "{without}");
    let with = answer("https");
    assert!(with.starts_with("HTTP/1.1 200 "), "{with}");
    server.close(());
}

#[test]
fn a_certificate_is_renewed_at_two_thirds_of_its_life() {
    let (data, front) = (Data::new(), Front::to_pebble());
    let server = open(&data, &front, "tls", &[]);
    let tls = server.listening("tls");
    let Some(_pebble) = Pebble::start(&front, tls.port(), 1, 15) else {
        return;
    };
    let first = new_certificate(&server, 1);
    let mut alice = Program::enter(tls, "alice");
    let second = new_certificate(&server, 2);
    assert_ne!(first.split("fingerprint").nth(1), second.split("fingerprint").nth(1));
    alice.say("still here");
    alice.until("alice: still here");
    drop(alice);
    server.close(());
}

#[test]
fn the_authority_learns_a_new_contact_at_a_reload_and_the_name_stays() {
    let (data, front) = (Data::new(), Front::to_pebble());
    let file = data.directory().join("parlor.toml");
    let write = |keys: &str| fs::write(&file, keys).unwrap();
    write("acme-contact = \"alice@example.org\"\nacme = \"chat.example.org\"\n");
    let options = front.options("tls");
    let options: Vec<_> = options.iter().skip(2).map(String::as_str).collect();
    let config = ["--config", file.to_str().unwrap()];
    let server = data.open(&[&DOORS[..], &options, &config].concat());
    let Some(_pebble) = Pebble::start(&front, server.listening("tls").port(), 1, 90 * 86_400)
    else {
        return;
    };
    new_certificate(&server, 1);
    write("acme-contact = \"bob@example.org\"\nacme = \"other.example.org\"\n");
    let answer = done(&data, &["reload"]);
    assert!(
        answer.iter().any(|line| line.contains("acme-contact is bob@example.org now")),
        "{answer:?}"
    );
    let cannot = "acme cannot change while the server runs: it stays [\"chat.example.org\"]";
    assert!(answer.iter().any(|line| line.contains(cannot)), "{answer:?}");
    server.logged("localhost knows the new acme-contact");
    let account = fs::read_to_string(data.directory().join("acme/account.json")).unwrap();
    assert!(account.contains("bob@example.org") && !account.contains("alice@"), "{account}");
    server.close(());
}

#[test]
fn other_names_need_another_certificate_and_a_lost_account_another_account() {
    let (data, front) = (Data::new(), Front::to_pebble());
    let server = open(&data, &front, "http", &[]);
    let Some(pebble) = Pebble::start(&front, 1, server.web().port(), 90 * 86_400) else {
        return;
    };
    new_certificate(&server, 1);
    let first = shown_at(server.listening("tls"));
    let account = || fs::read_to_string(data.directory().join("acme/account.json")).unwrap();
    let known = account();
    server.close(());
    drop(pebble);
    let server = open(&data, &front, "http", &["--acme", "irc.example.org"]);
    assert_eq!(shown_at(server.listening("tls")), first, "for one of the names");
    // This one does not know the account.
    let Some(_pebble) = Pebble::start(&front, 1, server.web().port(), 90 * 86_400) else {
        return;
    };
    let names = "the certificate for chat.example.org, irc.example.org is new";
    assert!(server.logged(names).ends_with(&shown_at(server.listening("tls"))));
    assert_ne!(account(), known);
    server.close(());
}

#[test]
fn the_server_goes_on_whatever_the_authority_does() {
    let refuses = |front: &Front| {
        front.answer(|head, to| {
            let refusal = r#"{"type":"rateLimited","detail":"too \u001b[31mmany\nfor you"}"#;
            match head {
                head if head.starts_with("GET /dir ") => {
                    write_answer(to, "200 OK", &directory(head))
                }
                head if head.starts_with("HEAD ") => write_answer(to, "200 OK", ""),
                _ => write_answer(to, "429 Too Many", refusal),
            }
        });
    };
    let talks_nonsense = |front: &Front| {
        front.answer(|_, to| write_answer(to, "200 OK", "<html>Welcome!</html>"));
    };
    let leads_nowhere = |front: &Front| {
        front.answer(|_, to| {
            let urls = r#"{"newNonce":"no address","newAccount":"","newOrder":"","x":1}"#;
            write_answer(to, "200 OK", urls)
        });
    };
    let never_ends = |front: &Front| {
        front.answer(|_, to| {
            write!(to, "HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                to.write_all(&[b' '; 1024])?;
            }
        });
    };
    let says_nothing = |front: &Front| front.answer(|_, _| Ok(()));
    let is_away = |_: &Front| ();
    let authorities: [(&str, Behaviour); 6] = [
        ("[31mmany", refuses),
        ("its answer makes no sense", talks_nonsense),
        ("the directory makes no sense", leads_nowhere),
        ("the answer is larger than 256 KiB, or broke off", never_ends),
        ("no answer within 30 seconds", says_nothing),
        ("cannot connect to localhost", is_away),
    ];
    let servers = authorities.map(|(reason, begin)| {
        let (data, front) = (Data::new(), Front::new());
        begin(&front);
        let mut options = front.options("tls");
        if reason.starts_with("cannot connect") {
            options[3] = format!("https://localhost:{}/dir", free_ports::<1>()[0]);
        }
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        let server = data.open(&[&DOORS[..], &options].concat());
        (reason, server, data, front)
    });
    for (reason, server, _data, _front) in servers {
        let mut alice = Guest::connect(server.address);
        alice.say("alice");
        alice.until("You are alice");
        let line = server.logged("localhost has given no certificate for chat.example.org: ");
        assert!(line.contains(reason) && line.ends_with("; the next try is in 1 min"), "{line}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
        alice.say("still here");
        hear(&mut alice, "still here");
        let log = server.close(alice);
        let lines = log.iter().filter(|line| line.contains("chat.example.org"));
        assert_eq!(lines.count(), 1, "one line a try: {log:#?}");
    }
}

/// Lets the authority behind a front answer in its way.
type Behaviour = fn(&Front);

/// The directory of an authority, at the host of a request.
fn directory(head: &str) -> String {
    let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    format!(
        r#"{{"newNonce":"https://{host}/nonce","newAccount":"https://{host}/account",
        "newOrder":"https://{host}/order","renewalInfo":"https://{host}/info"}}"#
    )
}

#[test]
fn restarts_in_the_middle_of_a_try_do_not_use_up_the_patience_of_the_authority() {
    let (data, front) = (Data::new(), Front::new());
    front.answer(|_, _| Ok(())); // each try waits for the answer
    for round in 1..=4 {
        let server = open(&data, &front, "tls", &[]);
        front.visited(round);
        server.close(()); // in time, with code 0: it does not wait for the authority
    }
    let server = open(&data, &front, "tls", &[]);
    let line = server
        .logged("four tries for the certificate for chat.example.org were made within an hour");
    assert!(line.contains("; the next one is in "), "{line}");
    let mut alice = Program::enter(server.listening("tls"), "alice");
    alice.say("hello");
    alice.until("alice: hello");
    drop(alice);
    server.close(());
    assert_eq!(front.visits.load(Ordering::Relaxed), 4);
}

#[test]
fn a_certificate_is_renewed_early_if_the_authority_says_so() {
    let (data, front) = (Data::new(), Front::new());
    front.answer(|head, to| {
        let early =
            r#"{"suggestedWindow":{"start":"2020-01-01T00:00:00Z","end":"2020-01-02T00:00:00Z"}}"#;
        match head {
            head if head.starts_with("GET /dir ") => write_answer(to, "200 OK", &directory(head)),
            head if head.starts_with("GET /info/") => write_answer(to, "200 OK", early),
            _ => write_answer(to, "503 Unavailable", ""),
        }
    });
    data.open(&[]).close(()); // it is the directory of a server
    fs::create_dir(data.directory().join("acme")).unwrap();
    let stored = format!("# From {}\n{}", front.directory(), issued());
    fs::write(data.directory().join("acme/certificate.pem"), stored).unwrap();
    let server = open(&data, &front, "tls", &[]);
    server.logged("the certificate for chat.example.org is from localhost, valid until 2400-01-01");
    server.logged("localhost has given no certificate for chat.example.org: ");
    server.close(());
}

#[test]
fn a_server_that_cannot_know_the_authority_does_not_start() {
    let data = Data::new();
    let mut command = data.parlor();
    command.args(["serve", "--listen", "tls://127.0.0.1:0", "--acme", "chat.example.org"]);
    command.args(["--acme-challenge", "tls", "--acme-ca", "/none.pem"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(printed.contains("cannot read /none.pem"), "{printed}");
}

/// A certificate that an authority has issued, with its key, for some hundred years.
fn issued() -> String {
    let mut facts = CertificateParams::new(["chat.example.org".to_owned()]).unwrap();
    facts.not_before = date_time_ymd(2020, 1, 1);
    facts.not_after = date_time_ymd(2400, 1, 1);
    facts.use_authority_key_identifier_extension = true;
    let (key, ca_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let ca = rcgen::Issuer::new(CertificateParams::new(["ca.example".to_owned()]).unwrap(), ca_key);
    key.serialize_pem() + &facts.signed_by(&key, &ca).unwrap().pem()
}
