//! Whether a server of NATS can do what this program needs. Knows no stream.

use anyhow::ensure;
use async_nats::Client;

/// The oldest server that does everything this program needs, as major and minor version.
const SERVER_MIN: (u32, u32) = (2, 12);

/// Checks that a server is new enough and stores streams.
///
/// # Errors
/// It is too old, or stores none: what to do.
pub(super) fn check_server(client: &Client) -> anyhow::Result<()> {
    let info = client.server_info();
    let mut parts = info.version.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let (major, minor) = SERVER_MIN;
    ensure!(
        version >= SERVER_MIN,
        "the server of NATS has version {}, and Parlor needs {major}.{minor} or later; update it",
        info.version
    );
    ensure!(
        info.jetstream,
        "the server of NATS at {}:{} has no JetStream; start it with -js",
        info.host,
        info.port
    );
    Ok(())
}
