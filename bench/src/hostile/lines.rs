//! Lines that a hostile client may send: made by a grammar, and then spoiled. Knows no client.

use fastrand::Rng;

/// The names under which the clients come. A hostile line may mean any of them.
pub(super) const NICKS: [&str; 8] = ["ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal"];

/// The commands of IRC, and words that are none.
const COMMANDS: [&str; 56] = [
    "CAP",
    "AUTHENTICATE",
    "REGISTER",
    "VERIFY",
    "NICK",
    "PASS",
    "USER",
    "PING",
    "PONG",
    "QUIT",
    "JOIN",
    "JOIN",
    "JOIN",
    "PART",
    "TOPIC",
    "NAMES",
    "LIST",
    "INVITE",
    "KICK",
    "MODE",
    "MODE",
    "AWAY",
    "SETNAME",
    "WHO",
    "WHOIS",
    "WHOWAS",
    "ISON",
    "MONITOR",
    "OPER",
    "KILL",
    "WALLOPS",
    "USERHOST",
    "PRIVMSG",
    "PRIVMSG",
    "NOTICE",
    "TAGMSG",
    "BATCH",
    "BATCH",
    "NICKSERV",
    "CHANSERV",
    "CHATHISTORY",
    "MARKREAD",
    "MOTD",
    "LUSERS",
    "VERSION",
    "TIME",
    "ADMIN",
    "INFO",
    "STATS",
    "LINKS",
    "HELP",
    "HELPOP",
    "REHASH",
    "001",
    "ERROR",
    "\u{1}",
];

/// Words that have a meaning somewhere.
const WORDS: [&str; 104] = [
    "#lobby",
    "#lobby",
    "#tea",
    "#tea",
    "#den",
    "#a,#b,#c",
    "#",
    "##",
    "#tea,#den",
    "&tea",
    "0",
    "#größe",
    "#\u{202e}x",
    "#a:b",
    "*",
    "+",
    "-",
    "alice",
    "[al]",
    "al!u@irc",
    "ann!*@*",
    "*!*@192.0.2.7/24",
    "*!*@2001:db8::",
    "m:bob",
    "2001~db8~~1~5",
    "127.0.0.1~5",
    "+o-b+t",
    "+xyz",
    "-ob",
    "+b",
    "+imnst-v",
    "+kl",
    "+v",
    "-k",
    "i",
    "w",
    "B",
    "al*",
    "a?i*e",
    "**a*",
    "sasl",
    "LS",
    "302",
    "REQ",
    "END",
    "LIST",
    "-cap-notify",
    "draft/multiline",
    "labeled-response batch",
    "echo-message",
    "message-tags server-time",
    "account-tag",
    "away-notify",
    "extended-join",
    "multi-prefix",
    "userhost-in-names",
    "setname",
    "invite-notify",
    "draft/chathistory",
    "draft/read-marker",
    "draft/no-implicit-names",
    "standard-replies",
    "PLAIN",
    "YWxpY2U=",
    "====",
    "LATEST",
    "BEFORE",
    "AFTER",
    "AROUND",
    "BETWEEN",
    "TARGETS",
    "msgid=0123456789abcdef.lobby.7",
    "msgid=x.~1.2",
    "timestamp=2011-10-19T16:40:51.620Z",
    "timestamp=9999-99-99",
    "1000",
    "-1",
    "18446744073709551616",
    "C",
    "S",
    "L",
    "%tcuhnfar,152",
    "o",
    "+m",
    "+x draft/multiline #lobby",
    "-x",
    "parlor",
    "NickServ",
    "IDENTIFY",
    "help",
    "search tea",
    "last 5",
    "kick bob spam",
    "ban 192.0.2.0/24",
    "mute eve 10m",
    "ignore eve",
    "/topic \u{1b}[2J",
    "#tea topic hi",
    "irc.example.org",
    "größe",
    "世界",
    "e\u{301}\u{200b}",
    "\u{feff}",
    "ſtraße\u{2028}x",
];

/// Texts behind the last colon.
const TEXTS: [&str; 20] = [
    "hello",
    "",
    " ",
    "\u{1}ACTION waves\u{1}",
    "\u{1}ACTION\u{1}",
    "\u{1}VERSION\u{1}",
    "\u{1}PING 1 2\u{1}\u{1}",
    "\u{1}",
    "\u{3}04,12red\u{f} \u{2}bold\u{2}",
    "\u{4}ff0000x\u{1d}y",
    "\u{1b}[31mred\u{1b}[0m\u{7}",
    "a\rb",
    "a\u{0}b",
    ":: :",
    "tab\there",
    "\u{85}\u{9b}31m",
    "\u{202e}evil\u{2066}",
    "世界 größe мир",
    "/quit",
    "ann: look",
];

/// Tags in front of a line.
const TAGS: [&str; 14] = [
    "@label=1 ",
    "@label=\\s\\r\\n\\:;x ",
    "@+typing=active ",
    "@+draft/reply=x;+draft/react=\u{1b} ",
    "@batch=x ",
    "@batch=x;draft/multiline-concat ",
    "@;; ",
    "@",
    "@= ",
    "@a=\\ ",
    "@label=\u{1}\u{2} ",
    "@+a=\u{7f};+b=\\0 ",
    "@time=2011-10-19T16:40:51.620Z;msgid=x ",
    "@label= ",
];

