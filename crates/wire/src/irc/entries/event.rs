//! Entries of a room as messages, the same for all clients of a class. Knows no connection.

use std::sync::Arc;

use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{
    ActOf, Entry, Extras, Line, Name, PersonChange, RankChange, Reach, Renaming, RoomRank, Said,
    Telling, WallTime, Who,
};

use super::said::{AuthorTags, SaidMessage, tagged};
use crate::irc::protocol::{
    Cap, Class, IrcServer, MessageWriter, MsgId, MsgPlace, TEXT_BYTES_MAX, acts, author, channel,
    nick, realname, shortened, source_of, source_under,
};
use crate::style::LineMode;
use crate::words;

/// Turns entries into messages for clients of a class.
#[derive(Clone, Debug)]
pub struct IrcEncoding {
    server: Arc<IrcServer>,
    class: Class,
    key: EncodingKey,
}

impl IrcEncoding {
    /// The encoding for clients of this class.
    pub fn new(server: Arc<IrcServer>, class: Class) -> IrcEncoding {
        let key = class.key(&server.name);
        IrcEncoding { server, class, key }
    }

    /// The class of the clients.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The server.
    pub fn server(&self) -> &Arc<IrcServer> {
        &self.server
    }

    /// Begins a message of a person about something that happens in a scene.
    fn message<'a>(
        &self,
        who: &Who,
        command: &str,
        scene: Scene<'_>,
        out: &'a mut Vec<u8>,
    ) -> MessageWriter<'a> {
        tagged(self.class, scene.at, who.into(), out).message(Some(&source_of(who)), command)
    }

    /// Begins a message of the server, or of somebody of whom only the source is known.
    fn message_from<'a>(
        &self,
        source: &str,
        command: &str,
        scene: Scene<'_>,
        out: &'a mut Vec<u8>,
    ) -> MessageWriter<'a> {
        tagged(self.class, scene.at, AuthorTags::default(), out).message(Some(source), command)
    }

    /// Begins a message of the author of an act: a person, as the others see that person, or the
    /// server.
    fn message_of<'a>(
        &self,
        act: &ActOf,
        command: &str,
        scene: Scene<'_>,
        out: &'a mut Vec<u8>,
    ) -> MessageWriter<'a> {
        match &act.author {
            Some(who) => self.message(who, command, scene, out),
            None => self.message_from(&author(&act.by, &self.server.name), command, scene, out),
        }
    }

    /// Appends a line that was said in a room. It belongs to a batch if one is given, and has this
    /// text before its words.
    pub(crate) fn put_said(
        &self,
        said: &Said,
        channel: &str,
        (batch, before): (Option<&str>, &str),
        out: &mut Vec<u8>,
    ) {
        let extras = said.extras.as_deref();
        let group = extras.and_then(|extras| extras.group);
        let place = MsgPlace::Line {
            room: channel.strip_prefix('#').unwrap_or(channel),
            seq: said.seq.saturating_sub(group.map_or(0, |group| group.index.into())),
        };
        let log = extras.and_then(|extras| extras.log.as_deref());
        let message = SaidMessage {
            source: &source_of(&said.who),
            target: channel,
            at: said.at,
            author: AuthorTags::from(&*said.who),
            id: Some(MsgId { log: log.unwrap_or(&self.server.log), place }),
            extras,
            batch,
            before,
        };
        message.put(self.class, (said.manner, said.text.as_str()), out);
    }

    /// Appends tags without words.
    pub(crate) fn put_signal(
        &self,
        who: &Who,
        extras: &Extras,
        number: u64,
        scene: Scene<'_>,
        out: &mut Vec<u8>,
    ) {
        let message = SaidMessage {
            source: &source_of(who),
            target: &channel(scene.room),
            at: scene.at,
            author: AuthorTags::from(who),
            id: Some(self.server.passing(number)),
            extras: Some(extras),
            batch: None,
            before: "",
        };
        message.put_tags(self.class, out);
    }

    /// Appends the JOIN of a person, and MODE for a keeper.
    pub(crate) fn put_join(&self, who: &Who, is_keeper: bool, scene: Scene<'_>, out: &mut Vec<u8>) {
        let channel = channel(scene.room);
        let message = self.message(who, "JOIN", scene, out);
        match self.class.has(Cap::ExtendedJoin) {
            true => {
                let account = who.account.as_ref().map_or("*", Name::as_str);
                message.with(&channel).with(account).text(&realname(who));
            }
            false => message.last(&channel),
        }
        if is_keeper {
            self.put_mode(who, "+o", scene, out);
        }
    }

    /// Appends the mode of a person who has a rank from now on, or has lost it.
    fn put_mode(&self, who: &Who, letters: &str, scene: Scene<'_>, out: &mut Vec<u8>) {
        let message = self.message_from(&self.server.name, "MODE", scene, out);
        message.with(&channel(scene.room)).with(letters).last(&nick(&who.name));
    }

    /// Appends a change of a person, for clients that want to know it.
    pub(crate) fn put_changed(
        &self,
        who: &Who,
        change: &PersonChange,
        scene: Scene<'_>,
        out: &mut Vec<u8>,
    ) {
        match change {
            PersonChange::Account { .. } if self.class.has(Cap::AccountNotify) => {
                let account = who.account.as_ref().map_or("*", Name::as_str);
                self.message(who, "ACCOUNT", scene, out).last(account);
            }
            PersonChange::Away(text) if self.class.has(Cap::AwayNotify) => {
                let message = self.message(who, "AWAY", scene, out);
                match text {
                    Some(text) => message.text(&shortened(text, TEXT_BYTES_MAX)),
                    None => message.end(),
                }
            }
            PersonChange::Realname if self.class.has(Cap::Setname) => {
                self.message(who, "SETNAME", scene, out).text(&realname(who));
            }
            PersonChange::Account { .. } | PersonChange::Away(_) | PersonChange::Realname => {}
        }
    }

    fn put_left(
        &self,
        who: &Who,
        (words, removal): (Option<&Line>, Option<&ActOf>),
        is_from_server: bool,
        scene: Scene<'_>,
        out: &mut Vec<u8>,
    ) {
        match removal {
            _ if is_from_server => {
                let text = match (removal, words) {
                    (Some(act), _) => acts::removed(act).into(),
                    (None, Some(words)) => shortened(words, TEXT_BYTES_MAX),
                    (None, None) => "Quit".into(),
                };
                self.message(who, "QUIT", scene, out).text(&text);
            }
            Some(act) if act.reach == Reach::Server => {
                let text = Line::sanitise(acts::removed(act).as_bytes());
                self.put_part(who, Some(&text), scene, out);
            }
            Some(act) => self.put_kick(&who.name, act, scene, out),
            None => self.put_part(who, words, scene, out),
        }
    }

    /// Appends the PART of a person.
    pub(crate) fn put_part(
        &self,
        who: &Who,
        words: Option<&Line>,
        scene: Scene<'_>,
        out: &mut Vec<u8>,
    ) {
        let channel = channel(scene.room);
        let message = self.message(who, "PART", scene, out);
        match words {
            Some(words) => message.with(&channel).text(&shortened(words, TEXT_BYTES_MAX)),
            None => message.last(&channel),
        }
    }

    /// Appends the KICK of a person whom an act removes from a room.
    pub(crate) fn put_kick(&self, name: &Name, act: &ActOf, scene: Scene<'_>, out: &mut Vec<u8>) {
        let channel = channel(scene.room);
        if let Some((letters, mask)) = acts::mode(act)
            && act.deed.whom.name().is_some()
        {
            let message = self.message_of(act, "MODE", scene, out);
            message.with(&channel).with(&letters).last(&mask.unwrap_or_default());
        }
        let by = act.by.name().map_or(self.server.name.as_str().into(), nick);
        let why = act.deed.text.as_ref().map(|why| shortened(why, TEXT_BYTES_MAX));
        let message = self.message_of(act, "KICK", scene, out);
        message.with(&channel).with(&nick(name)).text(&why.unwrap_or(by));
    }

    /// Appends a new name, as the room sees it: people with several connections leave their name
    /// behind, or were here under the new one before.
    fn put_renamed(
        &self,
        who: &Who,
        from: &Name,
        seen: Renaming,
        scene: Scene<'_>,
        out: &mut Vec<u8>,
    ) {
        if !seen.is_of_room() {
            let source = source_under(from, who.profile.as_deref());
            let tags = tagged(self.class, scene.at, who.into(), out);
            return tags.message(Some(&source), "NICK").text(&nick(&who.name));
        }
        if seen.leaves() {
            let before = Who { name: from.clone(), ..who.clone() };
            self.put_part(&before, None, scene, out);
        }
        if seen.arrives() {
            self.put_join_with_rank(who, seen.rank, scene, out);
        }
    }

    /// Appends the JOIN of somebody who takes a name, and MODE for each rank.
    pub(crate) fn put_join_with_rank(
        &self,
        who: &Who,
        RoomRank { is_keeper, has_voice }: RoomRank,
        scene: Scene<'_>,
        out: &mut Vec<u8>,
    ) {
        self.put_join(who, is_keeper, scene, out);
        if has_voice {
            self.put_mode(who, "+v", scene, out);
        }
    }

    /// Appends what an operator says to all who want to read it.
    pub(crate) fn put_wallops(&self, by: &Who, text: &Line, at: WallTime, out: &mut Vec<u8>) {
        let message =
            tagged(self.class, at, by.into(), out).message(Some(&source_of(by)), "WALLOPS");
        message.text(&shortened(text, TEXT_BYTES_MAX));
    }

    /// Appends an invitation.
    pub(crate) fn put_invite(&self, who: &Who, to: &Name, scene: Scene<'_>, out: &mut Vec<u8>) {
        self.message(who, "INVITE", scene, out).with(&nick(to)).last(&channel(scene.room));
    }

    /// Appends an act: a change of a mode, or a sentence.
    fn put_act(&self, entry: &Entry, act: &ActOf, scene: Scene<'_>, out: &mut Vec<u8>) {
        let is_of_room = act.reach != Reach::Server;
        match acts::mode(act).filter(|_| is_of_room) {
            Some((letters, parameter)) => {
                let message = self.message_of(act, "MODE", scene, out);
                let message = message.with(&channel(scene.room));
                match parameter {
                    Some(parameter) => message.with(&letters).last(&parameter),
                    None => message.last(&letters),
                }
            }
            None => self.put_sentence(entry, scene, out),
        }
    }

    /// Appends the sentence about an entry for which IRC has no message.
    fn put_sentence(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        let sentence = words::happening(entry, LineMode::Named, &self.server.clock);
        let sentence = sentence.unwrap_or_default();
        let message = self.message_from(&self.server.name, "NOTICE", scene, out);
        let text = sentence.strip_prefix("-- ").unwrap_or(&sentence);
        message.with(&channel(scene.room)).text(text);
    }
}

