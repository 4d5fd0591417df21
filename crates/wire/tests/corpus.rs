//! Replays the corpora of the fuzz targets, so that old findings do not come back. It looks for
//! nothing new.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and what it prints is shown then"
)]

mod fuzz_bodies;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The body of a fuzz target. It panics if the bytes are handled wrongly.
type Body = fn(&[u8]);

/// The fuzz targets with their bodies.
const TARGETS: [(&str, Body); 14] = [
    ("carried", fuzz_bodies::carried::run),
    ("certificate", fuzz_bodies::certificate::run),
    ("first_line", fuzz_bodies::first_line::run),
    ("forwarded", fuzz_bodies::forwarded::run),
    ("framer", fuzz_bodies::framer::run),
    ("irc", fuzz_bodies::irc::run),
    ("keys", fuzz_bodies::keys::run),
    ("lines", fuzz_bodies::lines::run),
    ("proposal", fuzz_bodies::proposal::run),
    ("proxy", fuzz_bodies::proxy::run),
    ("snapshot", fuzz_bodies::snapshot::run),
    ("telnet", fuzz_bodies::telnet::run),
    ("web", fuzz_bodies::web::run),
    ("websocket", fuzz_bodies::websocket::run),
];

/// The paths in a folder of `fuzz/`.
fn fuzz_files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(folder);
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_file_of_every_corpus_passes() {
    for (target, body) in TARGETS {
        let files = fuzz_files(&format!("corpus/{target}"));
        assert!(files.len() >= 12, "{} files for {target}", files.len());
        for path in files {
            println!("{}", path.display());
            body(&fs::read(&path).unwrap());
        }
    }
}

#[test]
fn every_fuzz_target_is_in_the_manifest_and_its_corpus_is_replayed() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let names =
        |folder| fuzz_files(folder).into_iter().map(|path| path.file_stem().unwrap().to_owned());
    let targets: Vec<_> = names("fuzz_targets").collect();
    assert_eq!(targets, TARGETS.map(|(target, _)| OsString::from(target)));
    assert_eq!(targets, names("corpus").collect::<Vec<_>>());
    for (target, _) in TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
    }
}
