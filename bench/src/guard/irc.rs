//! The IRC door without a connection: an encoding for modern clients, and the bytes of one of them.
//! Counts nothing.

use std::sync::Arc;

use jiff::tz::TimeZone;
use parlor_core::link::{Decoder, Input};
use parlor_core::model::{Line, Name, Profile, WallTime};
use parlor_wire::irc::{Cap, Caps, Class, IrcDecoder, IrcEncoding, IrcServer};
use parlor_wire::style::LocalClock;

/// The encoding for clients that take all tags: it makes the most bytes of a line.
pub(super) fn encoding() -> IrcEncoding {
    IrcEncoding::new(server(), Class::of(Caps::of(&[Cap::MessageTags])))
}

/// A decoder of a client that has come in.
pub(super) fn decoder() -> anyhow::Result<IrcDecoder> {
    let mut decoder = IrcDecoder::new(server(), false);
    let text = |text: &str| Line::sanitise(text.as_bytes());
    let profile = Profile::new([text("guest"), text("A guest"), text("irc")], false);
    decoder.welcome(&Name::parse("guest1")?, &profile);
    let mut nothing: &[u8] = &[];
    while decoder.next(&mut nothing).is_some() {}
    Ok(decoder)
}

/// Whether an input says a line in a room.
pub(super) fn says(input: &Input) -> bool {
    matches!(input, Input::In(_, said) if matches!(**said, Input::Say(_)))
}

/// A server with an IRC door.
pub(crate) fn server() -> Arc<IrcServer> {
    Arc::new(IrcServer {
        name: "irc.example.org".to_owned(),
        network: "Parlor".to_owned(),
        version: "parlor".to_owned(),
        started: WallTime::default(),
        motd: Vec::new(),
        log: "0123456789abcdef".to_owned(),
        rooms_max: 100,
        bans_max: 100,
        clock: LocalClock { zone: TimeZone::UTC, now: WallTime::default },
    })
}
