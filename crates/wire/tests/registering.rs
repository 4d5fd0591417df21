//! An IRC client before its welcome: the lines that it sends, and the answers.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod irc_clients;

use parlor_core::link::Refusal;
use parlor_core::model::{Act, By, Deed, Name, NameError, Verb, WallTime, Whom};
use parlor_wire::irc::{IrcFrame, IrcFramer, Registration, RegistrationStep};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use irc_clients::server;

/// A client, and how its log-ins and arrivals end.
struct Client {
    registration: Registration,
    read: Vec<u8>,
}

impl Client {
    fn new(takes_passwords: bool) -> Client {
        Client { registration: Registration::new(server(), takes_passwords), read: Vec::new() }
    }

    /// Sends a line. Returns the answers, without the source of the server, and the step.
    fn sends(&mut self, line: &str) -> Vec<String> {
        let step = self.registration.hear(&IrcFrame::Line(line.into()), &mut self.read);
        let mut answers = self.reads();
        answers.extend(match step {
            RegistrationStep::None => None,
            RegistrationStep::LogIn { account, password } => {
                Some(format!("(log in {account} {password})"))
            }
            RegistrationStep::Enter { name, password, profile } => {
                let password = password.map(|password| format!(" {password}")).unwrap_or_default();
                let (user, host) = (profile.user(), profile.host());
                let realname = profile.realname().as_str();
                Some(format!("(enter {name}!{user}@{host} {realname:?}{password})"))
            }
            RegistrationStep::End => Some("(end)".to_owned()),
        });
        answers
    }

    fn reads(&mut self) -> Vec<String> {
        let read = String::from_utf8(std::mem::take(&mut self.read)).unwrap();
        let lines = read.split_terminator("\r\n");
        lines.map(|line| line.strip_prefix(":irc.local ").unwrap_or(line).to_owned()).collect()
    }

    fn is_refused(&mut self, refusal: &Refusal) -> (bool, Vec<String>) {
        let may_try_again = self.registration.refused(refusal, &mut self.read);
        (may_try_again, self.reads())
    }

    fn is_logged_in(&mut self, outcome: Result<&str, Refusal>) -> Vec<String> {
        let account = outcome.map(|account| Name::parse(account).unwrap());
        self.registration.logged_in(account.as_ref(), &mut self.read);
        self.reads()
    }

    /// Checks a conversation: what is sent, and the answers.
    #[track_caller]
    fn talks(&mut self, conversation: &[(&str, &[&str])]) {
        for (line, answers) in conversation {
            assert_eq!(self.sends(line), *answers, "{line}");
        }
    }
}

fn name(name: &str) -> Name {
    Name::parse(name).unwrap()
}

#[test]
fn a_client_registers_with_nick_and_user_in_any_order() {
    for lines in [
        ["NICK alice", "USER al 0 * :Alice A."],
        ["USER al 0 * :Alice A.", "NICK alice"],
        ["nick alice rest", "user ~al 8 x :Alice A."],
    ] {
        let mut client = Client::new(true);
        assert_eq!(client.sends(lines[0]), [""; 0]);
        assert_eq!(client.sends(lines[1]), ["(enter alice!al@irc \"Alice A.\")"]);
    }
}

#[test]
fn the_welcome_waits_for_the_end_of_the_negotiation() {
    let mut client = Client::new(true);
    client.talks(&[
        ("CAP REQ :setname  no-such-thing", &["CAP * NAK :setname  no-such-thing"]),
        ("CAP LIST", &["CAP * LIST :"]),
        ("CAP REQ :setname away-notify", &["CAP * ACK :setname away-notify"]),
        ("NICK alice", &[]),
        ("USER al 0 * Alice", &[]),
        ("CAP REQ :-setname", &["CAP * ACK :-setname"]),
        ("cap list", &["CAP * LIST :away-notify"]),
        ("CAP nonsense", &["410 * nonsense :Invalid CAP command"]),
        ("CAP", &["461 * CAP :Not enough parameters"]),
        ("CAP END", &["(enter alice!al@irc \"Alice\")"]),
    ]);
    let mut client = Client::new(true);
    client.talks(&[("CAP LIST", &["CAP * LIST :"]), ("NICK alice", &[])]);
    assert_eq!(client.sends("USER al 0 * Alice"), ["(enter alice!al@irc \"Alice\")"]);
}

