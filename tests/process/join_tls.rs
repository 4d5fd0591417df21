//! `parlor join tls://`: which servers it trusts, and what it says about the others.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::DEADLINE;
use crate::data::{Data, STORED};
use crate::fake::Fake;
use crate::guest::Guest;
use crate::join_terminal::Terminal;
use crate::owners::PASSWORD;
use crate::server::{Server, parlor};
use crate::tls::{Pair, shown_at};

const TLS_DOOR: [&str; 2] = ["--listen", "tls://127.0.0.1:0"];

/// A person with a directory for configurations, and with these authorities in the system.
struct Person {
    home: TempDir,
    authorities: PathBuf,
}

impl Person {
    /// A person whose system trusts nobody.
    fn new() -> Person {
        let home = tempfile::tempdir().unwrap();
        Person { authorities: home.path().join("none.pem"), home }
    }

    fn trusting(authority: &Pair) -> Person {
        Person { authorities: authority.cert.clone(), ..Person::new() }
    }

    fn known_servers(&self) -> PathBuf {
        self.home.path().join("parlor/known_servers")
    }

    /// Lets the person know a server by this fingerprint.
    fn knows(&self, server: SocketAddr, fingerprint: &str) {
        fs::create_dir_all(self.known_servers().parent().unwrap()).unwrap();
        fs::write(self.known_servers(), format!("{server} {fingerprint}\n")).unwrap();
    }

    /// Says hello from a pipe. Returns what `parlor join` prints.
    fn says_hello(&self, server: &str, more: &[&str]) -> Result<String, String> {
        self.says("hello\n", server, more)
    }

    fn says(&self, text: &str, server: &str, more: &[&str]) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command.args(["join", server, "--name", "bot"]).args(more).write_stdin(text);
        command.env("XDG_CONFIG_HOME", self.home.path()).env("SSL_CERT_FILE", &self.authorities);
        let output = command.env_remove("SSL_CERT_DIR").timeout(DEADLINE).output().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        match output.status.code() {
            Some(0) => Ok(out),
            Some(1) => Err(err),
            other => panic!("{other:?}: {out}{err}"),
        }
    }

    /// Checks that the person can say hello.
    fn is_heard(&self, server: &str, more: &[&str]) {
        let said = self.says_hello(server, more).unwrap();
        assert!(said.ends_with("\nbot: hello\n"), "{said}");
    }

    /// Sits down at a terminal and joins.
    fn at_terminal(&self, server: SocketAddr) -> Terminal {
        let [home, authorities] = [self.home.path(), &self.authorities].map(|path| path.display());
        let environment = format!("XDG_CONFIG_HOME={home} SSL_CERT_FILE={authorities}");
        Terminal::join(&format!("tls://{server}"), &environment, "--name alice")
    }
}

/// Waits for words on a screen whose rows may break anywhere.
fn shows(terminal: &Terminal, words: &str) {
    let bare: String = words.split_whitespace().collect();
    terminal
        .until(words, |rows| rows.concat().split_whitespace().collect::<String>().contains(&bare));
}

fn refused(said: Result<String, String>, words: &[&str]) {
    let sentence = said.unwrap_err();
    for words in words {
        assert!(sentence.contains(words), "{words}: {sentence}");
    }
}

#[test]
fn a_pin_is_accepted_in_every_form_and_another_one_is_refused() {
    let server = Server::open(&TLS_DOOR);
    let mut alice = Guest::enter(server.address, "alice");
    let url = format!("tls://{}", server.listening("tls"));
    let line = server.logged("the certificate is our own: ");
    let (_, printed) = line.split_once("SHA256 fingerprint ").unwrap();
    let bare = printed.replace(':', "").to_lowercase();
    for pin in [printed, &bare, &format!("SHA256:{printed}"), &format!("SHA256 {printed}")] {
        Person::new().is_heard(&url, &["--pin", pin]);
        alice.until("bot has left");
    }
    let wrong = "AB:".repeat(31) + "CD";
    let not_pinned = Person::new().says_hello(&url, &["--pin", &wrong]);
    refused(not_pinned, &["is not the one of --pin", printed, &wrong]);
    let unknown = Person::new().says_hello(&url, &[]);
    let reason = "no authority that this system trusts";
    refused(unknown, &["nothing was sent", "no list of authorities", &format!("--pin {printed}")]);
    refused(Person::trusting(&Pair::new()).says_hello(&url, &[]), &[reason]);
    let plain = server.address.to_string();
    refused(Person::new().says_hello(&plain, &["--pin", printed]), &["join it as tls://127.0.0.1"]);
    alice.say("alone");
    assert_eq!(alice.line(), "alice: alone");
    server.close(alice);
}

