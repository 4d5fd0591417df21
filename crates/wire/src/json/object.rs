//! A JSON object, field by field in the order in which they are given. Knows no field.

use serde::Serialize;

/// Begins an object of this kind; it is whole when dropped.
pub(crate) fn object<'a>(kind: &str, out: &'a mut Vec<u8>) -> Object<'a> {
    Object::begin(out).with("kind", kind)
}

/// An object that is being written.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    /// An object without any field as yet.
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object {
            out,
            is_empty: true,
        }
    }

    /// One more field.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.put(name, value);
        self
    }

    /// The same where there is a value; else nothing.
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
        // Neither can fail: no value here has a key that is no string, and memory takes all.
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
