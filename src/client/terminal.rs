//! The client with a person at a terminal: one conversation across several connections. Knows typed
//! lines, and no keys.

use std::env;
use std::io;
use std::mem;
use std::time::Duration;

use jiff::ZonedDateTime;
use tokio::io::AsyncWriteExt;
use tokio::select;
use tokio::time::{Instant, sleep_until, timeout};

use super::connect::{
    Connector, JoinOptions, QUESTION_SECONDS, ServerHalves, ServerInput, ServerOutput,
};
use super::conversation::{Conversation, Reaction};
use super::handshake::tls_advice;
use super::lines::Lines;
use super::outbox::Outbox;
use super::pause::Pauses;
use super::server_line::{ServerLine, split_time};
use super::trust::Distrust;
use super::window::Window;
use crate::terminal::{Typed, sanitise};

/// How long leaving waits for the server to receive the last lines and to send its own.
const FAREWELL_SECONDS: Duration = Duration::from_secs(1);

/// Even a busy server for lines greets within this time.
const GREETING_SECONDS: Duration = Duration::from_secs(10);

/// The notice for the person after that time.
const SILENCE: &str = "-- The server says nothing so far: lines are usually at port 8000, and with tls:// at 8043; 8080 is for browsers, and 6667 for IRC; Ctrl-C leaves";

/// The way in which the talk over one connection ended.
enum TalkEnd {
    /// The person left.
    Left,
    /// The server closed the connection, or the connection broke.
    Lost,
}

/// An event during a talk.
enum Event {
    /// The server has not greeted in time.
    Silence,
    Heard(io::Result<Option<Vec<u8>>>),
    Typed(io::Result<Typed>),
    Sent(io::Result<usize>),
}

/// The state that outlives a connection.
struct Chat<'a> {
    options: &'a JoinOptions,
    connector: &'a Connector,
    window: Window,
    conversation: Conversation,
    colours: bool,
    pauses: Pauses,
}

/// Talks until the person leaves, and reconnects when the connection is lost.
pub(super) async fn stay(
    options: &JoinOptions,
    connector: &Connector,
    first: ServerHalves,
) -> io::Result<()> {
    let mut chat = Chat {
        options,
        connector,
        window: Window::open()?,
        conversation: Conversation::new(options.name.clone()),
        colours: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        pauses: Pauses::new(),
    };
    let mut connected = Some(first);
    while let Some(connection) = connected {
        let began = Instant::now();
        connected = match chat.talk(connection).await? {
            TalkEnd::Left => None,
            TalkEnd::Lost => {
                chat.pauses.held(began.elapsed());
                chat.reconnect().await?
            }
        };
    }
    Ok(())
}

