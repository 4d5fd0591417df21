//! A password that the operator types: hidden on a terminal, or a line of standard input. Knows no
//! command.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, bail};
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::accounts::is_same_password;

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
    let password = ask(&format!("New password for {name}: "))?;
    match is_same_password(&ask("The same again: ")?, &password) {
        true => Ok(password),
        false => bail!("the two passwords differ; nothing is changed"),
    }
}

fn ask(question: &str) -> anyhow::Result<String> {
    let mut shown = io::stderr();
    write!(shown, "{question}")?;
    shown.flush()?;
    enable_raw_mode().context("cannot hide what is typed")?;
    let typed = hear();
    disable_raw_mode().ok();
    writeln!(shown)?;
    typed?.context("cancelled; nothing is changed")
}

/// The text typed up to Enter; `None` if the operator cancels.
fn hear() -> io::Result<Option<String>> {
    let mut typed = String::new();
    loop {
        let key = match read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => key,
            _ => continue,
        };
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(typed)),
            KeyCode::Esc => return Ok(None),
            KeyCode::Char('c' | 'd') if is_control => return Ok(None),
            KeyCode::Char('u') if is_control => typed.clear(),
            KeyCode::Char(c) if !is_control => typed.push(c),
            KeyCode::Backspace => drop(typed.pop()),
            _ => {}
        }
    }
}
