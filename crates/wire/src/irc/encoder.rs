//! From entries and answers to messages, for one client. Knows no connection.

use std::sync::Arc;

use parlor_core::link::{
    Answer, Asked, Encoder, Entered, Notice, Occupant, PrivateMessage, WhyDeparted,
};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{
    ConversationId, Entry, Line, Name, PersonChange, Profile, RoomName, RoomRank, Said, Who,
};

use super::answers::{
    Asker, listed_name, put_answer, put_beginning, put_end_of_names, put_ending, put_marker,
    put_names, put_notice, put_topic,
};
use super::entries::PrivateReader;
use super::history::HistoryBatch;
use super::protocol::{Cap, Caps, IrcServer, channel, source_of};
use super::registration::put_error;
use super::reply::{Replies, complete};
use super::voice::Voice;
use crate::style::Storage;
use crate::words;

/// The words with which a client that has missed something leaves a room, to come in again.
const TOO_SLOW: &[u8] = b"You were reading too slowly";

/// The words with which a client leaves a room whose people have not seen it for a while, to come in
/// again.
const NO_CONTACT: &[u8] = b"This server had no contact with the other nodes";

/// From entries and answers to messages.
#[derive(Debug)]
pub struct IrcEncoder {
    voice: Voice,
    storage: Storage,
    /// The earlier lines that are being sent.
    history: HistoryBatch,
    /// The kept messages that are being sent.
    kept: HistoryBatch,
    /// The rank of the client's person, if the client's own name is still missing in the list of names
    /// that is sent.
    unlisted: Option<RoomRank>,
    /// Whether that list is of a room into which the client comes again: it answers no command.
    lists_again: bool,
    /// Whether nobody outside sees the room whose people are listed.
    is_secret: bool,
    /// The number of the last message of the client to itself.
    to_itself: Option<u64>,
    /// The words with which the connection ends; none if the last message is sent already.
    farewell: Option<String>,
    /// The name that the client has lost, if that was the last it was told of its name.
    gone: Option<Name>,
}

impl IrcEncoder {
    /// An encoder for a client that has not registered.
    pub fn new(server: Arc<IrcServer>, storage: Storage) -> IrcEncoder {
        IrcEncoder {
            voice: Voice::new(server),
            storage,
            history: HistoryBatch::default(),
            kept: HistoryBatch::default(),
            unlisted: None,
            lists_again: false,
            is_secret: false,
            to_itself: None,
            farewell: Some("Quit".to_owned()),
            gone: None,
        }
    }

    /// Notes the account to which the client is logged in.
    pub fn logged_in(&mut self, account: Option<&Name>) {
        self.voice.me.account = account.cloned();
    }

    /// Goes on with a client that has registered, under this name and with these capabilities.
    pub fn welcome(&mut self, name: Name, profile: Arc<Profile>, caps: Caps) {
        self.voice.welcome(name, profile, caps);
    }

    /// Appends the last message.
    pub fn error(&mut self, text: &str, out: &mut Vec<u8>) {
        if self.farewell.take().is_some() {
            put_error(text, out);
        }
    }

