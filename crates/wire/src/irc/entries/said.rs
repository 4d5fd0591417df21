//! Lines of people as messages: one, several, or a batch. Knows no entry and no room.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use parlor_core::model::{Extras, InGroup, Manner, Name, WallTime, Who};

use crate::irc::protocol::{
    ACTION_BYTES, Cap, Class, MsgId, TagWriter, Tags, parts, server_time, text_bytes_max,
};

/// The type of a batch of lines that were sent together.
const MULTILINE: &str = "draft/multiline";

/// The tag of a message that continues the line before it.
const CONCAT: &str = "draft/multiline-concat";

/// A line of a person, on its way to clients of one class.
pub(crate) struct SaidMessage<'a> {
    /// The source.
    pub(crate) source: &'a str,
    /// The channel or the nick to which it was said.
    pub(crate) target: &'a str,
    /// When it was said.
    pub(crate) at: WallTime,
    /// The author, as tags show people.
    pub(crate) author: AuthorTags<'a>,
    /// Its id, if it has one; that of the first line in its group.
    pub(crate) id: Option<MsgId<'a>>,
    /// The additions of its client.
    pub(crate) extras: Option<&'a Extras>,
    /// The batch to which it belongs, and with it every message of its own.
    pub(crate) batch: Option<&'a str>,
    /// A text before its words.
    pub(crate) before: &'a str,
}

