//! `parlor join` in a terminal: what a person sees in tmux.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails, fails the test"
)]

mod fake;

use fake::{DEADLINE, Fake, Guest};
use std::fs;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A terminal of its own tmux server, 60 columns wide, in which one command runs; dropping it ends all that.
struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// Runs `parlor join`, then shows how it ended and whether the terminal is as it was before.
    fn join(fake: &Fake, environment: &str, more: &str) -> Self {
        let terminal = Self {
            folder: TempDir::new().unwrap(),
        };
        let script = terminal.folder.path().join("run.sh");
        let join = format!(
            "{environment} '{}' join {} {more}",
            env!("CARGO_BIN_EXE_parlor"),
            fake.address()
        );
        let check = "test \"$before\" = \"$(stty -g)\" && echo restored";
        fs::write(
            &script,
            format!("before=$(stty -g)\n{join}\necho \"ended with $?\"\n{check}\ncat\n"),
        )
        .unwrap();
        let script = script.display().to_string();
        terminal.tmux(&["new-session", "-d", "-x", "60", "-y", "20", "sh", &script]);
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let socket = self.folder.path().join("tmux");
        let mut command = Command::new("tmux");
        command
            .arg("-S")
            .arg(socket)
            .args(["-u", "-f", "/dev/null"])
            .args(arguments);
        command
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .env_remove("TMUX");
        command.output().expect("tmux is installed")
    }

    /// Types text, letter by letter.
    fn typed(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// Presses a key, named as tmux names it.
    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    fn screen(&self, options: &[&str]) -> String {
        let output = self.tmux(&[&["capture-pane", "-p"], options].concat());
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until `wanted` holds of the lines on the screen, and returns them.
    fn until(&self, what: &str, wanted: impl Fn(&[&str]) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen(&[]);
            if wanted(&screen.lines().collect::<Vec<_>>()) {
                return screen;
            }
            assert!(
                start.elapsed() < DEADLINE,
                "waited for {what}, saw:\n{screen}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn shows(&self, line: &str) -> String {
        self.until(line, |lines| lines.contains(&line))
    }

    /// Waits for `line` in the prompt row, with nothing below it.
    fn prompts(&self, line: &str) {
        self.until(line, |lines| {
            lines.iter().rev().find(|row| !row.is_empty()) == Some(&line)
        });
    }

    fn ends_well(&self) {
        self.shows("ended with 0");
        self.shows("restored");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Greets like the named mode, and enters the guest under the name it gives.
fn welcome(fake: &Fake, roster: &str) -> Guest {
    let mut guest = fake.accept();
    guest.say("You are 127.0.0.1:64208");
    guest.say("What is your name? (Enter to stay 127.0.0.1:64208)");
    let name = guest.heard();
    guest.say(&format!("You are {name}"));
    guest.say(&format!("In lobby: {roster}"));
    guest
}

fn joined(roster: &str) -> (Fake, Guest, Terminal) {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake, "", "--name alice");
    let guest = welcome(&fake, roster);
    terminal.shows(&format!("In lobby: {roster}"));
    (fake, guest, terminal)
}

#[test]
fn arriving_lines_leave_what_is_being_typed_alone() {
    let (_fake, mut guest, terminal) = joined("bob");
    terminal.typed("half a thou");
    terminal.prompts("> half a thou");
    for n in 0..30 {
        guest.say(&format!("bob: {n} {}", "and on ".repeat(n)));
    }
    terminal.until("the last of them", |lines| {
        lines.iter().any(|line| line.starts_with("bob: 29"))
    });
    terminal.prompts("> half a thou");
    terminal.typed("ght");
    terminal.press("Enter");
    assert_eq!(guest.heard(), "half a thought");
    terminal.prompts(">");
}

#[test]
fn tab_completes_names_and_commands() {
    let (_fake, mut guest, terminal) = joined("bob, carol");
    guest.say("dave has arrived");
    terminal.shows("dave has arrived");
    terminal.typed("hello ca");
    terminal.press("Tab");
    terminal.prompts("> hello carol");
    terminal.typed("and da");
    terminal.press("Tab");
    terminal.press("Enter");
    assert_eq!(guest.heard(), "hello carol and dave ");
    terminal.typed("/top");
    terminal.press("Tab");
    terminal.typed("tea");
    terminal.press("Enter");
    assert_eq!(guest.heard(), "/topic tea");
    terminal.press("Up");
    terminal.press("Up");
    terminal.prompts("> hello carol and dave");
}

#[test]
fn wide_characters_keep_their_places() {
    let (_fake, mut guest, terminal) = joined("bob");
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
    assert_eq!(guest.heard(), "日本の語x");
}

#[test]
fn names_have_colours_unless_no_color_is_set() {
    let (_fake, mut guest, terminal) = joined("bob");
    guest.say("bob: hi");
    terminal.shows("bob: hi");
    assert!(terminal.screen(&["-e"]).contains("\x1b[38;5;"));

    let fake = Fake::new();
    let plain = Terminal::join(&fake, "NO_COLOR=1", "--name alice");
    let mut guest = welcome(&fake, "bob");
    guest.say("bob: hi");
    plain.shows("bob: hi");
    assert!(!plain.screen(&["-e"]).contains('\x1b'));
}

#[test]
fn hostile_bytes_are_shown_and_not_obeyed() {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake, "NO_COLOR=1", "--name alice");
    let mut guest = welcome(&fake, "bob");
    guest.send(b"bob: \x1b[31mred\x1b[2J\x1b]0;owned\x07\xff\xfb\x01\x9b5A\x0e\x08\r| end\n");
    terminal.until("the line as text", |lines| {
        lines.iter().any(|line| {
            line.starts_with("bob: ") && line.contains("[31mred") && line.ends_with("| end")
        })
    });
    terminal.shows("In lobby: bob");
    assert!(
        !terminal.screen(&["-e"]).contains('\x1b'),
        "no colour has come from the server"
    );
    assert_ne!(
        terminal.tmux(&["display", "-p", "#{pane_title}"]).stdout,
        b"owned\n"
    );
    assert_eq!(
        terminal
            .tmux(&["display", "-p", "#{window_bell_flag}"])
            .stdout,
        b"0\n"
    );
}

#[test]
fn a_pipe_into_the_client_does_not_open_the_terminal_to_the_server() {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake, "printf 'hello\\n' |", "--name bot");
    let mut guest = welcome(&fake, "bob");
    assert_eq!(guest.heard(), "hello");
    guest.send(b"bob: \x1b[31mred\x1b[2J| end");
    guest.close();
    terminal.ends_well();
    terminal.until("the line as text", |lines| {
        lines
            .iter()
            .any(|line| line.starts_with("bob: ") && line.ends_with("| end"))
    });
    assert!(!terminal.screen(&["-e"]).contains('\x1b'));
}

#[test]
fn the_bell_rings_for_ones_own_name() {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake, "", "--name alice --bell");
    let mut guest = welcome(&fake, "bob");
    guest.say("bob: hi Alice!");
    terminal.shows("bob: hi Alice!");
    terminal.until("a bell", |_| {
        terminal
            .tmux(&["display", "-p", "#{window_bell_flag}"])
            .stdout
            == b"1\n"
    });
}