    fn reader(&self) -> PrivateReader<'_> {
        let Voice { encoding, .. } = &self.voice;
        PrivateReader { server: encoding.server(), class: encoding.class() }
    }

    fn asker<'a>(&'a self, nick: &'a str, source: &'a str) -> Asker<'a> {
        let (server, caps) = (self.voice.server(), self.voice.caps);
        Asker { server, storage: self.storage, caps, nick, source }
    }

    /// Whether a message has come for the client, and is not the answer to its author. To itself a
    /// client writes one that comes first and is the answer then.
    fn is_delivered(&mut self, message: &PrivateMessage) -> bool {
        let me = &self.voice.me.name;
        if !message.from.name.is_same(me) {
            return true;
        }
        message.to.is_same(me) && self.to_itself.replace(message.number) != Some(message.number)
    }

    /// Appends mail from others or from the server, which answers no command. Returns whether it is
    /// such mail.
    fn put_mail(&mut self, answer: &Answer, out: &mut Vec<u8>) -> bool {
        match answer {
            Answer::Notice(Notice::Invited { by, room }) => {
                let (me, scene) = (&self.voice.me.name, self.voice.scene(room));
                self.voice.encoding.put_invite(by, me, scene, out);
            }
            Answer::Notice(Notice::Wallops { by, text }) => {
                self.voice.encoding.put_wallops(by, text, self.voice.now(), out);
            }
            Answer::Notice(Notice::Apart(entry)) => {
                if self.voice.caps.has(Cap::ExtendedMonitor) {
                    let room = RoomName::lobby(); // no room is named in it
                    self.voice.encoding.encode(entry, self.voice.scene(&room), out);
                }
            }
            Answer::Notice(notice) => {
                if let Notice::NameGone { from, now } = notice {
                    self.voice.put_new_name(now, out);
                    self.gone = Some(from.clone());
                }
                let mut replies = Replies::default();
                let (nick, source) = (self.voice.nick(), source_of(&self.voice.me));
                let farewell = put_notice(notice, self.asker(&nick, &source), &mut replies);
                replies.send(&self.voice.server().name, &nick, out);
                if let Notice::LoggedOut(_) = notice {
                    self.voice.me.account = None;
                }
                if self.farewell.is_some() {
                    self.farewell = farewell.or(self.farewell.take());
                }
            }
            Answer::KeptMessage { message, is_last } => {
                self.kept.put_kept(&mut self.voice, message, *is_last, out);
            }
            Answer::Private(message) if self.is_delivered(message) => {
                self.reader().put(message, out);
            }
            Answer::Marker { conversation, read } if !self.voice.is_asked("MARKREAD") => {
                if self.voice.caps.has(Cap::ReadMarker) {
                    let mut replies = Replies::default();
                    put_marker(conversation, *read, &mut replies);
                    replies.send(&self.voice.server().name, &self.voice.nick(), out);
                }
            }
            _ => return false,
        }
        true
    }

    /// Appends the client's own JOIN, and the topic.
    fn put_own_join(&self, entered: &Entered, out: &mut Vec<u8>) {
        let room = &entered.room;
        self.voice.encoding.put_join(&self.voice.me, false, self.voice.scene(room), out);
        let mut replies = Replies::default();
        if entered.topic.is_some() {
            put_topic(room, entered.topic.as_ref(), entered.topic_set.as_ref(), &mut replies);
        }
        if self.voice.caps.has(Cap::ReadMarker) {
            put_marker(&ConversationId::Room(room.clone()), entered.read, &mut replies);
        }
        replies.send(&self.voice.server().name, &self.voice.nick(), out);
    }

    /// Appends the client's own PART from a room into which it comes again.
    fn put_own_part(&mut self, room: &RoomName, why: &[u8], out: &mut Vec<u8>) {
        self.voice.release(out);
        let (scene, why) = (self.voice.scene(room), Line::sanitise(why));
        self.voice.encoding.put_part(&self.voice.me, Some(&why), scene, out);
    }

    /// Ends the answers about a target of the open command, if there is one.
    fn end_target(&mut self, out: &mut Vec<u8>) {
        self.history.end_command(&mut self.voice, out);
        let Some(command) = &self.voice.command else {
            return;
        };
        let mut replies = Replies::default();
        put_ending(command, self.storage, &mut replies);
        self.voice.reply(replies, out);
    }

    /// Whether the answer is shown by the message that it is about: a name, a private message,
    /// earlier lines.
    fn put_own(&mut self, answer: &Answer, out: &mut Vec<u8>) -> bool {
        match answer {
            // A name that answers no command is that with which the client has come.
            Answer::YouAre(name)
                if self.gone.take().as_ref() == Some(name) && self.voice.command.is_none() => {}
            Answer::YouAre(name) => self.voice.rename(name, out),
            Answer::Realname(realname) => self.voice.set_realname(realname, out),
            Answer::Private(message) => {
                if self.voice.caps.has(Cap::EchoMessage) {
                    let mut messages = Vec::new();
                    self.reader().put(message, &mut messages);
                    self.voice.answer(&messages, out);
                }
            }
            Answer::LastLines(lines) => self.history.put_targets(&mut self.voice, lines, out),
            _ => return false,
        }
        true
    }
}

