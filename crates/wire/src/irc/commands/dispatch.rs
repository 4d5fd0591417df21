//! The table of the commands. Knows no parameter.

use super::run::CommandRun;
use super::{
    channels, chathistory, connection, describing, markread, messages, modes, monitor, operators,
    people, server_info, services,
};

/// Runs a command of a registered client.
pub(crate) fn run(mut command: CommandRun<'_>) {
    let run = &mut command;
    match run.inputs.word.clone().as_str() {
        "CAP" => connection::cap(run),
        "AUTHENTICATE" => connection::authenticate(run),
        "REGISTER" => connection::register(run),
        "VERIFY" => connection::verify(run),
        "NICK" => connection::nick(run),
        "PASS" | "USER" => connection::register_again(run),
        "PING" => connection::ping(run),
        "PONG" => {}
        "QUIT" => connection::quit(run),

        "JOIN" => channels::join(run),
        "PART" => channels::part(run),
        "TOPIC" => channels::topic(run),
        "NAMES" => channels::names(run),
        "LIST" => channels::list(run),
        "INVITE" => channels::invite(run),
        "KICK" => channels::kick(run),
        "MODE" => modes::mode(run),

        "AWAY" => describing::away(run),
        "SETNAME" => describing::setname(run),

        "WHO" => people::who(run),
        "WHOIS" => people::whois(run),
        "WHOWAS" => people::whowas(run),
        "ISON" => people::ison(run),
        "MONITOR" => monitor::monitor(run),
        "OPER" => operators::oper(run),
        "KILL" => operators::kill(run),
        "WALLOPS" => operators::wallops(run),
        "USERHOST" => people::userhost(run),

        "PRIVMSG" | "NOTICE" => messages::message(run),
        "TAGMSG" => messages::tagmsg(run),
        "BATCH" => messages::batch(run),
        "NICKSERV" | "NS" => services::nickserv(run),
        "CHANSERV" | "CS" => services::chanserv(run),
        "CHATHISTORY" => chathistory::chathistory(run),
        "MARKREAD" => markread::markread(run),

        "MOTD" => server_info::motd(run),
        "LUSERS" => server_info::lusers(run),
        "VERSION" => server_info::version(run),
        "TIME" => server_info::time(run),
        "ADMIN" => server_info::admin(run),
        "INFO" => server_info::info(run),
        "STATS" => server_info::stats(run),
        "LINKS" => server_info::links(run),
        "HELP" | "HELPOP" => server_info::help(run),
        _ => connection::unknown(run),
    }
    command.inputs.finish();
}
