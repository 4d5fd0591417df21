//! The reasons why sessions end. Knows no connection.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::link::{Answer, Mail, Notice};
use parlor_core::model::{Act, Line};

/// The last words of somebody whose connection is lost.
const LOST: &[u8] = b"Connection lost";

/// The reason why a session ended. It is not an error: every session ends.
#[derive(Debug)]
pub(crate) enum SessionEnd {
    /// The client has closed its side.
    EndOfInput,
    /// `/quit`, with last words to the others.
    Quit(Option<Line>),
    /// The person was silent for this long.
    Idle(Duration),
    /// The client speaks another protocol, and was told so.
    Foreign,
    /// The connection broke, or accepted no byte for too long.
    Broken,
    /// An act of moderation.
    Removed(Arc<Act>),
    /// The server shuts down.
    GoingDown,
}

impl SessionEnd {
    /// The final message to the person concerned.
    pub(super) fn notice(&self) -> Option<Mail> {
        let notice = match self {
            Self::Idle(silent) => Notice::IdleClosed(*silent),
            Self::Removed(act) => Notice::Act(Arc::clone(act)),
            Self::GoingDown => Notice::GoingDown,
            Self::EndOfInput | Self::Quit(_) | Self::Foreign | Self::Broken => return None,
        };
        Some(Mail::Answer(Answer::Notice(notice)))
    }

    /// The words that the others read with the departure. The person whose client says that it
    /// leaves has lost the connection otherwise.
    pub(super) fn words(&self, says_goodbye: bool) -> Option<Line> {
        match self {
            Self::Quit(words) => words.clone(),
            Self::EndOfInput | Self::Idle(_) | Self::Foreign | Self::Broken if says_goodbye => {
                Some(Line::sanitise(LOST))
            }
            _ => None,
        }
    }
}

/// The reason for the operator's log, without the words, which are private.
impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndOfInput => "end of input",
            Self::Quit(_) => "quit",
            Self::Idle(_) => "idle",
            Self::Foreign => "speaks something else",
            Self::Broken => "broken",
            Self::Removed(_) => "removed",
            Self::GoingDown => "the server ends",
        })
    }
}