#[test]
fn log_ins_are_offered_only_where_passwords_are_accepted() {
    for takes_passwords in [true, false] {
        let mut client = Client::new(takes_passwords);
        let lines = client.sends("CAP LS 302");
        assert!(lines.iter().all(|line| line.len() <= 510 - ":irc.local ".len()));
        let (last, before) = lines.split_last().unwrap();
        assert!(before.iter().all(|line| line.starts_with("CAP * LS * :")), "{lines:?}");
        assert!(last.starts_with("CAP * LS :"), "{last}");
        let all = lines.concat();
        assert_eq!(all.contains("sasl=PLAIN"), takes_passwords);
        assert_eq!(all.contains("draft/account-registration"), takes_passwords);
        assert!(all.contains("server-time"));
        let answer = if takes_passwords { "CAP * ACK :sasl" } else { "CAP * NAK :sasl" };
        assert_eq!(client.sends("CAP REQ sasl"), [answer]);
        let first = client.sends("AUTHENTICATE PLAIN").remove(0);
        assert_eq!(first.starts_with("904 * :Passwords are accepted only"), !takes_passwords);
        let pass = client.sends("PASS secret");
        assert_eq!(pass.is_empty(), takes_passwords, "{pass:?}");
        assert_eq!(client.sends("CAP LS").len(), 1, "an older client reads one line");
    }
}

#[test]
fn a_nick_that_is_no_name_is_refused_with_the_rule() {
    let mut client = Client::new(true);
    client.talks(&[
        ("USER u 0 * :U", &[]),
        ("NICK", &["431 * :No nickname given"]),
        ("NICK :", &["431 * :No nickname given"]),
        ("NICK []", &["432 * [] :A name needs at least one character"]),
        (
            "NICK a!b",
            &["432 * a!b :A name can contain only letters, digits, -, _ and .; leave out !"],
        ),
        ("NICK :a b", &["432 * a_b :A name is one word; write - or _ instead of a blank"]),
        ("NICK __[al]ice|", &["(enter alice!u@irc \"U\")"]),
    ]);
}

#[test]
fn a_reserved_nick_is_asked_for_as_it_may_have_an_owner() {
    let mut client = Client::new(true);
    client.talks(&[("USER u 0 * :U", &[]), ("NICK [Global]", &["(enter Global!u@irc \"U\")"])]);
    let (may_try_again, answers) =
        client.is_refused(&Refusal::from(Name::parse("Global").unwrap_err()));
    assert!(may_try_again);
    assert_eq!(answers, ["432 * [Global] :global is reserved; choose another name"]);
}

#[test]
fn a_taken_nick_is_refused_and_another_one_is_tried() {
    let mut client = Client::new(true);
    client.talks(&[("USER u 0 * :U", &[]), ("NICK [Alice]", &["(enter Alice!u@irc \"U\")"])]);
    let (may_try_again, answers) = client.is_refused(&Refusal::NameTaken(name("alice")));
    assert!(may_try_again);
    let taken =
        "433 * [Alice] :alice is taken, or looks like a name that is taken; choose another name";
    assert_eq!(answers, [taken]);
    client.talks(&[("PING x", &["PONG irc.local x"]), ("NICK bob", &["(enter bob!u@irc \"U\")"])]);
    let (may_try_again, answers) = client.is_refused(&Refusal::NameOwned(name("bob")));
    assert!(may_try_again && answers[0].starts_with("NOTICE * :If it is yours, log in with SASL"));
    assert_eq!(answers[1], "433 * bob :bob is registered; choose another name");
}

