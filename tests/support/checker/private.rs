//! Private messages: each is read by its author and by one other person, once each, and those of an
//! author in the order in which they were sent. Nobody reads one whose author was told so.

use std::collections::{HashMap, HashSet};

use super::text::Line;
use super::trace::{Seen, read};
use super::{Broken, Dialect, Reader, Rule, broken};

/// A private message: the number of its author, and its own number among those of the author.
pub(crate) type PrivateId = (usize, u64);

/// The text with which a private message begins.
pub(crate) fn private_token((author, number): PrivateId) -> String {
    format!("p{author}n{number}")
}

/// The message that begins like this; none if no test writes it.
pub(crate) fn parse_private(text: &str) -> Option<PrivateId> {
    let (author, rest) = text.strip_prefix('p')?.split_once('n')?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((author.parse().ok()?, rest[..digits].parse().ok()?))
}

/// Checks what these readers have read. `unread` are messages whose authors were told that nobody
/// reads them.
pub(crate) fn check_privates<'a>(
    readers: impl IntoIterator<Item = &'a Reader>,
    unread: &HashSet<PrivateId>,
) -> Result<(), Broken> {
    let mut read_by: HashMap<String, Vec<(usize, bool)>> = HashMap::new();
    for (number, reader) in readers.into_iter().enumerate() {
        let is_echo = reader.dialect == Dialect::Irc && reader.has("echo-message");
        let mut last: HashMap<usize, u64> = HashMap::new();
        for Seen { line, .. } in read(reader)? {
            let Line::Private(text) = line else {
                continue;
            };
            if let Some((author, sent)) = parse_private(&text) {
                let before = last.insert(author, sent);
                if before > Some(sent) {
                    let what = format!("{text:?} came behind number {before:?} of {author}");
                    return Err(broken(Rule::Private, what));
                }
            }
            read_by.entry(text).or_default().push((number, is_echo));
        }
    }
    for (text, mut by) in read_by {
        if parse_private(&text).is_some_and(|id| unread.contains(&id)) {
            let what = format!("{text:?} was read, and its author was told that nobody reads it");
            return Err(broken(Rule::Private, what));
        }
        let count = by.len();
        if count == 2 && by[0] == by[1] && by[0].1 {
            continue; // to itself, and the echo
        }
        by.dedup();
        if count > 2 || by.len() != count {
            let what = format!("{text:?} was read by the readers {by:?}, {count} times");
            return Err(broken(Rule::Private, what));
        }
    }
    Ok(())
}
