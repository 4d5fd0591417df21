//! Parses a line of text that a client received. Knows no order of lines.

use super::Dialect;
use super::acts::parse_act;

/// An event, as a person in the room reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Said {
        name: String,
        text: String,
        is_action: bool,
    },
    Arrived(String),
    Left {
        name: String,
        /// The last words, or the reason of a removal.
        words: Option<String>,
        /// The removal, if somebody removed the person.
        removal: Option<Removal>,
    },
    ArrivedTogether {
        named: Vec<String>,
        others: usize,
    },
    LeftTogether {
        named: Vec<String>,
        others: usize,
    },
    Renamed {
        from: String,
        to: String,
    },
    Topic {
        name: String,
        text: Option<String>,
    },
    /// An act of a keeper, which changes a mode of the room: the letter with its sign, and the
    /// person whom it is about.
    Act {
        /// The author; none if a rule ends by itself.
        by: Option<String>,
        mode: String,
        parameter: Parameter,
    },
    /// Somebody has a rank now, or no longer, by no act. Clients of IRC read of it.
    Ranked {
        name: String,
        /// The letter of the rank with its sign.
        mode: String,
    },
    /// Somebody is away with this text, or back. Some clients of IRC read of it.
    Away {
        name: String,
        text: Option<String>,
    },
    /// Somebody invites a person to the room. Some clients of IRC read of it.
    Invited {
        by: String,
        to: String,
    },
    /// Nothing that the checker follows.
    Unseen,
}

/// The parameter of a mode that is about no person, or an empty one; none if a dialect does not tell
/// it: then it is equal to any.
#[derive(Clone, Debug, Eq)]
pub(crate) struct Parameter(pub(crate) Option<String>);

impl PartialEq for Parameter {
    fn eq(&self, other: &Parameter) -> bool {
        self.0.as_ref().zip(other.0.as_ref()).is_none_or(|(one, other)| one == other)
    }
}

/// The removal of a person from a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Removal {
    /// The person who did it.
    pub(crate) by: String,
    /// Whether it is a ban.
    pub(crate) is_ban: bool,
}

impl Shown {
    /// Somebody leaves, whom nobody removes.
    pub(crate) fn left(name: String, words: Option<String>) -> Shown {
        Shown::Left { name, words, removal: None }
    }

    /// Somebody leaves, whom a keeper removes or bans for this reason.
    pub(crate) fn removed(name: String, words: Option<String>, by: String, is_ban: bool) -> Shown {
        Shown::Left { name, words, removal: Some(Removal { by, is_ban }) }
    }
}

/// A line that a client received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// An event in the room.
    Shown(Shown),
    /// Web dialect only: the announcement of a crowd in the room; other messages change the roster.
    Summary(Shown),
    /// A replayed line.
    Replayed(Shown),
    /// The reader is in this room now, with these people.
    Entered {
        room: Option<String>,
        named: Vec<String>,
        others: usize,
    },
    /// The roster changes, without an announcement.
    Presence {
        come: Option<String>,
        gone: Option<String>,
    },
    /// The complete roster.
    People(Vec<String>),
    /// The roster is unknown from now on.
    FellBehind,
    Skipped(u64),
    /// Nobody is called `after.` followed by this.
    After(String),
    Private(String),
    /// Somebody invites the reader to a room.
    Invited {
        by: String,
        room: String,
    },
    /// The reader has left this room, and continues in others.
    Departed,
    /// Any other line of the server.
    Server,
}

/// The summary of several people; that of one person reads like a single announcement.
pub(crate) fn together(mut named: Vec<String>, others: usize, came: bool) -> Shown {
    match (named.len(), others, came) {
        (1, 0, true) => Shown::Arrived(named.remove(0)),
        (1, 0, false) => Shown::left(named.remove(0), None),
        (_, _, true) => Shown::ArrivedTogether { named, others },
        (_, _, false) => Shown::LeftTogether { named, others },
    }
}

