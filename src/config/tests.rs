//! What settings mean together, and that a printed configuration reads back.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::Path;

use clap::{FromArgMatches, ValueEnum};
use proptest::prelude::*;

use super::listen::tests::any_url;
use crate::cli::args;
use crate::config::*;

fn settings(typed: &[&str]) -> Settings {
    let matches = args::settings_alone().get_matches_from(typed);
    Settings::from_arg_matches(&matches).unwrap()
}

fn doors(typed: &[&str]) -> Vec<String> {
    let config = Config::from_settings(settings(typed)).unwrap();
    config.listeners.iter().map(ToString::to_string).collect()
}

#[test]
fn listeners_add_up_and_replace_the_default() {
    let both = ["tcp://localhost:8000", "http://localhost:8080"];
    assert_eq!(doors(&[]), both);
    assert_eq!(doors(&["--lan"]), ["tcp://*:8000", "http://*:8080"]);
    assert_eq!(doors(&["--classic"]), ["tcp://localhost:8000?classic"]);
    assert_eq!(doors(&["--classic", "--lan"]), ["tcp://*:8000?classic"]);
    let listen = "--listen=tcp://localhost:1";
    assert_eq!(doors(&[listen, "--lan=false"]), ["tcp://localhost:1"]);
    assert_eq!(
        doors(&[listen, listen, "--listen=tcp://a"]),
        ["tcp://localhost:1", "tcp://a:8000"]
    );
    let free = "--listen=tcp://localhost:0";
    assert_eq!(
        doors(&[free, free]),
        ["tcp://localhost:0", "tcp://localhost:0"]
    );
}

#[test]
fn only_a_web_door_that_nobody_asked_for_may_be_missing() {
    let by_default = |typed: &[&str]| {
        Config::from_settings(settings(typed))
            .unwrap()
            .web_by_default
    };
    assert!(by_default(&[]) && by_default(&["--lan"]));
    assert!(!by_default(&["--listen=http://localhost"]) && !by_default(&["--classic"]));
}

#[test]
fn two_doors_at_one_address_are_refused() {
    let both = settings(&["--listen=tcp://*:8000?idle=0,tcp://localhost:8000?classic"]);
    assert_eq!(
        Config::from_settings(both).unwrap_err().to_string(),
        "tcp://*:8000?idle=0 and tcp://localhost:8000?classic use the same address; give one of them another port"
    );
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let listen = "--listen=tcp://localhost:1";
    for (typed, start) in [
        ([listen, "--lan"], "--lan and --listen do not go together"),
        (
            [listen, "--classic"],
            "--classic and --listen do not go together",
        ),
        (
            ["--memory", "--data=D"],
            "--memory and --data do not go together",
        ),
    ] {
        let refused = Config::from_settings(settings(&typed)).unwrap_err();
        assert!(refused.to_string().starts_with(start), "{refused}");
    }
    assert!(Config::from_settings(settings(&["--memory=false", "--data=D"])).is_ok());
}

#[test]
fn the_start_message_can_say_who_can_join() {
    let only = |typed: &[&str]| {
        Config::from_settings(settings(typed))
            .unwrap()
            .only_this_machine()
    };
    assert!(only(&[]) && only(&["--classic"]) && only(&["--listen=tcp://[::1],tcp://127.0.0.1"]));
    assert!(only(&["--listen=tcp://localhost,metrics://*"]));
    assert!(!only(&["--lan"]) && !only(&["--listen=tcp://localhost,tcp://0.0.0.0:1"]));
}

#[test]
fn help_names_every_default() {
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    for flag in args::settings_alone().get_arguments() {
        let Some(default) = flag.get_long().and_then(|key| defaults.get(key)) else {
            continue;
        };
        let words = default.to_string().replace(['"', '[', ']'], "");
        let help = flag.get_help().unwrap().to_string();
        assert!(
            default.is_bool() || help.contains(&format!("[default: {words}]")),
            "{help}"
        );
    }
}

fn any_config() -> impl Strategy<Value = Config> {
    let urls = proptest::collection::vec(any_url(), 1..4);
    let counts = (
        0..1_000_000_000usize,
        1..1_000_000_000usize,
        1..1_000_000_000usize,
        1..1_000_000_000usize,
    );
    let sizes = (1..usize::MAX >> 2, 0..30usize);
    let levels = (
        0..LogLevel::value_variants().len(),
        0..LogFormat::value_variants().len(),
    );
    let rest = (
        any::<bool>(),
        0..1_000_000u32,
        proptest::option::of(1..100_000usize),
    );
    (urls, counts, sizes, levels, rest).prop_map(|(mut listeners, counts, sizes, levels, rest)| {
        for (n, url) in listeners.iter_mut().enumerate() {
            url.address.port = if url.address.port == 0 {
                0
            } else {
                1 + n as u16
            };
        }
        Config {
            listeners,
            web_by_default: false,
            data: (!rest.0).then(|| "/var/lib/parlor".into()),
            keep: if rest.0 { Keep::Written } else { Keep::Synced },
            retain: match rest.2 {
                Some(hours) => Retain::Hours(hours as u32),
                None => Retain::Off,
            },
            memory: rest.0,
            allow_plain_passwords: rest.0,
            rate: Rate::per_second(rest.1),
            replay: counts.0,
            rooms: counts.1,
            connections: rest.2,
            connections_per_address: counts.2,
            limit_loopback: rest.0,
            log_lines: counts.3,
            log_size: sizes.0.to_string().parse().unwrap(),
            log_total: ByteSize::mebibytes(1 << sizes.1),
            log: LogLevel::value_variants()[levels.0],
            log_format: LogFormat::value_variants()[levels.1],
        }
    })
}

fn read_back(path: &Path, config: &Config) -> Config {
    fs::write(path, config.to_toml().unwrap()).unwrap();
    Config::from_settings(file::read(path).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn a_printed_configuration_reads_back(config in any_config()) {
        let folder = tempfile::tempdir().unwrap();
        prop_assert_eq!(&read_back(&folder.path().join("parlor.toml"), &config), &config);
    }
}
