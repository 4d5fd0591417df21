//! Parses the sentences about acts of keepers. Knows no order of lines.

use super::text::{Parameter, Shown};

/// The sentences about acts behind the name of the author, each with its mode. The name of the person
/// whom the act is about stands between the two parts, if the first one ends with a blank.
const ACTS: [(&str, &str, &str); 20] = [
    ("+b ", "banned ", ""),
    ("-b ", "lifted the ban on ", ""),
    ("+b m:", "muted ", ""),
    ("-b m:", "unmuted ", ""),
    ("+o ", "made ", " a keeper"),
    ("-o ", "removed ", " as a keeper"),
    ("+v ", "gave ", " a voice"),
    ("-v ", "took the voice of ", ""),
    ("+t", "locked the topic:", ""),
    ("-t", "unlocked the topic:", ""),
    ("+i", "lets only people in who are invited:", ""),
    ("-i", "lets people in without an invitation", ""),
    ("+m", "lets only keepers and people with a voice speak", ""),
    ("-m", "lets everybody speak", ""),
    ("+s", "made the room secret:", ""),
    ("-s", "made the room visible to people outside", ""),
    ("+k", "gave the room a password:", ""),
    ("-k", "removed the password of the room", ""),
    ("+l", "lets at most", ""),
    ("-l", "removed the limit of people", ""),
];

/// The words when a rule ends by itself.
const NO_KEEPER: &str = "No keeper is here any more, so everybody can speak";

/// Parses the sentence about an act, without the sign of the server.
pub(super) fn parse_act(words: &str) -> Option<Shown> {
    if words == NO_KEEPER {
        return Some(act(None, "-m".to_owned()));
    }
    let (by, did) = words.split_once(' ')?;
    let mode = |&(mode, before, after): &(&str, &str, &str)| {
        let rest = did.strip_prefix(before)?;
        if !before.ends_with(' ') {
            return Some(mode.to_owned());
        }
        let (whom, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
        // The person concerned reads another sentence, beside that of the room.
        (rest.starts_with(after) && whom != "you").then(|| format!("{mode}{whom}"))
    };
    let mode = ACTS.iter().find_map(mode)?;
    Some(act(Some(by.to_owned()), mode))
}

fn act(by: Option<String>, mode: String) -> Shown {
    Shown::Act { by, mode, parameter: Parameter(None) }
}
