//! Sessions in a small dialect: its decoder takes the inputs that a test has made, one for each byte,
//! and its encoder writes words.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use parlor_core::broadcaster::Broadcaster;
use parlor_core::link::{
    Answer, Asked, Attempt, Command, Decoder, Encoder, Entered, FirstRoom, Inbox, Input, Occupant,
    Query, Refusal, Start, WhyDeparted,
};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{Entry, Limits, Line, Manner, Name, Now, RoomName, Said, Spoken};
use tempfile::TempDir;
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, WriteHalf, duplex, split,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::clock::Clock;
use crate::config::Keep;
use crate::journal::{self, Opened};
use crate::telemetry::Metrics;

/// The inputs that a decoder takes.
type Inputs = Arc<Mutex<VecDeque<Input>>>;

/// Each byte is the next input, behind those of the welcome.
struct Scripted {
    welcome: VecDeque<Input>,
    inputs: Inputs,
}

impl Decoder for Scripted {
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        if let Some(input) = self.welcome.pop_front() {
            return Some(input);
        }
        *bytes = bytes.get(1..)?;
        self.inputs.lock().unwrap().pop_front()
    }

    fn has_more(&self) -> bool {
        !self.welcome.is_empty()
    }

    fn next_secret(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        self.next(bytes)
    }

    fn conceal(&mut self, _: bool) -> Option<Box<[u8]>> {
        None
    }

    fn finish(&mut self) -> Option<Input> {
        None
    }

    fn chooses_rooms(&self) -> bool {
        true
    }
}

/// Everything is a word.
#[derive(Debug)]
struct Words;

impl Words {
    fn put(word: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(word.as_bytes());
        out.push(b'\n');
    }
}

impl Encoding for Words {
    fn key(&self) -> EncodingKey {
        const { EncodingKey::named("session tests") }
    }

    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        if let Entry::Said(said) = entry {
            Words::put(&format!("{}:{}:{}", scene.room, said.who.name, said.text), out);
        }
    }
}

impl Encoder for Words {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        Words::put(
            &match answer {
                Answer::Refused(refusal) => format!("{refusal:?}"),
                Answer::YouAre(name) => format!("you are {name}"),
                Answer::Private(message) => {
                    let texts = message.lines.iter().map(|spoken| spoken.text.as_str());
                    let texts: Vec<_> = texts.collect();
                    format!("{} to {}: {}", message.from.name, message.to, texts.join("/"))
                }
                Answer::People(page) => {
                    let names: Vec<_> = page.people.iter().map(|person| &person.who.name).collect();
                    format!("people of {}: {names:?}", page.room)
                }
                other => format!("{other:?}"),
            },
            out,
        );
    }

    fn begin(&mut self, asked: &Asked, out: &mut Vec<u8>) {
        let words = [&asked.command, &asked.target].into_iter().flatten();
        let words: Vec<_> = words.map(Line::as_str).collect();
        Words::put(&format!("begin {}", words.join(" ")), out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        Words::put("end", out);
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        Words::put(&format!("+{}", entered.room), out);
    }

    fn listed(&mut self, room: &RoomName, people: &[Occupant], out: &mut Vec<u8>) {
        let people = people.iter().map(|Occupant { who, .. }| {
            let host = who.profile.as_ref().map_or("", |profile| profile.host().as_str());
            format!("{}@{host}", who.name)
        });
        Words::put(&format!("{room} has {}", people.collect::<Vec<_>>().join(" ")), out);
    }

    fn replayed(&mut self, _: &RoomName, _: &Said, _: &mut Vec<u8>) {}

    fn departed(&mut self, room: &RoomName, why: WhyDeparted<'_>, out: &mut Vec<u8>) {
        Words::put(&format!("-{room} {}", why.words.map_or("", Line::as_str)), out);
    }

    fn ended(&mut self, out: &mut Vec<u8>) {
        Words::put("over", out);
    }

    fn raw(&mut self, _: &[u8], _: &mut Vec<u8>) {}
}

impl Output for WriteHalf<DuplexStream> {}

/// A door at which a client takes these steps, and what it is told.
#[derive(Default)]
struct Steps(VecDeque<Step>, Vec<String>);

