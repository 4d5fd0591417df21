//! A server of NATS that is encrypted, asks for credentials, or is full.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::data::{Data, enter};
use crate::machine::Machine;
use crate::nats::Cluster;
use crate::server::{HERE, Server};

/// A node on these servers, which stores its lines there.
pub(crate) fn node(mut parlor: Command, url: &str, options: &[&str]) -> Server {
    parlor.env_remove("SSL_CERT_DIR");
    Server::run(parlor, &[&HERE[..], &["--rate", "off", "--nats", url], options].concat())
}

/// Somebody says a line on the node and reads it; then the node ends.
fn speak(server: Server) {
    let mut alice = enter(&server, "alice");
    alice.say("hello");
    alice.until("alice: hello");
    server.close(alice);
}

#[test]
fn a_tls_url_encrypts_the_connection_and_checks_the_certificate() {
    let machines = Machine::here(1);
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    make_certificate(&machines[0].address.to_string(), &path("key"), &path("certificate"));
    let tls =
        format!("tls {{ cert_file: {:?}, key_file: {:?} }}", path("certificate"), path("key"));
    let Some(cluster) = Cluster::start_with(&machines, &tls) else { return };
    let url = cluster.urls().replace("nats://", "tls://");
    let data = Data::new();
    let mut trusting = data.parlor();
    trusting.env("SSL_CERT_FILE", path("certificate"));
    speak(node(trusting, &url, &[]));

    let mut another = data.parlor();
    make_certificate("127.0.0.1", &path("other-key"), &path("other"));
    another.env("SSL_CERT_FILE", path("other")).env_remove("SSL_CERT_DIR");
    let options = [&["serve"], &HERE[..], &["--nats", &url]].concat();
    let output = another.args(options).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("no server of NATS answers at tls://"), "{words}");
}

/// Makes a key, and a certificate for this address that is its own authority.
fn make_certificate(address: &str, key: &str, certificate: &str) {
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=nats", "-keyout", key, "-out", certificate])
        .args(["-addext", &format!("subjectAltName=IP:{address}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn servers_that_ask_for_credentials_get_them_from_a_file() {
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let system = KeyPair::new_account();
    let user = KeyPair::new_user();
    let no_limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
        "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1
    });
    let of_operator = token(&operator, &operator, json!({"type": "operator", "version": 2}));
    let nats = json!({"type": "account", "version": 2, "limits": no_limits});
    let of_account = token(&operator, &account, nats);
    let of_system = token(
        &operator,
        &system,
        json!({"type": "account", "version": 2, "limits": {
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1
        }}),
    );
    let nats = json!({
        "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {}
    });
    let of_user = token(&account, &user, nats);
    let trust = format!(
        "operator: {of_operator}\nresolver: MEMORY\nsystem_account: {system}\n\
         resolver_preload: {{ {account}: {of_account}, {system}: {of_system} }}",
        account = account.public_key(),
        system = system.public_key(),
    );
    let Some(cluster) = Cluster::start_with(&Machine::here(1), &trust) else { return };
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("node.creds");
    write_credentials(&path, &of_user, &user.seed().unwrap());
    let data = Data::new();
    let url = cluster.urls();
    speak(node(data.parlor(), &url, &["--nats-creds", path.to_str().unwrap()]));

    let options = [&["serve"], &HERE[..], &["--nats", &url]].concat();
    let output = data.parlor().args(options).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("NATS refuses this server; check --nats-creds"), "{words}");
}

/// Says of the subject what its issuer grants, in the format of NATS.
fn token(issuer: &KeyPair, subject: &KeyPair, nats: Value) -> String {
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "jti": "test", "iat": 1_700_000_000, "iss": issuer.public_key(), "name": "test",
        "sub": subject.public_key(), "nats": nats
    });
    let head = part(json!({"typ": "JWT", "alg": "ed25519-nkey"}));
    let signed = format!("{head}.{}", part(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(issuer.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn write_credentials(path: &Path, token: &str, seed: &str) {
    let words = format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    fs::write(path, words).unwrap();
}

#[test]
fn a_full_stream_refuses_lines_until_there_is_room() {
    const FULL: &str = "-- Not sent: the message store is full. Send it again later";
    let Some(cluster) = Cluster::start(&Machine::here(1)) else { return };
    let data = Data::new();
    let server = node(data.parlor(), &cluster.urls(), &[]);
    let mut alice = enter(&server, "alice");
    cluster.limit_stream(Some(1_000));
    alice.say(&"too long ".repeat(400));
    alice.until(FULL);
    cluster.limit_stream(None);
    alice.say("short");
    alice.until("alice: short");
    server.close(alice);
    let texts: Vec<_> = data.lobby().into_iter().map(|row| row.text).collect();
    assert_eq!(texts, ["short"]);
}

#[test]
fn the_addresses_of_many_people_on_another_node_come_in_small_answers() {
    const PEOPLE: usize = 100;
    let small = "max_payload: 4096";
    let Some(cluster) = Cluster::start_with(&Machine::here(1), small) else { return };
    let (data, url) = ([Data::new(), Data::new()], cluster.urls());
    let [red, blue] = [("red", &data[0]), ("blue", &data[1])]
        .map(|(name, data)| node(data.parlor(), &url, &["--node", name]));
    let mut alice = enter(&red, "alice");
    let guests: Vec<_> = (0..PEOPLE).map(|number| enter(&blue, &format!("bob{number}"))).collect();
    alice.say("/rooms");
    alice.lines_until("everybody", |line| line.contains(&format!("{} people", PEOPLE + 1)));
    let output = data[0].parlor().args(["admin", "list"]).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let mut listed = listed.lines();
    for (number, guest) in guests.iter().enumerate() {
        let address = guest.stream().local_addr().unwrap();
        let line = listed.next().unwrap();
        let person = format!("bob{number}, {address}, on blue, in lobby, ");
        assert!(line.starts_with(&person), "{line}");
    }
    assert!(listed.next().unwrap().starts_with("alice, 127.0.0.1:"));
    assert_eq!(listed.next(), None);
    blue.close(guests);
    red.close(alice);
}