#[test]
fn a_lost_connection_is_made_again_under_the_same_name() {
    let (fake, mut guest, terminal) = joined("bob");
    guest.say("You are al");
    guest.say("-- The server is going down");
    terminal.shows("-- The server is going down");
    terminal.typed("still here");
    guest.close();
    terminal.shows("-- Connection lost; trying again in 1 s");
    terminal.prompts("> still here");
    fake.accept().reset();
    terminal.shows("-- Connection lost; trying again in 2 s");
    let mut again = welcome(&fake, "carol");
    terminal.shows("You are al");
    terminal.press("Enter");
    assert_eq!(again.heard(), "still here");
}

#[test]
fn what_is_typed_ahead_is_not_taken_for_a_name() {
    let fake = Fake::new();
    let terminal = Terminal::join(&fake, "", "--name alice");
    let mut guest = fake.accept();
    guest.say("You are 127.0.0.1:64208");
    terminal.shows("You are 127.0.0.1:64208");
    terminal.typed("hello");
    terminal.press("Enter");
    terminal.prompts(">");
    guest.say("What is your name? (Enter to stay 127.0.0.1:64208)");
    assert_eq!(
        (guest.heard(), guest.heard()),
        ("alice".to_owned(), "hello".to_owned())
    );
}

#[test]
fn a_server_that_closes_on_silence_is_left_alone_until_enter() {
    let (fake, mut guest, terminal) = joined("bob");
    guest.say("-- Silent for 4 minutes: closing in 1 minute; press Enter to stay");
    guest.close();
    terminal.shows("-- Connection closed; press Enter to come back");
    terminal.press("Enter");
    drop(welcome(&fake, "nobody else"));
    terminal.shows("In lobby: nobody else");
}

#[test]
fn quitting_ends_well() {
    let (_fake, mut guest, terminal) = joined("bob");
    terminal.typed("/quit good night");
    terminal.press("Enter");
    assert_eq!(guest.heard(), "/quit good night");
    guest.close();
    terminal.ends_well();
}

#[test]
fn control_d_and_control_c_leave_a_terminal_as_it_was() {
    for key in ["C-d", "C-c"] {
        let (_fake, mut guest, terminal) = joined("bob");
        terminal.press(key);
        assert_eq!(guest.heard_to_the_end(), b"");
        guest.say("bob: bye");
        guest.close();
        terminal.ends_well();
        terminal.shows("bob: bye");
    }
}

#[test]
fn a_client_that_is_told_to_end_gives_the_terminal_back() {
    let (_fake, _guest, terminal) = joined("bob");
    let client = terminal.tmux(&["display", "-p", "#{pane_pid}"]).stdout;
    let shell = String::from_utf8(client).unwrap();
    let ended = Command::new("pkill")
        .args(["-TERM", "-P", shell.trim()])
        .status()
        .unwrap();
    assert!(ended.success());
    terminal.ends_well();
}

#[test]
fn leaving_works_while_there_is_no_connection() {
    for keys in [&["C-c"][..], &["/quit", "Enter"]] {
        let (fake, mut guest, terminal) = joined("bob");
        drop(fake);
        guest.close();
        terminal.shows("-- Connection lost; trying again in 2 s");
        keys.iter().for_each(|key| terminal.press(key));
        terminal.ends_well();
    }
}
