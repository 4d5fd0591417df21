//! The terminal: a prompt row at the bottom, everything else above it. Knows no connection.

use std::io::{self, Stdout, Write, stdout};
use std::thread;
use std::time::Duration;

use parlor_wire::keys::Keystroke;
use rustix::process::{Signal as Sent, kill_current_process_group};
use rustix::termios::tcgetwinsize;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::keyboard::Keyboard;
use crate::terminal::{Editor, RawMode, Typed};

const PROMPT: &str = "> ";

/// Clears the row of the cursor and all rows below it (ECMA-48).
const CLEAR_BELOW: &str = "\r\x1b[J";

/// Clears the screen, and moves the cursor to its first row.
const CLEAR_SCREEN: &str = "\x1b[2J\x1b[H";

/// In xterm's bracketed paste mode, the terminal marks where a paste begins and ends.
const PASTE_MODE_ON: &str = "\x1b[?2004h";
const PASTE_MODE_OFF: &str = "\x1b[?2004l";

/// The assumed width if the terminal does not report one, as on a serial line.
const COLUMNS_USUAL: usize = 80;

/// The time in which a signal to this process arrives.
const STOP_TIME: Duration = Duration::from_millis(100);

/// An event at the terminal.
enum WindowEvent {
    Key(Keystroke),
    Resized,
    /// The program was stopped, and runs again.
    Continued,
    /// The terminal is gone, or the program is to end.
    End,
}

/// A terminal in raw mode. Dropping it restores the terminal, even when a panic unwinds.
///
/// The cursor is always in the prompt, which is a single row.
pub(super) struct Window {
    out: Stdout,
    keyboard: Keyboard,
    /// `None` while the shell has the terminal.
    raw: Option<RawMode>,
    terminate: Signal,
    hangup: Signal,
    continued: Signal,
    resized: Signal,
    editor: Editor,
    /// The column of the cursor on the screen.
    cursor: usize,
}

impl Window {
    pub(super) fn open() -> io::Result<Self> {
        let mut window = Self {
            out: stdout(),
            keyboard: Keyboard::new(),
            raw: None,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            continued: signal(SignalKind::from_raw(Sent::CONT.as_raw()))?,
            resized: signal(SignalKind::window_change())?,
            editor: Editor::default(),
            cursor: 0,
        };
        window.take_terminal()?;
        Ok(window)
    }

    /// Shows a line above the prompt, wrapped between words. The line must have no control
    /// characters, except for colours.
    pub(super) fn show(&mut self, line: &str) -> io::Result<()> {
        write!(self.out, "{CLEAR_BELOW}{}\r\n", wrapped(line, columns()))?;
        self.show_prompt()
    }

    /// Hides the next line while it is typed.
    pub(super) fn conceal(&mut self) -> io::Result<()> {
        self.editor.conceal();
        self.show_prompt()
    }

    /// Drops the secret that is being typed: the server that asked for it is gone.
    pub(super) fn drop_secret(&mut self) {
        self.editor.drop_secret();
    }

    pub(super) fn ring(&mut self) -> io::Result<()> {
        self.out.write_all(b"\x07")?;
        self.out.flush()
    }

    /// Puts a line that could not be sent back into the prompt.
    pub(super) fn put_back(&mut self, line: String) -> io::Result<()> {
        self.editor.put_back(line);
        self.show_prompt()
    }

    /// Lets the person edit until a line is complete. Cancelling the call loses nothing.
    pub(super) async fn typed(
        &mut self,
        complete: impl Fn(&str) -> Vec<String>,
    ) -> io::Result<Typed> {
        loop {
            if let Some(typed) = self.editor.take() {
                return Ok(typed);
            }
            let event = select! {
                key = self.keyboard.next() => key.map_or(WindowEvent::End, WindowEvent::Key),
                _ = self.terminate.recv() => WindowEvent::End,
                _ = self.hangup.recv() => WindowEvent::End,
                _ = self.resized.recv() => WindowEvent::Resized,
                _ = self.continued.recv() => WindowEvent::Continued,
            };
            match event {
                WindowEvent::End => return Ok(Typed::Leave),
                WindowEvent::Resized => self.climb_to_prompt()?,
                // The shell may have set the terminal back to lines and echo.
                WindowEvent::Continued => self.take_terminal()?,
                WindowEvent::Key(Keystroke::Control('l')) => write!(self.out, "{CLEAR_SCREEN}")?,
                WindowEvent::Key(Keystroke::Control('z')) => self.stop()?,
                WindowEvent::Key(key) => self.editor.handle(key, &complete),
            }
            self.show_prompt()?;
        }
    }

    /// Moves up to the first row of the prompt, which a narrower terminal has wrapped into several
    /// rows.
    fn climb_to_prompt(&mut self) -> io::Result<()> {
        match self.cursor / columns() {
            0 => Ok(()),
            rows => write!(self.out, "\x1b[{rows}A"),
        }
    }

    /// Suspends the program, as Ctrl-Z does elsewhere, until the shell continues it.
    fn stop(&mut self) -> io::Result<()> {
        self.give_back()?;
        kill_current_process_group(Sent::TSTP)?;
        thread::sleep(STOP_TIME); // stopped here, if a shell can continue it
        self.take_terminal()
    }

    /// Sets the terminal to raw mode, even if other programs have changed it meanwhile.
    fn take_terminal(&mut self) -> io::Result<()> {
        self.raw = None; // else the present mode, which may be raw, would be restored at the end
        self.raw = Some(RawMode::enter()?);
        write!(self.out, "{PASTE_MODE_ON}")?;
        self.show_prompt()
    }

    fn give_back(&mut self) -> io::Result<()> {
        let shown = write!(self.out, "{CLEAR_BELOW}{PASTE_MODE_OFF}");
        let shown = shown.and_then(|()| self.out.flush());
        self.raw = None;
        shown
    }

    fn show_prompt(&mut self) -> io::Result<()> {
        let columns = columns().saturating_sub(PROMPT.len());
        let (text, cursor) = self.editor.view(columns);
        self.cursor = PROMPT.len() + cursor;
        let column = self.cursor + 1; // the terminal counts from 1
        write!(self.out, "{CLEAR_BELOW}{PROMPT}{text}\x1b[{column}G")?;
        self.out.flush()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // If this fails, the terminal itself is gone.
        let _ = self.give_back();
    }
}

fn columns() -> usize {
    match tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => COLUMNS_USUAL,
    }
}

/// The line in rows no wider than the screen; a longer word continues in the next row. A line with
/// tabs stays unchanged, because only the terminal knows their width.
fn wrapped(line: &str, columns: usize) -> String {
    if line.contains('\t') {
        return line.to_owned();
    }
    let options =
        textwrap::Options::new(columns).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(line, options).join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_are_broken_between_words_and_colours_take_no_room() {
        assert_eq!(wrapped("bob: hello you", 10), "bob: hello\r\nyou");
        assert_eq!(
            wrapped("\x1b[38;5;31mbob\x1b[39m: hello", 10),
            "\x1b[38;5;31mbob\x1b[39m: hello"
        );
        assert_eq!(wrapped("日本語です", 4), "日本\r\n語で\r\nす");
        assert_eq!(wrapped("abcdef", 3), "abc\r\ndef");
        assert_eq!(wrapped("a  b", 10), "a  b");
        assert_eq!(wrapped("", 10), "");
    }
}
