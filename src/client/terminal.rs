//! With a person at a terminal: keeps the conversation going, across connections. Knows keys only as what was typed.

use std::env;
use std::io;
use std::mem;
use std::time::Duration;

use jiff::ZonedDateTime;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::select;
use tokio::time::{Instant, sleep_until, timeout};

use super::conversation::{Guest, Reaction};
use super::heard::{Heard, split_time};
use super::lines::Lines;
use super::pause::Pauses;
use super::window::Window;
use super::{QUESTION_SECONDS, connect};
use crate::cli::JoinOptions;
use crate::terminal::{Typed, paint};

/// Leaving waits this long for the server to take what was typed and to say what it still has to say.
const FAREWELL_SECONDS: Duration = Duration::from_secs(1);

/// A door for lines greets at once; a busy one, within this time.
const GREETING_SECONDS: Duration = Duration::from_secs(10);

/// What is told after that.
const SILENCE: &str = "-- The server says nothing so far: lines are usually at port 8000, and 8080 is for browsers; Ctrl-C leaves";

/// What may wait for a server that reads slowly, such as one that limits the rate: a long paste.
const UNSENT_BYTES_MAX: usize = 1024 * 1024;

/// How talking over one connection ended.
enum Ended {
    /// The person left.
    Left,
    /// The server closed, or the connection broke.
    Lost,
}

/// What happens while one talks.
enum Event {
    /// The server has not greeted in time.
    Silence,
    Heard(io::Result<Option<Vec<u8>>>),
    Typed(io::Result<Typed>),
    Sent(io::Result<usize>),
}

/// What lives across connections.
struct Chat<'a> {
    options: &'a JoinOptions,
    window: Window,
    guest: Guest,
    colours: bool,
    pauses: Pauses,
}

/// Talks until the person leaves; a connection that is lost is made again.
pub(super) async fn stay(options: &JoinOptions, first: TcpStream) -> io::Result<()> {
    let mut chat = Chat {
        options,
        window: Window::open()?,
        guest: Guest::new(options.name.clone()),
        colours: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        pauses: Pauses::new(),
    };
    let mut connected = Some(first);
    while let Some(stream) = connected {
        let began = Instant::now();
        connected = match chat.talk(stream).await? {
            Ended::Left => None,
            Ended::Lost => {
                chat.pauses.held(began.elapsed());
                chat.reconnect().await?
            }
        };
    }
    Ok(())
}

