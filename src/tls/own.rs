//! The certificate that the server makes for itself. Knows no connection.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::pair::{self, NoCertificate};
use super::settings::provider;

/// How long a certificate is valid: browsers accept no longer time.
const VALID_DAYS: i64 = 397;

/// The age at which a new one is made: at the last third.
const RENEWED_DAYS: i64 = VALID_DAYS * 2 / 3;

/// The files in the server's directory.
const CHAIN_FILE: &str = "tls-cert.pem";
const KEY_FILE: &str = "tls-key.pem";

/// The beginning of the line in the file that says when it was made.
const MADE: &str = "# Made by Parlor at ";

/// A certificate in PEM, with its key.
struct Made {
    chain: String,
    key: String,
    pair: Arc<CertifiedKey>,
}

/// The own certificate of a server that stores nothing.
pub(super) fn in_memory() -> Result<Arc<CertifiedKey>, NoCertificate> {
    Ok(make(Timestamp::now())?.pair)
}

/// The own certificate in a directory: the one that is there, or a new one if there is none or it is
/// old.
pub(super) fn in_directory(directory: &Path) -> Result<Arc<CertifiedKey>, NoCertificate> {
    let [chain, key] = files(directory);
    let now = Timestamp::now();
    if chain.exists() && key.exists() && !is_old(&chain, now) {
        return pair::read(&chain, &key);
    }
    let made = make(now)?;
    // The key first: a new certificate with the old key would be refused.
    write(&key, &made.key)?;
    write(&chain, &made.chain)?;
    Ok(made.pair)
}

/// The paths of chain and key in a directory.
pub(super) fn files(directory: &Path) -> [PathBuf; 2] {
    [directory.join(CHAIN_FILE), directory.join(KEY_FILE)]
}

/// Whether the certificate in this file was made by a server long ago. One without that line was
/// put there by a person, and stays.
fn is_old(chain: &Path, now: Timestamp) -> bool {
    let text = fs::read_to_string(chain).unwrap_or_default();
    let mut times = text.lines().filter_map(|line| line.strip_prefix(MADE)?.split(',').next());
    let made = times.find_map(|time| time.parse::<Timestamp>().ok());
    made.is_some_and(|made| made + SignedDuration::from_hours(RENEWED_DAYS * 24) <= now)
}

fn make(now: Timestamp) -> Result<Made, NoCertificate> {
    let failed = |error: rcgen::Error| NoCertificate::Own(error.to_string());
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let names = names();
    let mut facts = CertificateParams::new(names.clone()).map_err(failed)?;
    facts
        .distinguished_name
        .push(DnType::CommonName, names.first().map_or("localhost", |name| name));
    let day = |time: Timestamp| {
        let date = TimeZone::UTC.to_datetime(time).date();
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    facts.not_before = day(now - SignedDuration::from_hours(24)); // clients' clocks differ
    facts.not_after = day(now + SignedDuration::from_hours((VALID_DAYS - 1) * 24));
    let certificate = facts.self_signed(&key).map_err(failed)?;
    let private = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|error| NoCertificate::Own(error.to_owned()))?;
    let pair = CertifiedKey::from_der(vec![certificate.der().clone()], private, &provider())
        .map_err(|error| NoCertificate::Own(error.to_string()))?;
    let chain = format!("{MADE}{now}, for {VALID_DAYS} days\n{}", certificate.pem());
    Ok(Made { chain, key: key.serialize_pem(), pair: Arc::new(pair) })
}

/// The names and addresses of this machine.
fn names() -> Vec<String> {
    let own = rustix::system::uname();
    let own = own.nodename().to_string_lossy().to_ascii_lowercase();
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses = interfaces.iter().map(|interface| interface.ip().to_string());
    let own = is_name(&own).then_some(own);
    let mut names: Vec<_> = own.into_iter().chain(["localhost".to_owned()]).collect();
    names.extend(addresses.chain(["127.0.0.1", "::1"].map(str::to_owned)));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Writes a file that only this user can read, in the place of an earlier one.
fn write(path: &Path, text: &str) -> Result<(), NoCertificate> {
    let new = path.with_extension("pem.new");
    let written = fs::remove_file(&new).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    });
    let written = written.and_then(|()| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    written.map_err(|error| NoCertificate::Io { path: path.to_owned(), error })
}
