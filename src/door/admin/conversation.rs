//! One connection to the operator's socket: commands in, sentences out. Whatever the client sends,
//! the connection takes little memory and ends soon.

use std::io;
use std::time::Duration;

use parlor_core::link::Refusal;
use parlor_core::model::Line;
use parlor_wire::lines::{LineDecoder, LineInput};
use parlor_wire::style::LineMode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::clock::timeout;
use crate::operator::{Operator, OperatorAnswer, OperatorCommand, why_not};

/// The limit of time for each step: receive a line, carry it out, send the answer.
const STEP_TIME: Duration = Duration::from_secs(10);

/// The number of bytes that are read at once: a few lines.
const READ_BYTES: u64 = 4 * 1024;

/// The answer to a command that exceeds it.
const TOO_SLOW: &str = "this takes too long; it may or may not be done in the end";

/// Serves a connection until it ends.
pub(super) async fn converse(stream: UnixStream, operator: &Operator) {
    let mut lines = SocketLines {
        stream,
        decoder: LineDecoder::new(LineMode::Named),
        bytes: Vec::new(),
        has_ended: false,
    };
    if let Err(error) = lines.obey(operator).await {
        tracing::debug!(%error, "a conversation on the operator's socket broke off");
    }
}

/// The lines of one connection in both directions.
struct SocketLines {
    stream: UnixStream,
    decoder: LineDecoder,
    /// Bytes that are read and not yet decoded.
    bytes: Vec<u8>,
    has_ended: bool,
}

impl SocketLines {
    /// Carries out one command after the other. A line with a dot follows the last one.
    async fn obey(&mut self, operator: &Operator) -> io::Result<()> {
        while let Some(heard) = self.next().await? {
            let answer = match heard {
                LineInput::Line(line) if line.is_blank() => continue,
                LineInput::Line(line) => match OperatorCommand::parse(&line) {
                    Ok(OperatorCommand::Quit) => break,
                    Ok(OperatorCommand::Everybody) => self.list(operator).await?,
                    Ok(command) => self.carry_out(command, operator).await?,
                    Err(sentence) => Err(sentence),
                },
                LineInput::TooLong => {
                    Err(why_not(&Refusal::TooLong(LineMode::Named.line_bytes_max())))
                }
                LineInput::Reply(_) | LineInput::Farewell(_) => continue, // for telnet only
            };
            self.say(&written(answer)).await?;
        }
        self.say(b".\n").await
    }

    /// Sends the list of everybody, page by page. Returns what is left to say.
    async fn list(&mut self, operator: &Operator) -> io::Result<OperatorAnswer> {
        let Ok(mut list) = timeout(STEP_TIME, operator.everybody()).await else {
            return Ok(Err(TOO_SLOW.to_owned()));
        };
        loop {
            match timeout(STEP_TIME, list.next()).await {
                Ok(Some(lines)) => self.say(&written(Ok(lines))).await?,
                Ok(None) => return Ok(Ok(Vec::new())),
                Err(_) => return Ok(Err("the rest of the list takes too long".to_owned())),
            }
        }
    }

    async fn carry_out(
        &mut self,
        command: OperatorCommand,
        operator: &Operator,
    ) -> io::Result<OperatorAnswer> {
        let password = match command {
            OperatorCommand::SetPassword(_) => self.next().await?.and_then(text),
            _ => None,
        };
        let work = timeout(STEP_TIME, operator.carry_out(command, password));
        Ok(work.await.unwrap_or_else(|_| Err(TOO_SLOW.to_owned())))
    }

    /// The next line, even one that the end of the input cuts short; none at the end.
    async fn next(&mut self) -> io::Result<Option<LineInput>> {
        loop {
            let mut bytes = &self.bytes[..];
            let heard = self.decoder.hear_secret(&mut bytes);
            let taken = self.bytes.len() - bytes.len();
            self.bytes.drain(..taken);
            if heard.is_some() || self.has_ended {
                return Ok(heard);
            }
            let mut input = (&mut self.stream).take(READ_BYTES);
            if timeout(STEP_TIME, input.read_buf(&mut self.bytes)).await?? == 0 {
                self.has_ended = true;
                self.bytes.push(b'\n');
            }
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(STEP_TIME, self.stream.write_all(bytes)).await?
    }
}

fn text(heard: LineInput) -> Option<Line> {
    match heard {
        LineInput::Line(line) => Some(line),
        _ => None,
    }
}

fn written(answer: OperatorAnswer) -> Vec<u8> {
    let text: String = match answer {
        Ok(lines) => lines.iter().map(|line| format!("-- {line}\n")).collect(),
        Err(sentence) => format!("!{}\n", sentence.replace('\n', " ")),
    };
    text.into_bytes()
}
