//! A simulated person with an IRC client: what it types, how it reads, and how it leaves.

use std::iter;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use fastrand::Rng;
use jiff::tz::TimeZone;
use parlor_core::link::{Answer, Change, Client, Link, Outcome, Refusal};
use parlor_core::model::{Claim, Name, Profile, RoomName, WallTime};
use parlor_wire::irc::{IrcDecoder, IrcEncoder, IrcServer, RegistrationStep};
use parlor_wire::style::{LocalClock, Storage};

use crate::checker::{self, Dialect, End, OWNED, nobody_after};
use crate::guest::{NAMES, ROOMS};
use crate::irc_session::{IrcSession, Sent};
use crate::keeping;
use crate::reader::{AnyEncoder, Reader};
use crate::server::Server;
use crate::shared_group::SharedGroup;
use crate::voice::{Voice, pick};

/// The capabilities of clients, from the simplest to the richest.
const CAPS: [&str; 5] = [
    "",
    "server-time batch",
    "message-tags server-time batch echo-message labeled-response userhost-in-names away-notify",
    "message-tags server-time batch multi-prefix away-notify invite-notify account-tag",
    "message-tags server-time batch draft/multiline draft/chathistory extended-join multi-prefix invite-notify",
];

/// The longest text of a message that fits behind every source and target.
const TEXT_BYTES_MAX: usize = 300;

/// A guest does not try more often than this to come in.
const REFUSALS_MAX: usize = 3;

static SERVER: LazyLock<Arc<IrcServer>> = LazyLock::new(|| {
    let clock = LocalClock { zone: TimeZone::UTC, now: || WallTime(0) };
    Arc::new(IrcServer {
        name: "irc.sim.test".to_owned(),
        network: "Sim".to_owned(),
        version: "parlor".to_owned(),
        started: WallTime(0),
        motd: Vec::new(),
        log: "log".to_owned(),
        rooms_max: 3,
        bans_max: 10,
        clock,
    })
});

pub(crate) struct IrcGuest {
    person: usize,
    caps: &'static str,
    session: IrcSession,
    /// The person who comes, while that is asked.
    coming: Option<(Name, Arc<Profile>)>,
    client: Arc<Client>,
    shared: Rc<SharedGroup>,
    /// The answers that it reads before it has come in.
    greeting: Vec<u8>,
    reader: Option<Reader>,
    is_gone: bool,
    voice: Voice,
    /// The token of the lines under way.
    saying: Option<String>,
    /// The last token that was stored.
    kept: Option<String>,
    pings: usize,
    labels: usize,
    /// The names for which it has asked.
    names: Vec<String>,
    /// Whether it is the owner of the name that has one.
    is_owner: bool,
    /// Whether it reads only a little at a time.
    is_slow: bool,
    refusals: usize,
    /// For this many turns it reads nothing.
    pub(crate) stalled: usize,
}

impl IrcGuest {
    pub(crate) fn new(
        person: usize,
        link: Link,
        shared: Rc<SharedGroup>,
        rng: &mut Rng,
    ) -> IrcGuest {
        link.client().hold_back();
        let decoder = IrcDecoder::new(Arc::clone(&SERVER), false);
        let mut guest = IrcGuest {
            person,
            caps: pick(rng, &CAPS),
            client: Arc::clone(link.client()),
            session: IrcSession::new(link, decoder),
            coming: None,
            shared,
            greeting: Vec::new(),
            reader: None,
            is_gone: false,
            voice: Voice::new(person),
            saying: None,
            kept: None,
            pings: 0,
            labels: 0,
            names: Vec::new(),
            is_owner: rng.bool(),
            is_slow: rng.u8(0..3) == 0,
            refusals: 0,
            stalled: 0,
        };
        let request = match guest.caps {
            "" => String::new(),
            caps => format!("CAP REQ :{caps}\r\nCAP END\r\n"),
        };
        guest.type_in(&format!("{request}USER u{person} 0 * :Person {person}\r\n"));
        guest
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone
    }

    pub(crate) fn voice(&self) -> &Voice {
        &self.voice
    }

