//! Messages to one person alone, as both sides read them. Knows no room.

use parlor_core::link::PrivateMessage;
use parlor_core::model::WallTime;

use super::said::{AuthorTags, SaidMessage};
use crate::irc::protocol::{Cap, Class, IrcServer, MsgId, MsgPlace, name, nick, source_of};

/// The reader of a private message.
#[derive(Clone, Copy)]
pub(crate) struct PrivateReader<'a> {
    pub(crate) server: &'a IrcServer,
    pub(crate) class: Class,
}

impl PrivateReader<'_> {
    /// Appends a message from one person to another.
    pub(crate) fn put(&self, message: &PrivateMessage, out: &mut Vec<u8>) {
        for spoken in &message.lines {
            let said = SaidMessage {
                source: &source_of(&message.from),
                target: &nick(&message.to),
                at: message.at,
                author: AuthorTags::from(&message.from),
                id: Some(self.server.passing(message.number)),
                extras: spoken.extras.as_deref(),
                batch: None,
                before: "",
            };
            let words = (spoken.manner, spoken.text.as_str());
            match message.is_for_programs {
                true if spoken.text.is_empty() => said.put_tags(self.class, out),
                true => said.put_ctcp(self.class, words, out),
                false => said.put(self.class, words, out),
            }
        }
    }

    /// Appends a message that was kept for an absent person, in this batch. Its number and its time
    /// are its id, in every run of the server: it may be shown again after a restart.
    pub(crate) fn put_kept(
        &self,
        message: &PrivateMessage,
        batch: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let start = u64::try_from(message.at.0).unwrap_or(0);
        let place = MsgPlace::Passing { start, count: message.number };
        for spoken in &message.lines {
            let said = SaidMessage {
                source: &source_of(&message.from),
                target: &nick(&message.to),
                at: message.at,
                author: AuthorTags::default(),
                id: Some(MsgId { log: name::STORED_HOST, place }),
                extras: None,
                batch,
                before: &self.stamp(message.at),
            };
            said.put(self.class, (spoken.manner, spoken.text.as_str()), out);
        }
    }

    /// The time before an old text, for a client that reads no time in tags.
    pub(crate) fn stamp(&self, at: WallTime) -> String {
        match self.class.has(Cap::ServerTime) {
            true => String::new(),
            false => self.server.clock.stamp(at),
        }
    }
}
