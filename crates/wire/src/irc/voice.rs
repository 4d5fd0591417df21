//! The server's voice to one client: who the client is, the capabilities, and the command that is
//! being answered. Knows no answer.

use std::sync::Arc;

use parlor_core::link::Asked;
use parlor_core::log::Scene;
use parlor_core::model::{Line, Name, PersonId, Profile, RoomName, WallTime, Who};

use super::entries::{AuthorTags, IrcEncoding, tagged};
use super::protocol::{Cap, Caps, Class, IrcServer, nick, source_of};
use super::reply::{LabelledResponse, NO_NICK, OpenCommand, Replies};

/// The server's voice to one client.
#[derive(Debug)]
pub(crate) struct Voice {
    pub(crate) encoding: IrcEncoding,
    pub(crate) caps: Caps,
    /// The client's own person.
    pub(crate) me: Who,
    /// The command that is being answered.
    pub(crate) command: Option<Box<OpenCommand>>,
    /// The number of batches that were begun.
    batches: u64,
}

impl Voice {
    /// The voice to a client that has not registered.
    pub(crate) fn new(server: Arc<IrcServer>) -> Voice {
        Voice {
            encoding: IrcEncoding::new(server, Class::default()),
            caps: Caps::NONE,
            me: Who::new(PersonId::BYGONE, Name::stored(NO_NICK)),
            command: None,
            batches: 0,
        }
    }

    /// Goes on with a client that has registered.
    pub(crate) fn welcome(&mut self, name: Name, profile: Arc<Profile>, caps: Caps) {
        let account = self.me.account.take();
        self.me = Who { account, profile: Some(profile), ..Who::new(PersonId::BYGONE, name) };
        self.set_caps(caps);
    }

    pub(crate) fn set_caps(&mut self, caps: Caps) {
        self.caps = caps;
        let class = Class::of(caps);
        if class != self.encoding.class() {
            self.encoding = IrcEncoding::new(Arc::clone(self.encoding.server()), class);
        }
    }

    pub(crate) fn server(&self) -> &IrcServer {
        self.encoding.server()
    }

    /// The nick of the client.
    pub(crate) fn nick(&self) -> String {
        nick(&self.me.name).into_owned()
    }

    pub(crate) fn now(&self) -> WallTime {
        (self.server().clock.now)()
    }

    /// The scene of something that happens to the client now.
    pub(crate) fn scene<'a>(&self, room: &'a RoomName) -> Scene<'a> {
        Scene { room, seq: 0, at: self.now() }
    }

    /// The name of a new batch.
    pub(crate) fn next_batch(&mut self) -> String {
        self.batches += 1;
        format!("s{}", self.batches)
    }

    /// Whether the open command is this one.
    pub(crate) fn is_asked(&self, word: &str) -> bool {
        self.command.as_ref().is_some_and(|command| command.word == word)
    }

    /// Opens a command, or goes on with another target of the open one.
    pub(crate) fn open(&mut self, asked: &Asked) {
        if let Some(bits) = asked.mode {
            self.set_caps(Caps::from_bits(bits));
        }
        if let Some(command) = &mut self.command {
            return command.turn_to(asked);
        }
        let mut command = OpenCommand::new(asked);
        if let Some(label) = asked.label.clone().filter(|_| self.caps.has(Cap::LabeledResponse)) {
            command.response = Some(LabelledResponse::new(label, self.next_batch()));
        }
        self.command = Some(Box::new(command));
    }

    /// Closes the open command, behind its answers.
    pub(crate) fn close(&mut self, out: &mut Vec<u8>) {
        let command = self.command.take();
        if let Some(response) = command.and_then(|command| command.response) {
            response.finish(&self.server().name, out);
        }
    }

    /// Appends an answer that waits for others of the open command: something else follows.
    pub(crate) fn release(&mut self, out: &mut Vec<u8>) {
        let command = self.command.as_deref_mut();
        if let Some(response) = command.and_then(|command| command.response.as_mut()) {
            response.release(&self.encoding.server().name, out);
        }
    }

    /// Appends messages that answer the open command, if there is one.
    pub(crate) fn answer(&mut self, messages: &[u8], out: &mut Vec<u8>) {
        match self.command.as_mut().and_then(|command| command.response.as_mut()) {
            Some(response) => response.add(messages, &self.encoding.server().name, out),
            None => out.extend_from_slice(messages),
        }
    }

    /// Appends replies that answer the open command, if there is one.
    pub(crate) fn reply(&mut self, replies: Replies, out: &mut Vec<u8>) {
        let mut messages = Vec::new();
        replies.send(&self.server().name, &self.nick(), &mut messages);
        self.answer(&messages, out);
    }

    /// Appends the new real name of the client, if the client wants to know it.
    pub(crate) fn set_realname(&mut self, realname: &Line, out: &mut Vec<u8>) {
        let profile = self.me.profile.as_ref();
        self.me.profile = profile.map(|profile| profile.with_realname(realname.clone()).into());
        if self.caps.has(Cap::Setname) {
            let mut message = Vec::new();
            tagged(self.encoding.class(), self.now(), AuthorTags::from(&self.me), &mut message)
                .message(Some(&source_of(&self.me)), "SETNAME")
                .text(realname.as_str());
            self.answer(&message, out);
        }
    }

    /// Appends the new name of the client.
    pub(crate) fn rename(&mut self, name: &Name, out: &mut Vec<u8>) {
        let mut message = Vec::new();
        self.put_new_name(name, &mut message);
        if !message.is_empty() {
            self.answer(&message, out);
        }
    }

    /// Appends the new name of the client, which answers no command.
    pub(crate) fn put_new_name(&mut self, name: &Name, out: &mut Vec<u8>) {
        if *name != self.me.name {
            tagged(self.encoding.class(), self.now(), AuthorTags::from(&self.me), out)
                .message(Some(&source_of(&self.me)), "NICK")
                .text(&nick(name));
            self.me.name = name.clone();
        }
    }
}
