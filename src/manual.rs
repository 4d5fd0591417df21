//! Manual pages and shell completions, made from the definitions of the command line. Writes no file.

use std::io;

use clap_complete::Shell;

use crate::args;

/// The manual page of `parlor`, or of one of its commands, as roff for `man`.
///
/// # Errors
/// When there is no such command.
pub fn page(command: Option<&str>) -> io::Result<Vec<u8>> {
    let mut whole = args::command();
    whole.build();
    let chosen = match command {
        None => whole,
        Some(name) => whole
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| io::Error::other(format!("no command {name:?}")))?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(chosen)
        .source(concat!("parlor ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)?;
    Ok(page)
}

/// What `shell` has to load to complete `parlor`.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "parlor", &mut script);
    script
}
