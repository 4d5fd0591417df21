//! Manual pages and shell completions, made from the definitions of the command line. Writes no file.

use std::io;

use clap::Arg;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args;

/// The manual page of `parlor`, or of one of its commands, as roff for `man`.
///
/// # Errors
/// When there is no such command.
pub fn page(command: Option<&str>) -> io::Result<Vec<u8>> {
    // Not the command line as it is now: a page knows no environment. Nor is there a page of "help".
    let mut whole = args::definitions().disable_help_subcommand(true);
    whole.build();
    let chosen = match command {
        None => whole,
        Some(name) => whole
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| io::Error::other(format!("no command {name:?}")))?,
    };
    let synopsis = synopsis(&chosen);
    render(
        chosen
            .override_usage(synopsis)
            .mut_args(variable_as_help)
            .subcommand_help_heading("COMMANDS"),
    )
}

/// The sections one by one, as the library has its own ideas of the last ones.
fn render(command: clap::Command) -> io::Result<Vec<u8>> {
    let closing = command.get_after_help().map(ToString::to_string);
    let has_commands = command.has_subcommands();
    // Only the commands of the program itself have pages of their own.
    let is_whole = command.get_name() == "parlor";
    let orders = orders(&command);
    let man = Man::new(command).source(concat!("parlor ", env!("CARGO_PKG_VERSION")));

    let mut page = Vec::new();
    man.render_title(&mut page)?;
    // Words are not broken and lines not stretched: options and URLs are to be copied.
    page.extend(b".nh\n.ad l\n");
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    let mut options = Vec::new();
    man.render_options_section(&mut options)?;
    page.extend(indented(&String::from_utf8_lossy(&options)).into_bytes());
    if has_commands && is_whole {
        man.render_subcommands_section(&mut page)?;
    } else if has_commands {
        orders.to_writer(&mut page)?;
    }
    examples_and_notes(&closing.unwrap_or_default()).to_writer(&mut page)?;
    Ok(page)
}

/// What can follow a command, each with what it takes.
fn orders(command: &clap::Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for order in leaves(command) {
        let about = order.get_about().map(ToString::to_string);
        roff.control("TP", [])
            .text([bold(synopsis(order))])
            .text([roman(about.unwrap_or_default())]);
    }
    roff
}

/// All that can follow a command and needs nothing more.
fn leaves(command: &clap::Command) -> Vec<&clap::Command> {
    let below = command
        .get_subcommands()
        .filter(|below| below.get_name() != "help");
    let leaves = below.flat_map(|below| match below.has_subcommands() {
        true => leaves(below),
        false => vec![below],
    });
    leaves.collect()
}

/// The command with all it takes; the library would name the options and not their values.
fn synopsis(command: &clap::Command) -> String {
    let mut words = vec![command.get_bin_name().unwrap_or("parlor").to_owned()];
    let is_own = |arg: &&Arg| !matches!(arg.get_id().as_str(), "help" | "version");
    words.extend(command.get_arguments().filter(is_own).map(|arg| {
        let repeated = matches!(arg.get_action(), clap::ArgAction::Append);
        match arg.is_positional() {
            true => arg.to_string(),
            false if repeated => format!("[{arg}]..."),
            false => format!("[{arg}]"),
        }
    }));
    if command.has_subcommands() {
        words.push("<COMMAND> [ARGUMENTS]".to_owned());
    }
    words.join(" ")
}

/// Has an option's help end with its variable, in a paragraph of its own.
fn variable_as_help(arg: Arg) -> Arg {
    let (Some(help), Some(variable)) = (arg.get_long_help().or(arg.get_help()), arg.get_env())
    else {
        return arg;
    };
    let help = format!("{help}\n\nEnvironment: {}", variable.to_string_lossy());
    arg.hide_env(true).long_help(help)
}

/// Lines that begin with blanks keep that distance also where they wrap.
fn indented(roff: &str) -> String {
    let mut lines = String::with_capacity(roff.len());
    for line in roff.lines() {
        let text = line.trim_start_matches(' ');
        match line.len() - text.len() {
            0 => lines += &format!("{line}\n"),
            // The first line hangs out, so that a wrapped one is not taken for another.
            blanks => {
                lines += &format!(".in +{}n\n.ti -2n\n{text}\n.in -{0}n\n", blanks + 2);
            }
        }
    }
    lines
}

/// What stands below the options in help: examples line by line, and then perhaps a paragraph.
fn examples_and_notes(text: &str) -> Roff {
    let mut roff = Roff::new();
    let (examples, notes) = text.split_once("\n\n").unwrap_or((text, ""));
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in examples.lines().filter(|line| line.starts_with(' ')) {
        roff.text([roman(line.trim_start())]);
    }
    roff.control("fi", []);
    if !notes.is_empty() {
        roff.control("SH", ["NOTES"]).text([roman(notes)]);
    }
    roff
}

/// What `shell` has to load to complete `parlor`.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "parlor", &mut script);
    script
}