    /// The names for which it has asked: it has had no others.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.names.iter().cloned()
    }

    pub(crate) fn is_present(&self) -> bool {
        self.session.presence.is_some()
    }

    /// Checks that it has every outcome, and has read everything.
    pub(crate) fn assert_settled(&self) {
        let asked = &self.session.call.asked;
        assert!(asked.is_none(), "no outcome of {asked:?}: {}", self.person);
        assert!(self.session.is_idle() || self.is_gone, "{} waits", self.person);
        let caught_up = self.reader.as_ref().is_none_or(Reader::has_caught_up);
        assert!(caught_up, "person {} is asleep and has not read everything", self.person);
    }

    /// Types a line, unless the one before is not done.
    pub(crate) fn act(&mut self, server: &Server, rng: &mut Rng) {
        if !self.session.is_idle() || self.is_gone {
            return;
        }
        if !self.is_present() {
            let nick = self.nick(rng);
            return self.register(&nick, server);
        }
        self.note_posts();
        let line = self.line(server.is_alone(), rng);
        self.names.extend(line.strip_prefix("NICK ").map(str::to_owned));
        let label = match self.caps.contains("labeled-response") && rng.bool() {
            true => self.label(),
            false => String::new(),
        };
        self.session.hear(&format!("{label}{line}\r\n"));
        self.session.work();
    }

    /// Types something before it has come in.
    fn type_in(&mut self, typed: &str) -> Option<RegistrationStep> {
        let (mut bytes, decoder) = (typed.as_bytes(), &mut self.session.decoder);
        let mut steps = iter::from_fn(|| decoder.register(&mut bytes, &mut self.greeting));
        steps.find(|step| !matches!(step, RegistrationStep::None))
    }

    /// Asks to come in under this nick.
    fn register(&mut self, nick: &str, server: &Server) {
        self.names.push(nick.to_owned());
        let step = self.type_in(&format!("NICK {nick}\r\n"));
        if let Some(RegistrationStep::Enter { name, profile, .. }) = step {
            self.coming = Some((name.clone(), Arc::clone(&profile)));
            let name = match self.is_owner && name.as_str() == OWNED {
                true => Claim::of_owner(name, server.last_proof()),
                false => name.into(),
            };
            let come = Change::Come { name, profile: Some(profile) };
            self.session.call.start(Sent::Coming, come);
        }
    }

    /// A name to take: an owner comes under the own one, and others may want it, too.
    fn nick(&self, rng: &mut Rng) -> String {
        let is_own = match (self.is_owner, self.is_present()) {
            (true, true) => rng.bool(),
            (is_owner, _) => is_owner || rng.u8(0..40) == 0,
        };
        if is_own { OWNED.to_owned() } else { pick(rng, &NAMES).to_string() }
    }

    /// A line to type. Owners take their name back on a server alone.
    fn line(&mut self, is_alone: bool, rng: &mut Rng) -> String {
        let seats = &self.session.seats;
        let rooms = if rng.bool() { &ROOMS[..3] } else { &ROOMS };
        let other = pick(rng, rooms);
        let room = match seats.len() {
            0 => other.clone(),
            count => seats[rng.usize(0..count)].room_name().clone(),
        };
        if seats.len() < 2 && rng.u8(0..3) != 0 {
            return format!("JOIN #{other}{}", ["", " beer"][rng.usize(0..2)]);
        }
        if is_alone && self.is_owner && !self.has_own_name() && rng.u8(0..4) == 0 {
            return format!("NICK {OWNED}");
        }
        let kept = self.session.keeps.last().filter(|_| rng.bool()).cloned();
        if kept.is_some() || rng.u8(0..6) == 0 {
            return keeping::command(&kept.unwrap_or(room), rng);
        }
        match rng.u8(0..40) {
            0..3 => format!("JOIN #{other},#{}", pick(rng, &ROOMS)),
            3..6 => format!("PART #{room}{}", ["", " :until then"][rng.usize(0..2)]),
            6..9 => format!("NICK {}", self.nick(rng)),
            9..12 => self.ping(),
            12..14 => self.whisper(rng),
            14 => format!("TOPIC #{room} :topic {}", rng.u8(..)),
            15..17 => format!("NAMES #{room}"),
            17 => format!("NAMES #{other}"),
            18 => {
                pick(rng, &["LIST", "LUSERS", "MOTD", "TIME", "ISON alice bob", "WHO *", "INVITE"])
                    .to_owned()
            }
            19 => format!("WHO #{room}"),
            38.. => format!("INVITE {} #{room}", keeping::somebody(rng)),
            27 => format!("AWAY{}", ["", " :lunch"][rng.usize(0..2)]),
            20 => pick(rng, &["JOIN 0", "AWAY"]).to_owned(),
            21 => format!("TOPIC #{room}"),
            22 if rng.bool() => format!("QUIT{}", ["", " :bye (for now)"][rng.usize(0..2)]),
            23..26 => self.say_together(&room, rng),
            26 => self.say("NOTICE", &room, &room, rng),
            28..31 => self.say("PRIVMSG", &room, &other, rng),
            _ => self.say("PRIVMSG", &room, &room, rng),
        }
    }

    /// Whether it has the name that has an owner.
    fn has_own_name(&self) -> bool {
        self.session.name.as_ref().is_some_and(|name| name.as_str() == OWNED)
    }

    fn ping(&mut self) -> String {
        self.pings += 1;
        let token = format!("ping{}", self.pings);
        self.session.pinged = Some(token.clone());
        format!("PING {token}")
    }

    /// A label for a command.
    fn label(&mut self) -> String {
        self.labels += 1;
        format!("@label=l{} ", self.labels)
    }

    /// A line to one room, or to two.
    fn say(&mut self, command: &str, room: &RoomName, other: &RoomName, rng: &mut Rng) -> String {
        let (token, text) = self.voice.one_line(TEXT_BYTES_MAX, rng);
        let to = if room == other { format!("#{room}") } else { format!("#{room},#{other}") };
        self.saying = Some(token);
        let is_action = command == "PRIVMSG" && rng.u8(0..6) == 0;
        let text = if is_action { format!("\u{1}ACTION {text}\u{1}") } else { text };
        format!("{command} {to} :{text}")
    }

    /// Several lines together, or one.
    fn say_together(&mut self, room: &RoomName, rng: &mut Rng) -> String {
        if !self.caps.contains("multiline") {
            return self.say("PRIVMSG", room, room, rng);
        }
        let mut typed = format!("BATCH +b draft/multiline #{room}\r\n");
        for _ in 0..rng.usize(1..4) {
            let (token, text) = self.voice.one_line(TEXT_BYTES_MAX, rng);
            self.saying = Some(token);
            typed += &format!("@batch=b PRIVMSG #{room} :{text}\r\n");
        }
        typed + "BATCH -b"
    }

    /// A message to a person, or to a name that nobody has, so that the answer shows its place.
    fn whisper(&mut self, rng: &mut Rng) -> String {
        let to = match &self.kept {
            Some(kept) if rng.bool() => nobody_after(kept),
            _ => pick(rng, &NAMES).to_string(),
        };
        format!("PRIVMSG {to} :{}", self.voice.whisper(0))
    }

    /// Notes the outcomes of the last lines: they are sent if any room has them.
    fn note_posts(&mut self) {
        self.voice.lines += std::mem::take(&mut self.session.said);
        let posted = std::mem::take(&mut self.session.posted);
        // If the person leaves while the lines go to another room, it is not known whether that has
        // them.
        let is_known = !matches!(self.session.call.asked, Some(Sent::Post { .. }));
        let said = self.saying.take().filter(|_| is_known);
        if let (Some(token), false) = (said, posted.is_empty()) {
            let is_sent = posted.iter().any(|posted| posted.refusal.is_none());
            let lines = posted.iter().map(|posted| posted.lines).max().unwrap_or_default();
            self.voice.answered(lines, is_sent);
            self.kept = is_sent.then_some(token).or(self.kept.take());
        }
        for posted in posted {
            // Lines that the disk did not store were ordered; other refused lines were not.
            let is_ordered = matches!(posted.refusal, None | Some(Refusal::NotStored(_)));
            self.voice.lines -= if is_ordered { 0 } else { posted.lines };
        }
    }

    /// Looks for an outcome, and goes on. Returns whether there was anything to do.
    pub(crate) fn look(&mut self, server: &mut Server) -> bool {
        if self.is_gone {
            return false;
        }
        let was_under_way = self.session.call.asked.is_some();
        match self.session.outcome(server) {
            Some(Outcome::Came(presence, _)) => self.come_in(presence),
            Some(Outcome::Answer(Answer::Refused(refusal))) => {
                self.refusals += 1;
                if let Some(registration) = self.session.decoder.registration() {
                    registration.refused(&refusal, &mut self.greeting);
                }
            }
            _ => {}
        }
        self.give_way();
        let is_answered = was_under_way && self.session.call.asked.is_none();
        let moved = self.session.work();
        if let Some(words) = self.session.quits.take() {
            self.note_posts();
            self.session.leave(words);
        }
        if self.session.is_idle() {
            self.note_posts();
        }
        is_answered || moved
    }

    /// Leaves, if an act ends the connection: somebody else owns the name now.
    fn give_way(&mut self) {
        let removed = self.client.removed().filter(|_| self.session.call.asked.is_none());
        if let Some(act) = removed.filter(|_| self.is_present()).cloned() {
            self.note_posts();
            self.session.be_removed(act);
        }
    }

    fn come_in(&mut self, presence: parlor_core::link::Presence) {
        let (name, profile) = self.coming.take().expect("a person who comes");
        let caps = self.session.decoder.welcome(&name, &profile);
        let mut encoder = IrcEncoder::new(Arc::clone(&SERVER), Storage::Memory);
        encoder.welcome(name.clone(), profile, caps);
        let (client, shared) = (Arc::clone(&self.client), Rc::clone(&self.shared));
        let mut reader = Reader::new(client, shared, AnyEncoder::Irc(Box::new(encoder)));
        reader.text.append(&mut self.greeting);
        self.reader = Some(reader);
        self.session.come(presence, name);
        self.session.hear("");
    }

    /// Reads as much as the socket takes. Returns whether there was anything to do.
    pub(crate) fn read(&mut self, room: usize, piece: usize) -> bool {
        let room = if self.is_slow && room < usize::MAX { room / 8 } else { room };
        self.reader.as_mut().is_some_and(|reader| reader.read(room, piece))
    }

    /// Leaves, perhaps with a request under way, and continues to read up to the departure.
    pub(crate) fn leave(&mut self) {
        if self.is_present() && self.session.call.asked.is_none() {
            self.note_posts();
            self.session.leave(None);
        }
    }

    /// The connection breaks.
    pub(crate) fn break_off(&mut self, rng: &mut Rng) -> Option<checker::Reader> {
        self.note_posts();
        // A keeper may have forbidden them, or the operator has released the name.
        if let Some(Sent::Post { room, lines }) = &self.session.call.asked
            && (*room != RoomName::lobby() || self.has_own_name())
        {
            self.voice.doubtful += lines;
        }
        let seen = self.seen(End::Broken);
        let mut parts = [0, 1, 2, 3];
        rng.shuffle(&mut parts);
        for part in parts {
            match part {
                0 => drop(self.session.call.link.take()),
                1 => self.session.seats.clear(),
                2 => drop(self.session.presence.take()),
                _ => drop(self.reader.take()),
            }
        }
        self.session.call.asked = None;
        self.is_gone = true;
        seen
    }

    /// A guest is done when it has left and has read everything up to its departure, or cannot come
    /// in.
    pub(crate) fn finish(&mut self) -> Option<checker::Reader> {
        let has_failed = self.reader.is_none() && self.refusals > REFUSALS_MAX;
        let has_left = self.session.call.link.is_none();
        let is_over = has_left && self.reader.as_ref().is_some_and(Reader::is_over);
        let seen = is_over.then(|| self.seen(End::Left)).flatten();
        if has_failed || is_over {
            self.reader = None;
            self.session.call.link = None;
            self.is_gone = true;
        }
        seen
    }

    /// Everything seen so far.
    pub(crate) fn seen(&self, end: End) -> Option<checker::Reader> {
        let reader = self.reader.as_ref()?;
        Some(checker::Reader {
            person: Some(self.person),
            dialect: Dialect::Irc,
            text: reader.text.clone(),
            end,
            has_left: self.session.call.link.is_none(),
            fell_silently: reader.fell_silently(),
            listened: None,
            caps: self.caps,
            barriers: self.session.barriers.clone(),
        })
    }
}
