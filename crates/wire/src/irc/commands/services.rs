//! Messages to services, which are commands. Nothing of them is ever said.

use parlor_core::link::{Command, Input, Refusal, Start};
use parlor_core::model::{Line, RoomName};

use super::run::CommandRun;
use crate::irc::protocol::{Service, name, plain};
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

/// The commands of NickServ.
const NICKSERV_HELP: [&str; 4] = [
    "IDENTIFY PASSWORD proves that the nick is yours; IDENTIFY NAME PASSWORD logs in to another \
     account, and /nick NAME takes its name",
    "REGISTER PASSWORD registers your nick: nobody else can take it from then on",
    "SET PASSWORD OLD NEW changes the password of the name to which you are logged in, and logs out \
     everybody else",
    "Several clients that log in with the same name and password are one person: no client has to \
     leave first",
];

/// Runs a command about names.
fn to_nickserv(text: &str, run: &mut CommandRun<'_>) {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let upper: Vec<_> = words.iter().take(2).map(|word| word.to_ascii_uppercase()).collect();
    let upper: Vec<_> = upper.iter().map(String::as_str).collect();
    let given = words.get(1..).unwrap_or_default();
    let line = |text: &str| Line::sanitise(text.as_bytes());
    let input = match (upper.as_slice(), given) {
        (["IDENTIFY" | "REGISTER", _], _) | (["SET", "PASSWORD"], [_, _, ..])
            if !run.client.takes_passwords =>
        {
            return tell(Service::NickServ, NO_PASSWORDS, run);
        }
        (["IDENTIFY", _], [password]) => Input::LogIn { name: None, password: line(password) },
        (["IDENTIFY", _], [name, password]) => {
            Input::LogIn { name: Some(line(name)), password: line(password) }
        }
        (["REGISTER", _], [password]) => Input::Register(line(password)),
        (["REGISTER", _], [password, email]) if is_email(email) => {
            tell(Service::NickServ, "An e-mail address is not needed, and not stored", run);
            Input::Register(line(password))
        }
        (["SET", "PASSWORD"], [_, present, password]) => {
            Input::ChangePassword { present: line(present), password: line(password) }
        }
        (["IDENTIFY", _], _) => {
            let why = "Nothing is done: type IDENTIFY PASSWORD or IDENTIFY NAME PASSWORD. A \
                       password with blanks is possible with SASL alone";
            return tell(Service::NickServ, why, run);
        }
        (["REGISTER", _], _) => {
            let why = "Nothing is done: a password that is set here is one word, without blanks";
            return tell(Service::NickServ, why, run);
        }
        (["SET", "PASSWORD"], [_, _, ..]) => {
            let why = "Nothing is changed: type SET PASSWORD OLD NEW, with the present password \
                       first. Both are one word; /register at another door takes blanks";
            return tell(Service::NickServ, why, run);
        }
        ([word, ..], _) if let Some(instead) = instead_of_service(word) => {
            return tell(Service::NickServ, instead, run);
        }
        _ => {
            for sentence in NICKSERV_HELP {
                tell(Service::NickServ, sentence, run);
            }
            return;
        }
    };
    run.inputs.add(input);
}

/// Whether a word looks like an e-mail address.
fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
}

/// The advice for a command that only services of other networks have.
fn instead_of_service(word: &str) -> Option<&'static str> {
    Some(match word {
        "GHOST" | "RECOVER" | "REGAIN" | "RELEASE" => {
            "Both clients can stay: log in with IDENTIFY NAME PASSWORD, and take the name with \
             /nick NAME. Several clients are one person then"
        }
        "LOGOUT" => "You are logged in until you disconnect: type /quit",
        "DROP" | "UNREGISTER" => {
            "Ask the operator of the server, who releases a name with parlor admin name release NAME"
        }
        "INFO" | "STATUS" | "ACC" => "/whois NAME tells whether somebody is logged in, and as whom",
        _ => return None,
    })
}

/// Runs a command of the line dialect, perhaps in a room: `#tea last 3`.
fn to_parlor(text: &str, run: &mut CommandRun<'_>) {
    let text = plain(text);
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
        Command::Register { .. } => {
            "Register with /msg NickServ REGISTER PASSWORD; /msg NickServ SET PASSWORD OLD NEW \
             changes the password"
        }
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