#[test]
fn a_client_that_may_not_come_in_at_all_reads_why_at_the_end() {
    let deed = Deed::to(Verb::Ban, Whom::parse("192.0.2.0/24").unwrap());
    let ban = Refusal::Banned(Act::by(By::Operator, deed, WallTime(0)).into());
    for (refusal, answers) in [
        (
            ban,
            &[
                "465 * :You are banned by the operator",
                "ERROR :Closing Link: You are banned by the operator",
            ][..],
        ),
        (
            Refusal::OutOfTouch,
            &[
                "ERROR :Closing Link: No contact with the other nodes; use another one, or try again in 10 s",
            ],
        ),
    ] {
        let mut client = Client::new(true);
        client.talks(&[("USER u 0 * :U", &[]), ("NICK al", &["(enter al!u@irc \"U\")"])]);
        assert_eq!(
            client.is_refused(&refusal),
            (false, answers.iter().map(|line| (*line).to_owned()).collect())
        );
    }
}

#[test]
fn passwords_belong_to_the_nick_or_to_an_account() {
    let mut client = Client::new(true);
    client.talks(&[
        ("PASS", &["461 * PASS :Not enough parameters"]),
        ("PASS :my secret", &[]),
        ("NICK alice", &[]),
        ("USER al 0 * A", &["(enter alice!al@irc \"A\" my secret)"]),
    ]);
    let (may_try_again, answers) = client.is_refused(&Refusal::WrongPassword(name("alice")));
    assert!(may_try_again);
    assert_eq!(
        answers,
        [
            "464 * :That is not the password of alice",
            "433 * alice :That is not the password of alice",
        ]
    );
    client.talks(&[("NICK alice_", &["(enter alice_!al@irc \"A\")"])]);

    let mut client = Client::new(true);
    client.talks(&[("PASS alice:s:1", &["(log in alice s:1)"])]);
    assert_eq!(
        client.is_logged_in(Err(Refusal::WrongPassword(name("alice")))),
        ["464 * :That is not the password of alice",]
    );
    client.talks(&[("PASS alice:s:2", &["(log in alice s:2)"])]);
    assert_eq!(
        client.is_logged_in(Ok("Alice")),
        ["900 * *!*@irc Alice :You are now logged in as Alice",]
    );
}

#[test]
fn a_client_logs_in_with_sasl() {
    let mut client = Client::new(true);
    client.talks(&[
        ("AUTHENTICATE", &["461 * AUTHENTICATE :Not enough parameters"]),
        (
            "AUTHENTICATE SCRAM-SHA-256",
            &[
                "908 * PLAIN :are available SASL mechanisms",
                "904 * :SASL authentication failed: there is no such mechanism",
            ],
        ),
        ("AUTHENTICATE *", &["906 * :SASL authentication aborted"]),
        ("AUTHENTICATE PLAIN", &["AUTHENTICATE +"]),
        ("AUTHENTICATE *", &["906 * :SASL authentication aborted"]),
        ("AUTHENTICATE plain", &["AUTHENTICATE +"]),
        ("AUTHENTICATE !!!", &["904 * :SASL authentication failed: this is no response of PLAIN"]),
        ("AUTHENTICATE PLAIN", &["AUTHENTICATE +"]),
        ("NICK foo", &[]),
        ("AUTHENTICATE amlsbGVzAGppbGxlcwBzZXNhbWU=", &["(log in jilles sesame)"]),
    ]);
    assert_eq!(
        client.is_logged_in(Err(Refusal::Busy)),
        ["904 * :The server is checking too many passwords; try again in a moment",]
    );
    client.talks(&[
        ("AUTHENTICATE PLAIN", &["AUTHENTICATE +"]),
        ("AUTHENTICATE AGppbGxlcwBzZXNhbWU=", &["(log in jilles sesame)"]),
    ]);
    assert_eq!(
        client.is_logged_in(Ok("jilles")),
        [
            "900 * foo!*@irc jilles :You are now logged in as jilles",
            "903 * :SASL authentication successful",
        ]
    );
    client.talks(&[
        ("AUTHENTICATE PLAIN", &["AUTHENTICATE +"]),
        ("USER f 0 * F", &["906 * :SASL authentication aborted", "(enter foo!f@irc \"F\")"]),
    ]);
}

