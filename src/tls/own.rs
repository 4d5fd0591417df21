//! The certificate that the server makes for itself. Knows no connection.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::pair::{self, NoCertificate};
use super::private_file::replace_file;
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

/// The own certificate, and the time from which on another one is made; none if a person has put it
/// there. It is the one in the directory, or a new one if there is none or it is old, or no directory.
pub(super) fn find_or_make(
    directory: Option<&Path>,
    now: Timestamp,
) -> Result<(Arc<CertifiedKey>, Option<Timestamp>), NoCertificate> {
    let Some(directory) = directory else {
        return Ok((make(now)?.pair, renewal(now)));
    };
    let [chain, key] = files(directory);
    if chain.exists() && key.exists() {
        let renewed_at = made_at(&chain).and_then(renewal);
        if renewed_at.is_none_or(|at| now < at) {
            return Ok((pair::read(&chain, &key)?, renewed_at));
        }
    }
    let made = make(now)?;
    // The key first: a new certificate with the old key would be refused.
    write(&key, &made.key)?;
    write(&chain, &made.chain)?;
    Ok((made.pair, renewal(now)))
}

/// The time from which on another certificate is made in place of one of this time.
fn renewal(made: Timestamp) -> Option<Timestamp> {
    made.checked_add(SignedDuration::from_hours(RENEWED_DAYS * 24)).ok()
}

/// The paths of chain and key in a directory.
pub(super) fn files(directory: &Path) -> [PathBuf; 2] {
    [directory.join(CHAIN_FILE), directory.join(KEY_FILE)]
}

/// The time at which a server has made the certificate in this file.
fn made_at(chain: &Path) -> Option<Timestamp> {
    let text = fs::read_to_string(chain).ok()?;
    let mut times = text.lines().filter_map(|line| line.strip_prefix(MADE)?.split(',').next());
    times.find_map(|time| time.parse().ok())
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
pub(super) fn write(path: &Path, text: &str) -> Result<(), NoCertificate> {
    replace_file(path, text.as_bytes())
        .map_err(|error| NoCertificate::Unwritable { path: path.to_owned(), error })
}