impl Chat<'_> {
    /// Talks over one connection until it ends.
    async fn talk(&mut self, stream: TcpStream) -> io::Result<Ended> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = Lines::new(reader);
        // What is answered for the person goes before what that has typed, and waits for nothing.
        let (mut answers, mut unsent) = (Vec::new(), Vec::new());
        let mut leaving = false;
        let (mut is_greeted, greeted_by) = (false, Instant::now() + GREETING_SECONDS);
        let mut quiet_until = self.quiet_until();
        loop {
            let (next, from) = match answers.is_empty() {
                true => (&unsent, quiet_until),
                false => (&answers, Instant::now()),
            };
            let event = select! {
                () = sleep_until(greeted_by), if !is_greeted => Event::Silence,
                heard = lines.next() => Event::Heard(heard),
                typed = self.window.typed(|text| self.guest.complete(text)) => Event::Typed(typed),
                sent = after(from, writer.write(next)), if !next.is_empty() => Event::Sent(sent),
            };
            match event {
                Event::Silence => {
                    is_greeted = true; // it is told once
                    self.window.show(SILENCE)?;
                }
                Event::Heard(Ok(Some(line))) => {
                    is_greeted = true;
                    let reaction = self.hear(&line)?;
                    if let Some(answer) = reaction.answer {
                        answers.extend_from_slice(format!("{answer}\n").as_bytes());
                        quiet_until = self.quiet_until();
                    } else if reaction.asked || !self.guest.expects_more() {
                        quiet_until = Instant::now();
                    }
                }
                Event::Typed(typed) => match typed? {
                    Typed::Line(line) => {
                        leaving |= is_quit(&line);
                        self.say(line, &mut unsent)?;
                    }
                    Typed::Text(line) => self.say(as_text(line), &mut unsent)?,
                    Typed::Secret(line) => unsent.extend_from_slice(format!("{line}\n").as_bytes()),
                    Typed::Leave => {
                        let last = [answers, unsent].concat();
                        return self.leave(lines, writer, &last).await;
                    }
                },
                Event::Sent(Ok(count)) if answers.is_empty() => drop(unsent.drain(..count)),
                Event::Sent(Ok(count)) => drop(answers.drain(..count)),
                // The reading side notices as well, after what the server said last.
                Event::Sent(Err(_)) => (answers, unsent) = (Vec::new(), Vec::new()),
                Event::Heard(Ok(None) | Err(_)) if leaving => return Ok(Ended::Left),
                Event::Heard(Ok(None) | Err(_)) => return Ok(Ended::Lost),
            }
        }
    }

    /// Until when what is typed waits: while something is to be answered first, such as the way back to one's room.
    fn quiet_until(&self) -> Instant {
        match self.guest.expects_more() {
            true => Instant::now() + QUESTION_SECONDS,
            false => Instant::now(),
        }
    }

    /// Shows a line of the server, and the command that it is answered with; returns what else it does.
    fn hear(&mut self, line: &[u8]) -> io::Result<Reaction> {
        let line = paint::sanitise(line);
        let reaction = self.guest.hear(&line);
        if self.options.bell && reaction.mentioned {
            self.window.ring()?;
        }
        if reaction.back {
            self.show("-- Connected again", false)?;
        }
        if !reaction.hidden {
            for line in self.guest.shown(&line) {
                self.show(&stamped(line), reaction.mentioned)?;
            }
        }
        if reaction.secret {
            self.window.conceal()?;
        }
        if let Some(command) = reaction
            .answer
            .as_ref()
            .filter(|it| it.starts_with("/join "))
        {
            self.window.show(&format!("> {command}"))?;
        }
        Ok(reaction)
    }

    fn show(&mut self, line: &str, is_mention: bool) -> io::Result<()> {
        match self.colours {
            true => self.window.show(&self.guest.paint(line, is_mention)),
            false => self.window.show(line),
        }
    }

    /// Queues a line for the server. What is said comes back from there; a command does not, so it stays on the screen.
    fn say(&mut self, line: String, unsent: &mut Vec<u8>) -> io::Result<()> {
        if unsent.len() + line.len() > UNSENT_BYTES_MAX {
            self.window.put_back(line)?;
            return self
                .window
                .show("-- The server is not reading; your line was not sent");
        }
        self.guest.away = false;
        unsent.extend_from_slice(line.as_bytes());
        unsent.push(b'\n');
        match line.starts_with('/') && !line.starts_with("//") {
            true => self.window.show(&format!("> {line}")),
            false => Ok(()),
        }
    }

    /// Ends the sending side, and gives the server a moment to close as well.
    async fn leave(
        &mut self,
        mut lines: Lines<OwnedReadHalf>,
        mut writer: OwnedWriteHalf,
        unsent: &[u8],
    ) -> io::Result<Ended> {
        let farewell = async {
            writer.write_all(unsent).await?;
            writer.shutdown().await?;
            while let Some(line) = lines.next().await? {
                self.hear(&line)?;
            }
            io::Result::Ok(())
        };
        // Whether the server heard it or not: the person has left.
        let _ = timeout(FAREWELL_SECONDS, farewell).await;
        Ok(Ended::Left)
    }

    /// Tries with growing pauses until there is a connection; `None` when the person leaves instead.
    async fn reconnect(&mut self) -> io::Result<Option<TcpStream>> {
        self.guest.come_back();
        self.window.forget_secret();
        let mut wait = Duration::ZERO;
        if mem::take(&mut self.guest.away) {
            // A server that closes on silent people is not to be kept busy by their programs.
            self.window
                .show("-- Connection closed; press Enter to reconnect")?;
            match self.window.typed(|text| self.guest.complete(text)).await? {
                Typed::Line(line) if !is_quit(&line) => self.window.put_back(line)?,
                Typed::Text(line) => self.window.put_back(as_text(line))?,
                _ => return Ok(None),
            }
        } else {
            wait = self.announce()?;
        }
        loop {
            let trying = after(Instant::now() + wait, connect(self.options));
            let tried = select! {
                tried = trying => tried,
                left = self.hold() => return left.map(|()| None),
            };
            if let Ok(stream) = tried {
                return Ok(Some(stream));
            }
            wait = self.announce()?;
        }
    }

    /// Says how long the next pause is, and returns it.
    fn announce(&mut self) -> io::Result<Duration> {
        let wait = self.pauses.next();
        let seconds = wait.as_secs_f64().ceil();
        self.window
            .show(&format!("-- Connection lost; reconnecting in {seconds} s"))?;
        Ok(wait)
    }

    /// Ends when the person leaves; a line typed meanwhile stays in the prompt.
    async fn hold(&mut self) -> io::Result<()> {
        loop {
            let line = match self.window.typed(|text| self.guest.complete(text)).await? {
                Typed::Line(line) if is_quit(&line) => return Ok(()),
                Typed::Line(line) => line,
                Typed::Text(line) => as_text(line),
                Typed::Secret(_) | Typed::Leave => return Ok(()),
            };
            self.window.put_back(line)?;
            self.window
                .show("-- Not connected; your line was not sent")?;
        }
    }
}

/// The line with the time at which it came, if it tells what happens now.
fn stamped(line: String) -> String {
    let (time, said) = split_time(&line);
    let is_live = time.is_empty()
        && matches!(
            Heard::of(said),
            Heard::Said { .. }
                | Heard::Arrived(_)
                | Heard::Left(_)
                | Heard::Renamed { .. }
                | Heard::Topic(_)
        );
    match is_live {
        true => format!("[{}] {line}", ZonedDateTime::now().strftime("%H:%M")),
        false => line,
    }
}

/// What a server says literally: `//text` says `/text`, and in front of that it takes no blanks.
fn as_text(line: String) -> String {
    match line.trim_start() {
        text if text.starts_with('/') => format!("/{text}"),
        _ => line,
    }
}

/// Whether the person asks the server to let go.
fn is_quit(line: &str) -> bool {
    line.split(' ').next() == Some("/quit")
}

/// Does nothing before `time`.
async fn after<T>(time: Instant, what: impl Future<Output = T>) -> T {
    sleep_until(time).await;
    what.await
}
