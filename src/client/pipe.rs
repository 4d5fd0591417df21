//! Without a person at a terminal: a plain copy both ways, after the name if one is given. Knows nothing of what is said.

use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::thread;
use std::time::Duration;

use anyhow::{anyhow, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::entrance::{Entrance, LINE_PORT, Step};
use super::lines::Cutter;
use super::{QUESTION_SECONDS, entrance};
use crate::cli::JoinOptions;
use crate::terminal::paint;

/// One read; as much as a pipe usually holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// A busy server greets within this time, and says within it whether a name will do.
const ENTRANCE_SECONDS_MAX: Duration = Duration::from_secs(10);

/// What helps with a server that is full, or going down.
const TRY_LATER: &str = "try again later";

/// What helps where nothing is heard at all.
const WHICH_PORT: &str =
    "try again later, or another port: lines are usually at 8000, and 8080 is for browsers";

/// How the copy from the server ended, other than by its closing.
enum Failure {
    /// The connection broke.
    Connection(io::Error),
    /// Our output is closed, as by `| head`: whoever reads it has seen enough.
    Output(io::Error),
    /// The name was not accepted; why, and what to do.
    Entrance(String),
}

/// Copies standard input to the server and what it sends to standard output, until the server closes.
///
/// With a name the input waits until that is accepted: its first line is not to become the name.
/// The end of the input closes the sending side only.
pub(super) async fn copy(options: &JoinOptions, stream: TcpStream) -> anyhow::Result<()> {
    match talk(options.name.as_deref(), stream).await {
        Ok(()) => Ok(()),
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(Failure::Output(error)) => bail!("Could not write what the server said: {error}."),
        Err(Failure::Connection(error)) => {
            bail!("The connection to {} broke: {error}.", options.address)
        }
        Err(Failure::Entrance(sentence)) => Err(anyhow!(sentence)),
    }
}

async fn talk(name: Option<&str>, stream: TcpStream) -> Result<(), Failure> {
    let (reader, mut writer) = stream.into_split();
    let mut incoming = Incoming::new(reader);
    if let Some(name) = name {
        enter(name, &mut incoming, &mut writer).await?;
    }
    let sending = tokio::spawn(send(writer));
    let ended = incoming.copy().await;
    sending.abort();
    ended
}

/// Gives the name if the server asks for one; returns when what is sent next is said and no answer.
async fn enter(
    name: &str,
    incoming: &mut Incoming,
    writer: &mut OwnedWriteHalf,
) -> Result<(), Failure> {
    let (mut entrance, mut cutter) = (Entrance::new(), Cutter::default());
    let mut deadline = Instant::now() + ENTRANCE_SECONDS_MAX;
    loop {
        let Ok(chunk) = timeout_at(deadline, incoming.pass_on()).await else {
            return match entrance.is_greeted() {
                true => Ok(()),
                false => Err(turned_away(WHICH_PORT, &entrance)),
            };
        };
        let chunk = chunk?;
        if chunk.is_empty() {
            return Err(turned_away(TRY_LATER, &entrance));
        }
        let was_greeted = entrance.is_greeted();
        for line in cutter.cut_all(chunk) {
            match entrance.hear(&paint::sanitise(&line)) {
                Step::Wait => {}
                Step::Answer => {
                    // A connection that breaks now is noticed by the next read.
                    let _ = writer.write_all(format!("{name}\n").as_bytes()).await;
                    deadline = Instant::now() + ENTRANCE_SECONDS_MAX;
                }
                Step::In => return Ok(()),
                Step::Refused(advice) => return Err(turned_away(advice, &entrance)),
            }
        }
        if entrance.is_greeted() && !was_greeted {
            deadline = Instant::now() + QUESTION_SECONDS;
        }
    }
}

/// What to do about not being let in, and why that is: in the server's words if it had any.
fn turned_away(advice: &str, entrance: &Entrance) -> Failure {
    let reason = match entrance.reason() {
        Some(words) => format!("the server says \"{words}\""),
        None => "the server gives no reason".to_owned(),
    };
    Failure::Entrance(format!("Nothing was sent, {advice}: {reason}."))
}

/// The first line of a server of another kind, which comes at once and so in one piece.
fn foreign_words(first: &[u8]) -> Option<String> {
    let line = first.split(|&byte| byte == b'\n').next()?;
    entrance::foreign_words(&paint::sanitise(line))
}

/// A connection that breaks while sending breaks while receiving as well, and is reported there.
async fn send(mut writer: OwnedWriteHalf) -> io::Result<()> {
    let mut typed = standard_input();
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

/// What the server sends, on its way to standard output.
struct Incoming {
    reader: OwnedReadHalf,
    /// What was read last.
    chunk: Vec<u8>,
    /// Whether anything was read.
    has_begun: bool,
    /// The line that is arriving, if it goes to a terminal: line by line, harmless. Anything else gets it byte for byte.
    terminal: Option<Cutter>,
}

impl Incoming {
    fn new(reader: OwnedReadHalf) -> Self {
        Self {
            reader,
            chunk: Vec::with_capacity(CHUNK_BYTES),
            has_begun: false,
            terminal: io::stdout().is_terminal().then(Cutter::default),
        }
    }

    async fn copy(&mut self) -> Result<(), Failure> {
        if !self.has_begun {
            // Every door for lines greets at once.
            let first = timeout(ENTRANCE_SECONDS_MAX, self.pass_on()).await;
            let silent = |_| Failure::Entrance(format!("The server says nothing: {WHICH_PORT}."));
            let first = first.map_err(silent)??;
            if first.is_empty() {
                return Ok(());
            }
            if let Some(words) = foreign_words(first) {
                return Err(Failure::Entrance(format!(
                    "This port is not for chatting, {LINE_PORT}: the server says \"{words}\"."
                )));
            }
        }
        while !self.pass_on().await?.is_empty() {}
        Ok(())
    }

    /// Reads once and writes that; returns what was read, which is nothing when the server has closed.
    async fn pass_on(&mut self) -> Result<&[u8], Failure> {
        self.chunk.clear();
        let read = self.reader.read_buf(&mut self.chunk).await;
        self.has_begun |= !self.chunk.is_empty();
        let shown = match &mut self.terminal {
            None => write(&self.chunk),
            Some(cutter) => {
                let mut lines = cutter.cut_all(&self.chunk);
                if self.chunk.is_empty() {
                    lines.extend(cutter.rest());
                }
                let shown = lines.iter().map(|line| paint::sanitise(line) + "\n");
                write(shown.collect::<String>().as_bytes())
            }
        };
        shown.map_err(Failure::Output)?;
        // A break comes after what was said before it.
        read.map_err(Failure::Connection)?;
        Ok(&self.chunk)
    }
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
