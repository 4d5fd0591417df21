//! Tests of options that depend on each other, and of a printed configuration that reads back.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;

fn read(words: &[&str]) -> Config {
    Config::from_words(words).unwrap()
}

fn refusal(words: &[&str]) -> String {
    Config::from_words(words).unwrap_err().to_string()
}

fn doors(words: &[&str]) -> Vec<String> {
    let listeners = read(words).listeners;
    listeners.iter().map(ToString::to_string).collect()
}

#[test]
fn listeners_add_up_and_replace_the_default() {
    let usual = ["tcp://localhost:8000", "http://localhost:8080", "irc://localhost:6667"];
    assert_eq!(doors(&[]), usual);
    assert_eq!(doors(&["--lan"]), ["tcp://*:8000", "http://*:8080", "irc://*:6667"]);
    assert_eq!(doors(&["--classic"]), ["tcp://localhost:8000?classic"]);
    assert_eq!(doors(&["--classic", "--lan"]), ["tcp://*:8000?classic"]);
    let listen = "--listen=tcp://localhost:1";
    assert_eq!(doors(&[listen, "--lan=false"]), ["tcp://localhost:1"]);
    assert_eq!(doors(&[listen, listen, "--listen=tcp://a"]), ["tcp://localhost:1", "tcp://a"]);
    let free = "--listen=tcp://localhost:0";
    assert_eq!(doors(&[free, free]), ["tcp://localhost:0", "tcp://localhost:0"]);
}

#[test]
fn a_listener_may_only_be_missing_among_the_usual_ones() {
    assert!(read(&[]).listens_as_usual && read(&["--lan"]).listens_as_usual);
    assert!(!read(&["--listen=http://localhost"]).listens_as_usual);
}

#[test]
fn two_doors_at_one_address_are_refused() {
    assert_eq!(
        refusal(&["--listen=tcp://*:8000?idle=0,tcp://localhost:8000?classic"]),
        "tcp://*:8000?idle=0 and tcp://localhost:8000?classic use the same address; give one of them another port"
    );
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let listen = "--listen=tcp://localhost:1";
    for (words, start) in [
        ([listen, "--lan"], "--lan and --listen do not go together"),
        ([listen, "--classic"], "--classic and --listen do not go together"),
        (["--memory", "--data=D"], "--memory and --data do not go together"),
    ] {
        let refused = refusal(&words);
        assert!(refused.starts_with(start), "{refused}");
    }
    assert!(Config::from_words(&["--memory=false", "--data=D"]).is_ok());
}

#[test]
fn help_names_every_default() {
    let defaults = read(&[]).table();
    for flag in options().get_arguments() {
        let Some(default) = flag.get_long().and_then(|key| defaults.get(key)) else {
            continue;
        };
        let words = default.to_string().replace(['"', '[', ']'], "");
        let help = flag.get_help().unwrap().to_string();
        assert!(default.is_bool() || help.contains(&format!("[default: {words}]")), "{help}");
    }
}

#[test]
fn limits_change_and_the_rest_is_named() {
    let old = read(&[]);
    let wanted = read(&[
        "--rate=3/s",
        "--connections=7",
        "--log=debug",
        "--keep=written",
        "--data=elsewhere",
        "--classic",
        "--lan",
    ]);
    let (config, sentences) = old.change_to(&wanted);
    let until = "until a restart";
    let cannot = "cannot change while the server runs: it stays";
    let usual = r#"["tcp://localhost:8000", "http://localhost:8080", "irc://localhost:6667"]"#;
    assert_eq!(
        sentences,
        [
            "connections is 7 now".to_owned(),
            "log is debug now".to_owned(),
            "rate is 3/s now".to_owned(),
            format!("data {cannot} the default {until}"),
            format!("keep {cannot} synced {until}"),
            format!("listen {cannot} {usual} {until}"),
        ]
    );
    assert_eq!(config.keep, old.keep);
    assert!(config.change_to(&config).1.is_empty());
    assert_eq!(
        config.change_to(&old).1,
        ["connections is the default now", "log is info now", "rate is 10/s now"]
    );
}

