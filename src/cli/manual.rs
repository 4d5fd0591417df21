//! Manual pages and shell completions, made from the definitions of the command line. Writes no
//! file.

use std::io;

use clap::Arg;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args;

/// The manual page of `parlor`, or of one of its commands, as roff for `man`.
///
/// # Errors
///
/// The command does not exist.
pub fn page(command: Option<&str>) -> io::Result<Vec<u8>> {
    // A page leaves out the environment, and "help" has no page.
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

/// Renders section by section, because the last sections differ from the library's.
fn render(command: clap::Command) -> io::Result<Vec<u8>> {
    let closing = command.get_after_help().map(ToString::to_string);
    let has_commands = command.has_subcommands();
    // Only the commands directly below the program have separate pages.
    let is_whole = command.get_name() == "parlor";
    let orders = orders(&command);
    let man = Man::new(command).source(concat!("parlor ", env!("CARGO_PKG_VERSION")));

    let mut page = Vec::new();
    man.render_title(&mut page)?;
    // No word is broken and no line stretched, so that readers can copy options and URLs.
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

/// The commands below a command, each with its arguments.
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

/// All commands below a command, except those that only contain others.
fn leaves(command: &clap::Command) -> Vec<&clap::Command> {
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    let leaves = below.flat_map(|below| match below.has_subcommands() {
        true => leaves(below),
        false => vec![below],
    });
    leaves.collect()
}

/// The command with its options and their values; the library would leave out the values.
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

/// Puts an option's variable at the end of its help, as a separate paragraph.
fn variable_as_help(arg: Arg) -> Arg {
    let (Some(help), Some(variable)) = (arg.get_long_help().or(arg.get_help()), arg.get_env())
    else {
        return arg;
    };
    let help = format!("{help}\n\nEnvironment: {}", variable.to_string_lossy());
    arg.hide_env(true).long_help(help)
}

/// Indents lines that begin with blanks, also where they wrap.
fn indented(roff: &str) -> String {
    let mut lines = String::with_capacity(roff.len());
    for line in roff.lines() {
        let text = line.trim_start_matches(' ');
        match line.len() - text.len() {
            0 => lines += &format!("{line}\n"),
            // The first line has a smaller indent, so that a wrapped line does not look like
            // another entry.
            blanks => {
                lines += &format!(".in +{}n\n.ti -2n\n{text}\n.in -{0}n\n", blanks + 2);
            }
        }
    }
    lines
}

/// The end of help: examples line by line, and then perhaps a paragraph.
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

/// The script that lets `shell` complete `parlor`.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "parlor", &mut script);
    script
}
