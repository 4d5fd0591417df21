//! `parlor join` in a terminal, as a person sees it in tmux.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::DEADLINE;
use crate::data::{Data, STORED, enter};
use crate::fake::{self, Fake};
use crate::guest::Guest;
use crate::owners::{PASSWORD, come_back, register};
use crate::server::{Server, parlor};

/// A terminal of a separate tmux server, 60 columns wide, which runs one command. Dropping it ends
/// both.
pub(crate) struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// Runs `parlor join`, then shows its exit code and whether the terminal is restored.
    pub(crate) fn join(address: &str, environment: &str, more: &str) -> Self {
        Self::run(environment, &format!("join {address} {more}"))
    }

    /// Runs `parlor` with these words, and then shows the same.
    fn run(environment: &str, words: &str) -> Self {
        let terminal = Self { folder: TempDir::new().unwrap() };
        let script = terminal.folder.path().join("run.sh");
        let run = format!(
            "{environment} sh -c 'echo $$ > {:?}; exec {:?} {words}'",
            terminal.pid_file(),
            env!("CARGO_BIN_EXE_parlor"),
        );
        let check = "test \"$before\" = \"$(stty -g)\" && echo restored";
        fs::write(
            &script,
            format!("before=$(stty -g)\n{run}\necho \"ended with $?\"\n{check}\ncat\n"),
        )
        .unwrap();
        let script = script.display().to_string();
        terminal.tmux(&["new-session", "-d", "-x", "60", "-y", "20", "sh", &script]);
        terminal
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    /// Signals the client to end, stop or continue, as systems and shells do.
    fn signal(&self, signal: Signal) {
        let pid = fs::read_to_string(self.pid_file()).unwrap();
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let socket = self.folder.path().join("tmux");
        let mut command = Command::new("tmux");
        command.arg("-S").arg(socket).args(["-u", "-f", "/dev/null"]).args(arguments);
        command.env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR").env_remove("TMUX");
        command.output().expect("tmux is installed")
    }

    /// Types text, letter by letter.
    pub(crate) fn typed(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// Presses a key, by the name that tmux gives it.
    pub(crate) fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    pub(crate) fn screen(&self, options: &[&str]) -> String {
        let output = self.tmux(&[&["capture-pane", "-p"], options].concat());
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until `wanted` holds for the lines on the screen without their times. Returns the
    /// screen.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&[&str]) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen(&[]);
            if wanted(&screen.lines().map(untimed).collect::<Vec<_>>()) {
                return screen;
            }
            assert!(start.elapsed() < DEADLINE, "waited for {what}, saw:\n{screen}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn shows(&self, line: &str) -> String {
        self.until(line, |lines| lines.contains(&line))
    }

    /// Waits for `line` in the prompt row, with nothing below it.
    pub(crate) fn prompts(&self, line: &str) {
        self.until(line, |lines| lines.iter().rev().find(|row| !row.is_empty()) == Some(&line));
    }

    pub(crate) fn ends_well(&self) {
        self.shows("ended with 0");
        self.shows("restored");
    }
}

/// The line without `[12:01] ` in front.
fn untimed(line: &str) -> &str {
    match line.split_at_checked("[12:01] ".len()) {
        Some((time, said)) if time.starts_with('[') && time.ends_with("] ") => said,
        _ => line,
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Greets as named mode does, and enters the guest under the name it gives.
fn welcome(fake: &Fake, roster: &str) -> fake::Guest {
    let mut guest = fake.accept();
    guest.say("You are 127.0.0.1:64208");
    guest.say("What is your name? (Enter to stay 127.0.0.1:64208)");
    let name = guest.heard();
    guest.say(&format!("You are {name}"));
    guest.say(&format!("In lobby: {roster}"));
    guest
}

fn joined_fake(roster: &str) -> (Fake, fake::Guest, Terminal) {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake.address(), "", "--name alice");
    let guest = welcome(&fake, roster);
    terminal.shows(&format!("In lobby: {roster}"));
    (fake, guest, terminal)
}

/// Alice at a terminal, in a room with bob, who has a socket.
fn joined(environment: &str, more: &str) -> (Server, Guest, Terminal) {
    let server = Server::open(&["--rate", "off"]);
    let mut bob = Guest::enter(server.address, "bob");
    let options = format!("--name alice {more}");
    let terminal = Terminal::join(&server.address.to_string(), environment, &options);
    terminal.shows("In lobby: bob");
    bob.until("alice has arrived");
    (server, bob, terminal)
}

#[test]
fn a_person_at_a_terminal_and_one_with_a_socket_chat() {
    let (server, mut bob, terminal) = joined("", "");
    bob.say("hello alice");
    terminal.shows("bob: hello alice");
    terminal.typed("Hi!");
    terminal.press("Enter");
    assert_eq!(bob.until("alice: Hi!"), ["bob: hello alice", "alice: Hi!"]);
    terminal.until("one echo and an empty prompt", |lines| {
        lines.iter().filter(|line| line.contains("Hi!")).count() == 1
            && lines.contains(&"alice: Hi!")
            && lines.contains(&">")
    });
    terminal.typed("/quit");
    terminal.press("Enter");
    assert_eq!(bob.line(), "alice has left");
    terminal.ends_well();
    server.close(bob);
}

#[test]
fn arriving_lines_do_not_disturb_a_draft() {
    let (server, mut bob, terminal) = joined("", "");
    terminal.typed("half a thou");
    terminal.prompts("> half a thou");
    for n in 0..30 {
        bob.say(&format!("{n} {}", "and on ".repeat(n)));
    }
    terminal
        .until("the last of them", |lines| lines.iter().any(|line| line.starts_with("bob: 29")));
    terminal.prompts("> half a thou");
    terminal.typed("ght");
    terminal.press("Enter");
    bob.until("alice: half a thought");
    terminal.prompts(">");
    server.close(bob);
}

#[test]
fn tab_completes_names_and_commands() {
    let (server, mut bob, terminal) = joined("", "");
    let mut carol = Guest::enter(server.address, "carol");
    terminal.shows("carol has arrived");
    terminal.typed("hello ca");
    terminal.press("Tab");
    terminal.prompts("> hello carol");
    terminal.typed("and bo");
    terminal.press("Tab");
    terminal.press("Enter");
    bob.lines_until("both names", |line| line.trim_end() == "alice: hello carol and bob");
    terminal.typed("/top");
    terminal.press("Tab");
    terminal.typed("tea");
    terminal.press("Enter");
    carol.until("alice changed the topic to: tea");
    terminal.press("Up");
    terminal.press("Up");
    terminal.prompts("> hello carol and bob");
    server.close((bob, carol));
}

#[test]
fn the_keys_of_a_terminal_move_and_erase() {
    let (server, mut bob, terminal) = joined("", "");
    terminal.typed("one two three");
    for key in
        ["Home", "DC", "C-Right", "M-BSpace", "DC", "End", "M-b", "C-Left", "é", "M-f", "C-h"]
    {
        terminal.press(key);
    }
    terminal.prompts("> étw three");
    terminal.press("F1");
    terminal.press("PPage");
    terminal.press("BTab");
    terminal.typed("o");
    terminal.press("Enter");
    bob.until("alice: étwo three");
    server.close(bob);
}

#[test]
fn escape_ends_a_search_and_the_next_key_is_typed() {
    let (server, mut bob, terminal) = joined("", "");
    terminal.typed("tea at one");
    terminal.press("Enter");
    bob.until("alice: tea at one");
    terminal.press("C-r");
    terminal.typed("tea");
    terminal.prompts("> (search \"tea\") tea at one");
    terminal.press("Escape");
    terminal.prompts(">");
    terminal.typed("hello");
    terminal.press("Enter");
    bob.until("alice: hello");
    server.close(bob);
}

#[test]
fn a_client_whose_terminal_is_closed_leaves() {
    let (server, mut bob, terminal) = joined("", "");
    drop(terminal);
    assert_eq!(bob.line(), "alice has left");
    server.close(bob);
}

#[test]
fn a_new_password_is_not_shown_while_the_operator_types_it() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let folder = format!("PARLOR_DATA={:?}", data.directory());
    let terminal = Terminal::run(&folder, "admin name password alice");
    for asked in ["New password for alice:", "The same again:"] {
        terminal.prompts(asked);
        terminal.typed("wrong");
        terminal.press("C-u");
        terminal.typed("another hörsee");
        terminal.press("BSpace");
        terminal.press("Enter");
    }
    terminal.ends_well();
    assert!(!terminal.screen(&[]).contains("another"), "{}", terminal.screen(&[]));
    let again = come_back(&server, "another hörse");
    let terminal = Terminal::run(&folder, "admin name password alice");
    terminal.prompts("New password for alice:");
    terminal.press("C-c");
    terminal.shows("parlor: cancelled; nothing is changed");
    terminal.shows("ended with 1");
    terminal.shows("restored");
    server.close(again);
}

#[test]
fn wide_characters_stay_in_place() {
    let (server, mut bob, terminal) = joined("", "");
    terminal.typed("日本語😀x");
    terminal.prompts("> 日本語😀x");
    terminal.press("Left");
    terminal.press("BSpace");
    terminal.press("Left");
    terminal.typed("の");
    terminal.prompts("> 日本の語x");
    terminal.until("the cursor after の", |_| {
        terminal.tmux(&["display", "-p", "#{cursor_x}"]).stdout == b"8\n"
    });
    terminal.press("Enter");
    bob.until("alice: 日本の語x");
    server.close(bob);
}

#[test]
fn names_have_colours_unless_no_color_is_set() {
    let (_server, mut bob, terminal) = joined("", "");
    bob.say("hi");
    terminal.shows("bob: hi");
    assert!(terminal.screen(&["-e"]).contains("\x1b[38;5;"));

    let (_server, mut bob, plain) = joined("NO_COLOR=1", "");
    bob.say("hi");
    plain.shows("bob: hi");
    assert!(!plain.screen(&["-e"]).contains('\x1b'));
}

#[test]
fn hostile_bytes_are_shown_and_do_not_control_the_terminal() {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake.address(), "NO_COLOR=1", "--name alice");
    let mut guest = welcome(&fake, "bob");
    guest.send(b"bob: \x1b[31mred\x1b[2J\x1b]0;owned\x07\xff\xfb\x01\x9b5A\x0e\x08\r| end\n");
    terminal.until("the line as text", |lines| {
        lines.iter().any(|line| {
            line.starts_with("bob: ") && line.contains("[31mred") && line.ends_with("| end")
        })
    });
    terminal.shows("In lobby: bob");
    assert!(!terminal.screen(&["-e"]).contains('\x1b'), "no colour has come from the server");
    assert_ne!(terminal.tmux(&["display", "-p", "#{pane_title}"]).stdout, b"owned\n");
    assert_eq!(terminal.tmux(&["display", "-p", "#{window_bell_flag}"]).stdout, b"0\n");
}

#[test]
fn a_server_cannot_control_the_terminal_of_a_client_with_a_pipe() {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake.address(), "printf 'hello\\n' |", "--name bot");
    let mut guest = welcome(&fake, "bob");
    assert_eq!(guest.heard(), "hello");
    guest.send(b"bob: \x1b[31mred\x1b[2J| end");
    guest.close();
    terminal.ends_well();
    terminal.until("the line as text", |lines| {
        lines.iter().any(|line| line.starts_with("bob: ") && line.ends_with("| end"))
    });
    assert!(!terminal.screen(&["-e"]).contains('\x1b'));
}