impl SaidMessage<'_> {
    /// Appends the words, in as many messages as they need.
    pub(crate) fn put(&self, class: Class, (manner, text): (Manner, &str), out: &mut Vec<u8>) {
        let command = match manner {
            Manner::Gone => return,
            Manner::Plain | Manner::Action => "PRIVMSG",
            Manner::Notice => "NOTICE",
        };
        let text: Cow<'_, str> = match self.before {
            "" => text.into(),
            before => format!("{before}{text}").into(),
        };
        let space = text_bytes_max(self.source, command, self.target);
        if manner == Manner::Action {
            return self.put_action(class, &text, space, out);
        }
        let group = self.extras.and_then(|extras| extras.group);
        let is_several = text.len() > space || !self.breaks().is_empty() || group.is_some();
        match class.has(Cap::Multiline) && is_several {
            true => self.put_batch(class, (command, space), &text, group, out),
            false => self.put_messages(class, (command, space), &text, group, out),
        }
    }

    fn breaks(&self) -> &[u32] {
        self.extras.map_or(&[], |extras| &extras.breaks)
    }

    /// The parts of a text that fit into a message. The parts of its client are not put together.
    fn parts<'t>(&self, text: &'t str, space: usize) -> impl Iterator<Item = &'t str> {
        let mut breaks = self.breaks().iter().map(|at| self.before.len() + *at as usize);
        let (mut rest, mut start) = (Some(text), 0);
        let pieces = std::iter::from_fn(move || {
            let text = rest.take()?;
            let cut = breaks.find_map(|at| {
                let (piece, behind) = text.split_at_checked(at.checked_sub(start)?)?;
                (!piece.is_empty() && !behind.is_empty()).then_some((piece, behind, at))
            });
            let Some((piece, behind, at)) = cut else {
                return Some(text);
            };
            (rest, start) = (Some(behind), at);
            Some(piece)
        });
        pieces.flat_map(move |piece| parts(piece, space))
    }

    /// Appends a message of tags alone, for clients that read the tags of others.
    pub(crate) fn put_tags(&self, class: Class, out: &mut Vec<u8>) {
        if class.has(Cap::MessageTags) {
            self.tags(class, true, out).message(Some(self.source), "TAGMSG").last(self.target);
        }
    }

    /// Appends a message of CTCP, which one program sends to another.
    pub(crate) fn put_ctcp(&self, class: Class, (manner, text): (Manner, &str), out: &mut Vec<u8>) {
        let command = if manner == Manner::Notice { "NOTICE" } else { "PRIVMSG" };
        let (word, text) = text.split_once(' ').unwrap_or((text, ""));
        let message = self.tags(class, true, out).message(Some(self.source), command);
        message.with(self.target).ctcp(word, text);
    }

    fn put_action(&self, class: Class, text: &str, space: usize, out: &mut Vec<u8>) {
        let space = space.saturating_sub(ACTION_BYTES);
        for (index, part) in parts(text, space).enumerate() {
            let tags = self.tags(class, index == 0, out);
            tags.message(Some(self.source), "PRIVMSG").with(self.target).ctcp("ACTION", part);
        }
    }

    /// Appends messages for clients that know no batches of lines.
    fn put_messages(
        &self,
        class: Class,
        (command, space): (&str, usize),
        text: &str,
        group: Option<InGroup>,
        out: &mut Vec<u8>,
    ) {
        let text = match (text, group) {
            ("", Some(_)) => return,
            ("", None) => " ", // clients take no empty text
            (text, _) => text,
        };
        let is_first = group.is_none_or(|group| group.index == group.blanks);
        for (index, part) in self.parts(text, space).enumerate() {
            let tags = self.tags(class, is_first && index == 0, out);
            tags.message(Some(self.source), command).with(self.target).text(part);
        }
    }

    /// Appends a line as a part of a batch, with its beginning and its end.
    fn put_batch(
        &self,
        class: Class,
        (command, space): (&str, usize),
        text: &str,
        group: Option<InGroup>,
        out: &mut Vec<u8>,
    ) {
        let id = self.batch_id();
        if group.is_none_or(|group| group.index == 0) {
            let message = self.tags(class, true, out).message(Some(self.source), "BATCH");
            message.with(&format!("+{id}")).with(MULTILINE).last(self.target);
        }
        for (index, part) in self.parts(text, space).enumerate() {
            let tags = TagWriter::new(out).tag("batch", &id);
            let tags = if index > 0 { tags.tag(CONCAT, "") } else { tags };
            tags.message(Some(self.source), command).with(self.target).text(part);
        }
        if group.is_none_or(|group| group.index + 1 >= group.lines) {
            let tags = self.batch.into_iter();
            let tags = tags.fold(TagWriter::new(out), |tags, batch| tags.tag("batch", batch));
            tags.message(Some(self.source), "BATCH").last(&format!("-{id}"));
        }
    }

    /// The name of the batch, the same for all lines of a group.
    fn batch_id(&self) -> String {
        let id = self.id.map(|id| id.to_string());
        let mut hasher = DefaultHasher::new();
        (id, self.at.0).hash(&mut hasher);
        format!("{:x}", hasher.finish())
    }

    /// Begins a message with the tags of the class, and with the id if it is the first.
    fn tags<'o>(&self, class: Class, has_id: bool, out: &'o mut Vec<u8>) -> TagWriter<'o> {
        let mut tags = tagged(class, self.at, self.author, out);
        if let Some(batch) = self.batch {
            tags = tags.tag("batch", batch);
        }
        if !class.has(Cap::MessageTags) {
            return tags;
        }
        if let Some(id) = self.id.filter(|_| has_id) {
            tags = tags.tag("msgid", &id.text());
        }
        match self.extras.and_then(|extras| extras.tags.as_ref()) {
            Some(sent) => tags.client_tags(Tags::new(sent.as_str())),
            None => tags,
        }
    }
}

/// The part of a person that tags show.
#[derive(Clone, Copy, Default)]
pub(crate) struct AuthorTags<'a> {
    account: Option<&'a str>,
    /// Whether the person is a program.
    is_bot: bool,
}

impl<'a> From<&'a Who> for AuthorTags<'a> {
    fn from(who: &'a Who) -> AuthorTags<'a> {
        AuthorTags {
            account: who.account.as_ref().map(Name::as_str),
            is_bot: who.profile.as_ref().is_some_and(|profile| profile.is_bot()),
        }
    }
}

/// Begins a message with the time and its author's tags, as far as the class reads them.
pub(crate) fn tagged<'a>(
    class: Class,
    at: WallTime,
    author: AuthorTags<'_>,
    out: &'a mut Vec<u8>,
) -> TagWriter<'a> {
    let mut tags = TagWriter::new(out);
    if class.has(Cap::ServerTime) {
        tags = tags.tag("time", &server_time(at));
    }
    if let Some(account) = author.account.filter(|_| class.has(Cap::AccountTag)) {
        tags = tags.tag("account", account);
    }
    match author.is_bot && class.has(Cap::MessageTags) {
        true => tags.tag("bot", ""),
        false => tags,
    }
}
