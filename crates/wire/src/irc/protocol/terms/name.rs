//! Names as IRC writes them: nicks, channels, sources, servers. Knows no person and no room.

use std::borrow::Cow;
use std::net::SocketAddr;

use parlor_core::model::{Name, NameError, RoomName};

/// The longest user in a source, in bytes.
pub const USER_BYTES_MAX: usize = 10;

/// The host in the source of a stored line, whose author is not connected.
pub const STORED_HOST: &str = "kept";

/// Characters that clients of IRC use in nicks, and no name has.
const LEFT_OUT: [char; 8] = ['[', ']', '{', '}', '\\', '^', '`', '|'];

/// A name as a nick. An address gets `~` in place of `:` and loses its brackets, because small
/// clients take a colon for the beginning of a text.
pub fn nick(name: &Name) -> Cow<'_, str> {
    match name.is_address() {
        true => name.as_str().replace(':', "~").replace(['[', ']'], "").into(),
        false => name.as_str().into(),
    }
}

/// The name that a nick stands for, as people write it in commands. A reserved one may have an owner.
///
/// # Errors
/// It is neither a name nor the nick of an address.
pub fn named(nick: &str) -> Result<Name, NameError> {
    match address(nick) {
        Some(address) => Ok(Name::of_address(&address)),
        None => Name::parse_owned(nick),
    }
}

/// The address whose nick this is: of a connection over TCP, or `unix:7`.
fn address(nick: &str) -> Option<String> {
    let (ip, port) = nick.rsplit_once('~')?;
    if ip.eq_ignore_ascii_case("unix") {
        return Some(format!("unix:{}", port.parse::<u64>().ok()?));
    }
    let address = match ip.contains('~') {
        true => format!("[{}]:{port}", ip.replace('~', ":")),
        false => format!("{ip}:{port}"),
    };
    Some(address.parse::<SocketAddr>().ok()?.to_string())
}

/// The name for a nick that a client asks for while it registers: without the characters that
/// nicks may have elsewhere. The client reads the name in its welcome. A reserved one may be the
/// client's own.
///
/// # Errors
/// The rest is no name.
pub fn claimed(nick: &str) -> Result<Name, NameError> {
    let rest = nick.replace(LEFT_OUT, "");
    Name::parse_owned(rest.trim_start_matches('_'))
}

/// A room as a channel.
pub fn channel(room: &RoomName) -> String {
    ["#", room.as_str()].concat()
}

/// The room that a channel stands for, or the reason why there can be no such room. None if this is
/// not written as a channel.
pub fn room(channel: &str) -> Option<Result<RoomName, NameError>> {
    channel.strip_prefix('#').map(RoomName::parse)
}

/// The user in the source of a person, from the user that the client gave.
pub fn user(given: &str) -> Cow<'_, str> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=USER_BYTES_MAX).contains(&given.len()) && given.bytes().all(|byte| allowed(&byte)) {
        return given.into();
    }
    let user: String = given.bytes().filter(allowed).take(USER_BYTES_MAX).map(char::from).collect();
    if user.is_empty() { "u".into() } else { user.into() }
}

/// The source of a person's messages.
pub fn source(nick: &str, user: &str, host: &str) -> String {
    [nick, "!", user, "@", host].concat()
}

/// A name that nobody has, because messages to it are commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// It takes the commands of the line dialect.
    Parlor,
    /// It takes commands about names.
    NickServ,
    /// It takes none; clients expect it.
    ChanServ,
}

impl Service {
    /// The service with this nick, in any case.
    pub fn of(nick: &str) -> Option<Service> {
        let is = |name: &str| name.eq_ignore_ascii_case(nick);
        match () {
            () if is("parlor") => Some(Service::Parlor),
            () if is("NickServ") || is("NS") => Some(Service::NickServ),
            () if is("ChanServ") => Some(Service::ChanServ),
            () => None,
        }
    }

    /// Its nick, as it is shown.
    pub fn nick(self) -> &'static str {
        match self {
            Service::Parlor => "parlor",
            Service::NickServ => "NickServ",
            Service::ChanServ => "ChanServ",
        }
    }

    /// The source of its messages.
    pub fn source(self, server: &str) -> String {
        let nick = self.nick();
        source(nick, nick, server)
    }
}