impl Encoding for IrcEncoder {
    fn key(&self) -> EncodingKey {
        self.voice.encoding.key()
    }

    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        self.voice.encoding.encode(entry, scene, out);
    }
}

impl Encoder for IrcEncoder {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        let mut mail = Vec::new();
        if self.put_mail(answer, &mut mail) {
            if !mail.is_empty() {
                self.voice.release(out);
            }
            return out.append(&mut mail);
        }
        if self.put_own(answer, out) {
            return;
        }
        if let Answer::LoggedIn(account) | Answer::Registered(account) = answer {
            self.voice.me.account = Some(account.clone());
        }
        let mut replies = Replies::default();
        let (nick, source) = (self.voice.nick(), source_of(&self.voice.me));
        let asker = self.asker(&nick, &source);
        put_answer(answer, self.voice.command.as_deref(), asker, &mut replies);
        if let (Answer::Refused(_), Some(command)) = (answer, &mut self.voice.command) {
            command.is_refused |= !replies.is_empty();
        }
        // A list of names ends with its last page: otherwise somebody may come between the two, and
        // be missing in a client that takes the whole list then.
        if let (Answer::People(page), Some(command)) = (answer, &mut self.voice.command) {
            command.is_ended |= page.next.is_none();
        }
        self.voice.reply(replies, out);
    }

    fn begin(&mut self, asked: &Asked, out: &mut Vec<u8>) {
        self.end_target(out); // another target of the open command begins
        self.voice.open(asked);
        if let Some(command) = &self.voice.command {
            let mut replies = Replies::default();
            put_beginning(command, &mut replies);
            self.voice.reply(replies, out);
        }
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        self.voice.release(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.end_target(out);
        self.voice.close(out);
    }

    /// A client without `echo-message` does not read its own lines. The answer to a label has it.
    fn shows_own(&self) -> bool {
        let command = self.voice.command.as_deref();
        let has_label = command.is_some_and(|command| command.response.is_some());
        self.voice.caps.has(Cap::EchoMessage) && !has_label
    }

    fn own(&mut self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        let mut messages = Vec::new();
        self.voice.encoding.encode(entry, scene, &mut messages);
        let extras = match entry {
            Entry::Said(said) => said.extras.as_deref(),
            Entry::Signal { extras, .. } => Some(&**extras),
            _ => return self.voice.answer(&messages, out),
        };
        if !self.voice.caps.has(Cap::EchoMessage) {
            return;
        }
        let sent = extras.and_then(|extras| extras.label.as_ref());
        let command = self.voice.command.as_deref();
        let label = command.and_then(|command| command.response.as_ref()?.label().into());
        match sent.is_some() && sent == label {
            true => self.voice.answer(&messages, out),
            false => out.extend_from_slice(&messages),
        }
    }

    fn tells_events_once(&self) -> bool {
        true
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        let profile = entered.who.profile.clone().or(self.voice.me.profile.take());
        self.voice.me = Who { profile, ..entered.who.clone() };
        let mut messages = Vec::new();
        self.put_own_join(entered, &mut messages);
        match self.voice.is_asked("JOIN") {
            true => self.voice.answer(&messages, out),
            false => {
                self.voice.release(out);
                out.extend_from_slice(&messages);
            }
        }
        let is_keeper = entered.keeps.is_some();
        self.unlisted = Some(RoomRank { is_keeper, has_voice: entered.has_voice });
        self.lists_again = false;
        self.is_secret = entered.rules.is_secret;
    }

    fn listed(&mut self, room: &RoomName, people: &[Occupant], out: &mut Vec<u8>) {
        let (channel, caps) = (channel(room), self.voice.caps);
        let own = self.unlisted.take();
        let own =
            own.map(|rank| listed_name(&self.voice.me, (rank.is_keeper, rank.has_voice), caps));
        // The other connections of an owner are the same person.
        let me = self.voice.me.name.clone();
        let is_other = |person: &&Occupant| self.lists_again || !person.who.name.is_same(&me);
        let others = people
            .iter()
            .filter(is_other)
            .map(|person| listed_name(&person.who, (person.is_keeper, person.has_voice), caps));
        let names: Vec<_> = own.into_iter().chain(others).collect();
        let mut replies = Replies::default();
        let whose = (self.voice.server().name.as_str(), self.voice.nick());
        put_names((&channel, self.is_secret), &names, (whose.0, &whose.1), &mut replies);
        if people.is_empty() {
            put_end_of_names(&channel, &mut replies);
        }
        match self.lists_again {
            true => replies.send(whose.0, &whose.1, out),
            false => self.voice.reply(replies, out),
        }
    }

    /// The client goes on where it is known who is in the room.
    fn enters_again(&self) -> bool {
        true
    }

    fn entered_again(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        self.put_own_join(entered, out);
        self.lists_again = true;
    }

    fn fell_behind(&mut self, room: &RoomName, out: &mut Vec<u8>) {
        self.put_own_part(room, TOO_SLOW, out);
    }

    fn was_apart(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        self.voice.release(out);
        self.voice.put_new_name(&entered.who.name, out);
        self.put_own_part(&entered.room, NO_CONTACT, out);
    }

    /// The client is told its new name where the others are. Another connection of the owner that has
    /// the new name was somebody else before, and one that has the old name is afterwards. A client
    /// that has missed something has perhaps left a room before it comes to its new name there.
    fn hidden(
        &mut self,
        entry: &Entry,
        _scene: Scene<'_>,
        reads: &dyn Fn(&RoomName) -> bool,
        out: &mut Vec<u8>,
    ) {
        let Entry::Renamed { who, from, event, .. } = entry else { return };
        if who.id != self.voice.me.id || who.name == self.voice.me.name {
            return;
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let is_new = !from.is_same(&who.name);
        for (room, seen) in event.companions.iter().filter(|(room, _)| is_new && reads(room)) {
            let (scene, encoding) = (self.voice.scene(room), &self.voice.encoding);
            if seen.is_accompanied {
                encoding.put_part(who, None, scene, &mut before);
            }
            if seen.is_still_worn {
                let companion = Who { name: from.clone(), ..Who::clone(who) };
                encoding.put_join_with_rank(&companion, seen.old_rank, scene, &mut after);
                if let Some(away) = &event.left_away {
                    let away = PersonChange::Away(Some(away.clone()));
                    encoding.put_changed(&companion, &away, scene, &mut after);
                }
            }
        }
        self.voice.put_new_name(&who.name, &mut before);
        before.append(&mut after);
        self.voice.answer(&before, out);
    }

    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>) {
        if !said.has_words() {
            return;
        }
        let command = self.voice.command.as_deref();
        if let Some(service) = command.and_then(|command| command.service()) {
            let server = self.voice.server();
            let mut sentence = server.clock.stamp(said.at).into_bytes();
            words::said(said, &mut sentence);
            let mut replies = Replies::default();
            let source = service.source(&server.name);
            replies.notice_from(&source, &String::from_utf8_lossy(&sentence));
            return self.voice.reply(replies, out);
        }
        self.history.put(&mut self.voice, room, said, out);
    }

    fn replay_ended(&mut self, out: &mut Vec<u8>) {
        self.history.end_replay(&mut self.voice, out);
    }

    fn departed(&mut self, room: &RoomName, why: WhyDeparted<'_>, out: &mut Vec<u8>) {
        if why.removal.is_some() {
            self.voice.release(out);
        }
        let (me, scene) = (&self.voice.me, self.voice.scene(room));
        let mut messages = Vec::new();
        match why.removal {
            Some(act) => self.voice.encoding.put_kick(&me.name, act, scene, out),
            None => self.voice.encoding.put_part(me, why.words, scene, &mut messages),
        }
        self.voice.answer(&messages, out);
    }

    fn ended(&mut self, out: &mut Vec<u8>) {
        self.voice.close(out); // somebody has removed the client in the middle of a command
        if let Some(why) = self.farewell.take() {
            put_error(&format!("Closing Link: {why}"), out);
        }
    }

    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut messages = Vec::new();
        complete(bytes, &self.voice.server().name, &self.voice.nick(), &mut messages);
        self.voice.answer(&messages, out);
    }
}