/// Makes lines, always the same for a seed.
pub(super) struct HostileLines {
    rng: Rng,
    /// The last line, parts of which come again.
    last: Vec<u8>,
}

impl HostileLines {
    pub(super) fn new(seed: u64) -> HostileLines {
        HostileLines { rng: Rng::with_seed(seed), last: Vec::new() }
    }

    /// The next line, with its ending.
    pub(super) fn next(&mut self) -> &[u8] {
        let before = std::mem::take(&mut self.last);
        let mut line = Vec::with_capacity(128);
        match self.rng.u8(0..16) {
            0 => (0..self.rng.usize(0..60)).for_each(|_| line.push(self.rng.u8(..))),
            1..5 => self.message(&mut line),
            _ => self.sentence(&mut line),
        }
        if self.rng.u8(0..4) == 0 {
            self.spoil(&mut line, &before);
        }
        let endings: [&[u8]; 6] = [b"\n", b"\r\r\n", b"\0\n", b"\n\n", b"\r", b""];
        let ending = if self.rng.u8(0..12) == 0 { self.pick(&endings) } else { b"\r\n" };
        line.extend_from_slice(ending);
        self.last = line;
        &self.last
    }

    /// The next line of a client without a room, who nearly always enters some.
    pub(super) fn next_from_outside(&mut self) -> &[u8] {
        match self.rng.u8(0..8) {
            0 => self.next(),
            _ => b"JOIN #lobby,#tea,#den\r\n",
        }
    }

    /// The number of lines that a client sends before it comes in.
    pub(super) fn few(&mut self) -> u8 {
        self.rng.u8(0..12)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(0..from.len())]
    }

    /// Something said, most of which is allowed.
    fn message(&mut self, line: &mut Vec<u8>) {
        self.tags(line);
        let target = match self.rng.bool() {
            true => "#lobby",
            false => self.target(),
        };
        let text = self.pick(&TEXTS);
        let command = self.pick(&["PRIVMSG", "PRIVMSG", "NOTICE", "TAGMSG"]);
        line.extend_from_slice(format!("{command} {target} :{text}").as_bytes());
        if self.rng.u8(0..16) == 0 {
            let filler = self.pick(&["x", "ж", "世", "\u{1f600}", " y", "\u{3}1"]);
            line.extend_from_slice(filler.repeat(self.rng.usize(0..400)).as_bytes());
        }
    }

    /// A command with some words.
    fn sentence(&mut self, line: &mut Vec<u8>) {
        self.tags(line);
        if self.rng.u8(0..16) == 0 {
            line.extend_from_slice(self.pick(&[":", ":ann!u@irc ", ": ", "  "]).as_bytes());
        }
        let command = match self.rng.u8(0..24) {
            0 => self.pick(&WORDS),
            _ => self.pick(&COMMANDS),
        };
        // People leave by QUIT seldom enough that there is somebody to hear the others.
        let command = if command == "QUIT" && self.rng.bool() { "PING" } else { command };
        line.extend_from_slice(command.as_bytes());
        for _ in 0..self.rng.u8(0..6) {
            let gap =
                if self.rng.u8(0..8) == 0 { self.pick(&["  ", " :", "\t", ","]) } else { " " };
            line.extend_from_slice(gap.as_bytes());
            let word = match self.rng.u8(0..8) {
                0 => self.pick(&TEXTS),
                1 | 2 => self.target(),
                _ => self.pick(&WORDS),
            };
            line.extend_from_slice(word.as_bytes());
        }
    }

    fn tags(&mut self, line: &mut Vec<u8>) {
        if self.rng.u8(0..4) == 0 {
            line.extend_from_slice(self.pick(&TAGS).as_bytes());
        }
    }

    fn target(&mut self) -> &'static str {
        match self.rng.bool() {
            true => self.pick(&NICKS),
            false => self.pick(&["#lobby", "#tea", "#den", "#a", "#b"]),
        }
    }

    /// Changes a line in a few places, to what no grammar allows.
    fn spoil(&mut self, line: &mut Vec<u8>, before: &[u8]) {
        for _ in 0..self.rng.u8(1..4) {
            let place = self.rng.usize(0..=line.len());
            match self.rng.u8(0..7) {
                0 => line.insert(place, self.rng.u8(..32)),
                1 => line.insert(place, self.rng.u8(..)),
                2 => line.truncate(place),
                3 => line.splice(place..place, *b"\x1b[2J\x9b").for_each(drop),
                4 => line.extend_from_slice(&before[..self.rng.usize(0..=before.len())]),
                5 if self.rng.u8(0..32) == 0 => {
                    let filler = vec![self.rng.u8(..); self.rng.usize(0..10_000)];
                    line.splice(place..place, filler).for_each(drop);
                }
                _ => {
                    if let Some(byte) = line.get_mut(place) {
                        *byte ^= 1 << self.rng.u8(0..8);
                    }
                }
            }
        }
    }
}
