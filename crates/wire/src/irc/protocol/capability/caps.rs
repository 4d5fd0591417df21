//! Capabilities: what clients can ask for beyond plain IRC, and how CAP lists it. Knows no
//! connection.

/// Defines the capabilities, in the order in which they are listed, with their names in CAP.
macro_rules! capabilities {
    ($($cap:ident = $name:literal)*) => {
        /// A capability.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Cap {
            $(#[doc = concat!("`", $name, "`")] $cap,)*
        }

        impl Cap {
            /// All capabilities, in the order in which they are listed.
            pub const ALL: &[Cap] = &[$(Cap::$cap),*];

            /// Its name in CAP.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Cap::$cap => $name,)*
                }
            }
        }
    };
}

capabilities! {
    MessageTags = "message-tags"
    ServerTime = "server-time"
    Batch = "batch"
    Sasl = "sasl"
    EchoMessage = "echo-message"
    LabeledResponse = "labeled-response"
    CapNotify = "cap-notify"
    MultiPrefix = "multi-prefix"
    UserhostInNames = "userhost-in-names"
    AccountTag = "account-tag"
    AccountNotify = "account-notify"
    ExtendedJoin = "extended-join"
    AwayNotify = "away-notify"
    Setname = "setname"
    InviteNotify = "invite-notify"
    StandardReplies = "standard-replies"
    ExtendedMonitor = "extended-monitor"
    Chathistory = "draft/chathistory"
    Multiline = "draft/multiline"
    AccountRegistration = "draft/account-registration"
    NoImplicitNames = "no-implicit-names"
    NoImplicitNamesDraft = "draft/no-implicit-names"
    ReadMarker = "draft/read-marker"
}

impl Cap {
    /// The capability with this name.
    pub fn named(name: &str) -> Option<Cap> {
        Cap::ALL.iter().copied().find(|cap| cap.name() == name)
    }

    /// The value behind `=` in a list of version 302.
    const fn value(self) -> Option<&'static str> {
        match self {
            Cap::Sasl => Some("PLAIN"),
            Cap::Multiline => Some("max-bytes=65536,max-lines=200"),
            _ => None,
        }
    }

    /// The capability that this one needs. A client that asks for one understands both.
    const fn needs(self) -> Option<Cap> {
        match self {
            Cap::LabeledResponse | Cap::Multiline | Cap::Chathistory => Some(Cap::Batch),
            _ => None,
        }
    }
}

/// The largest batch of lines from a client, in bytes, as the value of `draft/multiline` says.
pub const MULTILINE_BYTES_MAX: usize = 65_536;

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Caps(u32);

impl Caps {
    /// No capabilities, as in plain IRC.
    pub const NONE: Caps = Caps(0);

    /// The capabilities that the server has. It offers fewer where no password is accepted.
    pub const OFFERED: Caps = Caps::of(Cap::ALL);

    /// These capabilities.
    pub const fn of(caps: &[Cap]) -> Caps {
        match caps {
            [first, rest @ ..] => Caps(1 << *first as u8 | Caps::of(rest).0),
            [] => Caps(0),
        }
    }

    /// The set with these bits; others are ignored.
    pub const fn from_bits(bits: u64) -> Caps {
        Caps(bits as u32 & Caps::of(Cap::ALL).0)
    }

    /// The set as bits, which mean the same until the server stops.
    pub const fn bits(self) -> u64 {
        self.0 as u64
    }

    /// The capabilities of both sets.
    pub const fn with(self, others: Caps) -> Caps {
        Caps(self.0 | others.0)
    }

    /// The capabilities that are not in the other set.
    pub const fn without(self, others: Caps) -> Caps {
        Caps(self.0 & !others.0)
    }

    /// Whether the capability is in the set.
    pub const fn has(self, cap: Cap) -> bool {
        self.0 & 1 << cap as u8 != 0
    }

    /// Whether any tag may be sent.
    pub const fn has_tags(self) -> bool {
        self.has(Cap::MessageTags)
    }

    /// Whether the names in a room are sent only if the client asks for them.
    pub const fn has_no_implicit_names(self) -> bool {
        self.has(Cap::NoImplicitNames) || self.has(Cap::NoImplicitNamesDraft)
    }

    /// The capabilities in the order in which they are listed.
    pub fn iter(self) -> impl Iterator<Item = Cap> {
        Cap::ALL.iter().copied().filter(move |cap| self.has(*cap))
    }

    /// The set, with the capabilities that its members need.
    pub(crate) fn completed(self) -> Caps {
        self.iter().filter_map(Cap::needs).fold(self, |caps, needed| caps.with(Caps::of(&[needed])))
    }

    /// The list as lines of at most this many bytes, at least one; with values as of version 302.
    pub fn lines(self, with_values: bool, bytes_max: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        for cap in self.iter() {
            let item = match cap.value().filter(|_| with_values) {
                Some(value) => format!("{}={value}", cap.name()),
                None => cap.name().to_owned(),
            };
            match lines.last_mut() {
                Some(line) if line.is_empty() => *line = item,
                Some(line) if line.len() + 1 + item.len() <= bytes_max => {
                    line.push(' ');
                    line.push_str(&item);
                }
                _ => lines.push(item),
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::LINES_MAX;

    #[test]
    fn every_capability_has_its_own_name_and_place() {
        for (place, cap) in Cap::ALL.iter().copied().enumerate() {
            assert_eq!(Cap::named(cap.name()), Some(cap));
            assert_eq!(Caps::of(&[cap]).bits(), 1 << place);
        }
        assert_eq!(Cap::named("MESSAGE-TAGS"), None, "names have a case");
        assert_eq!(Caps::from_bits(u64::MAX), Caps::of(Cap::ALL));
        let limits = format!("max-bytes={MULTILINE_BYTES_MAX},max-lines={LINES_MAX}");
        assert_eq!(Cap::Multiline.value(), Some(&*limits));
    }
}