/// Any URL, also of doors that do not exist.
fn any_url() -> impl Strategy<Value = ListenUrl> {
    let host = prop_oneof![
        Just(Host::All),
        any::<std::net::IpAddr>().prop_map(Host::Ip),
        "[a-z][a-z0-9-]{0,8}(\\.[a-z]{2,5})?".prop_map(Host::Name),
    ];
    let options = proptest::collection::vec("[a-z]{1,8}(=[a-z0-9]{0,8})?", 0..3);
    let port = (host, proptest::option::of(any::<u16>()));
    let place = prop_oneof![
        port.prop_map(|(host, port)| ListenPlace::Port { host, port }),
        "(/[a-z.]{1,8}){1,3}".prop_map(|path| ListenPlace::Path(path.into())),
    ];
    ("[a-z]{2,8}", place, options).prop_map(|(scheme, place, options)| ListenUrl {
        scheme,
        place,
        options,
    })
}

fn any_config() -> impl Strategy<Value = Config> {
    let count = || 1..1_000_000_000usize;
    let counts = (count(), count(), count(), proptest::option::of(count()));
    let sizes = (1..usize::MAX >> 2, 0..30usize);
    let words = (
        prop_oneof![Just(LogLevel::Error), Just(LogLevel::Trace)],
        prop_oneof![Just(LogFormat::Text), Just(LogFormat::Json)],
        prop_oneof![Just(Keep::Synced), Just(Keep::Written)],
        any::<bool>(),
    );
    let times = (0..1_000_000u32, proptest::option::of(1..100_000u32));
    let urls = proptest::collection::vec(any_url(), 1..4);
    (urls, counts, sizes, words, times).prop_map(|(mut listeners, counts, sizes, words, times)| {
        for (n, url) in (1..).zip(&mut listeners) {
            // URLs with different addresses.
            match &mut url.place {
                ListenPlace::Port { port: Some(0), .. } => {}
                ListenPlace::Port { port: None, .. } if n == 1 => {}
                ListenPlace::Port { port, .. } => *port = Some(n),
                ListenPlace::Path(path) => path.push(n.to_string()),
            }
        }
        let (log, log_format, keep, yes) = words;
        Config {
            listeners,
            listens_as_usual: false,
            data: (!yes).then(|| "/var/lib/parlor".into()),
            keep,
            retain: times.1.map_or(Retain::Off, Retain::Hours),
            memory: yes,
            allow_plain_passwords: yes,
            password_chars: counts.0.clamp(1, 64),
            rate: NonZeroU32::new(times.0).map_or(RateLimit::Off, RateLimit::PerSecond),
            replay: counts.0,
            rooms: counts.1,
            connections: counts.3,
            connections_per_address: counts.2,
            limit_loopback: yes,
            log_lines: counts.0,
            log_size: sizes.0.to_string().parse().unwrap(),
            log_total: (1usize << sizes.1).to_string().parse().unwrap(),
            stop_wait: if yes { "1500ms" } else { "12s" }.parse().unwrap(),
            log,
            log_format,
            ..read(&[])
        }
    })
}

proptest! {
    #[test]
    fn a_printed_configuration_reads_back(config in any_config()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parlor.toml");
        fs::write(&path, config.to_toml()).unwrap();
        let file = read_file(&path, &options()).unwrap();
        let flags = options().mut_args(|arg| file.behind(arg));
        let matches = flags.try_get_matches_from([""; 0]).unwrap();
        let back = Config::from_arg_matches(&matches).unwrap().settled().unwrap();
        prop_assert_eq!(back, config);
    }

    #[test]
    fn anything_may_be_typed(text in "((tcp|http)://)?(\\PC*|[a-z*]*[?][a-z=&0-9]*)") {
        let _ = text.parse::<ListenUrl>();
    }
}
