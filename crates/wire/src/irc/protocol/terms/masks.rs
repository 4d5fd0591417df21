//! Masks: the bans and mutes of a channel, and patterns for names. Knows no person.

use std::fmt;

use parlor_core::model::{Name, NameError, Net, Whom};

use super::name::{STORED_HOST, USER_BYTES_MAX, named, nick};

/// A ban or a mute in the list of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BanMask {
    /// A ban of a name: `alice!*@*`.
    Name(Name),
    /// A ban of addresses: `*!*@192.0.2.0/24`.
    Net(Net),
    /// A mute of a name: `m:alice!*@*`.
    Mute(Name),
}

/// The reason why a mask is no ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaskError {
    /// It has a wildcard in a name, or names a user or a host.
    Form,
    /// Its host is the word of a door, which clients take for a host. The name is that of the one
    /// person whom it means, as far as the mask tells.
    Door(Option<Name>),
    /// The name in it is none.
    Name(NameError),
}

impl fmt::Display for MaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaskError::Form => f.write_str(
                "A ban is of a name or of addresses: NAME, NAME!*@* or *!*@ADDRESS; a mute is m:NAME",
            ),
            MaskError::Door(name) => {
                let name = name.as_ref().map_or("NAME".into(), nick);
                write!(f, "A host tells only the door here, so a ban is of a name: {name}")
            }
            MaskError::Name(error) => error.fmt(f),
        }
    }
}

/// The mask behind a name.
const ANYWHERE: &str = "!*@*";

/// The hosts in the sources of people, which tell their doors.
const DOORS: [&str; 5] = ["irc", "nc", "web", "curl", STORED_HOST];

/// The mask before an address.
const ANYBODY: &str = "*!*@";

impl BanMask {
    /// Parses a mask as a client sends it: a name with `!*@*` or without, an address, or a mute.
    ///
    /// # Errors
    /// The mask has another form, or its name is none.
    pub fn parse(mask: &str) -> Result<BanMask, MaskError> {
        if let Some(error) = at_a_door(mask) {
            return Err(error);
        }
        if let Some(muted) = mask.strip_prefix("m:") {
            return match whom(muted)? {
                Whom::Name(name) => Ok(BanMask::Mute(name)),
                Whom::Net(_) | Whom::Everybody => Err(MaskError::Form),
            };
        }
        if let Some(address) = mask.strip_prefix(ANYBODY) {
            return Net::parse(address).map(BanMask::Net).ok_or(MaskError::Form);
        }
        match whom(mask)? {
            Whom::Name(name) => Ok(BanMask::Name(name)),
            Whom::Net(net) => Ok(BanMask::Net(net)),
            Whom::Everybody => Err(MaskError::Form),
        }
    }
}

/// The error of a mask whose host is the word of a door: clients make such masks of a nick.
fn at_a_door(mask: &str) -> Option<MaskError> {
    let (person, host) = mask.rsplit_once('@')?;
    if !DOORS.contains(&host) {
        return None;
    }
    let (nick, user) = person.split_once('!').unwrap_or((person, ""));
    let user = user.trim_start_matches(['*', '~']);
    // With IRC, people choose their user. A user that may be cut is no name either.
    let is_name = host != "irc" && user.len() < USER_BYTES_MAX;
    let names = [Some(nick), is_name.then_some(user)].into_iter().flatten();
    let named = names.filter(|name| !name.contains(['*', '?'])).find_map(|name| named(name).ok());
    Some(MaskError::Door(named))
}

/// The target of a mask for a name. The nick of an address means that address.
fn whom(mask: &str) -> Result<Whom, MaskError> {
    let nick = mask.strip_suffix(ANYWHERE).unwrap_or(mask);
    if nick.contains(['*', '?', '!', '@']) {
        return Err(MaskError::Form);
    }
    match named(nick) {
        Ok(name) if name.is_address() => Whom::parse(name.as_str()).map_err(MaskError::Name),
        Ok(name) => Ok(Whom::Name(name)),
        Err(_) => Whom::parse(nick).map_err(MaskError::Name),
    }
}

impl fmt::Display for BanMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BanMask::Name(name) => write!(f, "{}{ANYWHERE}", nick(name)),
            BanMask::Net(net) => write!(f, "{ANYBODY}{net}"),
            BanMask::Mute(name) => write!(f, "m:{}{ANYWHERE}", nick(name)),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn masks_are_names_addresses_or_mutes() {
        for (typed, shown) in [
            ("alice", "alice!*@*"),
            ("alice!*@*", "alice!*@*"),
            ("Zoë!*@*", "Zoë!*@*"),
            ("*!*@192.0.2.7", "*!*@192.0.2.7"),
            ("*!*@192.0.2.7/24", "*!*@192.0.2.0/24"),
            ("*!*@2001:db8::7", "*!*@2001:db8::/64"),
            ("192.0.2.7", "*!*@192.0.2.7"),
            ("192.0.2.7~64208!*@*", "*!*@192.0.2.7"),
            ("2001~db8~~7~5", "*!*@2001:db8::/64"),
            ("m:alice", "m:alice!*@*"),
            ("m:alice!*@*", "m:alice!*@*"),
            ("m", "m!*@*"),
        ] {
            let mask = BanMask::parse(typed).unwrap();
            assert_eq!(mask.to_string(), shown);
            assert_eq!(BanMask::parse(shown), Ok(mask), "read back");
        }
    }

    #[test]
    fn other_masks_are_refused_with_the_reason() {
        for form in [
            "*",
            "*!*@*",
            "al*!*@*",
            "al?ce",
            "alice!al@*",
            "alice!*@home",
            "*!*@*.example",
            "*!*@ircs",
            "*!*@192.0.2.7/33",
            "m:*!*@192.0.2.7",
            "m:192.0.2.7",
            "m:m:*",
            "alice@*",
            "!*@*!*@*",
        ] {
            assert_eq!(BanMask::parse(form), Err(MaskError::Form), "{form}");
        }
        for (door, name) in [
            ("*!*bob@nc", Some("bob")),
            ("*!bob@nc", Some("bob")),
            ("*!~bob@web", Some("bob")),
            ("bob!*@nc", Some("bob")),
            ("bob!bob@kept", Some("bob")),
            ("alice!al@irc", Some("alice")),
            ("alice@irc", Some("alice")),
            ("*!*al@irc", None),
            ("*!*@irc", None),
            ("*!*ten-letter@nc", None),
            ("*!*b?b@curl", None),
        ] {
            let name = name.map(|name| named(name).unwrap());
            assert_eq!(BanMask::parse(door), Err(MaskError::Door(name)), "{door}");
        }
        for name in ["", "m:", "!*@*", "a b", "$a:alice"] {
            assert!(matches!(BanMask::parse(name), Err(MaskError::Name(_))), "{name}");
        }
        let sentence = BanMask::parse("al!ice@x").unwrap_err().to_string();
        assert!(sentence.starts_with("A ban is of a name or of addresses"));
    }
}
