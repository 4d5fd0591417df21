//! Without a person at a terminal: a plain copy both ways. Knows nothing of names and of what is said.

use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::thread;

use anyhow::bail;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

use super::lines::Lines;
use super::screen;
use crate::args::JoinOptions;

/// One read; as much as a pipe usually holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// How the copy from the server ended, other than by its closing.
enum Failure {
    /// The connection broke.
    Connection(io::Error),
    /// Our output is closed, as by `| head`: whoever reads it has seen enough.
    Output(io::Error),
}

/// Copies standard input to the server and what it sends to standard output, until the server closes.
///
/// The end of the input closes the sending side only.
pub(super) async fn copy(options: &JoinOptions, stream: TcpStream) -> anyhow::Result<()> {
    let (reader, writer) = stream.into_split();
    let first = options
        .name
        .as_ref()
        .map(|name| format!("{name}\n").into_bytes());
    let sending = tokio::spawn(send(first, writer));
    let ended = match io::stdout().is_terminal() {
        true => show(reader).await,
        false => pass(reader).await,
    };
    sending.abort();
    match ended {
        Ok(()) => Ok(()),
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(Failure::Output(error)) => bail!("Could not write what the server said: {error}."),
        Err(Failure::Connection(error)) => {
            bail!("The connection to {} broke: {error}.", options.address)
        }
    }
}

/// A connection that breaks while sending breaks while receiving as well, and is reported there.
async fn send(first: Option<Vec<u8>>, mut writer: OwnedWriteHalf) -> io::Result<()> {
    let mut typed = standard_input();
    if let Some(first) = first {
        writer.write_all(&first).await?;
    }
    while let Some(chunk) = typed.recv().await {
        writer.write_all(&chunk).await?;
    }
    writer.shutdown().await
}

/// Reads in a thread of its own: it may wait for ever, and must not keep the program from ending.
fn standard_input() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(1);
    thread::spawn(move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(count @ 1..) = io::stdin().read(&mut chunk) {
            let read = chunk.iter().take(count).copied().collect();
            if sender.blocking_send(read).is_err() {
                return;
            }
        }
    });
    receiver
}

/// To a pipe or a file: byte for byte.
async fn pass(mut reader: OwnedReadHalf) -> Result<(), Failure> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    while reader
        .read_buf(&mut chunk)
        .await
        .map_err(Failure::Connection)?
        > 0
    {
        write(&chunk).map_err(Failure::Output)?;
        chunk.clear();
    }
    Ok(())
}

/// To a terminal: line by line, harmless.
async fn show(reader: OwnedReadHalf) -> Result<(), Failure> {
    let mut lines = Lines::new(reader);
    while let Some(line) = lines.next().await.map_err(Failure::Connection)? {
        let shown = screen::sanitise(&line) + "\n";
        write(shown.as_bytes()).map_err(Failure::Output)?;
    }
    Ok(())
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
