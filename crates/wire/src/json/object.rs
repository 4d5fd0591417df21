//! A JSON object, field by field in the order in which they are given. Fields that several kinds
//! have.

use parlor_core::model::{By, Line, Name, Reach, Together, WallTime};
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
        Object {
            out,
            is_empty: true,
        }
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.put(name, value);
        self
    }

    /// Adds a field if there is a value.
    pub(crate) fn with_some(mut self, name: &str, value: Option<impl Serialize>) -> Self {
        if let Some(value) = value {
            self.put(name, value);
        }
        self
    }

    fn put(&mut self, name: &str, value: impl Serialize) {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.push(b',');
        }
        // This cannot fail: all keys are strings, and the bytes go to memory.
        serde_json::to_writer(&mut *self.out, name).ok();
        self.out.push(b':');
        serde_json::to_writer(&mut *self.out, &value).ok();
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

/// Several people.
pub(crate) fn with_people<'a>(object: Object<'a>, people: &Together) -> Object<'a> {
    let names: Vec<_> = people.named.iter().map(Name::as_str).collect();
    object.with("names", names).with("others", people.others)
}

/// What was done with authority: where, by whom, until when and why.
pub(crate) fn with_sentence<'a>(
    object: Object<'a>,
    reach: Option<&Reach>,
    by: &By,
    until: Option<WallTime>,
    reason: Option<&Line>,
) -> Object<'a> {
    let room = match reach {
        Some(Reach::Room(room)) => Some(room.as_str()),
        Some(Reach::Server) | None => None,
    };
    object
        .with_some("room", room)
        .with("by", words::name_of(by))
        .with_some("until", until.map(rfc3339))
        .with_some("reason", reason.map(Line::as_str))
}
