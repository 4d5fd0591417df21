//! TLS: the certificates of this server, and the settings of both sides of a connection. Knows no
//! door, and opens no socket but to an authority.

mod acme;
mod authorities;
mod certificate;
mod fingerprint;
mod issued;
mod own;
mod pair;
mod private_file;
mod settings;

pub(crate) use acme::{ACME_TLS, AcmeTask, Challenges};
pub(crate) use authorities::{authorities, system_roots};
pub(crate) use certificate::{Certificate, CertificateSource};
pub(crate) use fingerprint::Fingerprint;
pub(crate) use issued::IssuedPlace;
pub(crate) use private_file::replace_file;
pub(crate) use settings::{client_settings, provider, server_settings};