#[test]
fn a_server_cannot_control_the_terminal_of_a_nameless_client_with_a_pipe() {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake.address(), "printf x |", "");
    let mut guest = fake.accept();
    assert_eq!(guest.heard_to_the_end(), b"x");
    guest.send(b"You are \x1b]0;owned\x07\nbob: \x1b[31mred\x1b[2J| end\npart\x1b[32mly");
    guest.close();
    terminal.ends_well();
    for wanted in ["| end", "[32mly"] {
        terminal.until(wanted, |lines| lines.iter().any(|it| it.ends_with(wanted)));
    }
    assert!(!terminal.screen(&["-e"]).contains('\x1b'));
}

#[test]
fn the_bell_rings_when_the_users_name_is_said() {
    let (_server, mut bob, terminal) = joined("", "--bell");
    bob.say("hi Alice!");
    terminal.shows("bob: hi Alice!");
    terminal.until("a bell", |_| {
        terminal.tmux(&["display", "-p", "#{window_bell_flag}"]).stdout == b"1\n"
    });
}

#[test]
fn the_client_rejoins_a_restarted_server_under_the_same_name() {
    let (server, mut bob, terminal) = joined("", "");
    terminal.typed("/name al");
    terminal.press("Enter");
    bob.until("alice is now known as al");
    terminal.typed("still here");
    let url = format!("tcp://{}", server.address);
    server.close(bob);
    terminal.shows("-- The server is going down");
    terminal.shows("-- Connection lost; reconnecting in 1 s");
    terminal.prompts("> still here");
    let again = Server::run(parlor(), &["--listen", &url]);
    let screen = terminal.shows("-- Connected again");
    assert_eq!(screen.matches("What is your name?").count(), 1, "{screen}");
    assert_eq!(screen.matches("-- /help").count(), 1, "{screen}");
    let mut bob = Guest::enter(again.address, "bob");
    terminal.press("Enter");
    assert_eq!(bob.until("al: still here"), ["al: still here"]);
    again.close(bob);
}

