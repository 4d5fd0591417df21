//! The table of the commands: the name, the arguments and the help of each.

use super::act;
use super::spec::{Command, CommandGroup, Misread, Spec, line, needed, seen};
use crate::model::{
    Deed, Line, Manner, RoomName, Spoken, Verb, apply_shown_keys, is_picture, is_unseen, nearest,
};

/// The number of lines that `/last` shows if none is given.
const LAST_LINES: u64 = 10;

/// All commands, in the order in which help lists them.
pub static COMMANDS: &[Spec] = &[
    Spec {
        name: "help",
        aliases: &[],
        group: CommandGroup::Talk,
        arguments: "[COMMAND]",
        does: "lists the commands, or explains one",
        more: "A line that begins with // says it with one slash.",
        parse: |_, rest| match rest {
            "" => Ok(Command::Help(None)),
            name => find(name).map(|spec| Command::Help(Some(spec))),
        },
    },
    Spec {
        name: "who",
        aliases: &["names"],
        group: CommandGroup::Rooms,
        arguments: "[ROOM]",
        does: "lists who is here, and how long each has been silent",
        more: "",
        parse: |_, rest| match rest {
            "" => Ok(Command::Who(None)),
            room => Ok(Command::Who(Some(parse_room(room)?))),
        },
    },
    Spec {
        name: "name",
        aliases: &["nick"],
        group: CommandGroup::Name,
        arguments: "NEW",
        does: "takes another name",
        more: "A name has 1 to 32 letters, digits, -, _ or . and it must not look like the name of somebody else here.",
        parse: |spec, rest| Ok(Command::Name(needed(spec, rest)?)),
    },
    Spec {
        name: "me",
        aliases: &[],
        group: CommandGroup::Talk,
        arguments: "ACTION",
        does: "says what you are doing: /me waves shows * alice waves",
        more: "",
        parse: |spec, rest| Ok(Command::Say(Spoken::new(Manner::Action, needed(spec, rest)?))),
    },
    Spec {
        name: "msg",
        aliases: &[],
        group: CommandGroup::Talk,
        arguments: "NAME TEXT",
        does: "sends a private message",
        more: "Nobody else reads it, and no room stores it. For people with a registered name it waits while they are away.",
        parse: |spec, rest| {
            let (to, text) = rest.split_once(char::is_whitespace).ok_or(Misread::Usage(spec))?;
            Ok(Command::Private { to: needed(spec, to)?, text: needed(spec, text)? })
        },
    },
    Spec {
        name: "away",
        aliases: &[],
        group: CommandGroup::Talk,
        arguments: "[TEXT]",
        does: "tells people who write to you that you are away",
        more: "They read TEXT, and you get their messages nevertheless. /away alone says that you are back.",
        parse: |_, rest| Ok(Command::Away((!rest.is_empty()).then(|| line(rest)))),
    },
    Spec {
        name: "rooms",
        aliases: &["list"],
        group: CommandGroup::Rooms,
        arguments: "",
        does: "lists the rooms",
        more: "",
        parse: |_, _| Ok(Command::Rooms),
    },
    Spec {
        name: "join",
        aliases: &[],
        group: CommandGroup::Rooms,
        arguments: "ROOM [PASSWORD]",
        does: "enters another room",
        more: "A room is created when you enter it, and removed when it is empty. Some rooms have a password.",
        parse: act::join,
    },
    Spec {
        name: "room",
        aliases: &[],
        group: CommandGroup::Keepers,
        arguments: "[RULE]",
        does: "shows the rules of this room, or changes them",
        more: "RULE is private, open, invited, secret, moderated, password WORD or limit NUMBER; with off behind it a rule ends. A private room is for people whom keepers /invite, and nobody outside sees it.",
        parse: act::room,
    },
    Spec {
        name: "voice",
        aliases: &[],
        group: CommandGroup::Keepers,
        arguments: "NAME",
        does: "lets somebody speak in a moderated room; for keepers",
        more: "/voice -NAME undoes that. It ends when the person leaves the room.",
        parse: act::voice,
    },
    Spec {
        name: "topic",
        aliases: &[],
        group: CommandGroup::Rooms,
        arguments: "[TEXT]",
        does: "shows or changes the topic of this room",
        more: "/topic - clears it; keepers can reserve it for keepers with /topic lock, and open it with /topic unlock.",
        parse: |spec, rest| match rest {
            "" => Ok(Command::Topic),
            "-" => Ok(Command::SetTopic(None)),
            "lock" => Ok(Command::Act(Deed::to_all(Verb::LockTopic, None))),
            "unlock" => Ok(Command::Act(Deed::to_all(Verb::UnlockTopic, None))),
            text => Ok(Command::SetTopic(Some(needed(spec, text)?))),
        },
    },
    Spec {
        name: "last",
        aliases: &[],
        group: CommandGroup::Back,
        arguments: "[N]",
        does: "shows the last lines again, with times",
        more: "It shows 10 lines, or the number you give.",
        parse: |spec, rest| match rest {
            "" => Ok(Command::Last(LAST_LINES)),
            number => match number.parse() {
                Ok(lines @ 1..) => Ok(Command::Last(lines)),
                _ => Err(Misread::Usage(spec)),
            },
        },
    },
    Spec {
        name: "since",
        aliases: &[],
        group: CommandGroup::Back,
        arguments: "TIME",
        does: "shows what was said since then",
        more: "As 14:00, 2026-11-20, 2026-11-20 12:01, yesterday or 2h; by the server's clock, or with a zone: 2026-11-20T12:01+01:00.",
        parse: |spec, rest| Ok(Command::Since(needed(spec, rest)?)),
    },
    Spec {
        name: "search",
        aliases: &[],
        group: CommandGroup::Back,
        arguments: "WORDS",
        does: "finds lines in all rooms",
        more: "A line must contain every word, and \"words in quotes\" side by side. It shows the newest 20.",
        parse: |spec, rest| Ok(Command::Search { words: needed(spec, rest)?, skip: 0, spec }),
    },
    Spec {
        name: "missed",
        aliases: &[],
        group: CommandGroup::Back,
        arguments: "",
        does: "shows the lines you skipped",
        more: "It shows exactly the lines that the last notice counted.",
        parse: |spec, _| Ok(Command::Missed(spec)),
    },
    Spec {
        name: "register",
        aliases: &[],
        group: CommandGroup::Name,
        arguments: "[keep]",
        does: "registers your name with a password",
        more: "The server then asks for the password. Type /register again to change the password: your other connections, return codes and token end then; /register keep keeps the token.",
        parse: |spec, rest| match rest {
            "" => Ok(Command::Register { keeps_token: false, spec }),
            "keep" => Ok(Command::Register { keeps_token: true, spec }),
            _ => Err(Misread::Usage(spec)),
        },
    },
    Spec {
        name: "forget",
        aliases: &[],
        group: CommandGroup::Name,
        arguments: "[all]",
        does: "deletes everything you ever said, for everybody",
        more: "/forget all deletes it, and it cannot be undone. It needs a registered name: see /register.",
        parse: |spec, rest| match rest {
            "" => Ok(Command::Forget { all: false, spec }),
            "all" => Ok(Command::Forget { all: true, spec }),
            _ => Err(Misread::Usage(spec)),
        },
    },
    Spec {
        name: "code",
        aliases: &[],
        group: CommandGroup::Name,
        arguments: "",
        does: "shows the code that brings you back after a lost connection",
        more: "Keep it secret: anybody who has it can take your place.",
        parse: |spec, _| Ok(Command::Code(spec)),
    },
    Spec {
        name: "resume",
        aliases: &[],
        group: CommandGroup::Name,
        arguments: "CODE",
        does: "at the name prompt: takes your place again and shows what you missed",
        more: "/code shows the code; it works for an hour after the connection is lost.",
        parse: |spec, rest| needed(spec, rest).map(Command::Resume),
    },
    Spec {
        name: "token",
        aliases: &[],
        group: CommandGroup::Name,
        arguments: "[revoke]",
        does: "creates a token for scripts that speak under your name",
        more: "It needs a registered name. Use it as in curl -u NAME:TOKEN; a new token, or /token revoke, ends the old one.",
        parse: |spec, rest| match rest {
            "" => Ok(Command::Token { revoke: false, spec }),
            "revoke" => Ok(Command::Token { revoke: true, spec }),
            _ => Err(Misread::Usage(spec)),
        },
    },
    Spec {
        name: "invite",
        aliases: &[],
        group: CommandGroup::Rooms,
        arguments: "NAME",
        does: "invites somebody to this room",
        more: "They read who invites them, and how to come.",
        parse: |spec, rest| Ok(Command::Invite(needed(spec, rest)?)),
    },
    Spec {
        name: "ignore",
        aliases: &[],
        group: CommandGroup::Talk,
        arguments: "NAME",
        does: "hides a person's lines, also under a new name",
        more: "",
        parse: |spec, rest| Ok(Command::Ignore(needed(spec, rest)?)),
    },
    Spec {
        name: "unignore",
        aliases: &[],
        group: CommandGroup::Talk,
        arguments: "NAME",
        does: "shows a person's lines again",
        more: "",
        parse: |spec, rest| Ok(Command::Unignore(needed(spec, rest)?)),
    },
    Spec {
        name: "quiet",
        aliases: &[],
        group: CommandGroup::Talk,
        arguments: "[off]",
        does: "hides arrivals and departures",
        more: "",
        parse: |spec, rest| match rest {
            "" | "on" => Ok(Command::Quiet(true)),
            "off" => Ok(Command::Quiet(false)),
            _ => Err(Misread::Usage(spec)),
        },
    },
    Spec {
        name: "echo",
        aliases: &[],
        group: CommandGroup::Talk,
        arguments: "[off]",
        does: "with off, does not send your own lines back to you",
        more: "For netcat, where you see what you type already. The others read your lines as before.",
        parse: |spec, rest| match rest {
            "" | "on" => Ok(Command::Echo(true)),
            "off" => Ok(Command::Echo(false)),
            _ => Err(Misread::Usage(spec)),
        },
    },
    Spec {
        name: "kick",
        aliases: &[],
        group: CommandGroup::Keepers,
        arguments: "NAME [REASON]",
        does: "removes somebody; for keepers",
        more: "Keepers of a room send people to the lobby; keepers of the server end the connection.",
        parse: act::kick,
    },
    Spec {
        name: "ban",
        aliases: &[],
        group: CommandGroup::Keepers,
        arguments: "[WHOM [TIME] [REASON]]",
        does: "bans somebody, or lists the bans; for keepers",
        more: "WHOM is a name or an address, as 192.0.2.7 or 192.0.2.0/24; TIME is 30m, 2h or 7d. A ban without TIME has no end.",
        parse: act::ban,
    },
    Spec {
        name: "unban",
        aliases: &[],
        group: CommandGroup::Keepers,
        arguments: "WHOM",
        does: "lifts the ban on a name or an address; for keepers",
        more: "",
        parse: act::unban,
    },
    Spec {
        name: "mute",
        aliases: &[],
        group: CommandGroup::Keepers,
        arguments: "NAME [TIME]",
        does: "silences somebody; for keepers",
        more: "It lasts 10 minutes, or TIME, as 30m or 2h.",
        parse: act::mute,
    },
    Spec {
        name: "unmute",
        aliases: &[],
        group: CommandGroup::Keepers,
        arguments: "NAME",
        does: "lets somebody speak again; for keepers",
        more: "",
        parse: act::unmute,
    },
    Spec {
        name: "keeper",
        aliases: &[],
        group: CommandGroup::Keepers,
        arguments: "[NAME]",
        does: "lists the keepers, or makes somebody a keeper",
        more: "/keeper -NAME undoes that. If you create a room, you keep it: for good under a registered name, otherwise while you are there.",
        parse: act::keeper,
    },
    Spec {
        name: "quit",
        aliases: &[],
        group: CommandGroup::Talk,
        arguments: "[WORDS]",
        does: "leaves, with a last word to the others",
        more: "",
        parse: |_, rest| Ok(Command::Quit(seen(rest))),
    },
];

