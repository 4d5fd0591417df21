//! The client without a terminal: a plain copy in both directions, after the name if there is one.
//! Does not read the lines of people.

use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::thread;
use std::time::Duration;

use anyhow::{anyhow, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::connect::{JoinOptions, QUESTION_SECONDS, ServerHalves, ServerInput, ServerOutput};
use super::handshake::{self, Handshake, HandshakeStep, LINE_PORT};
use super::lines::Cutter;
use crate::config::Address;
use crate::terminal::sanitise;

/// The size of one read: a pipe usually holds this much.
const CHUNK_BYTES: usize = 64 * 1024;

/// Even a busy server greets within this time, and accepts or refuses a name within it.
const ENTRANCE_SECONDS_MAX: Duration = Duration::from_secs(10);

/// The advice for a server that is full or going down.
const TRY_LATER: &str = "try again later";

/// The advice for a server that sends nothing.
const WHICH_PORT: &str = "try again later, or another port: lines are usually at 8000, and with tls:// at 8043; 8080 is for browsers, and 6667 for IRC";

/// Copies standard input to the server, and the server's bytes to standard output, until the server
/// closes the connection.
///
/// With a name, the input waits until the server accepts the name, so that its first line is not
/// read as the name. The end of the input closes only the sending side.
pub(super) async fn copy(options: &JoinOptions, connection: ServerHalves) -> anyhow::Result<()> {
    let ServerHalves { input, mut output } = connection;
    let mut incoming = Incoming::new(input, options.server.address.clone());
    let copied = async {
        if let Some(name) = &options.name {
            enter(name, &mut incoming, &mut output).await?;
        }
        let sending = tokio::spawn(send(output));
        let ended = incoming.copy().await;
        sending.abort();
        ended
    };
    match copied.await {
        // The output is closed, for example by `| head`: its reader has seen enough.
        Err(error) if error.is::<OutputClosed>() => Ok(()),
        copied => copied,
    }
}

/// Sends the name if the server asks for one. Returns when the next line is no longer an answer.
async fn enter(
    name: &str,
    incoming: &mut Incoming,
    output: &mut ServerOutput,
) -> anyhow::Result<()> {
    let (mut handshake, mut cutter) = (Handshake::new(), Cutter::default());
    let mut deadline = Instant::now() + ENTRANCE_SECONDS_MAX;
    loop {
        let Ok(chunk) = timeout_at(deadline, incoming.pass_on()).await else {
            return match handshake.is_greeted() {
                true => Ok(()),
                false => Err(turned_away(WHICH_PORT, &handshake)),
            };
        };
        let chunk = chunk?;
        if chunk.is_empty() {
            return Err(turned_away(TRY_LATER, &handshake));
        }
        let was_greeted = handshake.is_greeted();
        for line in cutter.cut_all(chunk) {
            match handshake.hear(&sanitise(&line)) {
                HandshakeStep::Wait => {}
                HandshakeStep::Answer => {
                    // If the connection breaks now, the next read notices.
                    let _ = write_whole(output, format!("{name}\n").as_bytes()).await;
                    deadline = Instant::now() + ENTRANCE_SECONDS_MAX;
                }
                HandshakeStep::In => return Ok(()),
                HandshakeStep::Refused(advice) => return Err(turned_away(advice, &handshake)),
            }
        }
        if handshake.is_greeted() && !was_greeted {
            deadline = Instant::now() + QUESTION_SECONDS;
        }
    }
}

/// The sentence for a name that is not accepted: the advice, and the server's reason if it gave
/// one.
fn turned_away(advice: &str, handshake: &Handshake) -> anyhow::Error {
    let reason = match handshake.reason() {
        Some(words) => format!("the server says \"{words}\""),
        None => "the server gives no reason".to_owned(),
    };
    anyhow!("Nothing was sent, {advice}: {reason}.")
}

/// The first line of a server of another protocol, which arrives in one piece.
fn foreign_words(first: &[u8]) -> Option<String> {
    let line = first.split(|&byte| byte == b'\n').next()?;
    handshake::foreign_words(&sanitise(line))
}

/// Sends standard input to the server. A broken connection is reported by the receiving side.
async fn send(mut output: ServerOutput) -> io::Result<()> {
    let mut typed = standard_input();
    while let Some(chunk) = typed.recv().await {
        write_whole(&mut output, &chunk).await?;
    }
    output.shutdown().await
}

async fn write_whole(output: &mut ServerOutput, bytes: &[u8]) -> io::Result<()> {
    output.write_all(bytes).await?;
    output.flush().await
}

/// Reads standard input in its own thread: a read may wait for ever, and the program must still
/// end.
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

/// The reader of the output is gone.
#[derive(Debug, thiserror::Error)]
#[error("the output is closed")]
struct OutputClosed;

/// The server's bytes on their way to standard output.
struct Incoming {
    input: ServerInput,
    /// The server's address, for people.
    address: Address,
    /// The bytes of the last read.
    chunk: Vec<u8>,
    /// Whether anything was read.
    has_begun: bool,
    /// The line that is arriving, if the output is a terminal: a terminal gets sanitised lines, a
    /// file or a pipe every byte.
    terminal: Option<Cutter>,
}

impl Incoming {
    fn new(input: ServerInput, address: Address) -> Self {
        Self {
            input,
            address,
            chunk: Vec::with_capacity(CHUNK_BYTES),
            has_begun: false,
            terminal: io::stdout().is_terminal().then(Cutter::default),
        }
    }

    async fn copy(&mut self) -> anyhow::Result<()> {
        if !self.has_begun {
            let address = self.address.clone();
            // A server for lines greets at once.
            let first = timeout(ENTRANCE_SECONDS_MAX, self.pass_on()).await;
            let first = first.map_err(|_| anyhow!("The server says nothing: {WHICH_PORT}."))??;
            if first.is_empty() {
                return Ok(());
            }
            if let Some(advice) = handshake::tls_advice(first, &address) {
                bail!("{advice}.");
            }
            if let Some(words) = foreign_words(first) {
                bail!("This port is not for chatting, {LINE_PORT}: the server says \"{words}\".");
            }
        }
        while !self.pass_on().await?.is_empty() {}
        Ok(())
    }

    /// Reads once, writes the bytes to the output and returns them: none when the server has closed
    /// the connection.
    async fn pass_on(&mut self) -> anyhow::Result<&[u8]> {
        self.chunk.clear();
        let read = self.input.read_buf(&mut self.chunk).await;
        self.has_begun |= !self.chunk.is_empty();
        let shown = match &mut self.terminal {
            None => write(&self.chunk),
            Some(cutter) => {
                let mut lines = cutter.cut_all(&self.chunk);
                if self.chunk.is_empty() {
                    lines.extend(cutter.rest());
                }
                let shown = lines.iter().map(|line| sanitise(line) + "\n");
                write(shown.collect::<String>().as_bytes())
            }
        };
        shown.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => OutputClosed.into(),
            _ => anyhow!("Could not write what the server said: {error}."),
        })?;
        // The output comes before the error, because it was sent before.
        read.map_err(|error| anyhow!("The connection to {} broke: {error}.", self.address))?;
        Ok(&self.chunk)
    }
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
