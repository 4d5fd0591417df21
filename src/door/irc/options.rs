//! The options in the URL of an IRC door. Opens nothing but the message of the day.

use std::fs;
use std::path::PathBuf;

use parlor_core::model::Line;
use parlor_wire::irc::name::is_server_name;

use crate::config::InvalidValue;
use crate::door::opening::{DoorOption, UrlOptions};

/// The options, in the order of help.
pub(in crate::door) const OPTIONS: &[DoorOption] = &[SERVER, NETWORK, MOTD];

const SERVER: DoorOption = DoorOption {
    form: "server=NAME",
    about: "the name of the server, with a dot [default: the name of this machine]",
};

const NETWORK: DoorOption =
    DoorOption { form: "network=NAME", about: "the name of the network [default: Parlor]" };

const MOTD: DoorOption =
    DoorOption { form: "motd=FILE", about: "a text that everybody reads on coming" };

/// The network without an option.
const USUAL_NETWORK: &str = "Parlor";

/// The longest message of the day.
const MOTD_LINES_MAX: usize = 200;

/// The largest file that is read for it.
const MOTD_BYTES_MAX: u64 = 64 * 1024;

/// The options of a URL, parsed.
pub(super) struct IrcOptions {
    server: Option<String>,
    network: Option<String>,
    motd: Option<PathBuf>,
}

impl IrcOptions {
    pub(super) fn read(options: &UrlOptions) -> Result<IrcOptions, InvalidValue> {
        Ok(IrcOptions {
            server: options.one(&SERVER, read_server)?,
            network: options.one(&NETWORK, read_network)?,
            motd: options.one(&MOTD, |text| match text {
                "" => Err(InvalidValue::new("motd has no file; write motd=FILE")),
                path => Ok(PathBuf::from(path)),
            })?,
        })
    }

    /// The options in one form: only those that differ from the default.
    pub(super) fn tidy(&self) -> Vec<String> {
        let server = self.server.as_ref().map(|name| format!("server={name}"));
        let network = self.network.as_ref().filter(|name| *name != USUAL_NETWORK);
        let network = network.map(|name| format!("network={name}"));
        let motd = self.motd.as_ref().map(|path| format!("motd={}", path.display()));
        server.into_iter().chain(network).chain(motd).collect()
    }

    /// The name of the server.
    pub(super) fn server(&self) -> String {
        self.server.clone().unwrap_or_else(|| name_of_machine(&machine()))
    }

    /// The name of the network.
    pub(super) fn network(&self) -> String {
        self.network.clone().unwrap_or_else(|| USUAL_NETWORK.to_owned())
    }

    /// The lines of the message of the day; none without a file.
    ///
    /// # Errors
    /// The file cannot be read, or is too long.
    pub(super) fn motd(&self) -> Result<Vec<Line>, InvalidValue> {
        let Some(path) = &self.motd else {
            return Ok(Vec::new());
        };
        let shown = path.display();
        let cannot = |error| InvalidValue::new(format!("cannot read motd={shown}: {error}"));
        if fs::metadata(path).map_err(cannot)?.len() > MOTD_BYTES_MAX {
            let sentence = format!("motd={shown} is longer than {} KiB", MOTD_BYTES_MAX / 1024);
            return Err(InvalidValue::new(sentence));
        }
        let text = fs::read_to_string(path).map_err(cannot)?;
        if text.lines().count() > MOTD_LINES_MAX {
            let sentence = format!("motd={shown} has more than {MOTD_LINES_MAX} lines");
            return Err(InvalidValue::new(sentence));
        }
        Ok(text.lines().map(|line| Line::sanitise(line.as_bytes())).collect())
    }
}

fn read_server(text: &str) -> Result<String, InvalidValue> {
    match is_server_name(text) {
        true => Ok(text.to_owned()),
        false => Err(InvalidValue::new(format!(
            "server is {text:?}; write a host name with a dot, such as irc.example.org"
        ))),
    }
}

fn read_network(text: &str) -> Result<String, InvalidValue> {
    match !text.is_empty() && text.len() <= 63 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err(InvalidValue::new(format!(
            "network is {text:?}; write one word of ASCII, 63 characters at most"
        ))),
    }
}

/// The name of this machine.
fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The name of a server on a machine: by the dot, clients tell a server from a person.
fn name_of_machine(machine: &str) -> String {
    let name = match machine.contains('.') {
        true => machine.to_owned(),
        false => format!("{machine}.local"),
    };
    match is_server_name(&name) {
        true => name,
        false => "parlor.local".to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_name_with_a_dot_on_every_machine() {
        for (machine, name) in [
            ("tea", "tea.local"),
            ("tea.example.org", "tea.example.org"),
            ("my_machine", "parlor.local"),
            ("", "parlor.local"),
        ] {
            assert_eq!(name_of_machine(machine), name);
        }
        assert!(is_server_name(&name_of_machine(&machine())));
    }

    #[test]
    fn a_message_of_the_day_is_lines_of_text() {
        let read = |path: &str| {
            let words = [format!("motd={path}")];
            IrcOptions::read(&UrlOptions::read("irc", &[OPTIONS], &words).unwrap()).unwrap().motd()
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("motd");
        let path = path.to_str().unwrap();
        assert!(read(path).unwrap_err().to_string().starts_with("cannot read motd="));
        fs::write(path, "Welcome\n\n\x1b[31mred\n").unwrap();
        let lines = read(path).unwrap();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| !line.as_str().contains('\x1b')), "{lines:?}");
        fs::write(path, "x\n".repeat(MOTD_LINES_MAX + 1)).unwrap();
        assert!(read(path).unwrap_err().to_string().ends_with("has more than 200 lines"));
        fs::write(path, "x".repeat(70_000)).unwrap();
        assert!(read(path).unwrap_err().to_string().ends_with("is longer than 64 KiB"));
    }
}