impl Command {
    /// Parses a command, without its slash.
    ///
    /// # Errors
    /// There is no such command, or its arguments are missing or wrong.
    pub fn parse(typed: &str) -> Result<Command, Misread> {
        let (name, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
        let spec = find(name)?;
        (spec.parse)(spec, rest.trim())
    }

    /// The command that begins a line, after its slash.
    pub fn named(line: &str) -> Option<&'static Spec> {
        let name = line.strip_prefix('/')?.split(char::is_whitespace).next()?;
        find(name).ok().filter(|_| !name.starts_with('/'))
    }
}

/// The slash, and the characters that people type in its place before a command; input methods
/// insert some of them.
const SLASHES: [char; 6] = ['/', '\u{ff0f}', '\u{3001}', '\u{2044}', '\u{2215}', BROKEN];

/// Telnet's replacement for the full-width slash: telnet takes its last byte for Ctrl-O.
const BROKEN: char = char::REPLACEMENT_CHARACTER;

/// Commands of IRC clients that have no name here. People type them at every door, and their
/// arguments may be secrets.
const OF_IRC_CLIENTS: [&str; 38] = [
    "query", "nick", "ns", "nickserv", "cs", "chanserv", "hs", "hostserv", "os", "operserv", "ms",
    "memoserv", "bs", "botserv", "identify", "id", "login", "auth", "pass", "sasl", "oper",
    "quote", "raw", "notice", "ctcp", "say", "describe", "amsg", "ame", "j", "part", "leave",
    "cycle", "mode", "kickban", "connect", "server", "whois",
];

