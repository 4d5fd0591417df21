//! The chat server of "The Go Programming Language", section 8.10 (gopl.io/ch8/chat), in Rust: four
//! kinds of task, and channels between them. It adds nothing, and has the original's weakness: one
//! client that does not read stops everybody. `docs/from-the-book.md` leads from here to Parlor.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints")]

use std::{env, io, net::SocketAddr, sync::Arc};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, tcp::OwnedWriteHalf};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// A line with its newline, in one piece of memory for all clients, like a string in Go.
type Message = Arc<[u8]>;

/// The sending end of a client's channel; the client's writer has the receiving end.
type Client = Sender<Message>;

/// The events for the broadcaster, in order. The original has three channels, which hold nothing.
/// In tokio a channel holds at least one value, so with three channels a client could enter before
/// its arrival is announced.
enum Event {
    Message(Message),
    Entering(Client),
    Leaving(Client),
}

/// A longer line ends the connection, as it does with `bufio.Scanner` in Go.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Accepts connections.
#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("localhost:8000")).await?;
    println!("{}", listener.local_addr()?); // if port 0 was requested, this shows the real one
    let (events, inbox) = mpsc::channel(1);
    tokio::spawn(broadcaster(inbox));
    loop {
        match listener.accept().await {
            Ok((conn, who)) => drop(tokio::spawn(handle_conn(conn, who, events.clone()))),
            Err(error) => eprintln!("{error}"),
        }
    }
}

/// Owns the set of clients, which therefore needs no lock.
async fn broadcaster(mut inbox: Receiver<Event>) {
    let mut clients: Vec<Client> = Vec::new();
    while let Some(event) = inbox.recv().await {
        match event {
            Event::Message(message) => {
                for client in &clients {
                    client.send(message.clone()).await.ok(); // waits for a slow reader
                }
            }
            Event::Entering(client) => clients.push(client),
            Event::Leaving(client) => clients.retain(|other| !other.same_channel(&client)),
        }
    }
}

/// Reads the lines of one client.
async fn handle_conn(conn: TcpStream, who: SocketAddr, events: Sender<Event>) {
    conn.set_nodelay(true).ok(); // Go sets this for every connection
    let (input, output) = conn.into_split();
    let (client, messages) = mpsc::channel(1);

    let say = async |text: &[u8]| events.send(Event::Message(text.into())).await.ok();
    client.send(format!("You are {who}\n").into_bytes().into()).await.ok();
    say(format!("{who} has arrived\n").as_bytes()).await;
    events.send(Event::Entering(client.clone())).await.ok();
    tokio::spawn(client_writer(output, messages)); // last: a greeted client has entered

    let mut input = BufReader::new(input);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut input).take(LINE_BYTES_MAX);
        let read = limited.read_until(b'\n', &mut line).await;
        let is_too_long = limited.limit() == 0 && !line.ends_with(b"\n");
        if read.is_err() || line.is_empty() || is_too_long {
            break;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line); // the last line may have no newline
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        say(&[format!("{who}: ").as_bytes(), line, b"\n"].concat()).await;
    }

    events.send(Event::Leaving(client)).await.ok();
    say(format!("{who} has left\n").as_bytes()).await;
}

/// Writes the lines for one client. The connection closes when both halves are dropped, so nothing
/// stays unwritten.
async fn client_writer(mut output: OwnedWriteHalf, mut messages: Receiver<Message>) {
    while let Some(message) = messages.recv().await {
        output.write_all(&message).await.ok(); // the reading half sees the end
    }
}
