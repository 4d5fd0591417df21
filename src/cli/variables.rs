//! Environment variables that look like options and are none. Reads no value.

use clap::CommandFactory;
use parlor_core::model::nearest;

use super::args::CommandLine;
use crate::config::VARIABLE_PREFIX as PREFIX;

/// A sentence for each environment variable that has the prefix and is not an option. It is no
/// error: other programs may use the prefix, as Kubernetes does for a service named parlor.
pub fn strangers() -> Vec<String> {
    strangers_in(std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()))
}

fn strangers_in(names: impl Iterator<Item = String>) -> Vec<String> {
    let known = known();
    let mut sentences: Vec<String> = names
        .filter(|name| !known.contains(name))
        .filter_map(|name| {
            // Compares without the prefix, which would make any two short names similar.
            let known = known.iter().filter_map(|known| known.strip_prefix(PREFIX));
            let hint = match nearest(name.strip_prefix(PREFIX)?, known) {
                Some(near) => format!("; did you mean {PREFIX}{near}?"),
                None => "; parlor serve --help lists them".to_owned(),
            };
            Some(format!("there is no setting {name}, so it is ignored{hint}"))
        })
        .collect();
    sentences.sort();
    sentences
}

/// The variables of all commands, including empty ones.
fn known() -> Vec<String> {
    let whole = CommandLine::command();
    let arguments = whole.get_subcommands().flat_map(clap::Command::get_arguments);
    arguments
        .filter_map(clap::Arg::get_env)
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::strangers_in;

    #[test]
    fn a_mistyped_variable_is_named_with_the_nearest_one() {
        let names = ["PARLOR_RTE", "PARLOR_RATE", "PARLOR_CONFIG", "PARLOR_SERVICE_HOST"];
        let names = names.into_iter().chain(["PATH", "XPARLOR_RTE", "PARLOR"]);
        assert_eq!(
            strangers_in(names.map(str::to_owned)),
            [
                "there is no setting PARLOR_RTE, so it is ignored; did you mean PARLOR_RATE?",
                "there is no setting PARLOR_SERVICE_HOST, so it is ignored; parlor serve --help lists them",
            ]
        );
    }
}
