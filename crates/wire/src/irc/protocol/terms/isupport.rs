//! The tokens that tell a client what the server supports (RPL_ISUPPORT). Knows no configuration.

use parlor_core::link::WATCHED_MAX;
use parlor_core::model::{NAME_CHARS_MAX, ROOM_PASSWORD_BYTES_MAX};

use super::modes::{CHANGES_MAX, ModeKind, channel_letters};
use super::name::USER_BYTES_MAX;
use super::who::WHO_TARGETS_MAX;

/// The longest topic, text of an absence or reason, in bytes: with the longest names it still fits
/// into a message.
pub const TEXT_BYTES_MAX: usize = 390;

/// The longest real name that SETNAME sets, in bytes.
pub(crate) const REALNAME_BYTES_MAX: usize = 128;

/// The largest number of people whom a client watches.
pub const MONITOR_MAX: usize = WATCHED_MAX;

/// The largest number of targets of one message.
pub const TARGETS_MAX: usize = 4;

/// The largest number of channels and conditions in one LIST, each of which is compared with every
/// room.
pub(crate) const LIST_TARGETS_MAX: usize = 20;

/// The largest number of lines in one answer to CHATHISTORY.
pub const HISTORY_MAX: u64 = 1_000;

/// The largest number of nicks in one USERHOST.
pub const USERHOSTS_MAX: usize = 10;

/// The largest number of tokens in a line: with the nick and the sentence they are fifteen
/// parameters.
const TOKENS_MAX: usize = 13;

/// The values that depend on the server.
#[derive(Clone, Copy, Debug)]
pub struct Isupport<'a> {
    /// The name of the network; its blanks and other characters than ASCII are not shown.
    pub network: &'a str,
    /// The largest number of rooms in which one person sits.
    pub rooms_max: usize,
    /// The largest number of bans in a room.
    pub bans_max: usize,
}

impl Isupport<'_> {
    /// The tokens of each line.
    pub fn lines(&self) -> Vec<Vec<String>> {
        self.tokens().chunks(TOKENS_MAX).map(<[String]>::to_vec).collect()
    }

    fn tokens(&self) -> Vec<String> {
        let Isupport { network, rooms_max, bans_max } = self;
        let network: String = network.chars().filter(char::is_ascii_graphic).collect();
        let kinds = [ModeKind::List, ModeKind::Setting, ModeKind::Quantity, ModeKind::Flag];
        let [lists, settings, quantities, flags] = kinds.map(channel_letters);
        vec![
            format!("AWAYLEN={TEXT_BYTES_MAX}"),
            "BOT=B".to_owned(),
            "CASEMAPPING=ascii".to_owned(),
            format!("CHANLIMIT=#:{rooms_max}"),
            format!("CHANMODES={lists},{settings},{quantities},{flags}"),
            format!("CHANNELLEN={}", "#".len() + NAME_CHARS_MAX),
            "CHANTYPES=#".to_owned(),
            format!("CHATHISTORY={HISTORY_MAX}"),
            "ELIST=MNU".to_owned(),
            "EXTBAN=,m".to_owned(),
            format!("KEYLEN={ROOM_PASSWORD_BYTES_MAX}"),
            format!("KICKLEN={TEXT_BYTES_MAX}"),
            format!("MAXLIST={lists}:{bans_max}"),
            format!("MODES={CHANGES_MAX}"),
            format!("MONITOR={MONITOR_MAX}"),
            "MSGREFTYPES=msgid,timestamp".to_owned(),
            format!("NAMELEN={REALNAME_BYTES_MAX}"),
            format!("NETWORK={network}"),
            format!("NICKLEN={NAME_CHARS_MAX}"),
            format!("PREFIX=({})@+", channel_letters(ModeKind::Rank)),
            format!(
                "TARGMAX=JOIN:,PART:,KICK:,PRIVMSG:{TARGETS_MAX},NOTICE:{TARGETS_MAX},\
                 TAGMSG:{TARGETS_MAX},NAMES:1,LIST:{LIST_TARGETS_MAX},WHO:{WHO_TARGETS_MAX},WHOIS:1,WHOWAS:1,\
                 USERHOST:{USERHOSTS_MAX},\
                 MONITOR:{MONITOR_MAX}"
            ),
            format!("TOPICLEN={TEXT_BYTES_MAX}"),
            format!("USERLEN={USER_BYTES_MAX}"),
            "UTF8ONLY".to_owned(),
            "WHOX".to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_fit_into_lines_of_thirteen() {
        let isupport = Isupport { network: "Tea House ☕", rooms_max: 100, bans_max: 1000 };
        let lines = isupport.lines();
        let lines: Vec<String> = lines.iter().map(|tokens| tokens.join(" ")).collect();
        assert_eq!(
            lines,
            [
                "AWAYLEN=390 BOT=B CASEMAPPING=ascii CHANLIMIT=#:100 CHANMODES=b,k,l,imnst CHANNELLEN=33 \
                 CHANTYPES=# CHATHISTORY=1000 ELIST=MNU EXTBAN=,m KEYLEN=32 KICKLEN=390 MAXLIST=b:1000",
                "MODES=10 MONITOR=100 MSGREFTYPES=msgid,timestamp NAMELEN=128 NETWORK=TeaHouse NICKLEN=32 PREFIX=(ov)@+ \
                 TARGMAX=JOIN:,PART:,KICK:,PRIVMSG:4,NOTICE:4,TAGMSG:4,NAMES:1,LIST:20,WHO:10,WHOIS:1,WHOWAS:1,\
                 USERHOST:10,MONITOR:100 TOPICLEN=390 USERLEN=10 UTF8ONLY WHOX",
            ]
        );
    }
}