/// The command that the author of a line probably meant, if something invisible stands before the
/// slash, or another slash stands in its place. Such a line, if it were said, could reveal a
/// secret.
pub fn slipped(line: &Line) -> Option<&'static str> {
    let text = line.as_str();
    let first = text.bytes().next()?;
    // Nearly every line returns here, and so does every command.
    if text.is_ascii() && first.is_ascii_graphic() || !text.contains(SLASHES) {
        return None;
    }
    let typed = apply_shown_keys(text);
    let typed = typed.trim_start_matches(|c| is_unseen(c) || is_picture(c));
    let name = typed.strip_prefix(SLASHES)?.trim_start();
    let is_broken = typed.starts_with(BROKEN); // also the first letter of words in Latin-1
    if typed.len() == text.len() && first == b'/' || name.starts_with('/') {
        return None;
    }
    let name = name.split(char::is_whitespace).next()?;
    let is_known = |known: &&&str| name.eq_ignore_ascii_case(known);
    match (find(name), OF_IRC_CLIENTS.iter().find(is_known)) {
        (Ok(spec), _) => Some(spec.name),
        (Err(_), Some(known)) => Some(known),
        (Err(Misread::NoCommand { nearest, .. }), None) if !is_broken => nearest,
        (Err(_), None) => None,
    }
}