#[test]
fn a_lost_connection_is_retried_with_growing_pauses() {
    let (fake, mut guest, terminal) = joined_fake("bob");
    terminal.typed("still here");
    guest.close();
    terminal.shows("-- Connection lost; reconnecting in 1 s");
    terminal.prompts("> still here");
    fake.accept().reset();
    terminal.shows("-- Connection lost; reconnecting in 2 s");
    let mut again = welcome(&fake, "carol");
    terminal.shows("You are alice");
    terminal.press("Enter");
    assert_eq!(again.heard(), "still here");
}

#[test]
fn the_client_returns_to_its_room_before_it_sends_a_line() {
    let (fake, mut guest, terminal) = joined_fake("bob");
    terminal.typed("/join tea");
    terminal.press("Enter");
    assert_eq!(guest.heard(), "/join tea");
    guest.say("In tea: carol");
    terminal.shows("In tea: carol");
    guest.close();
    let mut again = fake.accept();
    again.say("You are 127.0.0.1:64208");
    again.say("What is your name? (Enter to stay 127.0.0.1:64208)");
    assert_eq!(again.heard(), "alice");
    terminal.typed("for tea only");
    terminal.press("Enter");
    terminal.prompts(">");
    again.say("You are alice");
    again.say("In lobby: bob");
    assert_eq!(again.heard(), "/join tea");
    assert_eq!(again.heard(), "for tea only");
    again.say("-- There is 1 room, the most allowed here");
    terminal.shows("-- There is 1 room, the most allowed here");
}

