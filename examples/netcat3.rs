//! The client of "The Go Programming Language", section 8.4.1 (gopl.io/ch8/netcat3), in Rust:
//! copies standard input to a server, and the server's lines to the screen.
//!
//! As exercise 8.3 asks, the end of the input closes only the writing side, so the rest of the
//! answer is still shown.
#![expect(clippy::print_stderr, reason = "a program may print")]

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::{env, thread};

fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let mut conn = TcpStream::connect(address.as_deref().unwrap_or("localhost:8000"))?;
    let mut answers = conn.try_clone()?;

    // A thread, because reading stdin blocks one.
    let shown = thread::spawn(move || {
        let mut screen = io::stdout();
        // The server may break the connection; everything received before that is shown.
        io::copy(&mut answers, &mut screen).ok();
        screen.flush().ok();
        eprintln!("done");
    });
    io::copy(&mut io::stdin(), &mut conn)?;
    conn.shutdown(Shutdown::Write)?;
    // Takes the place of the original's channel `done`.
    shown.join().ok();
    Ok(())
}
