//! The table of the commands. Knows no parameter.

use super::run::CommandRun;
use super::{
    channels, chathistory, connection, describing, markread, messages, modes, monitor, operators,
    people, server_info, services,
};

/// Runs a command of a registered client.
pub(crate) fn run(mut command: CommandRun<'_>) {
    handler(&command.inputs.word)(&mut command);
    command.inputs.finish();
}

/// The function for a command, which is in upper case.
fn handler(word: &str) -> fn(&mut CommandRun<'_>) {
    match word {
        "CAP" => connection::cap,
        "AUTHENTICATE" => connection::authenticate,
        "REGISTER" => connection::register,
        "VERIFY" => connection::verify,
        "NICK" => connection::nick,
        "PASS" | "USER" => connection::register_again,
        "PING" => connection::ping,
        "PONG" => |_| {},
        "QUIT" => connection::quit,

        "JOIN" => channels::join,
        "PART" => channels::part,
        "TOPIC" => channels::topic,
        "NAMES" => channels::names,
        "LIST" => channels::list,
        "INVITE" => channels::invite,
        "KICK" => channels::kick,
        "MODE" => modes::mode,

        "AWAY" => describing::away,
        "SETNAME" => describing::setname,

        "WHO" => people::who,
        "WHOIS" => people::whois,
        "WHOWAS" => people::whowas,
        "ISON" => people::ison,
        "MONITOR" => monitor::monitor,
        "OPER" => operators::oper,
        "KILL" => operators::kill,
        "WALLOPS" => operators::wallops,
        "USERHOST" => people::userhost,

        "PRIVMSG" | "NOTICE" => messages::message,
        "TAGMSG" => messages::tagmsg,
        "BATCH" => messages::batch,
        "NICKSERV" | "NS" => services::nickserv,
        "CHANSERV" | "CS" => services::chanserv,
        "CHATHISTORY" => chathistory::chathistory,
        "MARKREAD" => markread::markread,

        "MOTD" => server_info::motd,
        "LUSERS" => server_info::lusers,
        "VERSION" => server_info::version,
        "TIME" => server_info::time,
        "ADMIN" => server_info::admin,
        "INFO" => server_info::info,
        "STATS" => server_info::stats,
        "LINKS" => server_info::links,
        "HELP" | "HELPOP" => server_info::help,
        _ => connection::unknown,
    }
}
