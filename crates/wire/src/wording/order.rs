//! What is said about order in the house, word for word. Knows no line ending and no connection.

use parlor_core::line::Line;
use parlor_core::name::RoomName;
use parlor_core::order::{By, Done, Removal, Visitor, Word};

use super::silence;

/// What has come of an order, a line each.
pub(super) fn done(done: &Done) -> Vec<String> {
    match done {
        Done::Everybody(people) if people.is_empty() => vec!["-- Nobody is here".to_owned()],
        Done::Everybody(people) => people.iter().map(visitor).collect(),
        Done::Told { people, deaf } => vec![format!("-- {}", told(*people, *deaf))],
        Done::Removed(name) => vec![format!("-- {name} is removed")],
    }
}

/// `-- alice, 127.0.0.1:56592, in lobby and tea, silent for 4 minutes`
fn visitor(visitor: &Visitor) -> String {
    let address = visitor
        .address
        .map(|address| format!("{address}, "))
        .unwrap_or_default();
    let rooms: Vec<_> = visitor.rooms.iter().map(RoomName::as_str).collect();
    let rooms = match rooms.is_empty() {
        true => "coming in".to_owned(),
        false => format!("in {}", rooms.join(" and ")),
    };
    let (name, silence) = (&visitor.name, silence(visitor.silent));
    format!("-- {name}, {address}{rooms}, {silence}")
}

fn told(people: usize, deaf: usize) -> String {
    let told = match people {
        1 => "1 person was told".to_owned(),
        _ => format!("{people} people were told"),
    };
    match deaf {
        0 => told,
        1 => format!("{told}; 1 is not reading, and was not"),
        _ => format!("{told}; {deaf} are not reading, and were not"),
    }
}

/// A word with authority, without what stands before each word of the server's.
pub(super) fn word(word: &Word) -> String {
    match word {
        Word::Says(text) => format!("The operator says: {text}"),
        Word::Removed(Removal {
            by: By::Oneself, ..
        }) => "You came back on another connection: this one is closed".to_owned(),
        Word::Removed(removal) => format!("You were removed {}", by_whom_and_why(removal)),
    }
}

/// `by the operator: too loud`
pub(super) fn by_whom_and_why(removal: &Removal) -> String {
    let Removal { by, reason } = removal;
    format!("by {}{}", whom(by), why(reason.as_ref()))
}

fn whom(by: &By) -> &str {
    match by {
        By::Operator => "the operator",
        By::Oneself => "themselves",
        By::Keeper(name) => name.as_str(),
    }
}

fn why(reason: Option<&Line>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}
