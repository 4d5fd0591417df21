//! The doors at which an authority can check the names of this server (ACME). Opens none.

use super::kinds::{WEB_SCHEMES, find};
use crate::config::{AcmeChallenge, Config, InvalidValue, ListenPlace, ListenUrl};

/// The port at which authorities check with TLS (RFC 8737).
const TLS_PORT: u16 = 443;

/// The port at which authorities check with HTTP (RFC 8555, section 8.3).
const HTTP_PORT: u16 = 80;

/// The way in which an authority checks names: none if no authority is asked.
///
/// # Errors
/// No door fits; the error is a sentence.
pub(crate) fn acme_challenge(config: &Config) -> Result<Option<AcmeChallenge>, InvalidValue> {
    if config.acme.is_empty() {
        return Ok(None);
    }
    let has_tls = |url: &&ListenUrl| find(&url.scheme).is_ok_and(|(_, door)| door.tls.is_some());
    let is_web = |url: &&ListenUrl| WEB_SCHEMES.contains(&url.scheme.as_str());
    let is_at = |url: &ListenUrl, wanted| matches!(url.place, ListenPlace::Port { port, .. } if port == Some(wanted));
    let tls = || config.listeners.iter().filter(has_tls);
    let mut web = config.listeners.iter().filter(is_web);
    let way = match config.acme_challenge {
        Some(AcmeChallenge::Http) if web.next().is_none() => {
            Err("--acme-challenge http needs a web door (http://*:80)")
        }
        Some(way) => Ok(way),
        None if tls().any(|url| is_at(url, TLS_PORT)) => Ok(AcmeChallenge::Tls),
        None if web.any(|url| is_at(url, HTTP_PORT)) => Ok(AcmeChallenge::Http),
        None => Err("--acme needs a door at port 443 (https://*:443) or 80 (http://*:80)"),
    };
    match tls().next() {
        None if way.is_ok() => {
            Err("--acme needs a door with TLS, which shows the certificate (https://*:443)")
        }
        _ => way.map(Some),
    }
    .map_err(InvalidValue::new)
}