#[test]
fn a_log_in_that_is_too_long_fails() {
    let mut client = Client::new(true);
    let piece = format!("AUTHENTICATE {}", "YWFh".repeat(100));
    client.talks(&[
        ("AUTHENTICATE PLAIN", &["AUTHENTICATE +"]),
        (&format!("{piece}YWFh"), &["905 * :SASL message too long"]),
        ("AUTHENTICATE PLAIN", &["AUTHENTICATE +"]),
        (&piece, &[]),
        (&piece, &[]),
        (&piece, &[]),
        (&piece, &[]),
        (&piece, &["904 * :SASL authentication failed: this is no response of PLAIN"]),
    ]);
}

#[test]
fn other_commands_come_too_early() {
    let mut client = Client::new(true);
    client.talks(&[
        ("JOIN :", &["451 * JOIN :You have not registered"]),
        ("privmsg #lobby :hello", &["451 * PRIVMSG :You have not registered"]),
        ("@label=x :al WHO", &["451 * WHO :You have not registered"]),
        ("REGISTER * * secret", &[
            "FAIL REGISTER COMPLETE_CONNECTION_REQUIRED * :First finish registering the connection",
        ]),
        ("USER", &["461 * USER :Not enough parameters"]),
        ("USER al 0 *", &["461 * USER :Not enough parameters"]),
        ("USER al 0 * :", &["461 * USER :Not enough parameters"]),
        ("PING", &["461 * PING :Not enough parameters"]),
        ("PING :a b", &["PONG irc.local :a b"]),
        ("PONG x", &[]),
        (":al", &[]),
        ("QUIT :no thanks", &["ERROR :Closing Link: Quit", "(end)"]),
    ]);
}

#[test]
fn clients_of_other_protocols_read_what_this_port_speaks() {
    for line in ["GET / HTTP/1.1", "POST / HTTP/1.1", "SSH-2.0-OpenSSH_9.6", "Host: localhost"] {
        assert_eq!(
            Client::new(true).sends(line),
            ["ERROR :This port speaks IRC", "(end)"],
            "{line}"
        );
    }
    let mut client = Client::new(true);
    assert!(client.registration.hear_unfinished(b"NICK alice", &mut client.read).is_none());
    assert!(client.registration.hear_unfinished(b"\x16\x03\x01", &mut client.read).is_some());
    assert_eq!(client.reads(), ["ERROR :This port speaks IRC"]);
}

#[test]
fn bad_lines_are_refused() {
    let mut client = Client::new(true);
    client.registration.hear(&IrcFrame::TooLong, &mut client.read);
    client
        .registration
        .hear(&IrcFrame::InvalidUtf8(b"NICK \xff".as_slice().into()), &mut client.read);
    assert_eq!(
        client.reads(),
        [
            "417 * :Input line was too long",
            "FAIL * INVALID_UTF8 :Message rejected: it is not UTF-8",
        ]
    );
}

proptest! {
    #[test]
    fn any_lines_are_answered_in_safe_lines(takes_passwords: bool, lines in vec(prop_oneof![
        select(vec![
            "CAP LS 302", "CAP REQ :sasl server-time", "CAP END", "NICK alice", "NICK [x]", "PASS a:b",
            "USER a b c :d", "AUTHENTICATE PLAIN", "AUTHENTICATE AGppbGxlcwBzZXNhbWU=", "AUTHENTICATE +", "QUIT",
        ]).prop_map(|line| line.as_bytes().to_vec()),
        "(CAP|NICK|USER|PASS|AUTHENTICATE|PING|X) [ -~]{0,30}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..600),
    ], 0..20)) {
        let mut client = Client::new(takes_passwords);
        let mut framer = IrcFramer::default();
        let bytes = lines.join(&b'\n');
        let mut rest = bytes.as_slice();
        while let Some(frame) = framer.next(&mut rest) {
            let step = client.registration.hear(&frame, &mut client.read);
            match step {
                RegistrationStep::End => break,
                RegistrationStep::Enter { name, .. } => {
                    client.registration.refused(&Refusal::NameTaken(name), &mut client.read);
                }
                RegistrationStep::LogIn { .. } => {
                    let error = NameError::Empty;
                    client.registration.logged_in(Err(&error.into()), &mut client.read);
                }
                RegistrationStep::None => {}
            }
        }
        let read = String::from_utf8(std::mem::take(&mut client.read)).unwrap();
        read.split_terminator("\r\n").for_each(irc_clients::check);
    }
}