/// Parses a line; none if neither a room nor the server says such a line.
pub(super) fn parse(line: &str, dialect: Dialect) -> Option<Line> {
    if let Some(words) = line.strip_prefix("-- ") {
        return Some(parse_act(words).map_or_else(|| parse_server(words), Line::Shown));
    }
    if line.starts_with("You are ") {
        return Some(match dialect {
            Dialect::Named | Dialect::Web | Dialect::Irc => Line::Server,
            Dialect::Classic => Line::Entered { room: None, named: Vec::new(), others: 0 },
        });
    }
    if let Some((room, roster)) = line.strip_prefix("In ").and_then(|l| l.split_once(": ")) {
        let nobody = roster == "nobody else";
        let (named, others) = if nobody { (Vec::new(), 0) } else { people(roster) };
        return Some(Line::Entered { room: Some(room.to_owned()), named, others });
    }
    if let Some((inner, rest)) = line.strip_prefix('[').and_then(|l| l.split_once("] "))
        && !inner.contains(']')
    {
        return if inner.contains(" -> ") {
            Some(Line::Private(rest.to_owned()))
        } else {
            parse_said(rest).map(Line::Replayed)
        };
    }
    parse_said(line).or_else(|| parse_happening(line)).map(Line::Shown)
}

/// Parses a line of the server.
pub(super) fn parse_server(words: &str) -> Line {
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    if let Ok(count) = first.parse()
        && (rest.starts_with("lines skipped") || rest.starts_with("line skipped"))
    {
        return Line::Skipped(count);
    }
    if let Some((by, room)) = words.split_once(" invites you to ")
        && let Some((room, _)) = room.split_once(": ")
    {
        return Line::Invited { by: by.to_owned(), room: room.to_owned() };
    }
    words
        .strip_prefix("Nobody here is called after.")
        .and_then(|rest| rest.split_once(';'))
        .map_or(Line::Server, |(token, _)| Line::After(token.to_owned()))
}

fn parse_said(line: &str) -> Option<Shown> {
    let (is_action, name, text) = match line.strip_prefix("* ") {
        Some(rest) => {
            let (name, text) = rest.split_once(' ')?;
            (true, name, text)
        }
        None => {
            let (name, text) = line.split_once(": ")?;
            (false, name, text)
        }
    };
    (!name.contains(' ')).then(|| Shown::Said {
        name: name.to_owned(),
        text: text.to_owned(),
        is_action,
    })
}

fn parse_happening(line: &str) -> Option<Shown> {
    if let Some(who) = line.strip_suffix(" have arrived") {
        let (named, others) = people(who);
        return Some(together(named, others, true));
    }
    if let Some(who) = line.strip_suffix(" have left") {
        let (named, others) = people(who);
        return Some(together(named, others, false));
    }
    let (name, did) = line.split_once(' ')?;
    let name = name.to_owned();
    let words = |words: &str| Some(words.to_owned());
    match did {
        "has arrived" => Some(Shown::Arrived(name)),
        "has left" => Some(Shown::left(name, None)),
        "cleared the topic" => Some(Shown::Topic { name, text: None }),
        _ => {
            let rest = did.strip_prefix("has left (").and_then(|d| d.strip_suffix(')'));
            if let Some(rest) = rest {
                return Some(Shown::left(name, words(rest)));
            }
            if let Some(removed) = did.strip_prefix("was ") {
                return parse_removal(name, removed);
            }
            if let Some(text) = did.strip_prefix("changed the topic to: ") {
                let text = words(text);
                return Some(Shown::Topic { name, text });
            }
            let to = did.strip_prefix("is now known as ")?.to_owned();
            Some(Shown::Renamed { from: name, to })
        }
    }
}

/// `removed by alice: spam`, `banned until 14:10 by alice`
fn parse_removal(name: String, removed: &str) -> Option<Shown> {
    let (verb, by) = removed.split_once(" by ")?;
    let (by, words) = match by.split_once(": ") {
        Some((by, why)) => (by, Some(why.to_owned())),
        None => (by, None),
    };
    Some(Shown::removed(name, words, by.to_owned(), verb.starts_with("banned")))
}

/// `a, b and c`, `a, b and 3 others`.
fn people(list: &str) -> (Vec<String>, usize) {
    let (front, last) = list.rsplit_once(" and ").unwrap_or((list, ""));
    let mut named: Vec<_> = front.split(", ").map(str::to_owned).collect();
    let count = last.strip_suffix(" others").or(last.strip_suffix(" other"));
    match count.map(str::parse) {
        Some(Ok(others)) => return (named, others),
        _ if last.is_empty() => {}
        _ => named.push(last.to_owned()),
    }
    (named, 0)
}
