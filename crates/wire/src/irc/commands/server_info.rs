//! The welcome, and what clients ask about the server.

use parlor_core::link::{COMMANDS, Command, Input, Query};

use super::run::CommandRun;
use crate::irc::protocol::{ChannelMode, Isupport, ModeKind, Numeric, UserMode, channel_letters};

/// Adds the first inputs of a client that has come in: the welcome.
pub(crate) fn welcome(mut run: CommandRun<'_>) {
    let (server, replies) = (&run.client.server, &mut run.inputs.replies);
    let text = format!("Welcome to the {} network, {}", server.network, run.client.nick);
    replies.numeric(Numeric::RPL_WELCOME, &[], &text);
    let text = format!("Your host is {}, running version {}", server.name, server.version);
    replies.numeric(Numeric::RPL_YOURHOST, &[], &text);
    let text = format!("This server was started {}", server.clock.moment(server.started));
    replies.numeric(Numeric::RPL_CREATED, &[], &text);
    let users: String = UserMode::ALL.into_iter().map(UserMode::letter).collect();
    let channels: String = ChannelMode::ALL.into_iter().map(ChannelMode::letter).collect();
    let kinds = [ModeKind::List, ModeKind::Setting, ModeKind::Quantity, ModeKind::Rank];
    let with_parameter = kinds.map(channel_letters).concat();
    let words = [&server.name, &server.version, &users, &channels, &with_parameter];
    replies.numeric_words(Numeric::RPL_MYINFO, &words.map(String::as_str));
    put_isupport(&mut run);
    for (word, part) in [("LUSERS", lusers as fn(&mut CommandRun<'_>)), ("MOTD", motd)] {
        word.clone_into(&mut run.inputs.word);
        part(&mut run);
    }
    run.inputs.finish();
}

/// Adds the tokens of what the server supports.
fn put_isupport(run: &mut CommandRun<'_>) {
    let (server, replies) = (&run.client.server, &mut run.inputs.replies);
    let isupport = Isupport {
        network: &server.network,
        rooms_max: server.rooms_max,
        bans_max: server.bans_max,
    };
    for tokens in isupport.lines() {
        let tokens: Vec<_> = tokens.iter().map(String::as_str).collect();
        replies.numeric(Numeric::RPL_ISUPPORT, &tokens, "are supported by this server");
    }
}

/// LUSERS
pub(super) fn lusers(run: &mut CommandRun<'_>) {
    if run.asks_elsewhere(1) {
        return;
    }
    run.inputs.add(Input::Ask(Box::new(Query::Totals.into())));
}

/// MOTD: the operator's words, and where people are.
pub(super) fn motd(run: &mut CommandRun<'_>) {
    if run.asks_elsewhere(0) {
        return;
    }
    run.inputs.about("");
    let (server, replies) = (&run.client.server, &mut run.inputs.replies);
    let text = format!("- {} Message of the day -", server.name);
    replies.numeric(Numeric::RPL_MOTDSTART, &[], &text);
    for line in &server.motd {
        replies.numeric(Numeric::RPL_MOTD, &[], &format!("- {line}"));
    }
    run.inputs.add(Input::Command(Command::Rooms));
}

/// VERSION
pub(super) fn version(run: &mut CommandRun<'_>) {
    if run.asks_elsewhere(0) {
        return;
    }
    let (server, replies) = (&run.client.server, &mut run.inputs.replies);
    let words = [server.version.as_str(), server.name.as_str()];
    replies.numeric(Numeric::RPL_VERSION, &words, "Parlor");
    put_isupport(run);
}

/// TIME
pub(super) fn time(run: &mut CommandRun<'_>) {
    if run.asks_elsewhere(0) {
        return;
    }
    let (server, replies) = (&run.client.server, &mut run.inputs.replies);
    replies.numeric(Numeric::RPL_TIME, &[&server.name], &server.clock.date_and_time());
}

/// ADMIN
pub(super) fn admin(run: &mut CommandRun<'_>) {
    if run.asks_elsewhere(0) {
        return;
    }
    let (server, replies) = (&run.client.server, &mut run.inputs.replies);
    replies.numeric(Numeric::RPL_ADMINME, &[&server.name], "Administrative info");
    let place = format!("This is a Parlor server of the {} network", server.network);
    replies.numeric(Numeric::RPL_ADMINLOC1, &[], &place);
    let keepers = "/msg parlor keeper lists the people who keep it";
    replies.numeric(Numeric::RPL_ADMINLOC2, &[], keepers);
    replies.numeric(Numeric::RPL_ADMINEMAIL, &[], "The message of the day may have an address");
}

/// INFO
pub(super) fn info(run: &mut CommandRun<'_>) {
    if run.asks_elsewhere(0) {
        return;
    }
    let (server, replies) = (&run.client.server, &mut run.inputs.replies);
    for line in [
        format!("{}: a chat server that people join with netcat, a browser or IRC", server.version),
        format!("It was started {}", server.clock.moment(server.started)),
    ] {
        replies.numeric(Numeric::RPL_INFO, &[], &line);
    }
    replies.numeric(Numeric::RPL_ENDOFINFO, &[], "End of /INFO list");
}

/// STATS, of which only the uptime is for everybody.
pub(super) fn stats(run: &mut CommandRun<'_>) {
    let Some(query) = run.given(0) else {
        return run.need_more();
    };
    if run.asks_elsewhere(1) {
        return;
    }
    let (server, replies) = (&run.client.server, &mut run.inputs.replies);
    if query == "u" {
        let up = (server.clock.now)().since(server.started).as_secs();
        let (days, hours, minutes, seconds) = (up / 86_400, up / 3_600 % 24, up / 60 % 60, up % 60);
        let text = format!("Server Up {days} days {hours}:{minutes:02}:{seconds:02}");
        replies.numeric(Numeric::RPL_STATSUPTIME, &[], &text);
    }
    replies.numeric(Numeric::RPL_ENDOFSTATS, &[query], "End of /STATS report");
}

/// LINKS
pub(super) fn links(run: &mut CommandRun<'_>) {
    if run.asks_elsewhere(0) {
        return;
    }
    let (server, replies) = (&run.client.server, &mut run.inputs.replies);
    let text = format!("0 {}", server.network);
    replies.numeric(Numeric::RPL_LINKS, &[&server.name, &server.name], &text);
    replies.numeric(Numeric::RPL_ENDOFLINKS, &["*"], "End of /LINKS list");
}

/// The commands that HELP explains, each with its parameters and its effect.
const HELP: [(&str, &str, &str); 15] = [
    ("JOIN", "#ROOM [PASSWORD]", "enters a room, and makes it if there is none"),
    ("PART", "#ROOM [:WORDS]", "leaves a room"),
    ("PRIVMSG", "TARGET :TEXT", "says something in a room, or to one person"),
    ("NOTICE", "TARGET :TEXT", "says something that no program answers"),
    ("NICK", "NAME", "takes another name"),
    ("TOPIC", "#ROOM [:TEXT]", "shows the topic of a room, or changes it"),
    ("NAMES", "#ROOM", "lists the people in a room"),
    ("LIST", "[FILTER]", "lists the rooms"),
    (
        "WHO",
        "#ROOM|NAME|MASK",
        "lists the people in a room, or those who are found, with their hosts",
    ),
    ("WHOIS", "NAME", "shows a person and their rooms"),
    (
        "INVITE",
        "[NAME #ROOM]",
        "asks somebody into a room, or lists the rooms to which you are invited",
    ),
    ("MODE", "#ROOM [MODES]", "shows or changes keepers, voices, bans and the rules of a room"),
    ("KICK", "#ROOM NAME [:REASON]", "removes somebody from a room"),
    ("CHATHISTORY", "LATEST #ROOM * 50", "shows earlier lines"),
    ("QUIT", "[:WORDS]", "leaves"),
];

/// HELP
pub(super) fn help(run: &mut CommandRun<'_>) {
    let subject = run.given(0);
    let replies = &mut run.inputs.replies;
    let Some(subject) = subject else {
        replies.numeric(Numeric::RPL_HELPSTART, &["*"], "Commands of this server");
        for (command, parameters, does) in HELP {
            let text = format!("{command} {parameters}: {does}");
            replies.numeric(Numeric::RPL_HELPTXT, &["*"], &text);
        }
        let names: Vec<_> = COMMANDS.iter().map(|spec| spec.name).collect();
        let text = format!("/msg parlor COMMAND runs one of: {}", names.join(", "));
        replies.numeric(Numeric::RPL_HELPTXT, &["*"], &text);
        return replies.numeric(
            Numeric::RPL_ENDOFHELP,
            &["*"],
            "/msg parlor help COMMAND explains one",
        );
    };
    let known = HELP.iter().find(|(command, ..)| command.eq_ignore_ascii_case(subject));
    match known {
        Some((command, parameters, does)) => {
            let text = format!("{command} {parameters}");
            replies.numeric(Numeric::RPL_HELPSTART, &[command], &text);
            replies.numeric(Numeric::RPL_HELPTXT, &[command], does);
            replies.numeric(Numeric::RPL_ENDOFHELP, &[command], "End of /HELP");
        }
        None => replies.numeric(Numeric::ERR_HELPNOTFOUND, &[subject], "There is no help on this"),
    }
}