impl Chat<'_> {
    /// Talks over one connection until it ends.
    async fn talk(&mut self, connection: ServerHalves) -> io::Result<TalkEnd> {
        let ServerHalves { input, mut output } = connection;
        let mut lines = Lines::new(input);
        let mut outbox = Outbox::new(self.quiet_until());
        let mut leaving = false;
        let (mut is_greeted, greeted_by) = (false, Instant::now() + GREETING_SECONDS);
        loop {
            let event = select! {
                () = sleep_until(greeted_by), if !is_greeted => Event::Silence,
                heard = lines.next() => Event::Heard(heard),
                typed = self.window.typed(|text| self.conversation.complete(text)) => Event::Typed(typed),
                sent = outbox.send(&mut output), if !outbox.is_empty() => Event::Sent(sent),
            };
            match event {
                Event::Silence => {
                    is_greeted = true; // the notice is shown once
                    self.window.show(SILENCE)?;
                }
                Event::Heard(Ok(Some(line))) => {
                    let is_first = !mem::replace(&mut is_greeted, true);
                    let advice = tls_advice(&line, &self.options.server.address);
                    if let Some(advice) = advice.filter(|_| is_first) {
                        self.window.show(&format!("-- {advice}"))?;
                        self.conversation.away = true;
                        continue;
                    }
                    let reaction = self.hear(&line)?;
                    if let Some(answer) = reaction.answer {
                        outbox.answer(&answer);
                        outbox.quiet_until = self.quiet_until();
                    } else if reaction.asked || !self.conversation.expects_more() {
                        outbox.quiet_until = Instant::now();
                    }
                }
                Event::Typed(typed) => match typed? {
                    Typed::Line(line) => {
                        leaving |= is_quit(&line);
                        self.say(line, &mut outbox)?;
                    }
                    Typed::Text(line) => self.say(as_text(line), &mut outbox)?,
                    Typed::Secret(line) => outbox.say(&line),
                    Typed::Leave => return self.leave(lines, output, outbox).await,
                },
                Event::Sent(Ok(count)) => outbox.sent(count),
                // The reading side notices as well, after the server's last lines.
                Event::Sent(Err(_)) => outbox.clear(),
                Event::Heard(Ok(None) | Err(_)) if leaving => return Ok(TalkEnd::Left),
                Event::Heard(Ok(None) | Err(_)) => return Ok(TalkEnd::Lost),
            }
        }
    }

    /// The time from which typed lines may be sent: after the client's own answers, such as the way
    /// back to the room.
    fn quiet_until(&self) -> Instant {
        match self.conversation.expects_more() {
            true => Instant::now() + QUESTION_SECONDS,
            false => Instant::now(),
        }
    }

    /// Shows a line of the server, and the command with which the client answers it. Returns the
    /// other effects of the line.
    fn hear(&mut self, line: &[u8]) -> io::Result<Reaction> {
        let line = sanitise(line);
        let reaction = self.conversation.hear(&line);
        if self.options.bell && reaction.mentioned {
            self.window.ring()?;
        }
        if reaction.back {
            self.show("-- Connected again", false)?;
        }
        if !reaction.hidden {
            for line in self.conversation.shown(&line) {
                self.show(&stamped(line), reaction.mentioned)?;
            }
        }
        if reaction.secret {
            self.window.conceal()?;
        }
        if let Some(command) = reaction.answer.as_ref().filter(|it| it.starts_with("/join ")) {
            self.window.show(&format!("> {command}"))?;
        }
        Ok(reaction)
    }

    fn show(&mut self, line: &str, is_mention: bool) -> io::Result<()> {
        match self.colours {
            true => self.window.show(&self.conversation.paint(line, is_mention)),
            false => self.window.show(line),
        }
    }

    /// Queues a line for the server. The server sends a line of text back, but not a command, so a
    /// command stays on the screen.
    fn say(&mut self, line: String, outbox: &mut Outbox) -> io::Result<()> {
        if !outbox.has_space(&line) {
            self.window.put_back(line)?;
            return self.window.show("-- The server is not reading; your line was not sent");
        }
        self.conversation.away = false;
        outbox.say(&line);
        match line.starts_with('/') && !line.starts_with("//") {
            true => self.window.show(&format!("> {line}")),
            false => Ok(()),
        }
    }

    /// Closes the sending side, and gives the server a moment to do the same.
    async fn leave(
        &mut self,
        mut lines: Lines<ServerInput>,
        mut output: ServerOutput,
        outbox: Outbox,
    ) -> io::Result<TalkEnd> {
        let farewell = async {
            output.write_all(&outbox.into_bytes()).await?;
            output.shutdown().await?;
            while let Some(line) = lines.next().await? {
                self.hear(&line)?;
            }
            io::Result::Ok(())
        };
        // The person has left, even if the server did not hear it.
        let _ = timeout(FAREWELL_SECONDS, farewell).await;
        Ok(TalkEnd::Left)
    }

    /// Tries to connect, with growing pauses; `None` if the person leaves meanwhile.
    async fn reconnect(&mut self) -> io::Result<Option<ServerHalves>> {
        self.conversation.come_back();
        self.window.drop_secret();
        let connector = self.connector;
        loop {
            let wait = match mem::take(&mut self.conversation.away) {
                false => self.announce()?,
                true if self.is_told_to_reconnect().await? => Duration::ZERO,
                true => return Ok(None),
            };
            let trying = after(Instant::now() + wait, connector.connect());
            let tried = select! {
                tried = trying => tried,
                left = self.hold() => return left.map(|()| None),
            };
            match tried {
                Ok(connection) => return Ok(Some(connection)),
                Err(error) if error.is::<Distrust>() => {
                    for line in error.to_string().lines() {
                        self.window.show(&format!("-- {line}"))?;
                    }
                    self.conversation.away = true; // another try would end in the same way
                }
                Err(_) => {}
            }
        }
    }

    /// Waits for Enter before the client reconnects: by itself it would undo the server's decision.
    /// Returns whether the person stays.
    async fn is_told_to_reconnect(&mut self) -> io::Result<bool> {
        self.window.show("-- Connection closed; press Enter to reconnect")?;
        let typed = self.typed_line().await?;
        let stays = typed.is_some();
        typed.map_or(Ok(()), |line| self.window.put_back(line))?;
        Ok(stays)
    }

    /// Shows how long the next pause is, and returns it.
    fn announce(&mut self) -> io::Result<Duration> {
        let wait = self.pauses.next();
        let seconds = wait.as_secs_f64().ceil();
        self.window.show(&format!("-- Connection lost; reconnecting in {seconds} s"))?;
        Ok(wait)
    }

    /// Waits until the person leaves. A line that is typed meanwhile stays in the prompt.
    async fn hold(&mut self) -> io::Result<()> {
        while let Some(line) = self.typed_line().await? {
            self.window.put_back(line)?;
            self.window.show("-- Not connected; your line was not sent")?;
        }
        Ok(())
    }

    /// The next line for the server; `None` if the person leaves.
    async fn typed_line(&mut self) -> io::Result<Option<String>> {
        Ok(match self.window.typed(|text| self.conversation.complete(text)).await? {
            Typed::Line(line) => Some(line).filter(|line| !is_quit(line)),
            Typed::Text(line) => Some(as_text(line)),
            Typed::Secret(_) | Typed::Leave => None,
        })
    }
}

/// The line with the time of its arrival, if it is about the present.
fn stamped(line: String) -> String {
    let (time, said) = split_time(&line);
    let is_live = time.is_empty()
        && matches!(
            ServerLine::of(said),
            ServerLine::Said { .. }
                | ServerLine::Arrived(_)
                | ServerLine::Left(_)
                | ServerLine::Renamed { .. }
                | ServerLine::Topic(_)
        );
    match is_live {
        true => format!("[{}] {line}", ZonedDateTime::now().strftime("%H:%M")),
        false => line,
    }
}

/// The form in which the server reads a line as text: `//text` says `/text`, without spaces before
/// it.
fn as_text(line: String) -> String {
    match line.trim_start() {
        text if text.starts_with('/') => format!("/{text}"),
        _ => line,
    }
}

/// Whether the line is `/quit`.
fn is_quit(line: &str) -> bool {
    line.split(' ').next() == Some("/quit")
}

/// Waits until `time`, then for `what`.
async fn after<T>(time: Instant, what: impl Future<Output = T>) -> T {
    sleep_until(time).await;
    what.await
}
