//! A password that the operator types: hidden on a terminal, or a line of standard input. Knows no
//! command.

use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::iter;

use anyhow::{Context, bail};
use parlor_wire::keys::{Keys, Keystroke};

use crate::accounts::is_same_password;
use crate::terminal::RawMode;

/// Reads a new password: twice from a terminal, which hides it.
///
/// # Errors
///
/// The password is missing, the operator cancels, or the two passwords differ.
pub(crate) fn read_password(name: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line);
        read.context("cannot read the password from standard input")?;
        let line = String::from_utf8(line)
            .ok()
            .context("the password is not in UTF-8; write it in UTF-8. Nothing is changed")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let mut typing = Typing::default();
    let password = typing.answer(&format!("New password for {name}: "))?;
    match is_same_password(&typing.answer("The same again: ")?, &password) {
        true => Ok(password),
        false => bail!("the two passwords differ; nothing is changed"),
    }
}

/// The keyboard of the operator's terminal.
#[derive(Default)]
struct Typing {
    keys: Keys,
    /// Keys that were read together; those after Enter are for the next question.
    pressed: VecDeque<Keystroke>,
}

impl Typing {
    fn answer(&mut self, question: &str) -> anyhow::Result<String> {
        let mut shown = io::stderr();
        write!(shown, "{question}")?;
        shown.flush()?;
        let raw = RawMode::enter().context("cannot hide what is typed")?;
        let typed = self.line();
        drop(raw);
        writeln!(shown)?;
        typed?.context("cancelled; nothing is changed")
    }

    /// The text typed up to Enter; `None` if the operator cancels.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut typed = String::new();
        loop {
            match self.key()? {
                Keystroke::Enter => return Ok(Some(typed)),
                Keystroke::Escape | Keystroke::Control('c' | 'd') => return Ok(None),
                Keystroke::Control('u') => typed.clear(),
                Keystroke::Char(c) => typed.push(c),
                Keystroke::Backspace => drop(typed.pop()),
                _ => {}
            }
        }
    }

    /// Waits for the next key.
    fn key(&mut self) -> io::Result<Keystroke> {
        loop {
            if let Some(key) = self.pressed.pop_front() {
                return Ok(key);
            }
            let mut bytes = [0; 256];
            let count = io::stdin().read(&mut bytes)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let mut bytes = bytes.get(..count).unwrap_or_default();
            self.pressed.extend(iter::from_fn(|| self.keys.next(&mut bytes)));
            self.pressed.extend(self.keys.pause()); // an ESC at the end of a read is the key
        }
    }
}
