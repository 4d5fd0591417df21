//! Parses the messages that a client of IRC received, by the form of the protocol alone: without
//! the server's own code. Knows no order of rooms.

use std::collections::HashMap;

use super::text::{Line, Parameter, Removal, Shown, parse_server};
use super::trace::Seen;
use super::{Broken, End, Reader, Rule, broken, parse_token};

/// The longest message without its tags and its ending, in bytes.
const MESSAGE_BYTES_MAX: usize = 510;

/// The longest tags, with the sign before them and the blank behind them, in bytes.
const TAG_BYTES_MAX: usize = 8_191;

/// The words with which a reader who was too slow leaves a room, to come back at once.
pub(super) const TOO_SLOW: &str = "You were reading too slowly";

/// The words with which a reader whose node had to begin another boot leaves a room, to come back at
/// once.
pub(super) const NO_CONTACT: &str = "This server had no contact with the other nodes";

/// A message, as far as the rules need it. Rooms and people have their names of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The client has this name.
    Welcome(String),
    Joined {
        room: String,
        name: String,
    },
    Parted {
        room: String,
        name: String,
        words: Option<String>,
        /// The removal, if somebody has removed the person from the server.
        removal: Option<Removal>,
    },
    Kicked {
        room: String,
        name: String,
        words: Option<String>,
        removal: Removal,
    },
    /// An act of a keeper, or of nobody.
    Acted {
        room: String,
        shown: Shown,
    },
    /// The server says that somebody has a rank, or no longer: the letter of a mode with its sign.
    Ranked {
        room: String,
        name: String,
        mode: String,
    },
    Quit {
        name: String,
        words: Option<String>,
        removal: Option<Removal>,
    },
    Renamed {
        from: String,
        to: String,
    },
    Away {
        name: String,
        text: Option<String>,
    },
    Invited {
        room: String,
        by: String,
        to: String,
    },
    Topic {
        room: String,
        name: String,
        text: Option<String>,
    },
    /// A whole line, with its number if the message has it.
    Said {
        room: String,
        shown: Shown,
        seq: Option<u64>,
        is_old: bool,
    },
    Private(String),
    /// People, each with the signs of a rank.
    Names {
        room: String,
        names: Vec<(String, String)>,
    },
    EndOfNames(String),
    Skipped {
        room: String,
        lines: u64,
    },
    Pong(String),
    After(String),
    Other,
}

/// The messages that a client received, without one that a broken connection cut off.
pub(super) fn read(reader: &Reader) -> Result<Vec<Heard>, Broken> {
    let fail = |what: String| Err(broken(Rule::Text, what));
    let end = reader.text.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    if end != reader.text.len() && reader.end != End::Broken {
        return fail(format!("ends in the middle of a message, after {end} bytes"));
    }
    let Ok(text) = str::from_utf8(&reader.text[..end]) else {
        return fail("not UTF-8".to_owned());
    };
    let mut parser = Parser::default();
    // A client that leaves within the welcome reads the mail at the end.
    let is_end = |line: &str| line.contains(" 376 ") || line.contains(" 422 ");
    let is_whole = !reader.has_left || text.lines().any(is_end);
    let mut welcome = if is_whole { Welcome::Before } else { Welcome::Ended };
    for line in text.split_terminator('\n') {
        let Some(line) = line.strip_suffix('\r') else {
            return fail(format!("does not end in CR LF: {line:?}"));
        };
        let never = || broken(Rule::Text, format!("no server says this: {line:?}"));
        let message = Message::parse(line).ok_or_else(never)?;
        if !welcome.takes(&message) {
            return Err(broken(Rule::Welcome, format!("comes before its end: {line:?}")));
        }
        parser.hear(&message).ok_or_else(never)?;
    }
    // A long line comes in parts, and a ban with a removal: the connection may break between them.
    let is_part = |line: &str| line.len() > MESSAGE_BYTES_MAX / 2;
    let is_long = text.lines().last().is_some_and(is_part);
    if reader.end == End::Broken {
        parser.heard.pop_if(|heard| match heard {
            Heard::Said { .. } | Heard::Private(_) => is_long,
            // The removal of the person who is banned would follow.
            Heard::Acted { shown: Shown::Act { mode, .. }, .. } => mode.starts_with("+b "),
            _ => false,
        });
    }
    Ok(parser.heard)
}

/// How far the welcome of a client is written.
enum Welcome {
    Before,
    Begun,
    Ended,
}

