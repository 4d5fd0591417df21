//! The file of servers whose certificates the person has accepted, one a line: `HOST:PORT` and the
//! fingerprint. Knows no connection.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail, ensure};

use crate::tls::{Fingerprint, replace_file};

/// Holds 9,000 servers; nobody knows that many.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The file, if this person has a directory for it.
pub(super) struct KnownServers(Option<PathBuf>);

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownServer {
    pub(super) fingerprint: Fingerprint,
    /// The number of the line, from 1 on.
    pub(super) line: usize,
    pub(super) file: PathBuf,
}

impl KnownServers {
    /// The file `parlor/known_servers` in the person's directory for configurations, by the XDG
    /// base directory specification.
    pub(super) fn usual() -> KnownServers {
        let set = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let directory = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
        KnownServers(directory.map(|directory| directory.join("parlor/known_servers")))
    }

    /// Finds a server, `HOST:PORT`.
    ///
    /// # Errors
    /// The file cannot be read; the error is a sentence.
    pub(super) fn find(&self, server: &str) -> anyhow::Result<Option<KnownServer>> {
        let Some(file) = &self.0 else {
            return Ok(None);
        };
        let text = self.read()?;
        let found = find_line(&String::from_utf8_lossy(&text), server);
        Ok(found.map(|(line, fingerprint)| KnownServer { fingerprint, line, file: file.clone() }))
    }

    /// Adds a server at the end of the file. Only this user can read the file.
    ///
    /// # Errors
    /// The file cannot be written; the error is a sentence.
    pub(super) fn add(&self, server: &str, fingerprint: Fingerprint) -> anyhow::Result<()> {
        let file = self.0.as_ref().context("HOME is not set, so there is no file for servers")?;
        let mut text = self.read()?;
        if text.last().is_some_and(|last| *last != b'\n') {
            text.push(b'\n');
        }
        text.extend(format!("{server} {fingerprint}\n").bytes());
        let write = || {
            if let Some(directory) = file.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            }
            // Behind a symbolic link there is the file that the person keeps elsewhere.
            replace_file(&fs::canonicalize(file).unwrap_or(file.clone()), &text)
        };
        write().map_err(|error| anyhow!("Cannot write {}: {error}.", file.display()))
    }

    /// The bytes of the file; none if there is no file.
    fn read(&self) -> anyhow::Result<Vec<u8>> {
        let mut text = Vec::new();
        let Some(file) = &self.0 else {
            return Ok(text);
        };
        let mut read = || File::open(file)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut text);
        match read() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => bail!("Cannot read {}: {error}.", file.display()),
            Ok(_) => {}
        }
        ensure!(
            text.len() as u64 <= FILE_BYTES_MAX,
            "{} is larger than 1 MiB; remove lines that you do not need.",
            file.display()
        );
        Ok(text)
    }
}

/// The first line of a server, with its number from 1 on. Lines of another form count for no
/// server, such as comments.
fn find_line(text: &str, server: &str) -> Option<(usize, Fingerprint)> {
    text.lines().enumerate().find_map(|(at, line)| {
        let (name, fingerprint) = line.trim().split_once(char::is_whitespace)?;
        let fingerprint = fingerprint.parse().ok()?;
        name.eq_ignore_ascii_case(server).then_some((at + 1, fingerprint))
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use proptest::prelude::*;

    use super::*;

    fn fingerprint(byte: u8) -> Fingerprint {
        format!("{byte:02x}").repeat(32).parse().unwrap()
    }

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_server_is_found_again_and_only_its_owner_can_read_the_file() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("new/parlor/known_servers");
        let known = KnownServers(Some(file.clone()));
        assert_eq!(known.find("a:1").unwrap(), None);
        known.add("a:1", fingerprint(1)).unwrap();
        known.add("[::1]:8043", fingerprint(2)).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
        let found = known.find("[::1]:8043").unwrap().unwrap();
        assert_eq!((found.line, found.fingerprint), (2, fingerprint(2)));
        assert_eq!(known.find("a:12").unwrap(), None);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, format!("a:1 {}\n[::1]:8043 {}\n", fingerprint(1), fingerprint(2)));
    }

    #[test]
    fn everything_else_in_the_file_stays_and_a_link_stays_a_link() {
        let place = tempfile::tempdir().unwrap();
        let (file, link) = (place.path().join("elsewhere"), place.path().join("known_servers"));
        fs::write(&file, b"# of the office\n\xff\nb:1 00:11\nc:1").unwrap();
        symlink(&file, &link).unwrap();
        let known = KnownServers(Some(link.clone()));
        known.add("b:1", fingerprint(3)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let line = format!("b:1 {}\n", fingerprint(3));
        let expected = [b"# of the office\n\xff\nb:1 00:11\nc:1\n", line.as_bytes()].concat();
        assert_eq!(fs::read(&file).unwrap(), expected);
        assert_eq!(known.find("B:1").unwrap().unwrap().line, 5);
    }

    #[test]
    fn a_huge_file_is_not_read_and_not_written() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("known_servers");
        File::create(&file).unwrap().set_len(1 << 40).unwrap();
        let known = KnownServers(Some(file.clone()));
        let refusal = known.find("a:1").unwrap_err().to_string();
        assert!(refusal.contains("is larger than 1 MiB"), "{refusal}");
        assert!(known.add("a:1", fingerprint(1)).is_err());
        assert_eq!(fs::metadata(&file).unwrap().len(), 1 << 40);
    }

    proptest! {
        #[test]
        fn no_line_hides_a_later_one(
            before in "((\\PC|[ \t\n])*\n)?([#a-z]{0,3}:?[0-9]{0,2} ?[A-F0-9:]{0,100}\n){0,5}",
            after in "\\PC*",
            byte: u8,
        ) {
            let text = format!("{before}Chat.example:8043\t{}\r\n{after}", fingerprint(byte));
            let found = find_line(&text, "chat.example:8043");
            prop_assert_eq!(found, Some((before.lines().count() + 1, fingerprint(byte))));
            prop_assert_eq!(find_line(&before, "chat.example:8043"), None);
        }

        #[test]
        fn any_file_can_be_read(text in "(\\PC|[\r\n\t ])*", server in "\\PC*") {
            find_line(&text, &server);
        }
    }
}
