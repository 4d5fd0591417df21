//! From frames to inputs. Knows no connection.

use std::collections::VecDeque;

use parlor_core::link::{Decoder, Input, Refusal};
use parlor_core::model::RoomName;

use super::request::{WebRequest, receipt_of};
use crate::websocket::{CloseCode, FrameReader, Opcode, Received, close, one_frame};

/// Input of a client, before it has a meaning in a session.
#[derive(Debug)]
pub enum WebInput {
    /// A request.
    Request(Box<WebRequest>),
    /// The answer to a ping.
    Reply(Vec<u8>),
    /// A frame that only shows that the client is connected.
    Nothing,
    /// The end, and the last bytes to send.
    Farewell(Vec<u8>),
    /// An invalid request, and the receipt to send after its refusal.
    Refused(Refusal, Option<Vec<u8>>),
}

/// From frames to their meaning.
#[derive(Debug, Default)]
pub struct WebDecoder {
    frames: FrameReader,
    /// The inputs of the last message after the first one.
    waiting: VecDeque<Input>,
    /// The last room that a request named.
    room: Option<RoomName>,
    /// The client has closed the connection on purpose, or has broken the protocol.
    said_goodbye: bool,
}

impl WebDecoder {
    /// Takes the next message or frame from the front of `bytes`, or takes all of them and returns
    /// `None`.
    pub fn hear(&mut self, bytes: &mut &[u8]) -> Option<WebInput> {
        Some(match self.frames.next(bytes)? {
            Received::Text(text) => match WebRequest::parse(&text) {
                Ok(request) => WebInput::Request(Box::new(request)),
                Err(refusal) => WebInput::Refused(refusal, receipt_of(&text)),
            },
            Received::Ping(payload) => {
                WebInput::Reply(one_frame(Opcode::Pong, |out| out.extend_from_slice(&payload)))
            }
            Received::Pong => WebInput::Nothing,
            Received::Over(code) => {
                self.said_goodbye = code != CloseCode::GOING_AWAY;
                WebInput::Farewell(close(code))
            }
        })
    }

    /// Sends these bytes when all earlier requests are answered.
    pub fn answer_later(&mut self, bytes: Option<Vec<u8>>) {
        let answer = bytes.map(|bytes| Input::Raw(bytes.into()));
        self.waiting.extend(answer);
    }

    fn mean(&mut self, heard: WebInput) -> Input {
        match heard {
            WebInput::Request(request) => {
                self.answer_later(request.receipt());
                request.mean(&mut self.room)
            }
            WebInput::Reply(bytes) => Input::Raw(bytes.into()),
            WebInput::Nothing => Input::Nothing,
            WebInput::Farewell(bytes) => Input::Farewell(bytes.into()),
            WebInput::Refused(refusal, receipt) => {
                self.answer_later(receipt);
                Input::Refused(refusal)
            }
        }
    }
}

impl Decoder for WebDecoder {
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        if let Some(input) = self.waiting.pop_front() {
            return Some(input);
        }
        let heard = self.hear(bytes)?;
        Some(self.mean(heard))
    }

    fn has_more(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn next_secret(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        // The waiting input comes after the question for the secret.
        let heard = self.hear(bytes)?;
        if let WebInput::Request(request) = &heard
            && let Some(text) = request.secret()
        {
            self.answer_later(request.receipt());
            return Some(Input::Secret(text));
        }
        Some(self.mean(heard))
    }

    /// The client hides a password itself.
    fn conceal(&mut self, _: bool) -> Option<Box<[u8]>> {
        None
    }

    fn finish(&mut self) -> Option<Input> {
        None // a part of a message means nothing
    }

    fn chooses_rooms(&self) -> bool {
        true
    }

    fn may_return(&self) -> bool {
        !self.said_goodbye
    }
}