impl Welcome {
    /// Takes the next message. Returns whether it may come there: within the welcome there are only
    /// numerics, and before it also answers to commands that register.
    fn takes(&mut self, message: &Message<'_>) -> bool {
        let is_of_server = !message.is_of_person;
        let is_numeric = message.command.bytes().all(|b| b.is_ascii_digit());
        match (&self, message.command) {
            (Welcome::Ended, _) => return true,
            (Welcome::Before, "001") => *self = Welcome::Begun,
            (Welcome::Before, "CAP" | "NOTICE" | "FAIL" | "PONG" | "ERROR") => return is_of_server,
            (Welcome::Begun, "376" | "422") => *self = Welcome::Ended,
            _ => {}
        }
        is_of_server && is_numeric
    }
}

/// The same as lines of any dialect, as far as its general rules need them.
pub(super) fn lines(heard: Vec<Heard>) -> Vec<Seen> {
    let line = |heard| match heard {
        Heard::Said { room, shown, is_old: false, .. } => Some((Some(room), Line::Shown(shown))),
        Heard::Private(text) => Some((None, Line::Private(text))),
        Heard::After(token) => Some((None, Line::After(token))),
        _ => None,
    };
    heard.into_iter().filter_map(line).map(|(room, line)| Seen { room, line }).collect()
}

/// A message of the protocol.
#[derive(Debug)]
struct Message<'a> {
    tags: HashMap<&'a str, &'a str>,
    /// The source, without user and host.
    source: &'a str,
    /// Whether a person is the source.
    is_of_person: bool,
    command: &'a str,
    parameters: Vec<&'a str>,
}

impl<'a> Message<'a> {
    /// Parses a line; none if it has a wrong form, or is too long.
    fn parse(line: &'a str) -> Option<Message<'a>> {
        let (tags, rest) = match line.strip_prefix('@') {
            Some(tagged) => tagged.split_once(' ')?,
            None => ("", line),
        };
        if rest.len() > MESSAGE_BYTES_MAX || line.len() - rest.len() > TAG_BYTES_MAX {
            return None;
        }
        let is_plain = |c: char| !c.is_control() || c == '\u{1}' || c == '\t';
        if !line.chars().all(is_plain) {
            return None;
        }
        let tags = tags.split(';').filter(|tag| !tag.is_empty());
        let tags = tags.map(|tag| tag.split_once('=').unwrap_or((tag, ""))).collect();
        let (source, rest) = match rest.strip_prefix(':') {
            Some(sourced) => sourced.split_once(' ')?,
            None => ("", rest),
        };
        let (words, last) = match rest.split_once(" :") {
            Some((words, last)) => (words, Some(last)),
            None => (rest, None),
        };
        let mut words = words.split(' ');
        let command = words.next()?;
        let mut parameters: Vec<_> = words.collect();
        if command.is_empty() || parameters.iter().any(|word| word.is_empty()) {
            return None;
        }
        parameters.extend(last);
        let nick = source.split_once('!').map(|(nick, _)| nick);
        let (source, is_of_person) = (nick.unwrap_or(source), nick.is_some());
        Some(Message { tags, source, is_of_person, command, parameters })
    }

    fn parameter(&self, index: usize) -> Option<&'a str> {
        self.parameters.get(index).copied()
    }

    /// The room of a parameter that is a channel.
    fn room(&self, index: usize) -> Option<String> {
        Some(self.parameter(index)?.strip_prefix('#')?.to_owned())
    }

    fn text(&self, index: usize) -> Option<String> {
        self.parameter(index).map(str::to_owned)
    }

    /// The number in the id of a line of this room, if the message has one.
    fn seq(&self, room: &str) -> Option<u64> {
        let mut parts = self.tags.get("msgid")?.rsplitn(3, '.');
        let seq = parts.next()?.parse().ok()?;
        (parts.next() == Some(room)).then_some(seq)
    }
}

/// The name that a nick stands for: addresses have another form in IRC.
fn name(nick: &str) -> String {
    nick.replace('~', ":")
}

/// The reason and the author of a removal from the server, `Removed by alice: spam`; or the last words
/// of a person whom nobody removes.
fn removed(words: Option<String>) -> (Option<String>, Option<Removal>) {
    let by = words.as_deref().and_then(|words| words.strip_prefix("Removed by "));
    let Some(by) = by else { return (words, None) };
    let (by, why) = by.split_once(": ").map_or((by, None), |(by, why)| (by, Some(why.to_owned())));
    (why, Some(Removal { by: by.to_owned(), is_ban: false }))
}

