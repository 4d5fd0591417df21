//! Classes of clients: clients of one class read the same bytes. Knows no entry.

use parlor_core::log::EncodingKey;

use super::caps::{Cap, Caps};

/// The capabilities on which the bytes of an entry depend. The others change answers to one client.
const DECISIVE: Caps = Caps::of(&[
    Cap::MessageTags,
    Cap::ServerTime,
    Cap::AccountTag,
    Cap::Multiline,
    Cap::ExtendedJoin,
    Cap::AwayNotify,
    Cap::AccountNotify,
    Cap::Setname,
    Cap::InviteNotify,
]);

/// The class of a client.
///
/// A client that accepts any tag gets all tags, so the capabilities for single tags make no
/// difference to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Class(Caps);

impl Class {
    /// The class of clients with these capabilities.
    pub fn of(caps: Caps) -> Class {
        let single = Caps::of(&[Cap::ServerTime, Cap::AccountTag]);
        let caps = if caps.has(Cap::MessageTags) { caps.with(single) } else { caps };
        Class(caps.without(Caps::of(Cap::ALL).without(DECISIVE)))
    }

    /// Whether its clients have a capability. A class knows only those on which bytes depend.
    pub fn has(self, cap: Cap) -> bool {
        self.0.has(cap)
    }

    /// The key under which a batch stores the bytes for the class. The name of the server is in
    /// some of these bytes, and each door may have its own.
    pub fn key(self, server: &str) -> EncodingKey {
        EncodingKey::named(&format!("irc {:x} {server}", self.0.bits()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_what_its_clients_have_in_common() {
        let class = |caps: &[Cap]| Class::of(Caps::of(caps));
        assert_eq!(class(&[]), Class::default());
        assert_eq!(class(&[Cap::Sasl, Cap::Batch, Cap::EchoMessage]), Class::default());
        let all = class(&[Cap::MessageTags]);
        assert_eq!(class(&[Cap::MessageTags, Cap::ServerTime, Cap::AccountTag]), all);
        assert!(all.has(Cap::ServerTime) && all.has(Cap::AccountTag));
        let [time, account] = [class(&[Cap::ServerTime]), class(&[Cap::AccountTag])];
        assert!(time != account && time != all && account != all);
        assert!(!time.has(Cap::MessageTags));
        assert_ne!(class(&[Cap::Setname]), Class::default());
        assert_ne!(time.key("irc.local"), time.key("irc.example"));
    }
}
