//! The words for acts and for the people who may act. Knows no line ending and no connection.

use parlor_core::link::{RoomKeepers, Visitor};
use parlor_core::model::{Act, Author, By, Keeping, Line, Name, Reach, RoomName, RoomRules, Verb};

use crate::style::{LocalClock, counted, silence};

/// The words for an act.
pub(crate) struct ActRow {
    /// For programs; docs/web-protocol.md lists these words.
    pub(crate) about: &'static str,
    /// For the person who asked for it.
    pub(crate) answer: String,
    /// For everybody in the room: `alice muted bob until 14:10`.
    pub(crate) event: String,
    /// For the person whom it concerns, if it concerns one who may be here.
    pub(crate) personal: Option<String>,
}

fn row(about: &'static str, answer: impl Into<String>, event: String) -> ActRow {
    ActRow { about, answer: answer.into(), event, personal: None }
}

impl ActRow {
    fn personal(self, sentence: String) -> ActRow {
        ActRow { personal: Some(sentence), ..self }
    }
}

const EVERYBODY_SPEAKS: &str = "Everybody in the room can speak";

/// The words for an act. One table, so that the compiler finds a missing row.
#[rustfmt::skip]
pub(crate) fn act_row(act: &Act, clock: &LocalClock) -> ActRow {
    let (whom, by) = (&act.deed.whom, name_of(&act.by));
    let (until, why) = (until(act, clock), why(act));
    let account = act.by.author().and_then(Author::other_account);
    let account = account.map(|account| format!(", account {account}")).unwrap_or_default();
    match act.deed.verb {
        Verb::Broadcast => row("operator-says", "Everybody was told",
            format!("The operator says{why}")),
        Verb::Kick => row("removed", format!("{whom} is removed"),
            format!("{by} removed {whom}{why}"))
            .personal(you_leave("were removed", act, clock)),
        Verb::Ban => row("banned", format!("{whom} is banned{until} by {by}{account}{why}"),
            format!("{by} banned {whom}{until}{why}"))
            .personal(you_leave("are banned", act, clock)),
        Verb::Unban => row("unbanned", format!("{whom} is no longer banned"),
            format!("{by} lifted the ban on {whom}")),
        Verb::Mute => row("muted", format!("{whom} is muted{until}"),
            format!("{by} muted {whom}{until}"))
            .personal(you_are_muted(act, clock)),
        Verb::Unmute => row("unmuted", format!("{whom} is no longer muted"),
            format!("{by} unmuted {whom}"))
            .personal(format!("{by} unmuted you")),
        Verb::LockTopic => row("locked", "The topic is locked: only keepers can change it",
            format!("{by} locked the topic: only keepers can change it")),
        Verb::UnlockTopic => row("unlocked", "The topic is unlocked: everybody can change it",
            format!("{by} unlocked the topic: everybody can change it")),
        Verb::SetTopic => row("order", "The topic is changed",
            format!("{by} changed the topic{why}")),
        Verb::MakeRoom => row("order", "The room is made", format!("{by} made the room")),
        Verb::AddKeeper => row("keeper", format!("{whom} is a keeper"),
            format!("{by} made {whom} a keeper")),
        Verb::AddKeeperForNow => row("keeper", format!("{whom} is a keeper for the time being"),
            format!("{by} made {whom} a keeper for the time being")),
        Verb::RemoveKeeper => row("no-keeper", format!("{whom} is no longer a keeper"),
            format!("{by} removed {whom} as a keeper")),
        Verb::InvitedOnly => row("invited-only", "Only people who are invited can enter now",
            format!("{by} lets only people in who are invited: /invite NAME")),
        Verb::LetEverybodyIn => row("not-invited-only", "People can enter without an invitation",
            format!("{by} lets people in without an invitation")),
        Verb::Moderate => row("moderated", "Only keepers and people with a voice can speak now",
            format!("{by} lets only keepers and people with a voice speak")),
        Verb::Unmoderate if act.by == By::NoKeeper => row("not-moderated", EVERYBODY_SPEAKS,
            "No keeper is here any more, so everybody can speak".to_owned()),
        Verb::Unmoderate => row("not-moderated", EVERYBODY_SPEAKS,
            format!("{by} lets everybody speak")),
        Verb::Hide => row("secret", "The room is secret: nobody outside sees it",
            format!("{by} made the room secret: nobody outside sees it")),
        Verb::Unhide => row("not-secret", "The room is no longer secret",
            format!("{by} made the room visible to people outside")),
        Verb::SetRoomPassword => row("room-password", "The room has a password: /room shows it",
            format!("{by} gave the room a password: /room shows it")),
        Verb::RemoveRoomPassword => row("no-room-password", "The room has no password any more",
            format!("{by} removed the password of the room")),
        Verb::Limit => row("limited", format!("At most {} people can be in the room", words_of(act)),
            format!("{by} lets at most {} people into the room", words_of(act))),
        Verb::Unlimit => row("not-limited", "The number of people is not limited any more",
            format!("{by} removed the limit of people")),
        Verb::MakePrivate => row("private", "The room is private: only people who are invited enter, and nobody else sees it",
            format!("{by} made the room private: only people who are invited enter, and nobody else sees it")),
        Verb::OpenRoom => row("open", "The room is open to everybody",
            format!("{by} made the room open to everybody")),
        Verb::GiveVoice => row("voice", format!("{whom} has a voice"),
            format!("{by} gave {whom} a voice")),
        Verb::TakeVoice => row("no-voice", format!("{whom} has no voice any more"),
            format!("{by} took the voice of {whom}")),
        Verb::ReleaseName => row("order", format!("{whom} is free again"),
            format!("{by} released the name {whom}")),
        Verb::SetPassword => row("order",
            format!("{whom} has a new password: the owner's connections, return codes and token end"),
            format!("{by} gave {whom} a new password")),
        Verb::Wallops => row("order", "Told to all who want to read it",
            format!("{by} says to all who want to read it{why}")),
        Verb::Reload => row("order", "The configuration is read again",
            format!("{by} read the configuration again")),
    }
}