#[test]
fn the_client_returns_to_the_same_room_after_a_restart() {
    let (server, bob, terminal) = joined("", "");
    terminal.typed("/join tea");
    terminal.press("Enter");
    terminal.shows("In tea: nobody else");
    let url = format!("tcp://{}", server.address);
    server.close(bob);
    let again = Server::run(parlor(), &["--listen", &url]);
    terminal.until("the same room a second time", |lines| {
        let tea = lines.iter().filter(|line| **line == "In tea: nobody else");
        tea.count() == 2
    });
    again.close(());
}

#[test]
fn the_client_resumes_with_its_code_after_a_restart_where_lines_are_stored() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    let terminal = Terminal::join(&server.address.to_string(), "", "--name alice");
    terminal.shows(STORED);
    bob.until("alice has arrived");
    let url = format!("tcp://{}", server.address);
    bob.say("the last one");
    terminal.shows("bob: the last one");
    server.close(bob);
    let again = Server::run(data.parlor(), &["--listen", &url]);
    terminal.until("the welcome", |lines| {
        lines.iter().any(|line| line.starts_with("-- Welcome back, alice: "))
    });
    terminal.until("the line again, and no word of a code", |lines| {
        let said = |line: &&&str| **line == "bob: the last one";
        assert!(!lines.iter().any(|line| line.contains("code")), "{lines:?}");
        lines.iter().filter(said).count() == 1
    });
    let mut bob = enter(&again, "bob");
    terminal.typed("here again");
    terminal.press("Enter");
    bob.until("alice: here again");
    again.close(bob);
}

#[test]
fn a_password_is_not_shown_while_it_is_typed() {
    let data = Data::new();
    let server = data.open(&[]);
    let terminal = Terminal::join(&server.address.to_string(), "", "--name alice");
    terminal.shows(STORED);
    terminal.typed("/register");
    terminal.press("Enter");
    for asked in ["-- Type a password for alice", "-- Type the password again"] {
        terminal.until(asked, |lines| lines.iter().any(|line| line.starts_with(asked)));
        terminal.typed("correct horse");
        terminal.press("Enter");
    }
    terminal.until("the name, and no word of the password", |lines| {
        assert!(!lines.iter().any(|line| line.contains("horse")), "{lines:?}");
        lines.iter().any(|line| line.starts_with("-- alice is registered"))
    });
    server.close(());
}

