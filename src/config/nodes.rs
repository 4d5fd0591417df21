//! The values of the options for several nodes. Connects to nothing.

use parlor_core::model::NodeName;
use rustix::system::uname;

use super::units::InvalidValue;

/// The longest name of a house, so that subjects stay short.
const HOUSE_CHARS_MAX: usize = 32;

/// The schemes of servers of NATS, without and with TLS.
const SCHEMES: [&str; 2] = ["nats://", "tls://"];

/// Parses the servers of NATS: URLs, with commas between them.
pub(super) fn servers(typed: &str) -> Result<String, InvalidValue> {
    if typed.contains('@') {
        return Ok(typed.to_owned()); // refused later: here the sentence would have the password
    }
    let is_server = |url: &str| {
        let host = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
        host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace))
    };
    match typed.split(',').all(is_server) {
        true => Ok(typed.to_owned()),
        false => Err(InvalidValue::new(
            "write nats://HOST:4222 or tls://HOST:4222, several with commas between them",
        )),
    }
}

/// Refuses servers whose URLs have a user, a password or a token.
pub(super) fn check_servers(servers: &str) -> Result<(), InvalidValue> {
    match servers.contains('@') {
        false => Ok(()),
        true => Err(InvalidValue::new(
            "--nats takes no user, password or token in a URL; leave that out, and give the servers \
             credentials with --nats-creds FILE",
        )),
    }
}

/// Parses the name of a house.
pub(super) fn house(typed: &str) -> Result<String, InvalidValue> {
    let is_allowed = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '-');
    let is_name = (1..=HOUSE_CHARS_MAX).contains(&typed.len()) && typed.chars().all(is_allowed);
    match is_name {
        true => Ok(typed.to_owned()),
        false => Err(InvalidValue::new(format!(
            "write 1 to {HOUSE_CHARS_MAX} small letters, digits and hyphens"
        ))),
    }
}

/// Parses the name of a node.
pub(super) fn node(typed: &str) -> Result<String, InvalidValue> {
    match NodeName::parse(typed) {
        Some(name) => Ok(name.to_string()),
        None => {
            Err(InvalidValue::new("write 1 to 63 letters, digits, dots, hyphens and underscores"))
        }
    }
}

/// The name of a node: the chosen one, or that of the machine.
///
/// # Errors
/// The machine has no name that a node can have.
pub(super) fn node_name(chosen: Option<&str>) -> Result<NodeName, InvalidValue> {
    let machine = uname();
    let name = chosen.or_else(|| machine.nodename().to_str().ok()).unwrap_or_default();
    NodeName::parse(name).ok_or_else(|| {
        InvalidValue::new(
            "this machine's name cannot be the name of a node; choose one with --node NAME",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{check_servers, house, node, servers};

    #[test]
    fn servers_are_urls_and_names_are_short() {
        for right in ["nats://a:4222", "tls://a:4222,nats://10.0.0.1:4222", "nats://[::1]:4222"] {
            assert_eq!(servers(right).as_deref(), Ok(right));
        }
        for wrong in ["", "a:4222", "http://a", "nats://", "nats://a,", "nats://a b"] {
            assert!(servers(wrong).is_err(), "{wrong}");
        }
        for secret in ["nats://parlor:secret@a:4222", "nats://a,tls://token@b", "nats://u:p @a"] {
            let refused = servers(secret).and_then(|servers| check_servers(&servers));
            let said = refused.map_or_else(|refusal| refusal.to_string(), |()| secret.to_owned());
            assert!(said.contains("--nats-creds") && !said.contains("secret"), "{said}");
        }
        for (name, is_house) in [("main", true), ("a-1", true), ("", false), ("A", false)] {
            assert_eq!(house(name).is_ok(), is_house, "{name}");
        }
        assert!(house(&"a".repeat(33)).is_err());
        assert!(node("chat-1.example.com").is_ok() && node("a b").is_err());
    }
}
