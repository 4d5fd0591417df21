//! The negotiation of capabilities with one client (IRCv3, "Client Capability Negotiation"). Knows
//! no connection.

use super::caps::{Cap, Caps};

/// The first version of CAP with values, with lists in several lines, and with `cap-notify` on.
const VERSION_WITH_VALUES: u32 = 302;

/// The state of the negotiation with one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Negotiation {
    enabled: Caps,
    /// The client has asked for version 302 or a later one, once.
    has_values: bool,
}

impl Negotiation {
    /// The capabilities in force: those that the client has asked for, and those that they need.
    pub fn caps(self) -> Caps {
        self.enabled.completed()
    }

    /// The answer to `CAP LS`, and to `CAP LS 302` and later versions: the lists of the lines, of
    /// which all but the last have a `*` before them. An older client reads one line, so
    /// capabilities that do not fit are left out.
    pub fn ls(&mut self, version: Option<&str>, offered: Caps, bytes_max: usize) -> Vec<String> {
        let version = version.and_then(|version| version.parse().ok());
        let with_values = version.is_some_and(|version: u32| version >= VERSION_WITH_VALUES);
        if with_values {
            self.has_values = true;
            self.enabled = self.enabled.with(Caps::of(&[Cap::CapNotify]));
        }
        let mut lines = offered.lines(with_values, bytes_max);
        lines.truncate(if with_values { lines.len() } else { 1 });
        lines
    }

    /// Whether the client reads values.
    pub fn has_values(self) -> bool {
        self.has_values
    }

    /// The answer to `CAP LIST`, in the same form.
    pub fn list(self, bytes_max: usize) -> Vec<String> {
        let mut lines = self.enabled.lines(false, bytes_max);
        lines.truncate(if self.has_values { lines.len() } else { 1 });
        lines
    }

    /// Makes the changes of `CAP REQ`, if all are possible. Returns whether they are, for ACK or
    /// NAK, which repeat the list.
    pub fn request(&mut self, list: &str, offered: Caps) -> bool {
        let mut enabled = self.enabled;
        for word in list.split_ascii_whitespace() {
            let (cap, is_removed) = match word.strip_prefix('-') {
                Some(name) => (Cap::named(name), true),
                None => (Cap::named(word), false),
            };
            let possible = cap.filter(|cap| match is_removed {
                true => *cap != Cap::CapNotify || !self.has_values,
                false => offered.has(*cap),
            });
            let Some(cap) = possible else { return false };
            let cap = Caps::of(&[cap]);
            enabled = if is_removed { enabled.without(cap) } else { enabled.with(cap) };
        }
        self.enabled = enabled;
        true
    }

    /// Removes capabilities that are no longer offered, as `CAP DEL` tells the client.
    pub fn withdraw(&mut self, caps: Caps) {
        self.enabled = self.enabled.without(caps);
    }

    /// Whether the client reads `CAP NEW` and `CAP DEL`.
    pub fn is_notified(self) -> bool {
        self.enabled.has(Cap::CapNotify)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_302_reads_values_in_several_lines() {
        let mut client = Negotiation::default();
        let lines = client.ls(Some("307"), Caps::OFFERED, 200);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= 200));
        let words = lines.join(" ");
        assert!(
            words.contains("sasl=PLAIN ") && words.contains("draft/multiline=max-bytes=65536,")
        );
        assert_eq!(words.split(' ').count(), Caps::OFFERED.iter().count());
        assert_eq!(client.list(200), ["cap-notify"]);
        assert!(client.is_notified() && !client.request("-cap-notify", Caps::OFFERED));
        assert_eq!(
            client.ls(None, Caps::of(&[Cap::Sasl]), 200),
            ["sasl"],
            "as the client asks this time"
        );
        assert!(!client.request("-cap-notify", Caps::OFFERED), "and stays at the higher version");
    }

    #[test]
    fn an_older_client_reads_one_line_without_values() {
        for version in [None, Some("301"), Some("x"), Some("99999999999")] {
            let mut client = Negotiation::default();
            let lines = client.ls(version, Caps::OFFERED, 70);
            assert_eq!(
                lines,
                ["message-tags server-time batch sasl echo-message labeled-response"]
            );
            assert_eq!(client, Negotiation::default());
        }
        assert_eq!(Negotiation::default().ls(None, Caps::NONE, 80), [""]);
        assert!(Caps::OFFERED.lines(false, usize::MAX)[0].len() < 400, "all fit before a nick");
    }

    #[test]
    fn a_request_holds_as_a_whole_or_not_at_all() {
        let offered = Caps::OFFERED.without(Caps::of(&[Cap::Sasl]));
        let mut client = Negotiation::default();
        assert!(client.request("server-time  setname -batch ", offered));
        assert_eq!(client.caps(), Caps::of(&[Cap::ServerTime, Cap::Setname]));
        for refused in
            ["setname nonsense", "sasl", "-nonsense", "-setname sasl", "server-time=1", "-"]
        {
            assert!(!client.request(refused, offered), "{refused}");
            assert_eq!(client.caps(), Caps::of(&[Cap::ServerTime, Cap::Setname]));
        }
        assert!(client.request("-server-time cap-notify -sasl", offered));
        assert_eq!(client.list(80), ["cap-notify setname"]);
        assert!(client.request("-cap-notify setname -setname setname", offered));
        assert_eq!(client.list(80), ["setname"]);
        assert!(client.request("", offered));
        client.withdraw(Caps::of(&[Cap::Setname]));
        assert_eq!(client.list(80), [""]);
    }

    #[test]
    fn a_needed_capability_comes_with_the_one_that_needs_it() {
        let mut client = Negotiation::default();
        assert!(client.request("labeled-response", Caps::OFFERED));
        assert!(client.caps().has(Cap::Batch));
        assert_eq!(client.list(80), ["labeled-response"], "the client reads what it asked for");
        assert!(!client.caps().has_tags() && !client.caps().has_no_implicit_names());
    }
}