/// Whether this can be the name of a server: a host name with a dot, by which clients tell a
/// server from a person (RFC 1123, section 2.1).
pub fn is_server_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let ends = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && !ends && label.bytes().all(allowed)
    };
    name.contains('.') && name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_nick_without_colons_and_is_read_back() {
        for (address, shown) in [
            ("127.0.0.1:64208", "127.0.0.1~64208"),
            ("[2001:db8::1]:64208", "2001~db8~~1~64208"),
            ("[::1]:5", "~~1~5"),
            ("[fe80::7%2]:5", "fe80~~7%2~5"),
            ("[::ffff:192.0.2.1]:5", "~~ffff~192.0.2.1~5"),
            ("unix:7", "unix~7"),
        ] {
            let name = Name::of_address(address);
            assert_eq!(nick(&name), shown);
            assert_eq!(named(shown), Ok(name));
        }
        assert_eq!(named("2001~DB8~~1~5"), Ok(Name::of_address("[2001:db8::1]:5")));
    }

    #[test]
    fn a_chosen_name_is_its_own_nick() {
        for chosen in ["alice", "Zoë", "j.doe", "r2-d2_"] {
            let name = Name::parse(chosen).unwrap();
            assert_eq!(nick(&name), chosen);
            assert_eq!(named(chosen), Ok(name));
        }
        for other in ["", "a b", "al~ice", "~~~", "1~2", "127.0.0.1~", "::1", "127.0.0.1~70000"] {
            assert!(named(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_client_that_registers_gets_the_nearest_name() {
        for (wanted, name) in [
            ("alice", "alice"),
            ("[away]alice", "awayalice"),
            ("|al\\ic^e`|{}", "alice"),
            ("__alice_", "alice_"),
            ("[_]alice", "alice"),
            ("al_ice", "al_ice"),
            ("parlor", "parlor"), // reserved, unless it has an owner
        ] {
            assert_eq!(claimed(wanted).unwrap().as_str(), name);
        }
        for nothing in ["[]", "___", "`1`", "al!ice", "a@b", "al~ice", ""] {
            assert!(claimed(nothing).is_err(), "{nothing}");
        }
    }

    #[test]
    fn a_room_is_a_channel() {
        let tea = RoomName::parse("tea").unwrap();
        assert_eq!(channel(&tea), "#tea");
        assert_eq!(room("#Tea"), Some(Ok(tea)));
        assert_eq!(room("tea"), None);
        assert_eq!(room("&tea"), None);
        for other in ["#", "##tea", "#a:b", "#a,b", "#\u{7}"] {
            assert!(room(other).unwrap().is_err(), "{other}");
        }
    }

    #[test]
    fn a_user_has_ten_characters_that_no_mask_reads() {
        for (given, shown) in [
            ("alice", "alice"),
            ("~alice", "alice"),
            ("al!ice@home", "alicehome"),
            ("a.b_c-d9876543", "a.b_c-d987"),
            ("王", "u"),
            ("", "u"),
        ] {
            assert_eq!(user(given), shown);
        }
        assert_eq!(source("alice", "al", "irc"), "alice!al@irc");
    }

    #[test]
    fn services_have_their_names() {
        for service in [Service::Parlor, Service::NickServ, Service::ChanServ] {
            assert_eq!(Service::of(&service.nick().to_uppercase()), Some(service));
        }
        assert_eq!(Service::of("ns"), Some(Service::NickServ));
        assert_eq!(Service::of("nickserver"), None);
    }

    #[test]
    fn a_server_is_named_like_a_host_with_a_dot() {
        for name in ["chat.example", "My.Little.Server", "a-b.c1", "7.example", "xn--tda.example"] {
            assert!(is_server_name(name), "{name}");
        }
        let long = format!("{}.example", "x".repeat(64));
        for name in [
            "",
            "chat",
            ".",
            "chat.",
            ".chat",
            "a..b",
            "-a.b",
            "a-.b",
            "_a.b",
            "a b.c",
            "ü.example",
            &long,
            &"a.".repeat(200),
        ] {
            assert!(!is_server_name(name), "{name}");
        }
    }
}