/// All names of commands: each name, followed by its aliases.
pub fn command_names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().flat_map(|spec| [spec.name].into_iter().chain(spec.aliases.iter().copied()))
}

/// Finds the command with this name, in any case, with or without its slash.
fn find(name: &str) -> Result<&'static Spec, Misread> {
    let name = name.strip_prefix('/').unwrap_or(name).to_lowercase();
    let named = |spec: &&Spec| spec.name == name || spec.aliases.contains(&name.as_str());
    COMMANDS.iter().find(named).ok_or_else(|| Misread::NoCommand {
        nearest: nearest(&name, command_names()),
        typed: line(&name),
    })
}

fn parse_room(typed: &str) -> Result<RoomName, Misread> {
    RoomName::parse(typed).map_err(Misread::Name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Examples of each command, and their meaning. A new command needs one here.
    fn examples(name: &str) -> &'static [(&'static str, &'static str)] {
        match name {
            "help" => &[("", "Help(None)"), ("/who", "Help(Some(who))")],
            "who" => &[("", "Who(None)"), ("Tea", "Who(Some(tea))")],
            "name" => &[("al", "Name(al)"), ("a b", "Name(a b)")],
            "me" => &[("waves at  all", "Say(* waves at  all)")],
            "msg" => {
                &[("bob hi  there", "Private(bob, hi  there)"), ("bob\thi", "Private(bob, hi)")]
            }
            "rooms" => &[("", "Rooms"), ("whatever", "Rooms")],
            "join" => &[("Tea", "Join(tea, None)"), ("Tea  beer", "Join(tea, Some(beer))")],
            "room" => &[
                ("", "Rules"),
                ("private", "MakePrivate()"),
                ("private off", "OpenRoom()"),
                ("open", "OpenRoom()"),
                ("INVITED", "InvitedOnly()"),
                ("invited off", "LetEverybodyIn()"),
                ("secret", "Hide()"),
                ("secret off", "Unhide()"),
                ("moderated", "Moderate()"),
                ("moderated off", "Unmoderate()"),
                ("password beer", "SetRoomPassword(, beer)"),
                ("password off", "RemoveRoomPassword()"),
                ("limit 5", "Limit(, 5)"),
                ("limit off", "Unlimit()"),
            ],
            "voice" => &[("bob", "GiveVoice(bob)"), ("-bob", "TakeVoice(bob)")],
            "topic" => &[
                ("", "Topic"),
                ("-", "SetTopic(None)"),
                ("all of it", "SetTopic(Some(all of it))"),
                ("lock", "LockTopic()"),
                ("unlock", "UnlockTopic()"),
                ("lock it", "SetTopic(Some(lock it))"),
            ],
            "last" => &[("", "Last(10)"), ("3", "Last(3)")],
            "since" => {
                &[("07:05", "Since(07:05)"), ("2026-11-20 12:01", "Since(2026-11-20 12:01)")]
            }
            "away" => &[("", "Away(None)"), ("at lunch", "Away(Some(at lunch))")],
            "invite" => &[("bob", "Invite(bob)")],
            "ignore" => &[("bob", "Ignore(bob)")],
            "unignore" => &[("bob", "Unignore(bob)")],
            "quiet" => &[("", "Quiet(true)"), ("on", "Quiet(true)"), ("off", "Quiet(false)")],
            "echo" => &[("", "Echo(true)"), ("on", "Echo(true)"), ("off", "Echo(false)")],
            "quit" => &[("", "Quit(None)"), ("good night", "Quit(Some(good night))")],
            "missed" => &[("", "Missed")],
            "forget" => &[("", "Forget(false)"), ("all", "Forget(true)")],
            "register" => &[("", "Register(false)"), ("keep", "Register(true)")],
            "kick" => &[("bob", "Kick(bob)"), ("bob  too  loud", "Kick(bob, too  loud)")],
            "ban" => &[
                ("", "Bans"),
                ("bob", "Ban(bob)"),
                ("bob 30m", "Ban(bob, 1800s)"),
                ("bob for good", "Ban(bob, for good)"),
                ("192.0.2.7/24 2h spam", "Ban(192.0.2.0/24, 7200s, spam)"),
            ],
            "unban" => &[("bob", "Unban(bob)"), ("192.0.2.7", "Unban(192.0.2.7)")],
            "mute" => &[("bob", "Mute(bob, 600s)"), ("bob 1h", "Mute(bob, 3600s)")],
            "unmute" => &[("bob", "Unmute(bob)")],
            "keeper" => {
                &[("", "Keepers"), ("bob", "AddKeeper(bob)"), ("-bob", "RemoveKeeper(bob)")]
            }
            "code" => &[("", "Code")],
            "token" => &[("", "Token(false)"), ("revoke", "Token(true)")],
            "resume" => &[("abcde-fghij", "Resume(abcde-fghij)")],
            "search" => &[("tea  \"time", "Search(tea  \"time)")],
            other => panic!("/{other} has no example"),
        }
    }

    /// Arguments that a command refuses, besides a missing one.
    fn nonsense(name: &str) -> &'static [&'static str] {
        match name {
            "msg" => &["bob", "bob "],
            "last" => &["x", "-1", "1.5", "99999999999999999999"],
            "quiet" | "echo" => &["maybe"],
            "forget" => &["bob", "all of it"],
            "token" => &["bob", "revoke it"],
            "ban" => &["bob 30min spam", "bob 0s", "bob -1h", "bob 99999w"],
            "mute" => &["bob soon", "bob 1h loud"],
            "keeper" | "voice" => &["-"],
            "room" => &["tea", "open off", "private now", "password", "limit", "moderated maybe"],
            _ => &[],
        }
    }

    fn meant(command: &Command) -> String {
        let some = |line: &Option<Line>| match line {
            Some(line) => format!("Some({line})"),
            None => "None".to_owned(),
        };
        match command {
            Command::Help(None) => "Help(None)".to_owned(),
            Command::Help(Some(spec)) => format!("Help(Some({}))", spec.name),
            Command::Who(None) => "Who(None)".to_owned(),
            Command::Who(Some(room)) => format!("Who(Some({room}))"),
            Command::Name(name) => format!("Name({name})"),
            Command::Say(Spoken { manner, text, .. }) => {
                assert_eq!(*manner, Manner::Action);
                format!("Say(* {text})")
            }
            Command::Private { to, text } => format!("Private({to}, {text})"),
            Command::Away(text) => format!("Away({})", some(text)),
            Command::Rooms => "Rooms".to_owned(),
            Command::Join { room, password } => format!("Join({room}, {})", some(password)),
            Command::Rules => "Rules".to_owned(),
            Command::Topic => "Topic".to_owned(),
            Command::SetTopic(text) => format!("SetTopic({})", some(text)),
            Command::Last(lines) => format!("Last({lines})"),
            Command::Since(time) => format!("Since({time})"),
            Command::Search { words, .. } => format!("Search({words})"),
            Command::Missed(_) => "Missed".to_owned(),
            Command::Register { keeps_token, .. } => format!("Register({keeps_token})"),
            Command::Forget { all, .. } => format!("Forget({all})"),
            Command::Code(_) => "Code".to_owned(),
            Command::Token { revoke, .. } => format!("Token({revoke})"),
            Command::Resume(code) => format!("Resume({code})"),
            Command::Invite(name) => format!("Invite({name})"),
            Command::Ignore(name) => format!("Ignore({name})"),
            Command::Unignore(name) => format!("Unignore({name})"),
            Command::Quiet(quiet) => format!("Quiet({quiet})"),
            Command::Echo(echo) => format!("Echo({echo})"),
            Command::Act(deed) => meant_by(deed),
            Command::Bans => "Bans".to_owned(),
            Command::Keepers => "Keepers".to_owned(),
            Command::Quit(words) => format!("Quit({})", some(words)),
        }
    }

    fn meant_by(deed: &Deed) -> String {
        let Deed { verb, whom, time, text } = deed;
        let parts = [
            Some(whom.to_string()),
            time.map(|time| format!("{time:?}")),
            text.as_ref().map(Line::to_string),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        format!("{verb:?}({})", parts.join(", "))
    }

    fn needs_arguments(spec: &Spec) -> bool {
        !spec.arguments.is_empty() && !spec.arguments.starts_with('[')
    }

    #[test]
    fn every_command_does_what_its_usage_says() {
        for spec in COMMANDS {
            let names = [spec.name].into_iter().chain(spec.aliases.iter().copied());
            for (name, (arguments, meaning)) in names
                .flat_map(|name| examples(spec.name).iter().map(move |example| (name, example)))
            {
                for typed in [
                    format!("{name} {arguments}"),
                    format!("{}\t {arguments} ", name.to_uppercase()),
                ] {
                    match Command::parse(&typed) {
                        Ok(command) => assert_eq!(meant(&command), *meaning, "/{typed}"),
                        Err(refusal) => panic!("/{typed}: {refusal:?}"),
                    }
                }
            }
        }
    }

    #[test]
    fn only_optional_words_may_be_left_out() {
        for spec in COMMANDS {
            let empty = nonsense(spec.name).iter().copied();
            let alone = needs_arguments(spec).then_some("");
            for arguments in alone.into_iter().chain(empty) {
                let parsed = Command::parse(&format!("{} {arguments}", spec.name));
                assert!(
                    matches!(parsed, Err(Misread::Usage(refused)) if refused.name == spec.name),
                    "/{} {arguments}: {parsed:?}",
                    spec.name
                );
            }
            if !needs_arguments(spec) {
                let parsed = Command::parse(spec.name);
                assert!(parsed.is_ok(), "/{}: {parsed:?}", spec.name);
            }
        }
    }

    #[test]
    fn no_two_commands_have_one_name() {
        let mut names = HashSet::new();
        for name in command_names() {
            assert!(names.insert(name), "/{name} is there twice");
            assert_eq!(name, name.to_lowercase());
            assert!(find(name).is_ok(), "/{name}");
        }
    }

    #[test]
    fn an_unknown_command_suggests_the_nearest() {
        for (typed, near) in [("hlep", Some("help")), ("NIKC x", Some("nick")), ("dance", None)] {
            match Command::parse(typed) {
                Err(Misread::NoCommand { nearest, .. }) => assert_eq!(nearest, near, "/{typed}"),
                other => panic!("/{typed}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_command_behind_invisible_characters_is_found() {
        for typed in [
            " /msg bob secret",
            "\t/MSG bob secret",
            "\u{c}/msg bob",
            "\u{3000}\u{a0} /msg bob",
            "\u{200b}/msg bob",
            "\u{feff} /msg bob",
            "x\u{8}/msg bob",
            "hello\u{15}/msg bob",
            "\u{1b}[A/msg bob",
            "\u{ff0f}msg bob",
            "\u{3001}msg bob",
            "\u{fffd}msg bob",
            " / msg bob",
            " /mgs bob",
        ] {
            assert_eq!(slipped(&line(typed)), Some("msg"), "{typed:?}");
        }
        assert_eq!(slipped(&line(" /nick al")), Some("name"));
        for typed in [
            "",
            " ",
            "/msg bob",
            "//msg bob",
            " //msg bob",
            "say /msg bob",
            " /usr/bin/env is there",
            " /etc is full",
            "\u{3001}\u{5927}",
            "\u{fffd}mgs bob",
            "\u{fffd}t\u{fffd} in Latin-1",
            "a\u{8}",
            " / ",
        ] {
            assert_eq!(slipped(&line(typed)), None, "{typed:?}");
        }
    }

    #[test]
    fn room_names_follow_the_rules_of_names() {
        for typed in ["join a/b", "join a/b c", "who -"] {
            let parsed = Command::parse(typed);
            assert!(matches!(parsed, Err(Misread::Name(_))), "/{typed}: {parsed:?}");
        }
    }
}