#[test]
fn the_certificate_of_an_authority_needs_no_question_and_only_a_pin_counts_beside_it() {
    let (authority, other) = (Pair::new(), Pair::new());
    let pair = Pair::signed_by(&authority, "DNS:localhost,IP:127.0.0.1");
    let server = Server::open(&[&TLS_DOOR[..], &pair.options()].concat());
    let door = server.listening("tls");
    let urls = [format!("tls://{door}"), format!("tls://localhost:{}", door.port())];
    let person = Person::trusting(&authority);
    urls.iter().for_each(|url| person.is_heard(url, &[]));
    assert!(!person.known_servers().exists());
    person.knows(door, &other.fingerprint()); // from the time before
    person.is_heard(&urls[0], &[]);
    refused(person.says_hello(&urls[0], &["--pin", &other.fingerprint()]), &["of --pin"]);
    person.is_heard(&urls[0], &["--pin", &pair.fingerprint()]);

    let foreign = Pair::signed_by(&authority, "DNS:elsewhere.example");
    for (pair, reason) in [(&foreign, "it is for another name"), (&other, "CaUsedAsEndEntity")] {
        let impostor = Server::open(&[&TLS_DOOR[..], &pair.options()].concat());
        let url = format!("tls://{}", impostor.listening("tls"));
        refused(person.says_hello(&url, &[]), &["nothing was sent: it is", reason]);
        impostor.close(());
    }
    server.close(());
}

#[test]
fn a_known_server_is_joined_from_a_pipe_until_its_certificate_changes() {
    let server = Server::open(&TLS_DOOR);
    let door = server.listening("tls");
    let (url, shown, other) = (format!("tls://{door}"), shown_at(door), Pair::new().fingerprint());
    let person = Person::new();
    person.knows(door, &shown);
    person.is_heard(&url, &[]);
    person.knows(door, &other);
    let place = format!("remove line 1 of {}", person.known_servers().display());
    refused(person.says_hello(&url, &[]), &["has changed", &shown, &other, &place]);
    fs::write(person.known_servers(), "x".repeat(2 << 20)).unwrap();
    refused(person.says_hello(&url, &[]), &["is larger than 1 MiB"]);
    server.close(());
}

#[test]
fn a_server_without_tls_and_a_client_without_tls_read_which_address_is_right() {
    let server = Server::open(&TLS_DOOR);
    let (plain, door) = (server.address, server.listening("tls"));
    let person = Person::new();
    let advice = format!("does not speak TLS; try parlor join {plain}.");
    refused(person.says_hello(&format!("tls://{plain}"), &[]), &[&advice]);
    let mut nameless = Command::new(env!("CARGO_BIN_EXE_parlor"));
    let nameless = nameless.arg("join").arg(door.to_string()).write_stdin("hello\n").assert();
    let sentence = format!("parlor: The server at {door} speaks TLS: parlor join tls://{door}.\n");
    nameless.failure().code(1).stderr(sentence);
    let terminal = Terminal::join(&door.to_string(), "", "--name alice");
    terminal.prompts(">");
    terminal.typed("hello");
    terminal.press("Enter");
    shows(&terminal, &format!("-- The server at {door} speaks TLS: parlor join tls://{door}"));
    terminal.shows("-- Connection closed; press Enter to reconnect");
    server.close(());

    let closing = |fake: Fake| fake.accept().close();
    let silent = |fake: Fake| std::mem::forget(fake.accept());
    for (server, words) in [
        (closing as fn(Fake), "closed the connection in the handshake of TLS"),
        (silent, "does not answer in TLS within 10 seconds"),
    ] {
        let fake = Fake::new();
        let url = format!("tls://{}", fake.address());
        let server = thread::spawn(move || server(fake));
        refused(person.says_hello(&url, &[]), &[words]);
        server.join().unwrap();
    }
}