impl Doorway for Steps {
    const ASKS: bool = false;

    const STEPS_MAX: usize = 7;

    async fn next_step(&mut self, _: &mut LinePace<'_>) -> Result<Step, NotEntered> {
        self.0.pop_front().ok_or(NotEntered::Lost)
    }

    fn logged_in(&mut self, outcome: Result<&Name, &Refusal>) {
        self.1.push(format!("{outcome:?}"));
    }

    fn refuse(&mut self, refusal: Answer) -> Result<(), NotEntered> {
        self.1.push(format!("{refusal:?}"));
        Ok(())
    }

    async fn end_attempts(&mut self) -> Result<(), NotEntered> {
        Err(NotEntered::NoName)
    }
}

impl Tell for Steps {
    fn tell(&mut self, _: &Answer) {}

    fn show(&mut self, _: &RoomName, _: &Said) {}

    async fn flush(&mut self) -> Result<(), NotEntered> {
        Ok(())
    }
}

/// A server without a door.
struct House {
    inbox: Arc<Inbox>,
    writers: &'static Writers,
    settings: &'static SessionSettings,
    tasks: JoinSet<()>,
    /// The files of accounts.
    _files: Option<(Opened, TempDir)>,
}

impl House {
    fn new() -> House {
        House::with(Arc::default(), settings(), None)
    }

    /// A server on which people can register names. Nothing is stored.
    fn with_accounts() -> House {
        let inbox = Arc::default();
        let directory = tempfile::tempdir().unwrap();
        let opened = journal::open(directory.path(), Keep::Written, None).unwrap();
        let accounts = Some(Arc::new(Accounts::new(&opened.stored.database, &inbox, 8)));
        let settings = SessionSettings { accounts, ..settings() };
        House::with(inbox, settings, Some((opened, directory)))
    }

    fn with(
        inbox: Arc<Inbox>,
        settings: SessionSettings,
        _files: Option<(Opened, TempDir)>,
    ) -> House {
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(Broadcaster::new(Arc::clone(&inbox), Limits::default())));
        let writers = Box::leak(Box::new(Writers::new(1)));
        writers.start(&mut tasks);
        House { inbox, writers, settings: Box::leak(Box::new(settings)), tasks, _files }
    }

    /// A client that has not entered.
    fn newcomer(&self) -> Newcomer<'static> {
        let link = self.writers.connect(&self.inbox, None);
        let encryption = Encryption::None;
        let peer = Peer { address: None, is_private: true, encryption };
        Newcomer::new(self.settings, link, peer)
    }

    /// A person who comes without a seat.
    async fn person(&mut self, name: &str) -> Person {
        let mut newcomer = self.newcomer();
        let mut door = Steps([come(name)].into(), Vec::new());
        let Ok(admitted) = newcomer.enter(&mut door).await else {
            panic!("{name} cannot come: {:?}", door.1);
        };
        let mut person = self.session(newcomer, admitted);
        person.reads(&[&format!("you are {name}")]).await;
        person
    }

    /// The session of a person who has entered.
    fn session(&mut self, newcomer: Newcomer<'static>, admitted: Admitted) -> Person {
        self.session_with(newcomer, admitted, [])
    }

    /// The session of a person whose decoder begins with these inputs.
    fn session_with(
        &mut self,
        newcomer: Newcomer<'static>,
        admitted: Admitted,
        welcome: impl Into<VecDeque<Input>>,
    ) -> Person {
        let (near, far) = duplex(BETWEEN_BYTES);
        let (input, output) = split(far);
        let inputs = Inputs::default();
        let decoder = Scripted { welcome: welcome.into(), inputs: Arc::clone(&inputs) };
        let (held, person) = (Vec::new(), newcomer.sit(admitted));
        let arrival = Arrival { input, output, decoder, encoder: Words, held, person };
        let (writers, closing) = (self.writers, CancellationToken::new());
        self.tasks.spawn(async move { drop(run(arrival, &closing, writers).await) });
        Person { inputs, stream: BufReader::new(near) }
    }
}

