//! The command line as people use it: the built program, its exit codes and its sentences. Opens no
//! door.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

const SETTINGS: [&str; 28] = [
    "listen",
    "classic",
    "lan",
    "data",
    "keep",
    "retain",
    "memory",
    "nats",
    "house",
    "node",
    "nats-creds",
    "tls-cert",
    "tls-key",
    "acme-directory",
    "allow-plain-passwords",
    "password-chars",
    "rate",
    "replay",
    "rooms",
    "connections",
    "connections-per-address",
    "limit-loopback",
    "log-lines",
    "log-size",
    "log-total",
    "stop-wait",
    "log",
    "log-format",
];

/// The program, without the variables of the tester's shell.
fn parlor(words: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("parlor"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARLOR_") {
            command.env_remove(name);
        }
    }
    command.args(words);
    command
}

fn told(command: &mut Command) -> String {
    let output = command.assert().success().get_output().clone();
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(command: &mut Command, code: i32) -> String {
    let output = command.assert().failure().code(code).get_output().clone();
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The value of `key` in the effective configuration.
fn effective(command: &mut Command, key: &str) -> String {
    let table: toml::Table = told(command).parse().unwrap();
    table.get(key).map(ToString::to_string).unwrap_or_default()
}

struct File {
    path: PathBuf,
    _folder: TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parlor.toml");
        fs::write(&path, text).unwrap();
        Self { path, _folder: folder }
    }

    fn config(&self, words: &[&str]) -> Command {
        let mut command = parlor(&["config", "--config", self.path.to_str().unwrap()]);
        command.args(words);
        command
    }

    /// The sentence with which `parlor` refuses this file.
    fn refusal(&self) -> String {
        let sentence = refused(&mut self.config(&[]), 1);
        let start = format!("parlor: {}: ", self.path.display());
        sentence.strip_prefix(&start).unwrap().trim_end().to_owned()
    }
}

/// The listeners without an option, as a file has them.
const USUAL: &str =
    "[\"tcp://localhost:8000\", \"http://localhost:8080\", \"irc://localhost:6667\"]";

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    for (key, default, in_file, in_environment, as_flag, printed) in [
        ("rate", "\"10/s\"", "'1/s'", "2/s", "off", ["\"1/s\"", "\"2/s\"", "\"off\""]),
        ("rooms", "1000", "1", "2", "3", ["1", "2", "3"]),
        ("connections", "", "1", "2", "3", ["1", "2", "3"]),
        ("log-size", "\"4MiB\"", "1024", "2MiB", "3GiB", ["\"1KiB\"", "\"2MiB\"", "\"3GiB\""]),
        ("log", "\"info\"", "'warn'", "error", "trace", ["\"warn\"", "\"error\"", "\"trace\""]),
        ("limit-loopback", "false", "true", "no", "yes", ["true", "false", "true"]),
        (
            "listen",
            USUAL,
            "['tcp://a:1', 'tcp://a:2']",
            "tcp://b:1,tcp://b:2 tcp://b:3",
            "tcp://c:1",
            [
                "[\"tcp://a:1\", \"tcp://a:2\"]",
                "[\"tcp://b:1\", \"tcp://b:2\", \"tcp://b:3\"]",
                "[\"tcp://c:1\"]",
            ],
        ),
    ] {
        let file = File::new(&format!("{key} = {in_file}"));
        let variable = format!("PARLOR_{}", key.replace('-', "_").to_uppercase());
        let flag = format!("--{key}={as_flag}");
        assert_eq!(effective(&mut parlor(&["config"]), key), default);
        assert_eq!(effective(&mut file.config(&[]), key), printed[0]);
        assert_eq!(effective(file.config(&[]).env(&variable, in_environment), key), printed[1]);
        assert_eq!(
            effective(file.config(&[&flag]).env(&variable, in_environment), key),
            printed[2]
        );
        assert_eq!(effective(file.config(&[]).env(&variable, ""), key), printed[0]);
    }
}

#[test]
fn the_environment_names_the_file_and_says_yes_in_several_ways() {
    let file = File::new("rooms = 7");
    let mut command = parlor(&["config"]);
    assert_eq!(effective(command.env("PARLOR_CONFIG", &file.path), "rooms"), "7");
    for (said, listen) in
        [("1", "*"), ("true", "*"), ("yes", "*"), ("0", "localhost"), ("no", "localhost")]
    {
        let mut command = parlor(&["config"]);
        let expected = USUAL.replace("localhost", listen);
        assert_eq!(effective(command.env("PARLOR_LAN", said), "listen"), expected, "{said}");
    }
    let mut command = parlor(&["config", "--lan=false"]);
    assert_eq!(effective(command.env("PARLOR_LAN", "yes"), "listen"), USUAL);
}