#[test]
fn more_lines_than_a_pipe_holds_come_back_over_tls_complete_and_in_order() {
    let server = Server::open(&[&TLS_DOOR[..], &["--rate", "off"]].concat());
    let door = server.listening("tls");
    let said: String = (0..20_000).map(|line| format!("{line}\n")).collect();
    let pin = ["--pin", &shown_at(door)];
    let shown = Person::new().says(&said, &format!("tls://{door}"), &pin).unwrap();
    let echoed = shown.lines().filter_map(|line| line.strip_prefix("bot: "));
    assert!(echoed.eq(said.lines()), "{shown}");
    server.close(());
}

#[test]
fn a_killed_server_ends_the_client_as_without_tls() {
    let mut server = Server::open(&TLS_DOOR);
    let door = server.listening("tls");
    let mut child = parlor()
        .args(["join", &format!("tls://{door}"), "--pin", &shown_at(door)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("You are "));
    server.kill();
    assert!(lines.all(|line| !line.is_empty()), "up to the end");
    assert!(child.wait().unwrap().success());
    drop(input);
}

#[test]
fn a_person_is_asked_once_and_a_changed_certificate_is_refused() {
    let data = Data::new();
    let server = data.open(&TLS_DOOR);
    let door = server.listening("tls");
    let shown = shown_at(door);
    let person = Person::new();

    let terminal = person.at_terminal(door);
    shows(&terminal, &format!("Its SHA256 fingerprint is {shown} The operator"));
    terminal.typed("n");
    terminal.press("Enter");
    terminal.shows("ended with 1");
    shows(&terminal, "You did not accept the certificate, so nothing was sent.");
    assert!(!person.known_servers().exists());

    let terminal = person.at_terminal(door);
    shows(&terminal, "(y/n)");
    terminal.typed("y");
    terminal.press("Enter");
    terminal.shows(STORED);
    let file = person.known_servers();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{door} {shown}\n"));
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(file.as_path()), mode(file.parent().unwrap())), (0o600, 0o700));
    terminal.typed("/register");
    terminal.press("Enter");
    for asked in ["-- Type a password for alice", "-- Type the password again"] {
        shows(&terminal, asked);
        terminal.typed(PASSWORD);
        terminal.press("Enter");
    }
    shows(&terminal, "-- alice is registered");
    assert!(!terminal.screen(&[]).contains(PASSWORD));
    terminal.press("C-d");
    terminal.ends_well();

    let terminal = person.at_terminal(door);
    shows(&terminal, "-- alice is registered: type its password");
    assert!(!terminal.screen(&[]).contains("(y/n)"));
    terminal.press("C-c");
    terminal.ends_well();

    let other = Pair::new().fingerprint();
    person.knows(door, &other);
    let terminal = person.at_terminal(door);
    terminal.shows("ended with 1");
    shows(&terminal, &format!("fingerprint is {shown} and it was {other} If"));
    server.close(());
}

#[test]
fn the_client_reconnects_over_tls_only_to_the_server_that_it_knows() {
    let data = Data::new();
    let server = data.open(&TLS_DOOR);
    let door = server.listening("tls");
    let person = Person::new();
    person.knows(door, &shown_at(door));
    let terminal = person.at_terminal(door);
    terminal.shows(STORED);
    terminal.typed("behind the return code");
    terminal.press("Enter");
    terminal.shows("alice: behind the return code");
    let url = format!("tls://{door}");
    let listen = ["--listen", "tcp://127.0.0.1:0", "--listen", &url];
    server.close(());
    let server = Server::run(data.parlor(), &listen);
    shows(&terminal, "-- Welcome back, alice");
    terminal.typed("still here");
    terminal.press("Enter");
    terminal.shows("alice: still here");
    server.close(());

    let other = Pair::new();
    let impostor = Server::run(data.parlor(), &[&listen[..], &other.options()].concat());
    shows(&terminal, &format!("-- The certificate of {door} has changed, so nothing was sent"));
    terminal.shows("-- Connection closed; press Enter to reconnect");
    impostor.close(());
    let server = Server::run(data.parlor(), &listen);
    terminal.press("C-l");
    terminal.press("Enter");
    shows(&terminal, "-- Welcome back, alice");
    terminal.typed("and again");
    terminal.press("Enter");
    terminal.shows("alice: and again");
    assert!(!terminal.screen(&[]).contains("(y/n)"));
    server.close(());
}
