//! The options of a URL that belong to its listener, whatever door is behind it. Opens nothing.

use std::path::PathBuf;

use super::opening::{DoorOption, UrlOptions};
use super::trusted::{TrustedSource, TrustedSources};
use crate::config::{CertificateFiles, InvalidValue};

/// The options of a listener behind which a proxy may stand, in the order of help.
pub(super) const PROXY_OPTIONS: &[DoorOption] = &[PROXY];

/// The options of a listener for HTTP, in the order of help.
pub(super) const FORWARD_OPTIONS: &[DoorOption] = &[FORWARDED];

/// The options of a listener with TLS, in the order of help.
pub(super) const TLS_OPTIONS: &[DoorOption] = &[CERT, KEY];

/// The options of a Unix socket, in the order of help.
pub(super) const UNIX_OPTIONS: &[DoorOption] = &[MODE];

const MODE: DoorOption = DoorOption {
    form: "mode=660",
    about: "who may open the socket, as for chmod [default: 660, its owner and group]",
};

const CERT: DoorOption = DoorOption {
    form: "cert=FILE",
    about: "the certificate of this listener, with its chain, in PEM [default: as --tls-cert]",
};

const KEY: DoorOption =
    DoorOption { form: "key=FILE", about: "the key of cert [default: in the same file]" };

const PROXY: DoorOption = DoorOption {
    form: "proxy=CIDR|unix",
    about: "connections from there begin with a PROXY header, which names the client; may be repeated",
};

const FORWARDED: DoorOption = DoorOption {
    form: "forwarded=CIDR|unix",
    about: "requests from there name the client in Forwarded or X-Forwarded-For; may be repeated",
};

/// The rights without an option: a web server in front has the group of the socket.
const MODE_USUAL: u32 = 0o660;

/// The options of a listener, parsed.
pub(crate) struct ListenerOptions {
    /// The rights of the file of a Unix socket.
    pub(crate) mode: u32,
    /// The certificate, if the listener has its own.
    pub(crate) certificate: Option<CertificateFiles>,
    /// The proxies that begin each connection with a PROXY header.
    pub(crate) proxies: TrustedSources,
    /// The proxies that name the client of each request in its headers.
    pub(crate) forwarders: TrustedSources,
}

impl ListenerOptions {
    pub(super) fn read(options: &UrlOptions) -> Result<ListenerOptions, InvalidValue> {
        let mode = options.one(&MODE, read_mode)?;
        let certificate = match (options.one(&CERT, read_file)?, options.one(&KEY, read_file)?) {
            (None, Some(_)) => return Err(InvalidValue::new("key needs cert; write cert=FILE")),
            (chain, key) => chain.map(|chain| CertificateFiles::new(chain, key)),
        };
        Ok(ListenerOptions {
            mode: mode.unwrap_or(MODE_USUAL),
            certificate,
            proxies: TrustedSources(options.all(&PROXY, TrustedSource::read)?),
            forwarders: TrustedSources(options.all(&FORWARDED, TrustedSource::read)?),
        })
    }

    /// The options in one form: only those that differ from the default.
    pub(super) fn tidy(&self) -> Vec<String> {
        let mode = (self.mode != MODE_USUAL).then(|| format!("mode={:03o}", self.mode));
        let proxies = self.proxies.0.iter().map(|source| format!("proxy={source}"));
        let forwarders = self.forwarders.0.iter().map(|source| format!("forwarded={source}"));
        let files = self.certificate.iter().flat_map(|CertificateFiles { chain, key }| {
            let key = (key != chain).then(|| format!("key={}", key.display()));
            [format!("cert={}", chain.display())].into_iter().chain(key)
        });
        files.chain(mode).chain(proxies).chain(forwarders).collect()
    }
}

fn read_file(text: &str) -> Result<PathBuf, InvalidValue> {
    match text {
        "" => Err(InvalidValue::new("cert and key are files; write cert=FILE")),
        path => Ok(path.into()),
    }
}

fn read_mode(text: &str) -> Result<u32, InvalidValue> {
    let is_mode = text.len() == 3 && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    u32::from_str_radix(text, 8).ok().filter(|_| is_mode).ok_or_else(|| {
        InvalidValue::new(format!(
            "mode is {text:?}; write three digits from 0 to 7, such as 660 or 666"
        ))
    })
}
