//! From a line of text that a client received to what it tells. Knows no order of lines.

use super::Dialect;

/// What somebody reads who is in a room.
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
        words: Option<String>,
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
}

/// A line that a client received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Something that happens in the room.
    Shown(Shown),
    /// Of objects: what became of a crowd, as the room tells it; who is here is changed by others.
    Summary(Shown),
    /// It was said before.
    Replayed(Shown),
    /// One is in this room now, with these people.
    Entered {
        room: Option<String>,
        named: Vec<String>,
        others: usize,
    },
    /// Who is here changes, of which nothing is said.
    Presence {
        come: Option<String>,
        gone: Option<String>,
    },
    /// All who are here.
    People(Vec<String>),
    /// Who is here is not known any more.
    FellBehind,
    Skipped(u64),
    /// There is nobody called `after.` and this.
    After(String),
    Private(String),
    /// One is in this room no more, and goes on in others.
    Departed,
    /// Whatever else the server says.
    Server,
}

/// The summary of several people; one alone reads like a told one.
pub(crate) fn together(mut named: Vec<String>, others: usize, came: bool) -> Shown {
    match (named.len(), others, came) {
        (1, 0, true) => Shown::Arrived(named.remove(0)),
        (1, 0, false) => Shown::Left {
            name: named.remove(0),
            words: None,
        },
        (_, _, true) => Shown::ArrivedTogether { named, others },
        (_, _, false) => Shown::LeftTogether { named, others },
    }
}

/// What a line tells; none if it is nothing that a room or the server says.
pub(super) fn parse(line: &str, dialect: Dialect) -> Option<Line> {
    if let Some(words) = line.strip_prefix("-- ") {
        return Some(parse_server(words));
    }
    if line.starts_with("You are ") {
        return Some(match dialect {
            Dialect::Named | Dialect::Web => Line::Server,
            Dialect::Classic => Line::Entered {
                room: None,
                named: Vec::new(),
                others: 0,
            },
        });
    }
    if let Some((room, roster)) = line.strip_prefix("In ").and_then(|l| l.split_once(": ")) {
        let nobody = roster == "nobody else";
        let (named, others) = if nobody {
            (Vec::new(), 0)
        } else {
            people(roster)
        };
        return Some(Line::Entered {
            room: Some(room.to_owned()),
            named,
            others,
        });
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
    parse_said(line)
        .or_else(|| parse_happening(line))
        .map(Line::Shown)
}

/// What the server says with these words.
pub(super) fn parse_server(words: &str) -> Line {
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    if let Ok(count) = first.parse()
        && (rest.starts_with("lines skipped") || rest.starts_with("line skipped"))
    {
        return Line::Skipped(count);
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
        "has left" => Some(Shown::Left { name, words: None }),
        "cleared the topic" => Some(Shown::Topic { name, text: None }),
        _ => {
            let rest = did
                .strip_prefix("has left (")
                .and_then(|d| d.strip_suffix(')'));
            if let Some(rest) = rest {
                let words = words(rest);
                return Some(Shown::Left { name, words });
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