#[test]
fn a_bad_file_is_refused_in_one_sentence_with_what_would_be_right() {
    for (text, sentence) in [
        ("log_lines = 5", "no key \"log_lines\", did you mean log-lines?"),
        ("rooms = 0", "rooms = 0: write a whole number from 1 to 1000000000"),
        ("replay = -1", "replay = -1: write a whole number from 0 to 1000000000"),
        ("rooms = 'many'", "rooms = \"many\": write a whole number from 1 to 1000000000"),
        ("rooms = [1, 2]", "rooms = [1, 2]: write one value, not a list"),
        ("listen = []", "listen = []: write at least one value"),
        ("lan = 'perhaps'", "lan = \"perhaps\": write true or false"),
        ("lan = 1", "lan = 1: write true or false"),
        ("memory = 'true'", "memory = \"true\": write true or false"),
        ("data = 1", "data = 1: write a path in quotes"),
        ("data = ''", "data = \"\": write a path in quotes"),
        ("keep = 'well'", "keep = \"well\": write synced, written"),
        (
            "retain = 30",
            "retain = 30: write how long lines are stored as 30d, 12h or 4w (1h to 36500d), or off to store them for good",
        ),
        (
            "rate = 10",
            "rate = 10: write a rate as lines a second, from 1/s to 1000000/s, or off for no limit",
        ),
        (
            "log-size = '4MB'",
            "log-size = \"4MB\": write a size like 512KiB, 4MiB or 1GiB, or a number of bytes from 1",
        ),
        ("log = 'loud'", "log = \"loud\": write error, warn, info, debug, trace"),
        (
            "listen = ['tpc://localhost']",
            "listen = [\"tpc://localhost\"]: no scheme \"tpc\", did you mean tcp? (there is: tcp, http, irc, tls, https, ircs, unix, http+unix, metrics)",
        ),
        ("[rate]\nlines = 1", "rate = { lines = 1 }: write a value, not a table"),
    ] {
        assert_eq!(File::new(text).refusal(), sentence, "{text}");
    }
    let stranger = File::new("zzz = 1").refusal();
    assert!(stranger.starts_with("no key \"zzz\" (there is: listen, classic,"), "{stranger}");
    let broken = File::new("rooms = 1\nrate = = 2\n").refusal();
    assert!(broken.starts_with("line 2 is not TOML: ") && !broken.contains('\n'), "{broken}");
}

#[test]
fn a_missing_file_is_a_failure_and_not_wrong_usage() {
    for command in ["serve", "config"] {
        assert_eq!(
            refused(&mut parlor(&[command, "--config", "/nowhere/parlor.toml"]), 1),
            "parlor: /nowhere/parlor.toml: cannot read this configuration file (No such file or directory \
             (os error 2)); give --config the path of a TOML file\n"
        );
    }
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let refusal = |words: &[&str]| refused(&mut parlor(words), 1);
    let listen = "--listen=tcp://localhost:1";
    assert_eq!(
        refusal(&["config", "--lan", listen]),
        "parlor: --lan and --listen do not go together: --lan changes the default listeners and --listen replaces them; \
         leave out one of them, or write --listen 'tcp://*:8000'\n"
    );
    assert!(refusal(&["serve", "--classic", listen]).starts_with("parlor: --classic and --listen"));
    assert!(
        refusal(&["serve", "--memory", "--data", "D"]).starts_with("parlor: --memory and --data")
    );
    let file = File::new("memory = true");
    assert!(refused(&mut file.config(&["--data", "D"]), 1).contains("--memory and --data"));
}

#[test]
fn an_authority_needs_a_door_at_which_it_can_check_a_name() {
    let refusal = |more: &[&str]| {
        let words = [&["serve", "--data", "/nowhere", "--acme", "chat.example.org"], more].concat();
        refused(&mut parlor(&words), 2)
    };
    let needs = "parlor: --acme needs a door at port 443 (https://*:443) or 80 (http://*:80)\n";
    assert_eq!(refusal(&[]), needs);
    assert_eq!(refusal(&["--listen", "https://*,http://*,tcp://*:443"]), needs);
    for (more, sentence) in [
        (&["--listen", "http://*:80"][..], "--acme needs a door with TLS"),
        (&["--acme-challenge", "tls"], "--acme needs a door with TLS"),
        (
            &["--acme-challenge", "http", "--listen", "tls://*"],
            "--acme-challenge http needs a web door",
        ),
        (
            &["--tls-cert", "/a", "--listen", "https://*:443"],
            "--acme and --tls-cert do not go together",
        ),
    ] {
        let refused = refusal(more);
        assert!(refused.starts_with(&format!("parlor: {sentence}")), "{refused}");
    }
    let memory = ["serve", "--memory", "--acme", "a.example", "--listen", "https://*:443"];
    let told = refused(&mut parlor(&memory), 2);
    assert!(told.starts_with("parlor: --acme and --memory do not go together"), "{told}");
    let alone = refused(&mut parlor(&["serve", "--acme-contact", "a@example.org"]), 2);
    assert!(
        alone.starts_with("parlor: --acme-contact, --acme-ca and --acme-challenge need --acme")
    );
    for wrong in ["*.example.org", "192.0.2.7", "a b"] {
        let told = refused(&mut parlor(&["serve", "--acme", wrong]), 2);
        assert!(told.contains("for '--acme <NAME>'"), "{told}");
    }
}

