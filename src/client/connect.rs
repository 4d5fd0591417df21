//! The way to a server: the options of `parlor join`, and each connection. Knows no protocol.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::anyhow;
use clap::{Args, ValueHint};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client_tls::{ClientTls, TlsInput};
use super::place::{ServerPlace, read_place};
use crate::config::{Address, Host};
use crate::tls::Fingerprint;

/// Long enough for a slow resolver and a distant host, and shorter than a person's patience.
const CONNECT_SECONDS_MAX: Duration = Duration::from_secs(10);

/// A server that asks for a name does so within this time after its greeting. Until then the client
/// sends nothing, because the server could read it as the name.
pub(super) const QUESTION_SECONDS: Duration = Duration::from_secs(1);

/// After a few of these intervals the client notices that a server has vanished, as when a laptop
/// goes to sleep.
const KEEPALIVE_SECONDS: Duration = Duration::from_secs(30);

/// The options of `parlor join`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct JoinOptions {
    /// The server to join, by default at port 8000; with TLS tls://HOST, by default at port 8043
    #[arg(value_name = "HOST[:PORT]", default_value = "localhost:8000", value_parser = read_place,
          value_hint = ValueHint::Hostname)]
    pub server: ServerPlace,

    /// The port, written as for netcat
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// Enter under this name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Ring the terminal's bell when somebody says your name
    #[arg(long)]
    pub bell: bool,

    /// Join over TLS only if the server's certificate has this SHA256 fingerprint
    ///
    /// The server prints the fingerprint of its own certificate at its start, as AB:CD:...; small
    /// letters, and no colons, are the same. Nothing else counts then: neither an authority that
    /// has signed the certificate, nor its names and its time.
    #[arg(long, value_name = "FINGERPRINT")]
    pub pin: Option<Fingerprint>,
}

/// The way to a server, the same for each connection.
pub(super) struct Connector {
    address: Address,
    /// The client's side of TLS, if the server speaks it.
    tls: Option<ClientTls>,
}

/// The two halves of a connection. It closes when both are dropped. What is written is on its way
/// after a flush.
pub(super) struct ServerHalves {
    pub(super) input: ServerInput,
    pub(super) output: ServerOutput,
}

pub(super) type ServerInput = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type ServerOutput = Box<dyn AsyncWrite + Send + Unpin>;

impl Connector {
    /// The way to the server of these options.
    ///
    /// # Errors
    /// The known servers cannot be read; the error is a sentence.
    pub(super) fn new(options: &JoinOptions) -> anyhow::Result<Connector> {
        let ServerPlace { address, is_tls } = &options.server;
        let tls = is_tls.then(|| ClientTls::new(address, options.pin)).transpose()?;
        Ok(Connector { address: address.clone(), tls })
    }

    /// Connects within [`CONNECT_SECONDS_MAX`], and then shakes hands if the server speaks TLS.
    ///
    /// # Errors
    /// Nobody answers, or the server proves to be another one; the error is a sentence.
    pub(super) async fn connect(&self) -> anyhow::Result<ServerHalves> {
        let address = &self.address;
        let stream = match timeout(CONNECT_SECONDS_MAX, open(address)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Err(anyhow!("No server listens at {address}; `parlor serve` starts one."))
            }
            Ok(Err(error)) => Err(anyhow!("Could not connect to {address}: {error}.")),
            Err(_) => Err(anyhow!("Could not connect to {address}: no answer within 10 seconds.")),
        }?;
        Ok(match &self.tls {
            None => {
                let (input, output) = stream.into_split();
                ServerHalves { input: Box::new(input), output: Box::new(output) }
            }
            Some(tls) => {
                let (input, output) = split(tls.shake(stream).await?);
                ServerHalves { input: Box::new(TlsInput(input)), output: Box::new(output) }
            }
        })
    }
}

/// Opens a connection. `localhost` needs no resolver, which not every machine has.
async fn open(address: &Address) -> io::Result<TcpStream> {
    let here = [IpAddr::from(Ipv6Addr::LOCALHOST), Ipv4Addr::LOCALHOST.into()];
    let stream = match &address.host {
        Host::Name(name) if name == "localhost" => {
            TcpStream::connect(&here.map(|ip| SocketAddr::new(ip, address.port))[..]).await
        }
        host => TcpStream::connect(host.to_lookup(address.port)).await,
    }?;
    stream.set_nodelay(true)?;
    let keepalive =
        TcpKeepalive::new().with_time(KEEPALIVE_SECONDS).with_interval(KEEPALIVE_SECONDS);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}
