//! The bare loop: what a delivery costs if nothing is done but to deliver.
//!
//! One thread, epoll, and non-blocking `send`. Every read's lines get a prefix of 17 bytes, and the whole is sent
//! once to every client. No names, no rooms, no limits, no UTF-8, no journal. Whose socket is full misses it.

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, accept_with, recv, send, sockopt};

use crate::target::listen;

const PREFIX: &[u8; 17] = b"127.0.0.1:12345: ";

/// A client, and the beginning of a line whose end has not come.
struct Client {
    socket: OwnedFd,
    held: Vec<u8>,
}

/// Serves until the process is ended.
pub(crate) fn run(port: u16) -> anyhow::Result<()> {
    let listener = listen(port)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let watch = |fd: &OwnedFd| {
        let data = epoll::EventData::new_u64(fd.as_raw_fd() as u64);
        epoll::add(&poll, fd, data, epoll::EventFlags::IN)
    };
    watch(&listener)?;
    let mut clients: Vec<Option<Client>> = Vec::new(); // by descriptor
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
                let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
                let socket = accept_with(&listener, flags)?;
                sockopt::set_tcp_nodelay(&socket, true)?;
                watch(&socket)?;
                let fd = socket.as_raw_fd() as usize;
                clients.resize_with(clients.len().max(fd + 1), || None);
                let held = Vec::new();
                clients[fd] = Some(Client { socket, held });
                continue;
            }
            let Some(Some(client)) = clients.get_mut(fd) else {
                continue;
            };
            match recv(&client.socket, &mut bytes[..], RecvFlags::empty()) {
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
    }
}

/// Takes the whole lines that are held, each with its prefix.
fn prefixed(held: &mut Vec<u8>) -> Vec<u8> {
    let whole = memchr::memrchr(b'\n', held).map_or(0, |end| end + 1);
    let mut lines = Vec::with_capacity(whole * 2);
    for line in held
        .drain(..whole)
        .as_slice()
        .split_inclusive(|&byte| byte == b'\n')
    {
        lines.extend_from_slice(PREFIX);
        lines.extend_from_slice(line);
    }
    lines
}
