//! The settings of TCP sockets, which differ between operating systems. Linux is tested; on others
//! the program compiles, and takes what comes closest. Knows no dialect.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};

/// The number of bytes that the kernel takes for a client that does not read: 10,000 such clients
/// take at most 1.3 GB. One system call cannot write more.
const UNSENT_BYTES_MAX: u32 = 128 * 1024;

/// After this silence the kernel first asks whether a client is there...
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);

/// ...it asks again after each of these intervals...
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// ...and after this many questions it gives up the client: 60 + 6 * 15 = 150 s.
const KEEPALIVE_RETRIES: u32 = 6;

/// How long sent bytes may stay unacknowledged.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(150);

/// Sets what a connection needs, on a listening socket. On Linux accepted connections inherit all
/// of it, which saves system calls.
pub(super) fn set_options(socket: SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?; // lines are batched already
    socket.set_out_of_band_inline(true)?; // telnet's urgent byte stays in its place
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_TIME)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    socket.set_tcp_keepalive(&keepalive)?;
    limit_unsent(&socket)
}

/// Sets on an accepted connection what it has not inherited.
///
/// # Errors
/// The client is gone already.
pub(super) fn set_accepted(stream: &TcpStream) -> io::Result<()> {
    match cfg!(target_os = "linux") {
        true => Ok(()),
        false => set_options(SockRef::from(stream)),
    }
}

/// Sets the options of a connection at a Unix socket. The kernel doubles the size for its own needs.
pub(super) fn set_accepted_unix(stream: &UnixStream) -> io::Result<()> {
    SockRef::from(stream).set_send_buffer_size(UNSENT_BYTES_MAX as usize / 2)
}

#[cfg(target_os = "linux")]
fn limit_unsent(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))
}

/// This also counts bytes under way, so a distant client reads more slowly. A dead one is given up
/// when a write makes no progress.
#[cfg(not(target_os = "linux"))]
fn limit_unsent(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_send_buffer_size(UNSENT_BYTES_MAX as usize)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::net;

    use tokio::net::TcpListener;

    use super::*;

    async fn accepted() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        set_options(SockRef::from(&listener)).unwrap();
        let _peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        set_accepted(&accepted).unwrap();
        accepted
    }

    #[tokio::test]
    async fn a_connection_has_the_options_of_its_listener() {
        let accepted = accepted().await;
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.out_of_band_inline().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT_BYTES_MAX);
    }

    #[tokio::test]
    async fn a_dead_peer_is_given_up_within_three_minutes() {
        let accepted = accepted().await;
        let socket = SockRef::from(&accepted);
        assert!(socket.keepalive().unwrap());
        let silent = socket.tcp_keepalive_time().unwrap()
            + socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
        assert!(silent <= Duration::from_mins(3));
        #[cfg(target_os = "linux")]
        assert!(socket.tcp_user_timeout().unwrap().unwrap() <= Duration::from_mins(3));
    }
}