#[test]
fn a_line_typed_before_the_question_is_not_taken_for_a_name() {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake.address(), "", "--name alice");
    let mut guest = fake.accept();
    guest.say("You are 127.0.0.1:64208");
    terminal.shows("You are 127.0.0.1:64208");
    terminal.typed("hello");
    terminal.press("Enter");
    terminal.prompts(">");
    guest.say("What is your name? (Enter to stay 127.0.0.1:64208)");
    assert_eq!((guest.heard(), guest.heard()), ("alice".to_owned(), "hello".to_owned()));
}

#[test]
fn a_client_closed_for_silence_reconnects_only_on_enter() {
    let server = Server::run(parlor(), &["--listen", "tcp://127.0.0.1:0?idle=5s"]);
    let terminal = Terminal::join(&server.address.to_string(), "", "--name alice");
    terminal.shows("In lobby: nobody else");
    terminal.shows("-- Connection closed; press Enter to reconnect");
    terminal.press("Enter");
    terminal.shows("-- Connected again");
    server.close(());
}

#[test]
fn control_d_control_c_and_quit_restore_the_terminal() {
    let (server, mut bob, terminal) = joined("", "");
    terminal.press("C-d");
    assert_eq!(bob.line(), "alice has left");
    terminal.ends_well();

    for keys in [&["C-c"][..], &["half a thou", "C-c", "C-c"], &["/quit good night", "Enter"]] {
        let address = server.address.to_string();
        let terminal = Terminal::join(&address, "", "--name alice");
        bob.until("alice has arrived");
        terminal.shows("In lobby: bob");
        keys.iter().for_each(|key| terminal.press(key));
        bob.lines_until("her departure", |line| line.starts_with("alice has left"));
        terminal.ends_well();
    }
    server.close(bob);
}

#[test]
fn lines_after_control_d_are_still_shown() {
    let (_fake, mut guest, terminal) = joined_fake("bob");
    terminal.press("C-d");
    assert_eq!(guest.heard_to_the_end(), b"");
    guest.say("bob: bye");
    guest.close();
    terminal.ends_well();
    terminal.shows("bob: bye");
}

#[test]
fn a_client_ended_by_a_signal_restores_the_terminal() {
    let (server, mut bob, terminal) = joined("", "");
    terminal.signal(Signal::TERM);
    assert_eq!(bob.line(), "alice has left");
    terminal.ends_well();
    server.close(bob);
}

#[test]
fn a_client_without_a_connection_can_quit() {
    for keys in [&["C-c"][..], &["/quit", "Enter"]] {
        let (server, bob, terminal) = joined("", "");
        server.close(bob);
        terminal.shows("-- Connection lost; reconnecting in 2 s");
        keys.iter().for_each(|key| terminal.press(key));
        terminal.ends_well();
    }
}

#[test]
fn pasted_commands_are_said_and_not_executed() {
    let (server, mut bob, terminal) = joined("", "");
    let lines = ["// a comment", "/* another */", "/usr/bin/env not found", "/quit"];
    let pasted = lines.join("\n") + "\n";
    terminal.tmux(&["set-buffer", "-b", "lines", &pasted]);
    terminal.tmux(&["paste-buffer", "-p", "-b", "lines"]);
    for line in lines {
        assert_eq!(bob.line(), format!("alice: {line}"));
    }
    terminal.prompts(">");
    server.close(bob);
}

#[test]
fn a_client_does_not_take_a_resumed_seat_back() {
    let data = Data::new();
    let server = data.open(&[]);
    let terminal = Terminal::join(&server.address.to_string(), "", "--name alice");
    terminal.shows(STORED);
    terminal.typed("/code");
    terminal.press("Enter");
    const CODE: &str = "-- Your return code is ";
    let screen = terminal.until(CODE, |lines| lines.iter().any(|it| it.starts_with(CODE)));
    let (_, code) = screen.split_once(CODE).unwrap();
    let code = code.split(':').next().unwrap();
    let mut elsewhere = Guest::connect(server.address);
    elsewhere.say(&format!("/resume {code}"));
    elsewhere.until("You are alice");
    terminal.shows("-- Connection closed; press Enter to reconnect");
    elsewhere.say("still here");
    elsewhere.until("alice: still here");
    server.close(elsewhere);
}