/// The change of a mode of a room.
fn mode(message: &Message<'_>, room: String) -> Option<Heard> {
    let mode = message.text(1)?;
    let whom = message.parameter(2).unwrap_or_default();
    let whom = whom.strip_suffix("!*@*").unwrap_or(whom);
    let with_whom = || match whom.strip_prefix("m:") {
        Some(muted) => format!("{mode} m:{}", name(muted)),
        None => format!("{mode} {}", name(whom)),
    };
    let is_about_person = mode.ends_with(['b', 'o', 'v']);
    let shown = |by| {
        let (mode, parameter) = match is_about_person {
            true => (with_whom(), ""),
            false => (mode.clone(), whom),
        };
        Shown::Act { by, mode, parameter: Parameter(Some(parameter.to_owned())) }
    };
    match message.is_of_person {
        true => Some(Heard::Acted { room, shown: shown(Some(name(message.source))) }),
        false if is_about_person => Some(Heard::Ranked { room, name: name(whom), mode }),
        false => Some(Heard::Acted { room, shown: shown(None) }),
    }
}

/// A batch that is open.
#[derive(Debug)]
enum Batch {
    /// Earlier lines.
    Old,
    /// Lines that were sent together, with the number of the next one, if it is known.
    Together { seq: Option<u64>, is_old: bool },
    /// The answers to a command.
    Answers,
}

/// The messages so far, and the batches that are open.
#[derive(Default)]
struct Parser<'a> {
    heard: Vec<Heard>,
    batches: HashMap<&'a str, Batch>,
}

