//! A JSON object, written field by field in the given order, and the fields that several kinds
//! share.

use parlor_core::model::{Act, Author, By, Line, Name, Reach, RoomName, Together, Verb, Whom};
use serde::Serialize;

use crate::style::rfc3339;
use crate::words;

/// Begins an object of this kind. It ends when it is dropped.
pub(crate) fn object<'a>(kind: &str, out: &'a mut Vec<u8>) -> Object<'a> {
    Object::begin(out).with("kind", kind)
}

/// An unfinished object.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    /// Begins an object without a kind.
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { out, is_empty: true }
    }

    /// Adds a field.
    pub(crate) fn with(self, name: &str, value: impl Serialize) -> Self {
        self.with_put(name, |out| put(&value, out))
    }

    /// Adds a field if there is a value.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a list of objects, to which `fill` adds the fields.
    pub(crate) fn with_list<T>(
        self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        fill: impl Fn(Object<'_>, T),
    ) -> Self {
        self.with_put(name, |out| {
            out.push(b'[');
            for (at, item) in items.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                fill(Object::begin(out), item);
            }
            out.push(b']');
        })
    }

    /// Adds a field whose value `put_value` appends.
    pub(crate) fn with_put(mut self, name: &str, put_value: impl FnOnce(&mut Vec<u8>)) -> Self {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.push(b',');
        }
        put(name, self.out);
        self.out.push(b':');
        put_value(self.out);
        self
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

/// Appends a value. This cannot fail: all keys are strings, and the bytes go to memory.
fn put(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).ok();
}

/// Adds several people.
pub(crate) fn with_people<'a>(object: Object<'a>, people: &Together) -> Object<'a> {
    let names: Vec<_> = people.named.iter().map(Name::as_str).collect();
    object.with("names", names).with("others", people.others)
}

/// Adds the person whom an act concerns, if there is one.
pub(crate) fn with_whom<'a>(object: Object<'a>, act: &Act) -> Object<'a> {
    let whom = &act.deed.whom;
    object.with_some("whom", (*whom != Whom::Everybody).then(|| whom.to_string()))
}

/// The largest number of people that an act sets.
pub(crate) fn limit_of(act: &Act) -> Option<&str> {
    act.deed.text.as_ref().map(Line::as_str).filter(|_| act.deed.verb == Verb::Limit)
}

/// Adds where an act holds if that is not obvious, its author, its end and its reason.
pub(crate) fn with_act<'a>(object: Object<'a>, reach: Option<&Reach>, act: &Act) -> Object<'a> {
    let room = reach.and_then(Reach::room);
    let (verb, text) = (act.deed.verb, act.deed.text.as_ref().map(Line::as_str));
    let by = (act.by != By::NoKeeper).then(|| words::name_of(&act.by));
    let account = act.by.author().and_then(Author::other_account);
    let is_rule = matches!(verb, Verb::Limit | Verb::SetRoomPassword); // a password is for members
    object
        .with_some("room", room.map(RoomName::as_str))
        .with_some("by", by)
        .with_some("account", account.map(Name::as_str))
        .with_some("until", act.until().map(rfc3339))
        .with_some("limit", limit_of(act))
        .with_some("reason", text.filter(|_| !is_rule))
}
