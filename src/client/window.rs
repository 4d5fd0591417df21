//! The terminal: a prompt row at the bottom, everything else above it. Knows no connection.

use std::io::{self, Stdout, Write, stdout};
use std::thread;
use std::time::Duration;

use crossterm::cursor::{MoveTo, MoveToColumn, MoveUp};
use crossterm::event::{
    DisableBracketedPaste, EnableBracketedPaste, Event, EventStream, KeyCode, KeyEvent,
    KeyModifiers,
};
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType, disable_raw_mode, enable_raw_mode, size};
use crossterm::{execute, queue};
use futures_util::StreamExt;
use rustix::process::{Signal as Sent, kill_current_process_group};
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::terminal::{Editor, Typed};

const PROMPT: &str = "> ";

/// The assumed width if the terminal does not report one, as on a serial line.
const COLUMNS_USUAL: usize = 80;

/// The time in which a signal to this process arrives.
const STOP_TIME: Duration = Duration::from_millis(100);

/// A terminal in raw mode. Dropping it restores the terminal, even when a panic unwinds.
///
/// The cursor is always in the prompt, which is a single row.
pub(super) struct Window {
    out: Stdout,
    keys: EventStream,
    terminate: Signal,
    hangup: Signal,
    continued: Signal,
    editor: Editor,
    /// The column of the cursor on the screen.
    cursor: usize,
}

impl Window {
    pub(super) fn open() -> io::Result<Self> {
        let (terminate, hangup, continued) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::from_raw(Sent::CONT.as_raw()))?,
        );
        enable_raw_mode()?;
        // From here on `Drop` restores the terminal, even if the next step fails.
        let mut window = Self {
            out: stdout(),
            keys: EventStream::new(),
            terminate,
            hangup,
            continued,
            editor: Editor::default(),
            cursor: 0,
        };
        queue!(window.out, EnableBracketedPaste)?;
        window.show_prompt()?;
        Ok(window)
    }

    /// Shows a line above the prompt, wrapped between words. The line must have no control
    /// characters, except for colours.
    pub(super) fn show(&mut self, line: &str) -> io::Result<()> {
        queue!(
            self.out,
            MoveToColumn(0),
            Clear(ClearType::FromCursorDown),
            Print(wrapped(line, columns())),
            Print("\r\n")
        )?;
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
        execute!(self.out, Print('\x07'))
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
                event = self.keys.next() => event.transpose()?,
                _ = self.terminate.recv() => None,
                _ = self.hangup.recv() => None,
                // The shell may have set the terminal back to lines and echo.
                _ = self.continued.recv() => {
                    self.take_terminal()?;
                    continue;
                }
            };
            let Some(event) = event else {
                return Ok(Typed::Leave);
            };
            match event {
                Event::Resize(..) => self.climb_to_prompt()?,
                Event::Key(key) if is_control(key, 'l') => {
                    queue!(self.out, Clear(ClearType::All), MoveTo(0, 0))?;
                }
                Event::Key(key) if is_control(key, 'z') => self.stop()?,
                event => self.editor.handle(event, &complete),
            }
            self.show_prompt()?;
        }
    }

    /// Moves up to the first row of the prompt, which a narrower terminal has wrapped into several
    /// rows.
    fn climb_to_prompt(&mut self) -> io::Result<()> {
        match u16::try_from(self.cursor / columns()) {
            Ok(0) | Err(_) => Ok(()),
            Ok(rows) => queue!(self.out, MoveUp(rows)),
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
        disable_raw_mode()?; // otherwise the library believes that the terminal is still raw
        enable_raw_mode()?;
        queue!(self.out, EnableBracketedPaste)?;
        self.show_prompt()
    }

    fn give_back(&mut self) -> io::Result<()> {
        execute!(
            self.out,
            MoveToColumn(0),
            Clear(ClearType::FromCursorDown),
            DisableBracketedPaste
        )?;
        disable_raw_mode()
    }

    fn show_prompt(&mut self) -> io::Result<()> {
        let columns = columns().saturating_sub(PROMPT.len());
        let (text, cursor) = self.editor.view(columns);
        self.cursor = PROMPT.len() + cursor;
        let cursor = u16::try_from(self.cursor).unwrap_or(u16::MAX);
        queue!(
            self.out,
            MoveToColumn(0),
            Clear(ClearType::FromCursorDown),
            Print(PROMPT),
            Print(text),
            MoveToColumn(cursor)
        )?;
        self.out.flush()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // If this fails, the terminal itself is gone.
        let _ = self.give_back();
        let _ = disable_raw_mode();
    }
}

fn columns() -> usize {
    match size() {
        Ok((columns @ 1.., _)) => usize::from(columns),
        _ => COLUMNS_USUAL,
    }
}

fn is_control(key: KeyEvent, letter: char) -> bool {
    key.code == KeyCode::Char(letter) && key.modifiers == KeyModifiers::CONTROL
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