#[test]
fn the_names_for_a_certificate_add_up_and_a_door_at_the_right_port_is_enough() {
    for doors in ["https://*:443", "ircs://*:443,tcp://*", "http://*:80?redirect,tls://*"] {
        let names = ["--acme", "A.example", "--acme", "b.example,a.example"];
        let words = [&["config", "--listen", doors, "--data", "D"], &names[..]].concat();
        assert_eq!(effective(&mut parlor(&words), "acme"), r#"["a.example", "b.example"]"#);
        let printed = told(&mut parlor(&words));
        assert_eq!(told(&mut File::new(&printed).config(&[])), printed);
    }
    let mut command = parlor(&["config", "--acme-challenge=tls", "--listen=tls://*"]);
    let variable = command.env("PARLOR_ACME", "a.example,b.example");
    assert_eq!(effective(variable, "acme"), r#"["a.example", "b.example"]"#);
}

#[test]
fn two_doors_at_one_address_are_refused() {
    let urls = "tcp://localhost,tcp://localhost:8000?classic";
    assert_eq!(
        refused(&mut parlor(&["config", "--listen", urls]), 1),
        "parlor: tcp://localhost:8000 and tcp://localhost:8000?classic use the same address; \
         give one of them another port\n"
    );
}

#[test]
fn wrong_usage_ends_with_code_2_and_names_the_mistake() {
    for (words, sentence) in [
        (&["sing"][..], "unrecognized subcommand 'sing'"),
        (&["serve", "--lam"], "a similar argument exists: '--lan'"),
        (&["serve", "--rooms", "0"], "write a whole number from 1 to"),
        (&["serve", "--replay", "-1"], "write a whole number from 0 to"),
        (&["serve", "--rate", "-5/s"], "write a rate as lines a second"),
        (&["serve", "--retain", "-1d"], "write how long lines are stored"),
        (&["serve", "--log-size", "-1"], "write a size like 512KiB"),
        (&["serve", "--log-total", "-4MiB"], "write a size like 512KiB"),
        (&["serve", "--port", "9000"], "--listen tcp://localhost:9000"),
        (&["serve", "--keep", "well"], "[possible values: synced, written]"),
        (&["serve", "--listen", "localhost:8000"], "write it in front, as in tcp://localhost:8000"),
        (&["serve", "--listen", ""], "no URL; write one like tcp://localhost:8000"),
        (&["join", "*"], "give the name of a host to join"),
        (&["join", "host:port"], "\"port\" is not a port"),
        (&["join", "ssh://host"], "write HOST, HOST:PORT or tls://HOST:PORT"),
        (&["join", "tls://host", "--pin", "AB:CD"], "with 64 hexadecimal digits"),
        (&["join", "tls://host", "--pin", &"0g".repeat(32)], "write a SHA256 fingerprint as"),
        (
            &["man", "sing"],
            "[possible values: serve, join, export, check, backup, admin, config, man, completions]",
        ),
        (&["completions", "sing"], "[possible values: bash,"),
    ] {
        let told = refused(&mut parlor(words), 2);
        assert!(told.contains(sentence), "{words:?}: {told}");
    }
}

#[test]
fn a_wrong_variable_is_named() {
    for (variable, value) in
        [("PARLOR_RATE", "fast"), ("PARLOR_LIMIT_LOOPBACK", "2"), ("PARLOR_LOG", "loud")]
    {
        let told = refused(parlor(&["config"]).env(variable, value), 2);
        assert!(told.contains(&format!("the environment sets {variable}={value}")), "{told}");
    }
}

#[test]
fn help_and_manual_name_every_setting() {
    let short = told(&mut parlor(&["serve", "-h"]));
    let long = told(&mut parlor(&["serve", "--help"]));
    let manual = told(&mut parlor(&["man", "serve"])).replace('\\', "");
    for key in SETTINGS.into_iter().chain(["config"]) {
        let variable = format!("PARLOR_{}", key.replace('-', "_").to_uppercase());
        for page in [&short, &long, &manual] {
            assert!(page.contains(&format!("--{key}")), "{key}: {page}");
            assert!(page.contains(&variable), "{key}: {page}");
        }
    }
    assert!(long.contains("idle=5m|0") && long.contains("names=ask|address"), "{long}");
    assert!(told(&mut parlor(&["join", "--help"])).contains("--bell"));
}

#[test]
fn the_printed_configuration_mentions_every_setting_and_reads_back() {
    let printed = told(&mut parlor(&["config", "--lan", "--rate=off", "--connections=9"]));
    for key in SETTINGS {
        assert!(
            printed
                .lines()
                .any(|line| { line.trim_start_matches("# ").starts_with(&format!("{key} =")) })
        );
    }
    assert_eq!(told(&mut File::new(&printed).config(&[])), printed);
}

#[test]
fn commented_keys_of_the_printed_configuration_can_be_uncommented() {
    let printed = told(&mut parlor(&["config", "--lan"]));
    let uncommented = SETTINGS.iter().fold(printed.clone(), |text, key| {
        text.replace(&format!("# {key} = "), &format!("{key} = "))
    });
    for line in ["lan = false", "classic = false", "connections = 1000"] {
        assert!(printed.contains(&format!("\n# {line}\n")), "{printed}");
        assert!(uncommented.contains(&format!("\n{line}\n")), "{uncommented}");
    }
    let table: toml::Table = uncommented.parse().unwrap();
    assert_eq!(table.len(), SETTINGS.len());
    let again = told(&mut File::new(&uncommented).config(&[]));
    let said = ["connections", "data", "nats", "node", "nats-creds", "tls-cert", "tls-key"]
        .iter()
        .fold(printed, |text, key| text.replace(&format!("# {key} = "), &format!("{key} = ")));
    assert_eq!(again, said);
}

#[test]
fn manual_pages_and_completions_come_for_every_command_and_shell() {
    assert!(told(&mut parlor(&["man"])).contains(".TH parlor 1"));
    for command in
        ["serve", "join", "export", "check", "backup", "admin", "config", "man", "completions"]
    {
        let page = told(&mut parlor(&["man", command]));
        assert!(page.contains(&format!(".TH parlor-{command} 1")), "{page}");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = told(&mut parlor(&["completions", shell]));
        assert!(script.contains("connections-per-address") && script.contains("bell"), "{shell}");
    }
}

#[test]
fn a_manual_page_lists_commands_and_options_and_keeps_its_distances() {
    let page = |words: &[&str]| told(parlor(&["man"]).args(words)).replace('\\', "");
    let whole = page(&[]);
    assert!(!whole.contains("parlor-help"), "{whole}");
    assert!(whole.contains("<COMMAND> [ARGUMENTS]"), "{whole}");
    let join = page(&["join"]);
    assert!(
        join.contains("[HOST[:PORT]] [PORT] [--name <NAME>] [--bell] [--pin <FINGERPRINT>]\n"),
        "{join}"
    );
    let admin = page(&["admin"]);
    for part in [
        "fBparlor admin kick <NAME> [REASON]... [--data <DIR>]fR\nRemove somebody",
        "fBparlor admin keeper add <NAME> [--data <DIR>]fR\n",
    ] {
        assert!(admin.contains(part), "{part}: {admin}");
    }
    assert!(!admin.contains("parlor-admin-"), "no such pages: {admin}");
    let serve = page(&["serve"]);
    for part in [
        "[--listen <URL>]... [--classic[=<BOOL>]]",
        "[default: 10/s]\n\nEnvironment: PARLOR_RATE\n.TP\n",
        ".ti -2n\nidle=5m|0: how long everybody",
        ".SH EXAMPLES\n.nf\nparlor serve\n",
        ".SH NOTES\nOptions win over",
    ] {
        assert!(serve.contains(part), "{part}: {serve}");
    }
    assert_eq!(told(parlor(&["man", "serve"]).env("PARLOR_RATE", "")).replace('\\', ""), serve);
}

#[test]
fn help_and_version_are_no_failures() {
    assert!(told(&mut parlor(&["--help"])).contains("nc localhost 8000"));
    assert!(told(&mut parlor(&["--version"])).starts_with("parlor 0."));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for words in [&["completions", "bash"][..], &["man"], &["config"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = std::process::Command::new(cargo_bin!("parlor"));
        let output = child.env_clear().args(words).stdout(writer).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}