fn you_leave(verb: &str, act: &Act, clock: &LocalClock) -> String {
    match act.by {
        By::Oneself => "You came back on another connection; this one is closed".to_owned(),
        By::NewPassword => {
            "The name you use has a new password; this connection is closed".to_owned()
        }
        By::Node => "This node begins again with the state of the others; connect again".to_owned(),
        By::Operator | By::NoKeeper | By::Keeper(_) | By::KeeperForNow(_) => {
            format!("You {verb}{}{}", from(act), until_by_whom_and_why(act, clock))
        }
    }
}

/// The sentence about a removed person for the others: `was removed by the operator: too loud`.
pub(crate) fn was_removed(act: &Act, clock: &LocalClock) -> String {
    let verb = if act.deed.verb == Verb::Ban { "banned" } else { "removed" };
    format!("was {verb}{}", until_by_whom_and_why(act, clock))
}

/// The reason why a person may not enter: `You are banned from tea until 14:10 by alice: too loud`.
pub(crate) fn you_are_banned(act: &Act, clock: &LocalClock) -> String {
    you_leave("are banned", act, clock)
}

/// The reason why a person may not speak.
pub(crate) fn you_are_muted(act: &Act, clock: &LocalClock) -> String {
    let room = act.reach.room().map(|room| format!(" in {room}")).unwrap_or_default();
    format!("You are muted{room}{} by {}", until(act, clock), name_of(&act.by))
}

/// People on the server, a line each.
pub(crate) fn everybody(people: &[Visitor]) -> Vec<String> {
    match people.is_empty() {
        true => vec!["Nobody is here".to_owned()],
        false => people.iter().map(visitor).collect(),
    }
}

/// `alice, 127.0.0.1:56592, on red, in lobby and tea, silent for 4 minutes`
fn visitor(visitor: &Visitor) -> String {
    let Visitor { id: _, name, node, address, rooms, silent } = visitor;
    let address = address.map(|address| format!("{address}, ")).unwrap_or_default();
    let node = node.as_ref().map(|node| format!("on {node}, ")).unwrap_or_default();
    let rooms: Vec<_> = rooms.iter().map(RoomName::as_str).collect();
    let rooms = match rooms.is_empty() {
        true => "coming in".to_owned(),
        false => format!("in {}", rooms.join(" and ")),
    };
    format!("{name}, {address}{node}{rooms}, {}", silence(*silent))
}

