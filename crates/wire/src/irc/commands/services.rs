//! Messages to services, which are commands. Nothing of them is ever said.

use parlor_core::link::{Command, Input, Refusal, Start};
use parlor_core::model::{Line, RoomName};

use super::run::CommandRun;
use crate::irc::protocol::{Service, name};
use crate::irc::registration::NO_PASSWORDS;

/// NICKSERV and NS: a message to NickServ.
pub(super) fn nickserv(run: &mut CommandRun<'_>) {
    let text = run.message.parameters().join(" ");
    command(Service::NickServ, &text, run);
}

/// CHANSERV and CS: a message to ChanServ.
pub(super) fn chanserv(run: &mut CommandRun<'_>) {
    command(Service::ChanServ, "", run);
}

/// Runs the command in a message to a service.
pub(super) fn command(service: Service, text: &str, run: &mut CommandRun<'_>) {
    run.inputs.word = "PRIVMSG".to_owned();
    run.inputs.about(service.nick());
    match service {
        Service::Parlor => to_parlor(text, run),
        Service::NickServ => to_nickserv(text, run),
        Service::ChanServ => {
            let sentence = "ChanServ takes no commands: rooms are kept with MODE, KICK and TOPIC";
            tell(service, sentence, run);
        }
    }
}

fn tell(service: Service, sentence: &str, run: &mut CommandRun<'_>) {
    run.inputs.replies.notice_from(&service.source(&run.client.server.name), sentence);
}

/// Runs a command about names.
fn to_nickserv(text: &str, run: &mut CommandRun<'_>) {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let line = |text: &str| Line::sanitise(text.as_bytes());
    let word = words.first().map(|word| word.to_ascii_uppercase());
    let input = match (word.as_deref(), words.as_slice()) {
        (Some("IDENTIFY" | "REGISTER"), [_, _, ..]) if !run.client.takes_passwords => {
            return tell(Service::NickServ, NO_PASSWORDS, run);
        }
        (Some("IDENTIFY"), [_, password]) => {
            Input::LogIn { name: line(&run.client.nick), password: line(password) }
        }
        (Some("IDENTIFY"), [_, name, password]) => {
            Input::LogIn { name: line(name), password: line(password) }
        }
        (Some("REGISTER"), [_, password, ..]) => Input::Register(line(password)),
        _ => {
            for sentence in [
                "IDENTIFY PASSWORD proves that the nick is yours; IDENTIFY NAME PASSWORD logs in to \
                 another account, and /nick NAME takes its name",
                "REGISTER PASSWORD registers your nick: nobody else can take it from then on",
            ] {
                tell(Service::NickServ, sentence, run);
            }
            return;
        }
    };
    run.inputs.add(input);
}

/// Runs a command of the line dialect, perhaps in a room: `#tea last 3`.
fn to_parlor(text: &str, run: &mut CommandRun<'_>) {
    let text = text.trim();
    let (room, typed) = match text.split_once(' ') {
        Some((channel, rest)) if channel.starts_with('#') => (name::room(channel), rest.trim()),
        _ => (None, text),
    };
    let typed = typed.strip_prefix('/').unwrap_or(typed);
    let input = match (room, Command::parse(typed)) {
        (Some(Err(error)), _) => Input::Refused(error.into()),
        (_, Err(misread)) => Input::Refused(Refusal::from(misread)),
        (room, Ok(command)) => match instead(&command) {
            Some(sentence) => return tell(Service::Parlor, sentence, run),
            None => place(room.and_then(Result::ok), command),
        },
    };
    run.inputs.add(input);
}

/// The command of IRC that does the same, for a command that is not run here.
fn instead(command: &Command) -> Option<&'static str> {
    Some(match command {
        Command::Say(_) => "Say that with /me in a room",
        Command::Quiet(_) => "That is not possible here: your client would show wrong names",
        Command::Echo(_) => "Your client decides that, with the capability echo-message",
        Command::Register { .. } => "Register with /msg NickServ REGISTER PASSWORD",
        Command::Name(_) => "Take another name with /nick",
        Command::Quit(_) => "Leave with /quit",
        Command::Resume(_) | Command::Code(_) => {
            "Return codes are for netcat; log in with SASL instead"
        }
        _ => return None,
    })
}

/// The input for a command, in a room or in the one where the person spoke last.
fn place(room: Option<RoomName>, command: Command) -> Input {
    match (room, command) {
        (_, Command::Join { room, password }) => {
            Input::Enter { room, password, start: Start::Usual }
        }
        (Some(room), command) => Input::In(room, Box::new(Input::Command(command))),
        (None, command) => Input::Command(command),
    }
}
