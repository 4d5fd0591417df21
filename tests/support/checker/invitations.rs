//! The rules for invitations: the person who is invited reads one, and nobody else. Knows no order of
//! lines.

use std::collections::HashMap;

use super::irc::{self, Heard};
use super::text::{Line, Shown};
use super::trace::{Seen, read};
use super::{Broken, Dialect, Reader, Rule, Story, broken};

/// The invitations that a reader got.
struct Got<'a> {
    reader: &'a Reader,
    /// How many, by author and room.
    invitations: HashMap<(String, String), usize>,
    /// The same, but for those of names under which somebody may have lost mail. Only IRC tells the name.
    certain: HashMap<(String, String), usize>,
    /// The names of a client of IRC; none if the dialect does not tell them.
    names: Option<Vec<String>>,
}

/// Checks the invitations of a server of which everything is known.
pub(super) fn check(story: &Story) -> Result<(), Broken> {
    if !story.is_whole {
        return Ok(());
    }
    let got = story.readers.iter().map(|reader| Got::by(reader, story));
    let got: Vec<_> = got.collect::<Result<_, _>>()?;
    for got in &got {
        for ((by, room), count) in &got.invitations {
            let sent = sent(story).filter(|(author, to, there)| {
                let is_meant =
                    got.names.as_ref().is_none_or(|names| names.iter().any(|it| it == to));
                author == by && there == room && is_meant
            });
            if sent.count() < *count {
                let what =
                    format!("{by} has not invited {:?} to {room} {count} times", got.reader.person);
                return Err(broken(Rule::Invitation, what));
            }
        }
    }
    for (by, to, room) in surely_read(story) {
        let of_pair = (by.to_owned(), room.to_owned());
        let received = got.iter().filter_map(|got| got.certain.get(&of_pair)).sum::<usize>();
        let alike = surely_read(story).filter(|&(author, _, there)| (author, there) == (by, room));
        let wanted = alike.count();
        if received < wanted {
            let what = format!(
                "{by} has invited {wanted} people to {room}, such as {to}: {received} read it"
            );
            return Err(broken(Rule::Invitation, what));
        }
    }
    Ok(())
}

/// The invitations that were sent: the author, the person, and the room.
fn sent(story: &Story) -> impl Iterator<Item = (&str, &str, &str)> {
    let events = story.rooms.iter().flat_map(|room| room.events.iter().map(move |it| (room, it)));
    events.filter_map(|(room, event)| match &event.shown {
        Shown::Invited { by, to } => Some((by.as_str(), to.as_str(), room.name.as_str())),
        _ => None,
    })
}

/// Those that are surely read: nobody under the name may have lost mail.
fn surely_read(story: &Story) -> impl Iterator<Item = (&str, &str, &str)> {
    sent(story).filter(move |(_, to, _)| !story.may_have_lost(to))
}

impl Got<'_> {
    fn by<'a>(reader: &'a Reader, story: &Story) -> Result<Got<'a>, Broken> {
        let (invitations, certain) = (HashMap::new(), HashMap::new());
        let mut got = Got { reader, invitations, certain, names: None };
        if reader.dialect != Dialect::Irc {
            for Seen { line, .. } in read(reader)? {
                if let Line::Invited { by, room } = line {
                    got.take(by, room, true);
                }
            }
            return Ok(got);
        }
        let mut names: Vec<String> = Vec::new();
        for heard in irc::read(reader)? {
            match heard {
                Heard::Welcome(name) => names.push(name),
                Heard::Renamed { from, to } if names.last() == Some(&from) => names.push(to),
                Heard::Invited { room, by, to } if names.last().is_none_or(|own| *own == to) => {
                    if names.is_empty() {
                        names.push(to.clone()); // it leaves before its welcome tells the name
                    }
                    got.take(by, room, !story.may_have_lost(&to));
                }
                _ => {}
            }
        }
        got.names = Some(names);
        Ok(got)
    }

    fn take(&mut self, by: String, room: String, is_certain: bool) {
        let pair = (by, room);
        if is_certain {
            *self.certain.entry(pair.clone()).or_default() += 1;
        }
        *self.invitations.entry(pair).or_default() += 1;
    }
}
