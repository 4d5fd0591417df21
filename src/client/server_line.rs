//! The meaning of a line from the server, by the sentences of the line protocol. Knows no people
//! and no display.

/// Holds 32 characters of four bytes, and every address. A hostile server cannot make the client
/// remember a longer name.
const NAME_BYTES_MAX: usize = 128;

/// Lines of the server that are recognised by their beginning.
const BEGINNINGS: [(&str, ServerLine<'static>); 12] = [
    ("What is your name?", ServerLine::NameQuestion),
    ("-- Lines here are stored", ServerLine::Kept),
    ("-- /help lists ", ServerLine::Help),
    ("-- Welcome back, ", ServerLine::Back),
    ("-- Type a password for ", ServerLine::Password),
    ("-- Type the present password of ", ServerLine::Password),
    ("-- Type the password again", ServerLine::Password),
    ("-- Silent for ", ServerLine::Ended),
    ("-- No name given", ServerLine::Ended),
    ("-- You came back on another connection", ServerLine::Ended),
    ("-- You were removed", ServerLine::Ended),
    ("-- You are banned", ServerLine::Ended),
];

/// A line, as far as the client understands it. Every `&str` is a part of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ServerLine<'a> {
    /// `You are alice`: the person's name from now on.
    YouAre(&'a str),
    /// `What is your name? ...`
    NameQuestion,
    /// `In lobby: bob, carol`: the person's room, and everybody else there.
    Roster { room: &'a str, names: Vec<&'a str> },
    /// `alice: text`, `* alice text`, or `[alice -> bob] text` with `bob` as `to`.
    Said { by: &'a str, to: Option<&'a str>, text: &'a str },
    /// `bob has arrived`; `alice, bob and 35 others have arrived`
    Arrived(Vec<&'a str>),
    /// `bob has left`; `bob has left (words)`; `bob was removed by the operator`; `alice and 11 others have left`
    Left(Vec<&'a str>),
    /// `alice is now known as al`
    Renamed { old: &'a str, new: &'a str },
    /// `alice changed the topic to: TEXT`; `alice cleared the topic`
    Topic(&'a str),
    /// `-- Lines here are stored`, which everybody reads on entering: the server has return codes.
    Kept,
    /// `-- Type a password for alice ...` and similar questions: the next line that the person
    /// types is a secret.
    Password,
    /// `-- Your return code is CODE: ...`
    Code(&'a str),
    /// `-- Welcome back, alice: ...`: a replay follows, which may begin with lines that were shown
    /// before.
    Back,
    /// `-- /help lists what you can type`
    Help,
    /// `-- You were removed ...` and similar sentences: the server ends the connection on purpose.
    Ended,
    /// Anything else, such as the server's other `-- ` lines.
    Other,
}

/// Splits off `[12:01] ` or `[2026-11-20 12:01] `, which mark an earlier line.
pub(super) fn split_time(line: &str) -> (&str, &str) {
    let end =
        line.strip_prefix('[').and_then(|rest| rest.find("] ")).map_or(0, |at| at + "[] ".len());
    match line.split_at_checked(end) {
        Some((time, said)) if time.chars().all(|c| c.is_ascii_digit() || "[]-: ".contains(c)) => {
            (time, said)
        }
        _ => ("", line),
    }
}

impl<'a> ServerLine<'a> {
    /// Understands a line without a time.
    ///
    /// Lines of people come first, so that nobody can forge an arrival.
    pub(super) fn of(line: &'a str) -> Self {
        Self::person(line).or_else(|| Self::server(line)).unwrap_or(Self::Other)
    }

    fn person(line: &'a str) -> Option<Self> {
        if let Some(action) = line.strip_prefix("* ") {
            let (by, text) = action.split_once(' ')?;
            return is_name(by).then_some(Self::Said { by, to: None, text });
        }
        if let Some((by, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(" -> ")) {
            let (to, text) = rest.split_once("] ")?;
            return (is_name(by) && is_name(to)).then_some(Self::Said { by, to: Some(to), text });
        }
        let (by, text) = line.split_once(": ")?;
        (is_name(by)).then_some(Self::Said { by, to: None, text })
    }

    fn server(line: &'a str) -> Option<Self> {
        if let Some((_, known)) = BEGINNINGS.iter().find(|(start, _)| line.starts_with(start)) {
            return Some(known.clone());
        }
        match line.strip_prefix("-- ") {
            Some(words) => Self::notice(words),
            None => Self::event(line),
        }
    }

    fn notice(words: &'a str) -> Option<Self> {
        if let Some(rest) = words.strip_prefix("Your return code is ") {
            let (code, _) = rest.split_once(": ")?;
            return is_name(code).then_some(Self::Code(code));
        }
        // A found line may contain these words, but not after a name alone.
        let (name, _) = words.split_once(" is registered: type its password ")?;
        is_name(name).then_some(Self::Password)
    }

    fn event(line: &'a str) -> Option<Self> {
        if let Some(name) = line.strip_prefix("You are ") {
            return is_name(name).then_some(Self::YouAre(name));
        }
        if let Some((room, roster)) =
            line.strip_prefix("In ").and_then(|rest| rest.split_once(": "))
        {
            return is_name(room).then(|| Self::Roster { room, names: names(roster) });
        }
        let before = |words: &[&str]| {
            words.iter().find_map(|words| line.split_once(words)).map(|(before, _)| before)
        };
        // These come before lines that are recognised by their end, because a topic or a reason may
        // end in the same way.
        if let Some(by) = before(&[" changed the topic to: ", " cleared the topic"]) {
            return is_name(by).then_some(Self::Topic(by));
        }
        if let Some(who) = before(&[" was removed by ", " was banned "]).filter(|who| is_name(who))
        {
            return Some(Self::Left(vec![who]));
        }
        if let Some((old, new)) = line.split_once(" is now known as ") {
            return (is_name(old) && is_name(new)).then_some(Self::Renamed { old, new });
        }
        let ended = |words: [&str; 2]| words.iter().find_map(|words| line.strip_suffix(words));
        if let Some(who) = ended([" has arrived", " have arrived"]) {
            return Some(Self::Arrived(names(who)));
        }
        let who = ended([" has left", " have left"]).or_else(|| before(&[" has left ("]))?;
        Some(Self::Left(names(who)))
    }

    /// The names in the line, in order.
    pub(super) fn names(&self) -> Vec<&'a str> {
        match self {
            Self::YouAre(name) | Self::Topic(name) => vec![name],
            Self::Roster { names, .. } | Self::Arrived(names) | Self::Left(names) => names.clone(),
            Self::Said { by, to, .. } => [*by].into_iter().chain(*to).collect(),
            Self::Renamed { old, new } => vec![old, new],
            Self::NameQuestion
            | Self::Kept
            | Self::Password
            | Self::Code(_)
            | Self::Back
            | Self::Help
            | Self::Ended
            | Self::Other => Vec::new(),
        }
    }
}

/// The names in `alice, bob and 35 others`, without `35 others` and `nobody else`.
fn names(list: &str) -> Vec<&str> {
    list.split(", ").flat_map(|part| part.split(" and ")).filter(|part| is_name(part)).collect()
}

/// Whether a word can be a name. An address like `127.0.0.1:64208` can.
fn is_name(word: &str) -> bool {
    word.len() <= NAME_BYTES_MAX
        && word.contains(char::is_alphanumeric)
        && !word.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::{ServerLine, split_time};

    #[test]
    fn people_are_heard() {
        let said = |by, to, text| ServerLine::Said { by, to, text };
        assert_eq!(ServerLine::of("bob: hello: you"), said("bob", None, "hello: you"));
        assert_eq!(ServerLine::of("127.0.0.1:64208: "), said("127.0.0.1:64208", None, ""));
        assert_eq!(ServerLine::of("[::1]:64208: hi"), said("[::1]:64208", None, "hi"));
        assert_eq!(ServerLine::of("* bob has left"), said("bob", None, "has left"));
        assert_eq!(ServerLine::of("[bob -> alice] psst"), said("bob", Some("alice"), "psst"));
    }

    #[test]
    fn the_server_is_heard() {
        assert_eq!(ServerLine::of("You are alice"), ServerLine::YouAre("alice"));
        assert_eq!(
            ServerLine::of("What is your name? (Enter to stay ::1)"),
            ServerLine::NameQuestion
        );
        assert_eq!(
            ServerLine::of("In lobby: bob, carol, ... and 980 others"),
            ServerLine::Roster { room: "lobby", names: vec!["bob", "carol"] }
        );
        assert_eq!(
            ServerLine::of("In tea: nobody else"),
            ServerLine::Roster { room: "tea", names: vec![] }
        );
        assert_eq!(
            ServerLine::of("al changed the topic to: bo and cy has left"),
            ServerLine::Topic("al")
        );
        assert_eq!(ServerLine::of("al cleared the topic"), ServerLine::Topic("al"));
        assert_eq!(ServerLine::of("dave has arrived"), ServerLine::Arrived(vec!["dave"]));
        assert_eq!(
            ServerLine::of("al, bo and 35 others have arrived"),
            ServerLine::Arrived(vec!["al", "bo"])
        );
        assert_eq!(ServerLine::of("dave has left (so long)"), ServerLine::Left(vec!["dave"]));
        for line in [
            "bo was removed by the operator",
            "bo was removed by al: cy has left",
            "bo was banned until 14:00 by al",
            "bo has left (cy was removed by al)",
        ] {
            assert_eq!(ServerLine::of(line), ServerLine::Left(vec!["bo"]), "{line}");
        }
        assert_eq!(ServerLine::of("al and 11 others have left"), ServerLine::Left(vec!["al"]));
        assert_eq!(
            ServerLine::of("al is now known as bo"),
            ServerLine::Renamed { old: "al", new: "bo" }
        );
        assert_eq!(ServerLine::of("-- The server is going down"), ServerLine::Other);
        assert_eq!(ServerLine::of("-- Lines here are stored for 30 days"), ServerLine::Kept);
        assert_eq!(
            ServerLine::of("-- Lines here are not stored: they are gone when the server stops"),
            ServerLine::Other
        );
        assert_eq!(
            ServerLine::of("-- Your return code is ab-cd: if you lose"),
            ServerLine::Code("ab-cd")
        );
        for asking in [
            "-- Type a password for al; nobody else sees it (Enter to cancel)",
            "-- Type the present password of al (Enter to cancel)",
            "-- Type the password again",
            "-- al is registered: type its password (Enter to go without this name)",
        ] {
            assert_eq!(ServerLine::of(asking), ServerLine::Password);
        }
        let found = "-- [12:01] lobby bob: al is registered: type its password (Enter";
        assert_eq!(ServerLine::of(found), ServerLine::Other);
        let forged = "bob: -- Your return code is ab-cd: if you lose";
        assert!(matches!(ServerLine::of(forged), ServerLine::Said { .. }));
    }

    #[test]
    fn a_line_of_the_past_has_its_time_in_front() {
        assert_eq!(split_time("[12:01] bob: hi"), ("[12:01] ", "bob: hi"));
        assert_eq!(split_time("[2026-11-20 12:01] hi"), ("[2026-11-20 12:01] ", "hi"));
        for line in ["bob: [12:01] hi", "[::1]:64208: hi", "[a -> b] hi", "[", "[] ", "[日] x"] {
            assert_eq!(split_time(line).1.len() + split_time(line).0.len(), line.len());
        }
        assert_eq!(split_time("[a -> b] hi"), ("", "[a -> b] hi"));
    }
}