/// Runs a broadcaster that stores nothing.
async fn serve(mut broadcaster: Broadcaster) {
    let inbox = Arc::clone(broadcaster.inbox());
    let now = Now::default();
    loop {
        let seen = inbox.bell().version();
        broadcaster.drain(now);
        while let Some(gathered) = broadcaster.gather(now) {
            broadcaster.append(gathered, Ok(()), now);
            broadcaster.drain(now);
        }
        inbox.bell().rung(seen).await;
    }
}

fn settings() -> SessionSettings {
    SessionSettings {
        idle: Idle::Nobody,
        asks_passwords: false,
        answers_everywhere: true,
        ask_every: None,
        live: Arc::new(Live::new(None, 0, None)),
        read_bytes_max: 1024,
        history: None,
        search: None,
        forgetting: None,
        epoch: "log".into(),
        accounts: None,
        room_tries: Arc::default(),
        used_buckets: Arc::default(),
        metrics: Arc::new(Metrics::new([].into_iter(), false)),
        zone: TimeZone::UTC,
        clock: Clock::start(),
        profile: profile_at("door"),
    }
}

/// The client of a session.
struct Person {
    inputs: Inputs,
    stream: BufReader<DuplexStream>,
}

impl Person {
    /// Sends these inputs.
    async fn does(&mut self, inputs: impl IntoIterator<Item = Input>) {
        for input in inputs {
            self.inputs.lock().unwrap().push_back(input);
            self.stream.write_all(b".").await.unwrap();
        }
    }

    /// Sends a command.
    async fn asks(&mut self, command: &str, inputs: impl IntoIterator<Item = Input>) {
        let asked = Asked { command: Some(line(command)), ..Asked::default() };
        self.does([Input::Begin(Box::new(asked))]).await;
        self.does(inputs).await;
        self.does([Input::End]).await;
    }

    /// Reads the next word.
    async fn line(&mut self) -> String {
        let mut read = String::new();
        timeout(READ_TIME, self.stream.read_line(&mut read)).await.unwrap().unwrap();
        read.trim_end().to_owned()
    }

    /// Reads exactly these words.
    async fn reads(&mut self, words: &[&str]) {
        for wanted in words {
            assert_eq!(self.line().await, *wanted);
        }
    }
}

/// The number of bytes between a session and its client, few enough that a client can be slow.
const BETWEEN_BYTES: usize = 1024;

/// The limit of time for a word, so a test that fails ends.
const READ_TIME: Duration = Duration::from_secs(10);

fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

