//! The text of /help. Knows no line ending and no connection.

use parlor_core::link::{COMMANDS, CommandGroup, Spec};

/// The width of a terminal, less the mark in front of each line.
const COLUMNS: usize = 80 - "-- ".len();

/// All commands in their groups; the whole list fits a small screen.
pub(crate) fn overview() -> Vec<String> {
    let mut lines: Vec<_> = CommandGroup::ALL.into_iter().flat_map(list_group).collect();
    lines.push("/help COMMAND explains one; // at the beginning of a line says /".to_owned());
    lines
}

/// The commands of a group, several to a line.
fn list_group(group: CommandGroup) -> Vec<String> {
    let mut lines = vec![format!("{}:", group.title())];
    for spec in COMMANDS.iter().filter(|spec| spec.group == group) {
        let usage = usage(spec);
        match lines.last_mut() {
            Some(line) if line.len() + "  ".len() + usage.len() <= COLUMNS => {
                line.push_str("  ");
                line.push_str(&usage);
            }
            _ => lines.push(format!("    {usage}")),
        }
    }
    lines
}

/// The help on one command.
pub(crate) fn help(spec: &Spec) -> Vec<String> {
    let alias = |alias: &&str| format!(" (or /{alias})");
    let aliases: String = spec.aliases.iter().map(alias).collect();
    let summary = format!("{}{aliases}: {}", usage(spec), spec.does);
    let lines = [summary, spec.more.to_owned()];
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

/// The form of a command, as it is typed.
pub(crate) fn usage(spec: &Spec) -> String {
    let typed = format!("/{} {}", spec.name, spec.arguments);
    typed.trim_end().to_owned()
}
