//! TLS: the certificates of this server, and the settings of its side of a connection. Knows no
//! door and no socket.

mod certificate;
mod own;
mod pair;
mod settings;

pub(crate) use certificate::{Certificate, CertificateSource};
pub(crate) use settings::server_settings;