/// An attempt to come without a seat.
fn come(name: &str) -> Step {
    let (name, room) = (Some(line(name)), FirstRoom::Nowhere);
    Attempt { name, room, ..Attempt::default() }.into()
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn enter(name: &str) -> Input {
    Input::Enter { room: room(name), password: None, start: Start::Usual }
}

fn say(text: &str) -> Input {
    Input::Say(Spoken::new(Manner::Plain, line(text)))
}

fn within(name: &str, input: Input) -> Input {
    Input::In(room(name), Box::new(input))
}

fn people(name: &str) -> Input {
    Input::Ask(Box::new(Query::People { room: room(name), from: 0 }.into()))
}

#[tokio::test]
async fn the_answers_to_a_command_stand_between_its_beginning_and_its_end() {
    let mut house = House::new();
    let mut alice = house.person("alice").await;
    alice.asks("JOIN", [enter("tea"), enter("den")]).await;
    alice.reads(&["begin JOIN", "+tea", "+den", "end"]).await;
    alice.asks("NAMES", [people("tea"), people("attic")]).await;
    let none = r#"NoRoom(RoomName("attic"))"#;
    alice.reads(&["begin NAMES", r#"people of tea: ["alice"]"#, none, "end"]).await;
    alice.asks("SAY", [within("tea", say("hi")), within("attic", say("hi"))]).await;
    alice.reads(&["begin SAY", "tea:alice:hi", none, "end"]).await;
    let mut bob = house.person("bob").await;
    bob.asks("SAY", [within("tea", say("hi"))]).await;
    bob.reads(&["begin SAY", "NotThere", "end"]).await;
}

#[tokio::test]
async fn the_end_of_a_command_stands_behind_the_rooms_that_it_leaves() {
    let mut house = House::new();
    let mut alice = house.person("alice").await;
    let mut bob = house.person("bob").await;
    for person in [&mut alice, &mut bob] {
        person.asks("JOIN", [enter("tea"), enter("den"), enter("attic")]).await;
        person.reads(&["begin JOIN", "+tea", "+den", "+attic", "end"]).await;
    }
    let leave = |name| Input::Leave(room(name), Some(line("bye")));
    alice.asks("PART", [leave("tea"), leave("den"), leave("shed")]).await;
    alice.reads(&["begin PART", r#"NoRoom(RoomName("shed"))"#]).await;
    let mut left = [alice.line().await, alice.line().await];
    left.sort();
    assert_eq!(left, ["-den bye", "-tea bye"]);
    alice.reads(&["end"]).await;
    alice.asks("PART", [leave("attic")]).await;
    alice.reads(&["begin PART", "-attic bye", "end"]).await;
}

#[tokio::test]
async fn a_refused_post_is_a_command_of_its_own_and_a_notice_is_not_answered() {
    let mut house = House::new();
    let mut alice = house.person("alice").await;
    let notice = || Input::Say(Spoken::new(Manner::Notice, line("hi")));
    let all = Input::SayAll(vec![Spoken::new(Manner::Plain, line("hi")); 2]);
    alice.does([within("tea", notice()), within("tea", say("hi")), within("den", all)]).await;
    let [tea, den] = ["tea", "den"].map(|room| format!("NoRoom(RoomName({room:?}))"));
    alice.reads(&["begin tea", &tea, "end", "begin den", &den, "end"]).await;
    alice.does([say("hi"), Input::Refused(Refusal::NoSuchTime)]).await;
    alice.reads(&["NoSeat", "NoSuchTime"]).await;
}

#[tokio::test]
async fn a_client_gets_the_list_of_everybody_only_while_it_wants_it() {
    let mut house = House::new();
    let [mut alice, mut bob] = [house.person("alice").await, house.person("bob").await];
    bob.does([enter("den"), enter("attic")]).await;
    bob.reads(&["+den", "+attic"]).await;
    alice.does([enter("tea"), Input::WantRoster(true), enter("den")]).await;
    alice.reads(&["+tea", "+den", "den has bob@door", "den has"]).await;
    alice.does([Input::WantRoster(false), enter("attic"), say("hi")]).await;
    alice.reads(&["+attic", "attic:alice:hi"]).await;
}

/// More posts than fit between a session and its client.
const POSTS: usize = 100;

#[tokio::test]
async fn an_answer_stands_behind_the_lines_of_all_rooms_that_were_visible() {
    let mut house = House::new();
    let [mut alice, mut bob] = [house.person("alice").await, house.person("bob").await];
    for person in [&mut alice, &mut bob] {
        person.does([enter("tea"), enter("den")]).await;
        person.reads(&["+tea", "+den"]).await;
    }
    for here in ["den", "tea"] {
        alice.does([within(here, Input::Nothing)]).await;
        // Meanwhile alice does not read, so she is behind in both rooms.
        for number in 0..POSTS {
            let spoken = Spoken::new(Manner::Plain, line(&"x".repeat(BETWEEN_BYTES / 4)));
            let there = ["tea", "den"][number % 2];
            bob.does([within(there, Input::SayAll(vec![spoken]))]).await;
            assert!(bob.line().await.starts_with(there));
        }
        alice.asks("PING", [Input::Refused(Refusal::NoSuchTime)]).await;
        let mut before = 0;
        while alice.line().await != "begin PING" {
            before += 1;
        }
        assert_eq!(before, POSTS);
        alice.reads(&["NoSuchTime", "end"]).await;
    }
}

fn name(typed: &str) -> Input {
    Input::Command(Command::Name(line(typed)))
}

fn log_in(name: &str, password: &str) -> Input {
    Input::LogIn { name: Some(line(name)), password: line(password) }
}

fn register(password: &str) -> Input {
    Input::Register(line(password))
}

#[tokio::test]
async fn a_name_is_registered_at_once_and_taken_by_a_person_who_has_logged_in() {
    let mut house = House::with_accounts();
    let mut alice = house.person("alice").await;
    alice.does([register("short"), register("correct horse"), register("correct horse")]).await;
    let owned = "NameOwned(\"alice\")";
    let again = "HasAccount(\"alice\")"; // a person registers one account
    alice.reads(&["PasswordTooShort(8)", "Registered(\"alice\")", again]).await;
    alice.does([Input::Command(Command::Quit(None))]).await;
    alice.reads(&["over"]).await;

    let mut bob = house.person("bob").await;
    bob.does([name("alice"), log_in("Alice", "wrong horse"), name("alice")]).await;
    bob.reads(&[owned, "WrongPassword(\"Alice\")", owned]).await;
    bob.does([log_in("Alice", "correct horse"), name("carol"), name("Alice")]).await;
    bob.reads(&["LoggedIn(\"alice\")", "you are carol", "you are Alice"]).await;
    bob.does([log_in("carol", "correct horse")]).await;
    bob.reads(&["NoAccount(\"carol\")"]).await;
    // No question is asked where there are none.
    let Ok(command) = Command::parse("register") else { panic!("no command") };
    bob.does([Input::Command(command)]).await;
    bob.reads(&["NoPassword"]).await;
}

#[tokio::test]
async fn nobody_logs_in_where_nobody_owns_a_name() {
    let mut house = House::new();
    let mut alice = house.person("alice").await;
    alice.does([log_in("alice", "correct horse"), register("correct horse")]).await;
    alice.reads(&["NoAccount(\"alice\")"]).await;
    assert!(alice.line().await.starts_with("NeedsDisk"));
}

fn private(to: &str, manner: Manner, texts: &[&str]) -> Input {
    let lines = texts.iter().map(|text| Spoken::new(manner, line(text))).collect();
    Input::Private { to: line(to), lines, is_for_programs: false }
}

#[tokio::test]
async fn a_private_message_may_have_several_lines_and_go_to_its_author() {
    let mut house = House::new();
    let [mut alice, mut bob] = [house.person("alice").await, house.person("bob").await];
    alice.does([private("bob", Manner::Action, &["one", "two"])]).await;
    alice.reads(&["alice to bob: one/two"]).await;
    bob.reads(&["alice to bob: one/two"]).await;
    alice.does([private("Alice", Manner::Plain, &["me"])]).await;
    alice.reads(&["alice to alice: me", "alice to alice: me"]).await;
    let command = Command::Private { to: line("alice"), text: line("me") };
    alice.does([Input::Command(command)]).await;
    alice.reads(&["Yourself"]).await;
    // A notice is not answered, unless it was sent.
    let [lost, sent] = ["carol", "bob"].map(|to| private(to, Manner::Notice, &["psst"]));
    alice.does([lost, sent, private("carol", Manner::Plain, &["psst"])]).await;
    alice.reads(&["alice to bob: psst", "NobodyCalled(\"carol\")"]).await;
    bob.reads(&["alice to bob: psst"]).await;
}

#[tokio::test]
async fn mail_from_others_waits_until_the_welcome_is_written() {
    let mut house = House::new();
    let mut bob = house.person("bob").await;
    bob.does([enter("tea")]).await;
    bob.reads(&["+tea"]).await;
    let welcomes = [
        vec![],
        vec![Input::Refused(Refusal::NoSuchTime), people("tea"), Input::Refused(Refusal::NoSeat)],
    ];
    for (name, welcome) in ["alice", "carol"].into_iter().zip(welcomes) {
        let mut newcomer = house.newcomer();
        let mut door = Steps([come(name)].into(), Vec::new());
        let Ok(admitted) = newcomer.enter(&mut door).await else { panic!("{:?}", door.1) };
        // The newcomer is on the server, and the session has not begun.
        let invite = Query::Invite { to: line(name), room: room("tea") };
        let invite = Input::Ask(Box::new(invite.into()));
        bob.does([private(name, Manner::Plain, &["psst"]), invite]).await;
        bob.reads(&[&format!("bob to {name}: psst")]).await;
        assert!(bob.line().await.starts_with("Invited"));
        let is_long = !welcome.is_empty();
        let mut newcomer = house.session_with(newcomer, admitted, welcome);
        newcomer.reads(&[&format!("you are {name}")]).await;
        if is_long {
            newcomer.reads(&["NoSuchTime", r#"people of tea: ["bob"]"#, "NoSeat"]).await;
        }
        newcomer.reads(&[&format!("bob to {name}: psst")]).await;
        assert!(newcomer.line().await.starts_with("Notice(Invited"));
    }
}

#[tokio::test]
async fn a_message_for_an_absent_owner_is_kept_unless_it_is_for_programs() {
    let mut house = House::with_accounts();
    let mut alice = house.person("alice").await;
    alice.does([register("correct horse"), Input::Command(Command::Quit(None))]).await;
    alice.reads(&["Registered(\"alice\")", "over"]).await;
    let mut bob = house.person("bob").await;
    bob.does([private("alice", Manner::Notice, &["psst"])]).await; // kept, and not answered
    let lines = vec![Spoken::new(Manner::Plain, line("VERSION"))];
    let for_programs = Input::Private { to: line("alice"), lines, is_for_programs: true };
    bob.does([private("alice", Manner::Action, &["waves", ""]), for_programs]).await;
    bob.reads(&["KeptFor(\"alice\")", "Away(\"alice\")"]).await;
}

#[tokio::test]
async fn a_client_logs_in_before_it_enters_and_has_the_account_also_under_another_name() {
    let mut house = House::with_accounts();
    let mut alice = house.person("alice").await;
    alice.does([register("correct horse"), Input::Command(Command::Quit(None))]).await;
    alice.reads(&["Registered(\"alice\")", "over"]).await;

    let log_in = |name, password| {
        let (account, password) = (line(name), line(password));
        Step::LogIn { account, password }
    };
    let steps = [
        come("alice"),
        log_in("alice", "wrong horse"),
        log_in("ALICE", "correct horse"),
        log_in("alice", "wrong horse"), // the proof stays
        come("b b"),
        come("alice"),
    ];
    let mut door = Steps(steps.into(), Vec::new());
    let mut newcomer = house.newcomer();
    let Ok(admitted) = newcomer.enter(&mut door).await else { panic!("{:?}", door.1) };
    let wrong = "Err(WrongPassword(\"alice\"))";
    assert_eq!(door.1[..4], ["Refused(NameOwned(\"alice\"))", wrong, "Ok(\"alice\")", wrong]);
    assert!(door.1[4].starts_with("Refused(Misread(Name("), "{:?}", door.1);
    let mut alice = house.session(newcomer, admitted);
    alice.reads(&["you are alice"]).await;

    let mut door = Steps([log_in("alice", "correct horse"), come("bob")].into(), Vec::new());
    let mut newcomer = house.newcomer();
    let Ok(admitted) = newcomer.enter(&mut door).await else { panic!("{:?}", door.1) };
    let mut bob = house.session(newcomer, admitted);
    bob.does([name("alice")]).await;
    bob.reads(&["you are bob", "you are alice"]).await;
}

#[tokio::test]
async fn the_doorway_says_after_how_many_steps_a_client_is_turned_away() {
    let house = House::new();
    let mut door = Steps((0..9).map(|_| come("b b")).collect(), Vec::new());
    let ended = house.newcomer().enter(&mut door).await;
    assert!(matches!(ended, Err(NotEntered::NoName)));
    assert_eq!(door.1.len(), Steps::STEPS_MAX);
}

#[tokio::test]
async fn everybody_has_the_profile_of_the_door_or_of_the_client() {
    let mut house = House::new();
    let mut bob = house.person("bob").await;
    bob.does([enter("tea")]).await;
    bob.reads(&["+tea"]).await;
    let mut door = Steps([come("alice")].into(), Vec::new());
    if let Some(Step::Enter(attempt)) = door.0.front_mut() {
        attempt.profile = Some(profile_at("client"));
    }
    let mut newcomer = house.newcomer();
    let Ok(admitted) = newcomer.enter(&mut door).await else { panic!("{:?}", door.1) };
    let mut alice = house.session(newcomer, admitted);
    alice.does([Input::WantRoster(true), enter("tea"), enter("den")]).await;
    alice.reads(&["you are alice", "+tea", "tea has bob@door", "tea has", "+den"]).await;
    bob.does([Input::WantRoster(true), enter("den")]).await;
    bob.reads(&["+den", "den has alice@client", "den has"]).await;
}
