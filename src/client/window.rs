//! The terminal: a prompt row at the bottom, everything else above it. Knows nothing of the connection.

use std::io::{self, Stdout, Write, stdout};

use crossterm::cursor::MoveToColumn;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, EventStream};
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType, disable_raw_mode, enable_raw_mode, size};
use crossterm::{execute, queue};
use futures_util::StreamExt;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::editor::{Editor, Typed};

const PROMPT: &str = "> ";

/// A terminal that hands over single keys; dropping it gives it back as it was, also when a panic unwinds.
///
/// The cursor is always in the prompt row, and that is one row only.
pub(super) struct Window {
    out: Stdout,
    keys: EventStream,
    terminate: Signal,
    hangup: Signal,
    editor: Editor,
}

impl Window {
    pub(super) fn open() -> io::Result<Self> {
        let (terminate, hangup) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        );
        enable_raw_mode()?;
        // From here on the value exists, and its Drop runs whatever fails.
        let mut window = Self {
            out: stdout(),
            keys: EventStream::new(),
            terminate,
            hangup,
            editor: Editor::default(),
        };
        queue!(window.out, EnableBracketedPaste)?;
        window.show_prompt()?;
        Ok(window)
    }

    /// Shows a line above the prompt. It must be free of anything that steers a terminal, colours apart.
    pub(super) fn show(&mut self, line: &str) -> io::Result<()> {
        queue!(
            self.out,
            MoveToColumn(0),
            Clear(ClearType::FromCursorDown),
            Print(line),
            Print("\r\n")
        )?;
        self.show_prompt()
    }

    /// The next line that is typed is for nobody to read.
    pub(super) fn conceal(&mut self) -> io::Result<()> {
        self.editor.conceal();
        self.show_prompt()
    }

    /// The one who asked for a secret is gone.
    pub(super) fn forget_secret(&mut self) {
        self.editor.forget_secret();
    }

    pub(super) fn ring(&mut self) -> io::Result<()> {
        execute!(self.out, Print('\x07'))
    }

    /// Puts a line that could not be sent back into the prompt row.
    pub(super) fn put_back(&mut self, line: String) -> io::Result<()> {
        self.editor.put_back(line);
        self.show_prompt()
    }

    /// Lets the person edit until a line is complete. Dropping the call while it waits loses nothing.
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
            };
            let Some(event) = event else {
                return Ok(Typed::Leave);
            };
            self.editor.handle(event, &complete);
            self.show_prompt()?;
        }
    }

    fn show_prompt(&mut self) -> io::Result<()> {
        let columns = usize::from(size()?.0).saturating_sub(PROMPT.len());
        let (text, cursor) = self.editor.view(columns);
        let cursor = u16::try_from(PROMPT.len() + cursor).unwrap_or(u16::MAX);
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
        // What cannot be restored any more has gone away with its terminal.
        let _ = execute!(
            self.out,
            MoveToColumn(0),
            Clear(ClearType::FromCursorDown),
            DisableBracketedPaste
        );
        let _ = disable_raw_mode();
    }
}
