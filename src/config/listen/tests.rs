//! What a listening URL may say, and the sentence for each that is refused.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::time::Duration;

use proptest::prelude::*;

use crate::config::listen::*;
use crate::door::DOORS;

fn url(text: &str) -> ListenUrl {
    text.parse().unwrap()
}

fn refusal(text: &str) -> String {
    text.parse::<ListenUrl>().unwrap_err().to_string()
}

#[test]
fn the_short_form_is_the_default_door() {
    assert_eq!(
        url("tcp://localhost"),
        ListenUrl::lines(Host::localhost(), Mode::Named(Names::Ask))
    );
    assert_eq!(
        url("tcp://*/?classic"),
        ListenUrl::lines(Host::All, Mode::Classic)
    );
}

#[test]
fn people_without_a_name_may_be_silent_for_five_minutes_but_in_classic_mode_for_ever() {
    assert_eq!(
        url("tcp://localhost").idle,
        Idle::Nameless(Duration::from_mins(5))
    );
    assert_eq!(url("tcp://localhost?classic").idle, Idle::Nobody);
    assert_eq!(
        url("tcp://localhost?classic&idle=2s").idle,
        Idle::Everybody(Duration::from_secs(2))
    );
    assert_eq!(url("tcp://localhost?idle=0").idle, Idle::Nobody);
}

#[test]
fn a_url_prints_in_one_form() {
    for (typed, printed) in [
        ("tcp://LOCALHOST/", "tcp://localhost:8000"),
        ("tcp://[::1]:0?names=ask", "tcp://[::1]:0"),
        ("tcp://[::1]:0?idle=300s", "tcp://[::1]:0?idle=5m"),
        (
            "tcp://*:90?idle=90m&names=address",
            "tcp://*:90?names=address&idle=1h30m",
        ),
        (
            "tcp://10.0.0.1?idle=0&classic=yes",
            "tcp://10.0.0.1:8000?classic",
        ),
        (
            "tcp://10.0.0.1?classic&names=address",
            "tcp://10.0.0.1:8000?classic",
        ),
        (
            "tcp://10.0.0.1?classic&idle=1500ms",
            "tcp://10.0.0.1:8000?classic&idle=1s500ms",
        ),
        (
            "tcp://10.0.0.1?idle=0&classic=no",
            "tcp://10.0.0.1:8000?idle=0",
        ),
    ] {
        assert_eq!(url(typed).to_string(), printed, "{typed:?}");
    }
}

#[test]
fn refusals_say_what_would_be_right() {
    for (typed, sentence) in [
        (
            "localhost:8000",
            "no scheme; write it in front, as in tcp://localhost:8000",
        ),
        (
            "tpc://localhost",
            "no scheme \"tpc\", did you mean tcp? (there is: tcp, http, metrics)",
        ),
        (
            "gopher://localhost",
            "no scheme \"gopher\" (there is: tcp, http, metrics)",
        ),
        (
            "tcp://localhost?idel=5m",
            "no option \"idel\", did you mean idle? (there is: tcp has classic, idle=5m|0, names=ask|address)",
        ),
        (
            "tcp://localhost?names=none",
            "names is \"none\"; write ask or address",
        ),
        ("tcp://localhost?classic=2", "write true or false"),
        (
            "tcp://localhost?idle",
            "\"\" is not an idle limit; write 5m, 90s, 1h30m (1ms to 8760h), or 0 for never",
        ),
        (
            "tcp://localhost?idle=1m&idle=2m",
            "idle is set twice; write it once",
        ),
        (
            "tcp://localhost?classic&names=ask",
            "classic has no names; leave out names=ask or classic",
        ),
        (
            "tcp://:8000",
            "no host; write a name, an address, or * for all interfaces",
        ),
    ] {
        assert_eq!(refusal(typed), sentence, "{typed:?}");
    }
}

#[test]
fn several_urls_have_commas_or_blanks_between_them() {
    let urls = read_urls("tcp://a:1, tcp://b:2\ntcp://c:3?classic ").unwrap();
    let printed: Vec<_> = urls.iter().map(ToString::to_string).collect();
    assert_eq!(printed, ["tcp://a:1", "tcp://b:2", "tcp://c:3?classic"]);
    assert!(read_urls("tcp://a:1,nonsense").is_err() && read_urls(" , ").is_err());
}

#[test]
fn every_door_has_a_name_of_its_own() {
    for door in DOORS {
        assert_eq!(door.scheme.name(), door.name);
        assert_eq!(find_door(door.name).unwrap().about, door.about);
    }
}

/// Any URL that the program can hold.
pub(in crate::config) fn any_url() -> impl Strategy<Value = ListenUrl> {
    let host = prop_oneof![
        Just(Host::All),
        any::<std::net::IpAddr>().prop_map(Host::Ip),
        "[a-z][a-z0-9-]{0,8}(\\.[a-z]{2,5})?".prop_map(Host::Name),
    ];
    let mode = prop_oneof![
        Just(Mode::Classic),
        Just(Mode::Named(Names::Ask)),
        Just(Mode::Named(Names::Address)),
    ];
    let idle = proptest::option::of((1..100_000_000u64).prop_map(Duration::from_millis));
    let is_said = any::<bool>();
    let hosts = proptest::collection::vec("[a-z][a-z0-9-]{0,8}", 0..3);
    let address = (host, any::<u16>()).prop_map(|(host, port)| Address { host, port });
    prop_oneof![
        (address.clone(), mode, idle, is_said).prop_map(|(address, mode, idle, is_said)| {
            let usual = ListenUrl::lines(Host::All, mode);
            let said = idle.map_or(Idle::Nobody, Idle::Everybody);
            let idle = if is_said { said } else { usual.idle };
            ListenUrl {
                address,
                idle,
                ..usual
            }
        }),
        (address, hosts).prop_map(|(address, hosts)| ListenUrl {
            address,
            hosts,
            ..ListenUrl::web(Host::All)
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(url in any_url()) {
        prop_assert_eq!(url.to_string().parse(), Ok(url));
    }

    #[test]
    fn anything_may_be_typed(text in "((tcp|http)://)?(\\PC*|[a-z*]*[?][a-z=&0-9]*)") {
        let _ = text.parse::<ListenUrl>();
    }
}