/// The number of people whom a broadcast has reached.
pub(crate) fn told(people: usize, deaf: usize) -> String {
    let told = counted(people, "person was", "people were");
    match deaf {
        0 => format!("{told} told"),
        _ => format!("{told} told; {} not reading and missed it", counted(deaf, "is", "are")),
    }
}

/// The bans, a line each.
pub(crate) fn bans(bans: &[Act], others: usize, clock: &LocalClock) -> Vec<String> {
    if bans.is_empty() {
        return vec!["Nobody is banned".to_owned()];
    }
    let listed = bans.iter().map(|ban| act_row(ban, clock).answer);
    let rest = (others > 0).then(|| format!("and {others} older bans"));
    listed.chain(rest).collect()
}

/// The keepers, a line for the room and one for the server.
pub(crate) fn keepers(room: Option<&RoomKeepers>, server: &[Name]) -> Vec<String> {
    let list = |names: Vec<String>| match names.is_empty() {
        true => "nobody".to_owned(),
        false => names.join(", "),
    };
    let of_room = room.map(|RoomKeepers { room, for_good, for_now }| {
        let for_now = for_now.iter().map(|name| format!("{name} (for the time being)"));
        let names = for_good.iter().map(Name::to_string).chain(for_now);
        format!("Keepers of {room}: {}", list(names.collect()))
    });
    let of_server = list(server.iter().map(Name::to_string).collect());
    let of_server = format!("Keepers of the server: {of_server}");
    of_room.into_iter().chain([of_server]).collect()
}

/// The rules of a room in one sentence; none if it has none.
pub(crate) fn room_rules(rules: &RoomRules) -> Option<String> {
    let RoomRules { is_invited_only, is_moderated, is_secret, password, people_max } = rules;
    let parts = [
        is_invited_only.then(|| "for invited people only".to_owned()),
        is_secret.then(|| "secret".to_owned()),
        password.as_ref().map(|password| format!("with the password {password}")),
        people_max.map(|max| format!("for at most {max} people")),
        is_moderated.then(|| "moderated".to_owned()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("This room is {}", parts.join(", ")))
}

/// The answer to a question for the rules of a room.
pub(crate) fn rules_of(room: &RoomName, rules: &RoomRules, is_topic_locked: bool) -> Vec<String> {
    let rules = match room_rules(rules) {
        Some(rules) => rules.replacen("This room", room.as_str(), 1),
        None => format!("{room} is open to everybody"),
    };
    let lock = is_topic_locked.then(|| "Only keepers can change its topic".to_owned());
    [rules].into_iter().chain(lock).collect()
}

/// The sentence for a keeper who enters.
pub(crate) fn keeps(keeping: &Keeping) -> String {
    let sentence = match keeping {
        Keeping { reach: Reach::Server, .. } => "-- You are a keeper of this server",
        Keeping { is_for_now: false, .. } => "-- You are a keeper of this room",
        Keeping { is_for_now: true, .. } => "-- You keep this room while you are here",
    };
    sentence.to_owned()
}

fn until_by_whom_and_why(act: &Act, clock: &LocalClock) -> String {
    format!("{} by {}{}", until(act, clock), name_of(&act.by), why(act))
}

fn from(act: &Act) -> String {
    act.reach.room().map(|room| format!(" from {room}")).unwrap_or_default()
}

fn until(act: &Act, clock: &LocalClock) -> String {
    act.until().map(|end| format!(" until {}", clock.moment(end))).unwrap_or_default()
}

fn why(act: &Act) -> String {
    act.deed.text.as_ref().map(|text| format!(": {text}")).unwrap_or_default()
}

fn words_of(act: &Act) -> &str {
    act.deed.text.as_ref().map_or("", Line::as_str)
}

pub(crate) fn name_of(by: &By) -> &str {
    match by {
        By::Operator => "the operator",
        By::Oneself => "themselves",
        By::NewPassword => "new-password", // for programs: people read another sentence
        By::NoKeeper => "nobody",          // people and programs read no name
        By::Node => "this node",
        By::Keeper(author) | By::KeeperForNow(author) => author.name.as_str(),
    }
}