impl<'a> Parser<'a> {
    /// Takes in the next message; none if no server says it here.
    fn hear(&mut self, message: &Message<'a>) -> Option<()> {
        let own = || name(message.source);
        let heard = match message.command {
            "001" => Heard::Welcome(name(message.parameter(0)?)),
            "JOIN" => Heard::Joined { room: message.room(0)?, name: own() },
            "PART" => {
                let (words, removal) = removed(message.text(1));
                Heard::Parted { room: message.room(0)?, name: own(), words, removal }
            }
            "KICK" => self.kicked(message)?,
            "MODE" => match message.room(0) {
                Some(room) => mode(message, room)?,
                None => Heard::Other, // of the client itself
            },
            "QUIT" => {
                let (words, removal) = removed(message.text(0).filter(|text| text != "Quit"));
                Heard::Quit { name: own(), words, removal }
            }
            "AWAY" => Heard::Away { name: own(), text: message.text(0) },
            "INVITE" => {
                let to = name(message.parameter(0)?);
                Heard::Invited { room: message.room(1)?, by: own(), to }
            }
            "NICK" => Heard::Renamed { from: own(), to: name(message.parameter(0)?) },
            "TOPIC" => {
                let text = message.text(1)?;
                let text = (!text.is_empty()).then_some(text);
                Heard::Topic { room: message.room(0)?, name: own(), text }
            }
            "PRIVMSG" | "NOTICE" => return self.hear_words(message),
            "353" => {
                let person = |word: &str| {
                    let source = word.trim_start_matches(['@', '+']);
                    let nick = source.split_once('!').map_or(source, |(nick, _)| nick);
                    (name(nick), word[..word.len() - source.len()].to_owned())
                };
                let names = message.parameter(3)?.split(' ').map(person).collect();
                Heard::Names { room: message.room(2)?, names }
            }
            "366" => match message.room(1) {
                Some(room) => Heard::EndOfNames(room),
                None => Heard::Other,
            },
            "PONG" => Heard::Pong(message.text(1)?),
            "401" => match message.parameter(1)?.strip_prefix("after.") {
                Some(token) => Heard::After(token.to_owned()),
                None => Heard::Other,
            },
            "BATCH" => return self.hear_batch(message),
            "CAP" | "ACK" | "FAIL" | "NOTE" | "ERROR" | "PING" => Heard::Other,
            number if number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()) => {
                Heard::Other
            }
            _ => return None,
        };
        self.heard.push(heard);
        Some(())
    }

    /// Somebody is removed from a room. A ban stands before the removal.
    fn kicked(&mut self, message: &Message<'_>) -> Option<Heard> {
        let (room, removed, by) =
            (message.room(0)?, name(message.parameter(1)?), name(message.source));
        // A ban has the name as it was typed, and also meets a name that looks alike.
        let look = |name: &str| name.to_lowercase().replace("rn", "m");
        let is_it = |before: &mut Heard| {
            let Heard::Acted { room: there, shown: Shown::Act { by: Some(author), mode, .. } } =
                before
            else {
                return false;
            };
            let banned = mode.strip_prefix("+b ").map(look);
            *there == room && *author == by && banned == Some(look(&removed))
        };
        let is_ban = self.heard.pop_if(is_it).is_some();
        let words = message.text(2).filter(|why| *why != message.source);
        Some(Heard::Kicked { room, name: removed, words, removal: Removal { by, is_ban } })
    }

    fn hear_batch(&mut self, message: &Message<'a>) -> Option<()> {
        let (sign, id) = message.parameter(0)?.split_at_checked(1)?;
        if sign == "-" {
            return self.batches.remove(id).map(drop);
        }
        let batch = match message.parameter(1)? {
            "chathistory" => Batch::Old,
            "labeled-response" => Batch::Answers,
            "draft/multiline" => {
                let outer = message.tags.get("batch").map(|id| self.batches.get(id));
                let is_old = matches!(outer, Some(Some(Batch::Old)));
                let seq = message.room(2).and_then(|room| message.seq(&room));
                Batch::Together { seq, is_old }
            }
            _ => return None,
        };
        self.batches.insert(id, batch).is_none().then_some(())
    }

    /// Takes in a line of a person, or of the server.
    fn hear_words(&mut self, message: &Message<'a>) -> Option<()> {
        let (target, text) = (message.parameter(0)?, message.parameter(1)?);
        let Some(room) = target.strip_prefix('#') else {
            return self.hear_private(message, text);
        };
        if !message.is_of_person {
            let skipped = match parse_server(text) {
                Line::Skipped(lines) => Heard::Skipped { room: room.to_owned(), lines },
                _ => Heard::Other,
            };
            self.heard.push(skipped);
            return Some(());
        }
        let (is_action, text) = match text.strip_prefix("\u{1}ACTION ") {
            Some(action) => (true, action.strip_suffix('\u{1}')?),
            None => (false, text),
        };
        let mut batch = None;
        if let Some(id) = message.tags.get("batch") {
            batch = Some(self.batches.get_mut(id)?);
        }
        let is_concat = message.tags.contains_key("draft/multiline-concat");
        let (seq, is_old) = match &mut batch {
            Some(Batch::Together { seq, is_old }) => {
                let number = *seq;
                *seq = if is_concat { number } else { number.map(|number| number + 1) };
                (number, *is_old)
            }
            Some(Batch::Old) => (message.seq(room), true),
            Some(Batch::Answers) | None => (message.seq(room), false),
        };
        // Old lines have their time in front, for a client that reads no time in tags.
        let stamped = text.strip_prefix('[').and_then(|text| text.split_once("] "));
        let (text, is_old) = stamped.map_or((text, is_old), |(_, text)| (text, true));
        let is_first = parse_token(text).is_some();
        let name = name(message.source);
        if is_first && is_concat {
            return None;
        }
        if !is_first {
            return self.append(room, &name, text, is_action);
        }
        let (room, text) = (room.to_owned(), text.to_owned());
        let shown = Shown::Said { name, text, is_action };
        self.heard.push(Heard::Said { room, shown, seq, is_old });
        Some(())
    }

    /// Takes in a message to the client alone. A long one comes in parts.
    fn hear_private(&mut self, message: &Message<'a>, text: &str) -> Option<()> {
        if !message.is_of_person {
            self.heard.push(Heard::Other);
            return Some(());
        }
        let number = text.strip_prefix('p').unwrap_or_default();
        if number.starts_with(|c: char| c.is_ascii_digit()) {
            self.heard.push(Heard::Private(text.to_owned()));
            return Some(());
        }
        match self.heard.last_mut()? {
            Heard::Private(before) => before.push_str(text),
            _ => return None,
        }
        Some(())
    }

    /// Adds a part to the line before it.
    fn append(&mut self, room: &str, by: &str, part: &str, is_action: bool) -> Option<()> {
        let Some(Heard::Said { room: before, shown, .. }) = self.heard.last_mut() else {
            return None;
        };
        match shown {
            Shown::Said { name, text, is_action: was }
                if before == room && name == by && *was == is_action =>
            {
                text.push_str(part);
                Some(())
            }
            _ => None,
        }
    }
}
