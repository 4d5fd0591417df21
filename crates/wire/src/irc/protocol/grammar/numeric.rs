//! The numbers of replies and errors, under their names in the specifications. Knows no sentence.

use std::fmt;

/// The number of a reply or an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Numeric(u16);

impl Numeric {
    /// The reply or the error with this number.
    pub(crate) const fn new(number: u16) -> Numeric {
        Numeric(number)
    }
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// Defines a constant for each number.
macro_rules! numerics {
    ($($number:literal $name:ident $means:literal)*) => {
        impl Numeric {
            $(
                #[doc = $means]
                pub const $name: Numeric = Numeric($number);
            )*

            /// All of them, in the order of the list.
            #[cfg(test)]
            const ALL: &[Numeric] = &[$(Numeric::$name),*];
        }
    };
}

numerics! {
    1 RPL_WELCOME "The client has registered; the first line after it."
    2 RPL_YOURHOST "The server and its version."
    3 RPL_CREATED "The time at which the server started."
    4 RPL_MYINFO "The server, its version, and its modes."
    5 RPL_ISUPPORT "Tokens for what the server supports."
    212 RPL_STATSCOMMANDS "The use of a command."
    219 RPL_ENDOFSTATS "The end of STATS."
    221 RPL_UMODEIS "The client's own modes."
    242 RPL_STATSUPTIME "The time for which the server has run."
    251 RPL_LUSERCLIENT "The number of people."
    252 RPL_LUSEROP "The number of operators."
    253 RPL_LUSERUNKNOWN "The number of connections that have not registered."
    254 RPL_LUSERCHANNELS "The number of channels."
    255 RPL_LUSERME "The number of people on this server."
    256 RPL_ADMINME "The beginning of ADMIN."
    257 RPL_ADMINLOC1 "The place of the server."
    258 RPL_ADMINLOC2 "The operator of the server."
    259 RPL_ADMINEMAIL "The way to reach the operator."
    263 RPL_TRYAGAIN "The command was dropped; try again later."
    265 RPL_LOCALUSERS "The number of people now, and the largest so far."
    266 RPL_GLOBALUSERS "The same for the whole network."
    301 RPL_AWAY "A person is away."
    302 RPL_USERHOST "The answer to USERHOST."
    303 RPL_ISON "The answer to ISON."
    305 RPL_UNAWAY "The client is no longer away."
    306 RPL_NOWAWAY "The client is away."
    311 RPL_WHOISUSER "A person's user, host and real name."
    312 RPL_WHOISSERVER "The server of a person."
    313 RPL_WHOISOPERATOR "A person is an operator of the server."
    314 RPL_WHOWASUSER "The user, host and real name of a person who left."
    315 RPL_ENDOFWHO "The end of WHO."
    317 RPL_WHOISIDLE "The silence of a person, and the time of the arrival."
    318 RPL_ENDOFWHOIS "The end of WHOIS."
    319 RPL_WHOISCHANNELS "The channels of a person."
    321 RPL_LISTSTART "The beginning of LIST."
    322 RPL_LIST "A channel, its number of people and its topic."
    323 RPL_LISTEND "The end of LIST."
    324 RPL_CHANNELMODEIS "The modes of a channel."
    329 RPL_CREATIONTIME "The time at which a channel was made."
    330 RPL_WHOISACCOUNT "The account of a person."
    331 RPL_NOTOPIC "A channel has no topic."
    332 RPL_TOPIC "The topic of a channel."
    333 RPL_TOPICWHOTIME "The author and the time of a topic."
    335 RPL_WHOISBOT "A person is a program."
    336 RPL_INVITEDTO "A channel to which the client is invited."
    337 RPL_ENDOFINVITEDTO "The end of those channels."
    338 RPL_WHOISACTUALLY "The address of a person."
    341 RPL_INVITING "A person is invited."
    346 RPL_INVITELIST "A mask in the list of the invited."
    347 RPL_ENDOFINVITELIST "The end of that list."
    351 RPL_VERSION "The version of the server."
    352 RPL_WHOREPLY "A person in the answer to WHO."
    353 RPL_NAMREPLY "Names in a channel."
    354 RPL_WHOSPCRPL "A person in the answer to WHO with chosen fields."
    364 RPL_LINKS "A server of the network."
    365 RPL_ENDOFLINKS "The end of LINKS."
    366 RPL_ENDOFNAMES "The end of the names in a channel."
    367 RPL_BANLIST "A ban of a channel."
    368 RPL_ENDOFBANLIST "The end of the bans."
    369 RPL_ENDOFWHOWAS "The end of WHOWAS."
    371 RPL_INFO "A line about the server."
    372 RPL_MOTD "A line of the message of the day."
    374 RPL_ENDOFINFO "The end of INFO."
    375 RPL_MOTDSTART "The beginning of the message of the day."
    376 RPL_ENDOFMOTD "The end of the message of the day."
    381 RPL_YOUREOPER "The client is an operator of the server."
    391 RPL_TIME "The time at the server."
    400 ERR_UNKNOWNERROR "A command failed for a reason that has no number."
    401 ERR_NOSUCHNICK "Nobody has this nick, and no channel this name."
    402 ERR_NOSUCHSERVER "There is no such server."
    403 ERR_NOSUCHCHANNEL "There is no such channel."
    404 ERR_CANNOTSENDTOCHAN "The line is not said in the channel."
    405 ERR_TOOMANYCHANNELS "The client is in too many channels."
    406 ERR_WASNOSUCHNICK "Nobody had this nick of late."
    407 ERR_TOOMANYTARGETS "A command has too many targets."
    409 ERR_NOORIGIN "A PING has no parameter."
    410 ERR_INVALIDCAPCMD "CAP has no such subcommand."
    411 ERR_NORECIPIENT "A message has no target."
    412 ERR_NOTEXTTOSEND "A message has no text."
    417 ERR_INPUTTOOLONG "A line is too long."
    421 ERR_UNKNOWNCOMMAND "There is no such command."
    422 ERR_NOMOTD "There is no message of the day."
    431 ERR_NONICKNAMEGIVEN "NICK has no parameter."
    432 ERR_ERRONEUSNICKNAME "This is no nick."
    433 ERR_NICKNAMEINUSE "Another person has this nick."
    441 ERR_USERNOTINCHANNEL "The person is not in the channel."
    442 ERR_NOTONCHANNEL "The client is not in the channel."
    443 ERR_USERONCHANNEL "The person is in the channel already."
    451 ERR_NOTREGISTERED "The client has not registered yet."
    461 ERR_NEEDMOREPARAMS "A command has too few parameters."
    462 ERR_ALREADYREGISTERED "The client has registered already."
    464 ERR_PASSWDMISMATCH "The password is wrong."
    465 ERR_YOUREBANNEDCREEP "The client is banned from the server."
    471 ERR_CHANNELISFULL "The channel is full."
    472 ERR_UNKNOWNMODE "Channels have no such mode."
    473 ERR_INVITEONLYCHAN "The channel is for the invited."
    474 ERR_BANNEDFROMCHAN "The client is banned from the channel."
    475 ERR_BADCHANNELKEY "The password of the channel is wrong."
    481 ERR_NOPRIVILEGES "The client is no operator of the server."
    482 ERR_CHANOPRIVSNEEDED "The client is no operator of the channel."
    491 ERR_NOOPERHOST "The client cannot become an operator of the server from here."
    501 ERR_UMODEUNKNOWNFLAG "People have no such mode."
    502 ERR_USERSDONTMATCH "The modes are another person's."
    524 ERR_HELPNOTFOUND "There is no help on this."
    525 ERR_INVALIDKEY "This is no password for a channel."
    671 RPL_WHOISSECURE "The connection of a person is encrypted."
    696 ERR_INVALIDMODEPARAM "This is no parameter for the mode."
    704 RPL_HELPSTART "The beginning of a help."
    705 RPL_HELPTXT "A line of a help."
    706 RPL_ENDOFHELP "The end of a help."
    730 RPL_MONONLINE "Watched people who are here."
    731 RPL_MONOFFLINE "Watched people who are not here."
    732 RPL_MONLIST "The watched people."
    733 RPL_ENDOFMONLIST "The end of that list."
    734 ERR_MONLISTFULL "The client watches too many people."
    900 RPL_LOGGEDIN "The client is logged in."
    901 RPL_LOGGEDOUT "The client is logged out."
    902 ERR_NICKLOCKED "The account cannot be used."
    903 RPL_SASLSUCCESS "The log-in has succeeded."
    904 ERR_SASLFAIL "The log-in has failed."
    905 ERR_SASLTOOLONG "The log-in was too long."
    906 ERR_SASLABORTED "The client has given up the log-in."
    907 ERR_SASLALREADY "The client is logged in already."
    908 RPL_SASLMECHS "The ways to log in."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_has_three_digits() {
        assert_eq!(Numeric::RPL_WELCOME.to_string(), "001");
        assert_eq!(Numeric::RPL_UMODEIS.to_string(), "221");
        assert_eq!(Numeric::ERR_INVALIDMODEPARAM.to_string(), "696");
    }

    #[test]
    fn numbers_differ() {
        assert!(Numeric::ALL.is_sorted_by(|a, b| a < b));
    }
}
