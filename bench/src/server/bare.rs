//! The bare loop: the cost of a delivery in a server that does nothing but deliver.
//!
//! One thread, epoll, and non-blocking `send`. The lines of each read get a prefix of 17 bytes, and
//! all of them are sent once to every client. No names, no rooms, no limits, no UTF-8, no journal.
//! A client whose socket is full misses them.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, accept_with, bind, listen, recv,
    send, socket_with, sockopt,
};

use super::protocol::Protocol;
use super::target::{Target, this_program};

const PREFIX: &[u8; 17] = b"127.0.0.1:12345: ";

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// The bare loop as a target, which is in this program.
pub(crate) fn bare_loop() -> anyhow::Result<Target> {
    let command = vec![this_program()?, "bare".into(), "{port}".into()];
    Ok(Target::new("bare loop", Protocol::Lines, command))
}

/// A client, and the beginning of an incomplete line.
struct BareClient {
    socket: OwnedFd,
    held: Vec<u8>,
}

/// Serves until the process is killed.
pub(crate) fn serve(port: u16) -> anyhow::Result<()> {
    let listener = socket_with(AddressFamily::INET, SocketType::STREAM, FLAGS, None)?;
    sockopt::set_socket_reuseaddr(&listener, true)?;
    bind(&listener, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listen(&listener, 4096)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let watch = |fd: &OwnedFd| {
        let data = epoll::EventData::new_u64(fd.as_raw_fd() as u64);
        epoll::add(&poll, fd, data, epoll::EventFlags::IN)
    };
    watch(&listener)?;
    let mut clients: Vec<Option<BareClient>> = Vec::new(); // by descriptor
    let mut events = Vec::with_capacity(1024);
    let mut bytes = vec![0; 64 * 1024];
    loop {
        match epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None) {
            Err(Errno::INTR) => continue,
            woken => woken?,
        };
        for event in events.drain(..) {
            let fd = event.data.u64() as usize;
            if fd == listener.as_raw_fd() as usize {
                let socket = accept_with(&listener, FLAGS)?;
                sockopt::set_tcp_nodelay(&socket, true)?;
                watch(&socket)?;
                let fd = socket.as_raw_fd() as usize;
                clients.resize_with(clients.len().max(fd + 1), || None);
                let held = Vec::new();
                clients[fd] = Some(BareClient { socket, held });
            } else {
                deliver_from(fd, &mut clients, &mut bytes);
            }
        }
    }
}

/// Reads from one client, and sends its complete lines to all.
fn deliver_from(fd: usize, clients: &mut [Option<BareClient>], bytes: &mut [u8]) {
    let Some(Some(client)) = clients.get_mut(fd) else {
        return;
    };
    match recv(&client.socket, &mut *bytes, RecvFlags::empty()) {
        Err(Errno::AGAIN | Errno::INTR) => {}
        Ok((read @ 1.., _)) => {
            client.held.extend_from_slice(&bytes[..read]);
            let lines = prefixed(&mut client.held);
            for client in clients.iter().flatten().filter(|_| !lines.is_empty()) {
                send(&client.socket, &lines, SendFlags::NOSIGNAL).ok();
            }
        }
        Ok((0, _)) | Err(_) => clients[fd] = None,
    }
}

/// Takes the complete lines out of `held`, each with the prefix.
fn prefixed(held: &mut Vec<u8>) -> Vec<u8> {
    let complete = memchr::memrchr(b'\n', held).map_or(0, |end| end + 1);
    let mut lines = Vec::with_capacity(complete * 2);
    let taken = held.drain(..complete);
    for line in taken.as_slice().split_inclusive(|&byte| byte == b'\n') {
        lines.extend_from_slice(PREFIX);
        lines.extend_from_slice(line);
    }
    lines
}
