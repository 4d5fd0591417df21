//! The bare loop: the cost of a delivery in a server that does nothing but deliver.
//!
//! One thread, epoll, and non-blocking `send`. The lines of each read get a prefix of 17 bytes, or
//! of as many as the other server's lines have, and all of them are sent once to every client. No names, no rooms, no limits, no UTF-8. A client
//! whose socket is full misses them.
//!
//! The synced loop also stores lines as a room on disk does: all lines of one look at the sockets
//! are a batch, which is written to a file and synced before it is sent.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use super::protocol::Protocol;
use super::target::{THIS_PROGRAM, Target};

/// A longer prefix repeats it.
const PREFIX: &[u8; 17] = b"127.0.0.1:12345: ";

/// The size of the file of the synced loop: that of Parlor's write-ahead log.
const LOG_BYTES: usize = 4 << 20;

/// Whether a bare loop stores lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BareLoop {
    /// It sends lines, and nothing else
    Plain,
    /// It also writes each batch to a file and syncs it (fdatasync) before it sends it
    Synced,
}

/// A bare loop as a target, which is in this program.
pub(crate) fn bare_loop(kind: BareLoop) -> Target {
    bare_loop_with(kind, PREFIX.len())
}

/// A bare loop with a prefix of this many bytes.
pub(crate) fn bare_loop_with(kind: BareLoop, prefix: usize) -> Target {
    let (name, log) = match kind {
        BareLoop::Plain => ("bare loop", None),
        BareLoop::Synced => ("bare loop synced", Some("bare.log")),
    };
    let prefix = prefix.to_string();
    let words = [THIS_PROGRAM, "bare", "{port}", &prefix].into_iter().chain(log);
    Target::new(name, Protocol::Lines, words)
}

/// A client, and the beginning of an incomplete line.
struct BareClient {
    socket: TcpStream,
    held: Vec<u8>,
}

/// The clients, by descriptor.
type BareClients = Vec<Option<BareClient>>;

/// Serves until the process is killed, with a prefix of this many bytes. With the path of a log,
/// this is the synced loop.
pub(crate) fn serve(port: u16, prefix: usize, log: Option<&Path>) -> anyhow::Result<()> {
    let mut log = log.map(BareLog::create).transpose()?;
    let prefix: Vec<u8> = PREFIX.iter().copied().cycle().take(prefix).collect();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let watch = |fd: &dyn AsFd| {
        let data = epoll::EventData::new_u64(fd.as_fd().as_raw_fd() as u64);
        epoll::add(&poll, fd, data, epoll::EventFlags::IN)
    };
    watch(&listener)?;
    let mut clients = BareClients::new();
    let mut events = Vec::with_capacity(1024);
    let mut bytes = vec![0; 64 * 1024];
    let mut lines = Vec::new();
    loop {
        match epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None) {
            Err(Errno::INTR) => continue,
            woken => woken?,
        };
        for event in events.drain(..) {
            let fd = event.data.u64() as usize;
            if fd == listener.as_raw_fd() as usize {
                let (socket, _) = listener.accept()?;
                socket.set_nonblocking(true)?;
                socket.set_nodelay(true)?;
                watch(&socket)?;
                let fd = socket.as_raw_fd() as usize;
                clients.resize_with(clients.len().max(fd + 1), || None);
                let held = Vec::new();
                clients[fd] = Some(BareClient { socket, held });
            } else {
                read_from(fd, &mut clients, &mut bytes, (&prefix, &mut lines));
                if log.is_none() {
                    send_to_all(&clients, &mut lines);
                }
            }
        }
        if let Some(log) = log.as_mut().filter(|_| !lines.is_empty()) {
            log.store(&lines)?;
            send_to_all(&clients, &mut lines);
        }
    }
}

/// Reads from one client, and appends its complete lines to `lines`, each with the prefix.
fn read_from(
    fd: usize,
    clients: &mut BareClients,
    bytes: &mut [u8],
    (prefix, lines): (&[u8], &mut Vec<u8>),
) {
    let Some(Some(BareClient { socket, held })) = clients.get_mut(fd) else {
        return;
    };
    match socket.read(bytes) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
        Ok(read @ 1..) => {
            held.extend_from_slice(&bytes[..read]);
            let complete = memchr::memrchr(b'\n', held).map_or(0, |end| end + 1);
            let taken = held.drain(..complete);
            for line in taken.as_slice().split_inclusive(|&byte| byte == b'\n') {
                lines.extend_from_slice(prefix);
                lines.extend_from_slice(line);
            }
        }
        Ok(0) | Err(_) => clients[fd] = None,
    }
}

/// Sends the lines to all clients, and takes them out of `lines`.
fn send_to_all(clients: &BareClients, lines: &mut Vec<u8>) {
    for client in clients.iter().flatten().filter(|_| !lines.is_empty()) {
        send(&client.socket, lines, SendFlags::NOSIGNAL).ok();
    }
    lines.clear();
}

/// The file of the synced loop. It has its full size from the start, and starts over when it is
/// full: a file that grows would cost the disk a second write for each sync.
struct BareLog {
    file: File,
    at: usize,
}

impl BareLog {
    fn create(path: &Path) -> anyhow::Result<BareLog> {
        let file = File::create(path)?;
        file.write_all_at(&vec![0; LOG_BYTES], 0)?;
        file.sync_all()?;
        Ok(BareLog { file, at: 0 })
    }

    fn store(&mut self, lines: &[u8]) -> anyhow::Result<()> {
        if self.at + lines.len() > LOG_BYTES {
            self.at = 0;
        }
        self.file.write_all_at(lines, self.at as u64)?;
        self.at += lines.len();
        Ok(self.file.sync_data()?)
    }
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::{fs, thread};

    use tempfile::TempDir;

    use super::*;

    /// The bytes that a client of the loop receives for one line.
    fn answer(prefix: usize, log: Option<&Path>) -> Vec<u8> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let log = log.map(Path::to_owned);
        thread::spawn(move || serve(port, prefix, log.as_deref()));
        let mut attempts = std::iter::repeat_with(|| TcpStream::connect(("127.0.0.1", port)));
        let mut client = attempts.find_map(Result::ok).expect("the loop listens");
        client.write_all(b"hello\n").expect("the loop reads");
        let mut received = vec![0; prefix + 6];
        client.read_exact(&mut received).expect("the loop sends");
        received
    }

    #[test]
    fn synced_loop_stores_a_line_before_it_sends_it() {
        let folder = TempDir::new().expect("there is a folder for it");
        let log = folder.path().join("bare.log");
        let wanted = b"127.0.0.1:12345: hello\n";
        assert_eq!(answer(17, None), wanted);
        assert_eq!(answer(17, Some(&log)), wanted);
        assert_eq!(answer(20, None), b"127.0.0.1:12345: 127hello\n");
        assert!(fs::read(&log).expect("it stores lines").starts_with(wanted));
    }
}
