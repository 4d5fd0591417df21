//! CAP, before a client has registered and after it. Knows no connection.

use crate::irc::protocol::{Caps, IrcMessage, MESSAGE_BYTES_MAX, Negotiation, Numeric};
use crate::irc::reply::Replies;

/// The longest nick, in bytes.
const NICK_BYTES_MAX: usize = 128;

/// The bytes around the source, the nick and the list in an answer: `: CAP  ACK * :`.
const ANSWER_BYTES: usize = 16;

/// The effect of a CAP on a client that registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CapEffect {
    /// The client is negotiating, so its welcome waits.
    Begins,
    /// The client has negotiated.
    Ends,
    /// None.
    None,
}

/// Answers a CAP of a client to which a server with this name offers these capabilities, and tells
/// `sts` about TLS.
pub(crate) fn answer_cap(
    message: &IrcMessage<'_>,
    negotiation: &mut Negotiation,
    (server, offered): (&str, Caps),
    sts: Option<&str>,
    replies: &mut Replies,
) -> CapEffect {
    let Some(subcommand) = message.parameter(0) else {
        replies.numeric(Numeric::ERR_NEEDMOREPARAMS, &["CAP"], "Not enough parameters");
        return CapEffect::None;
    };
    let list = message.parameter(1);
    let bytes_max = MESSAGE_BYTES_MAX.saturating_sub(server.len() + NICK_BYTES_MAX + ANSWER_BYTES);
    match subcommand.to_ascii_uppercase().as_str() {
        "LS" => {
            let mut lines = negotiation.ls(list, offered, bytes_max);
            // Only clients that read values know it, and none can ask for it.
            if let Some(sts) = sts.filter(|_| negotiation.has_values()) {
                lines.insert(0, format!("sts={sts}"));
            }
            put_list("LS", &lines, replies);
            CapEffect::Begins
        }
        "LIST" => {
            put_list("LIST", &negotiation.list(bytes_max), replies);
            CapEffect::None
        }
        "REQ" => {
            let list = list.unwrap_or_default();
            // An answer that is cut would leave the client in doubt.
            let is_done = list.len() <= bytes_max && negotiation.request(list, offered);
            replies.message("CAP", &[if is_done { "ACK" } else { "NAK" }], list);
            CapEffect::Begins
        }
        "END" => CapEffect::Ends,
        _ => {
            replies.numeric(Numeric::ERR_INVALIDCAPCMD, &[subcommand], "Invalid CAP command");
            CapEffect::None
        }
    }
}

fn put_list(subcommand: &str, lines: &[String], replies: &mut Replies) {
    let Some((last, before)) = lines.split_last() else {
        return replies.message("CAP", &[subcommand], "");
    };
    for line in before {
        replies.message("CAP", &[subcommand, "*"], line);
    }
    replies.message("CAP", &[subcommand], last);
}