/// Whether an arrival or a departure is told where it happens. Summaries and late announcements are
/// not told: who is in a room is exact at every moment.
fn is_told(telling: Telling) -> bool {
    matches!(telling, Telling::Told | Telling::Folded)
}

impl Encoding for IrcEncoding {
    fn key(&self) -> EncodingKey {
        self.key
    }

    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        match entry {
            Entry::Said(said) => self.put_said(said, &channel(scene.room), (None, ""), out),
            Entry::Signal { who, extras, number } => {
                self.put_signal(who, extras, *number, scene, out);
            }
            Entry::Arrived { who, is_keeper, telling, .. } if is_told(*telling) => {
                self.put_join(who, *is_keeper, scene, out);
            }
            Entry::Left { who, words, removal, is_from_server, telling, .. }
                if is_told(*telling) =>
            {
                let why = (words.as_ref(), removal.as_deref());
                self.put_left(who, why, *is_from_server, scene, out);
            }
            Entry::Renamed { who, from, seen, .. } => {
                self.put_renamed(who, from, *seen, scene, out);
            }
            Entry::Changed { who, change, .. } => self.put_changed(who, change, scene, out),
            Entry::Ranked { who, change } => {
                let letters = match change {
                    RankChange::Keeper(true) => "+o",
                    RankChange::Keeper(false) => "-o",
                    RankChange::Voice(true) => "+v",
                    RankChange::Voice(false) => "-v",
                };
                self.put_mode(who, letters, scene, out);
            }
            Entry::Topic { who, text } => {
                let text = text.as_ref().map(|text| shortened(text, TEXT_BYTES_MAX));
                let message = self.message(who, "TOPIC", scene, out);
                message.with(&channel(scene.room)).text(&text.unwrap_or_default());
            }
            Entry::Invited { who, to } if self.class.has(Cap::InviteNotify) => {
                self.put_invite(who, to, scene, out);
            }
            Entry::Act(act) => self.put_act(entry, act, scene, out),
            Entry::LinesDeleted { .. } => self.put_sentence(entry, scene, out),
            Entry::Arrived { .. }
            | Entry::Left { .. }
            | Entry::Invited { .. }
            | Entry::ArrivedTogether(_)
            | Entry::LeftTogether(_) => {}
        }
    }
}
