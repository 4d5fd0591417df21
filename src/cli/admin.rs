//! `parlor admin`: gives one order to the server that runs, and prints the answer. Knows no order by itself.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::config::directory;
use crate::door::{AdminOptions, AdminOrder, NameOrder, SOCKET, read_password};

/// The server answers sooner, unless it stands still.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// Gives the order, and hands each line of the answer to `tell`.
///
/// # Errors
/// No server runs there, it does not answer, or it refuses: in one sentence.
pub fn ask(options: &AdminOptions, mut tell: impl FnMut(&str)) -> anyhow::Result<()> {
    let mut order = options.order.clone();
    if let AdminOrder::Name {
        order: NameOrder::Password { name, password },
    } = &mut order
    {
        *password = read_password(name)?;
    }
    let directory = directory(options.data.as_deref())?;
    let path = directory.join(SOCKET);
    let shown = directory.display();
    let no_server = |missing| {
        anyhow!(
            "{missing} {}: no server runs on {shown}, or its socket was deleted, and then it makes a new one within {} s; \
             give --data the server's directory, which it logs when it starts",
            path.display(),
            crate::door::LOOK_EVERY.as_secs()
        )
    };
    let stream = connect(&path).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => {
            anyhow!("only root and the user who runs the server on {shown} can control it")
        }
        ErrorKind::InvalidInput => anyhow!(
            "{} is too long for a socket's path; start the server with a shorter --data",
            path.display()
        ),
        ErrorKind::WouldBlock => anyhow!("the server on {shown} {STANDS_STILL}"),
        ErrorKind::NotFound => no_server("there is no"),
        // What stands there is no socket, or that of a server that was killed.
        ErrorKind::ConnectionRefused => no_server("no server answers at"),
        _ => anyhow!("cannot reach the server on {shown}: {error}"),
    })?;
    let until = Instant::now() + ANSWER_TIME;
    match converse(Timed { stream, until }, &order, &mut tell) {
        Ok(outcome) => outcome.map_err(|sentence| anyhow!("{sentence}")),
        Err(error) if is_timeout(&error) => bail!("the server on {shown} {STANDS_STILL}"),
        Err(error) => Err(error).with_context(|| format!("the server on {shown} broke off")),
    }
}

const STANDS_STILL: &str =
    "does not answer: it is stopped, or has too much to do; its log may say more. Try again later";

/// Connects without a wait: a server that stands still may have more callers than the system queues for it.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    socket.set_nonblocking(false)?;
    Ok(OwnedFd::from(socket).into())
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Sends the order and reads the answer: whether it was done, or the sentence that says why not.
fn converse(
    mut stream: Timed,
    order: &AdminOrder,
    tell: &mut impl FnMut(&str),
) -> io::Result<Result<(), String>> {
    let order = serde_json::to_string(order)?;
    writeln!(stream, "{order}")?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if let Some(words) = line.strip_prefix(' ') {
            tell(words);
        } else if let Some(sentence) = line.strip_prefix('!') {
            return Ok(Err(sentence.to_owned()));
        } else {
            return Ok(Ok(()));
        }
    }
    Err(ErrorKind::UnexpectedEof.into())
}

/// A connection whose reads and writes together take no longer than until then.
struct Timed {
    stream: UnixStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(bytes)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