#[test]
fn mentions_speech_and_server_lines_look_different() {
    let (server, mut bob, terminal) = joined("", "");
    bob.say("hi alice");
    bob.say("hi all");
    terminal.shows("bob: hi all");
    terminal.typed("/last x");
    terminal.press("Enter");
    terminal.until("an answer", |lines| lines.iter().any(|it| it.starts_with("-- Type")));
    let screen = terminal.screen(&["-e"]);
    let row = |text: &str| screen.lines().rfind(|row| row.contains(text)).unwrap();
    // The terminal merges several codes into one.
    let looks = |text: &str, code: &str| {
        let row = row(text);
        let codes = [format!("[{code}m"), format!("[0;{code}m")];
        codes.iter().any(|code| row.contains(code))
    };
    assert!(looks("hi alice", "7") && !looks("hi all", "7"));
    assert!(looks("-- Type", "2") && !looks("hi all", "1"));
    server.close(bob);
}

#[test]
fn long_lines_break_between_words() {
    let (server, mut bob, terminal) = joined("NO_COLOR=1", "");
    bob.say(&"incomprehensibility ".repeat(5));
    terminal.until("whole words", |lines| {
        let words: Vec<_> = lines.iter().flat_map(|line| line.split(' ')).collect();
        words.iter().filter(|word| **word == "incomprehensibility").count() == 5
    });
    server.close(bob);
}

#[test]
fn control_l_clears_control_r_searches_and_control_y_restores() {
    let (server, mut bob, terminal) = joined("", "");
    bob.say("hello");
    terminal.shows("bob: hello");
    terminal.typed("half a thou");
    terminal.press("C-l");
    terminal.until("nothing but the prompt", |lines| {
        lines.iter().filter(|line| !line.is_empty()).count() == 1
            && lines.first() == Some(&"> half a thou")
    });
    terminal.press("C-u");
    terminal.press("C-y");
    terminal.prompts("> half a thou");
    terminal.press("Enter");
    bob.until("alice: half a thou");
    terminal.press("C-r");
    terminal.typed("alf");
    terminal.prompts("> (search \"alf\") half a thou");
    terminal.press("Enter");
    bob.until("alice: half a thou");
    server.close(bob);
}

#[test]
fn a_narrowed_terminal_keeps_one_prompt() {
    let (server, bob, terminal) = joined("", "");
    terminal.typed(&"draft ".repeat(9));
    terminal.prompts(format!("> {}", "draft ".repeat(9)).trim_end());
    terminal.tmux(&["resize-window", "-x", "30", "-y", "20"]);
    terminal.until("one row of the draft", |lines| {
        lines.iter().filter(|line| line.contains("draft draft")).count() == 1
    });
    server.close(bob);
}

#[test]
fn a_stopped_client_continues() {
    let (server, mut bob, terminal) = joined("", "");
    terminal.signal(Signal::STOP);
    let tty = terminal.tmux(&["display", "-p", "#{pane_tty}"]).stdout;
    let tty = String::from_utf8(tty).unwrap();
    let sane = Command::new("stty").args(["-F", tty.trim(), "sane"]).status();
    assert!(sane.unwrap().success());
    terminal.signal(Signal::CONT);
    terminal.until("single keys again", |_| {
        let modes = Command::new("stty").args(["-F", tty.trim(), "-a"]).output().unwrap();
        String::from_utf8(modes.stdout).unwrap().contains("-icanon")
    });
    terminal.typed("hello");
    terminal.press("Enter");
    bob.until("alice: hello");
    server.close(bob);
}

#[test]
fn a_dumb_terminal_is_used_line_by_line() {
    let server = Server::open(&[]);
    let mut bob = Guest::enter(server.address, "bob");
    let terminal = Terminal::join(&server.address.to_string(), "TERM=dumb", "");
    terminal.until("the question", |lines| {
        lines.iter().any(|line| line.starts_with("What is your name?"))
    });
    terminal.typed("alice");
    terminal.press("Enter");
    bob.until("alice has arrived");
    bob.say("hi");
    terminal.shows("bob: hi");
    assert!(!terminal.screen(&["-e"]).contains('\x1b'));
    server.close(bob);
}
