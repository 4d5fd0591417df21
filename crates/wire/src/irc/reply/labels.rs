//! The answers to a command with a label: one message has the label, several are a batch with the
//! label, and none are an ACK (IRCv3, "Labeled Responses"). Knows no command.

use parlor_core::model::Line;

use crate::irc::protocol::{MessageWriter, Tags, escape};

/// The answers to a command with a label, as they are sent.
#[derive(Debug)]
pub(crate) struct LabelledResponse {
    label: Line,
    /// The name of the batch, if there will be one.
    batch: String,
    state: ResponseState,
}

/// The answers so far.
#[derive(Debug)]
enum ResponseState {
    /// There are none.
    Empty,
    /// There is one, which waits: another one makes both a batch.
    One(Vec<u8>),
    /// There are several, in a batch.
    Batch,
    /// They are a batch of their own, which has the label.
    OwnBatch,
}

impl LabelledResponse {
    /// No answers yet. They may need a batch with this name.
    pub(crate) fn new(label: Line, batch: String) -> LabelledResponse {
        LabelledResponse { label, batch, state: ResponseState::Empty }
    }

    /// The label.
    pub(crate) fn label(&self) -> &Line {
        &self.label
    }

    /// Adds messages, and appends those that can be sent.
    pub(crate) fn add(&mut self, messages: &[u8], server: &str, out: &mut Vec<u8>) {
        for message in messages.split_inclusive(|byte| *byte == b'\n') {
            self.add_one(message, server, out);
        }
    }

    fn add_one(&mut self, message: &[u8], server: &str, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.state, ResponseState::Empty) {
            ResponseState::Empty if begins_batch(message) => {
                self.put_labelled(message, out);
                self.state = ResponseState::OwnBatch;
            }
            ResponseState::Empty => self.state = ResponseState::One(message.to_vec()),
            ResponseState::One(first) => {
                self.begin_batch(&first, server, out);
                self.put_in_batch(message, out);
            }
            ResponseState::Batch => {
                self.put_in_batch(message, out);
                self.state = ResponseState::Batch;
            }
            ResponseState::OwnBatch => {
                out.extend_from_slice(message);
                self.state = ResponseState::OwnBatch;
            }
        }
    }

    /// Begins a batch with the first answer.
    fn begin_batch(&mut self, first: &[u8], server: &str, out: &mut Vec<u8>) {
        let mut begin = Vec::new();
        let writer = MessageWriter::new(&mut begin, Some(server), "BATCH");
        writer.with(&format!("+{}", self.batch)).last("labeled-response");
        self.put_labelled(&begin, out);
        self.put_in_batch(first, out);
        self.state = ResponseState::Batch;
    }

    /// Appends an answer that waits for others: something else follows it, and must stay behind.
    pub(crate) fn release(&mut self, server: &str, out: &mut Vec<u8>) {
        if let ResponseState::One(first) = &mut self.state {
            let first = std::mem::take(first);
            self.begin_batch(&first, server, out);
        }
    }

    /// Appends the messages that have waited, and the end.
    pub(crate) fn finish(self, server: &str, out: &mut Vec<u8>) {
        match &self.state {
            ResponseState::Empty => {
                let mut ack = Vec::new();
                MessageWriter::new(&mut ack, Some(server), "ACK").end();
                self.put_labelled(&ack, out);
            }
            ResponseState::One(message) => self.put_labelled(message, out),
            ResponseState::Batch => {
                let message = MessageWriter::new(out, Some(server), "BATCH");
                message.last(&format!("-{}", self.batch));
            }
            ResponseState::OwnBatch => {}
        }
    }

    fn put_labelled(&self, message: &[u8], out: &mut Vec<u8>) {
        put_tagged("label", self.label.as_str(), message, out);
    }

    /// Appends a message of the batch, unless it belongs to a batch within the batch.
    fn put_in_batch(&self, message: &[u8], out: &mut Vec<u8>) {
        match tags_of(message).is_some_and(|tags| tags.get("batch").is_some()) {
            true => out.extend_from_slice(message),
            false => put_tagged("batch", &self.batch, message, out),
        }
    }
}

/// Appends a message with one more tag in front.
fn put_tagged(key: &str, value: &str, message: &[u8], out: &mut Vec<u8>) {
    out.push(b'@');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    escape(value, out);
    match message.strip_prefix(b"@") {
        Some(rest) => {
            out.push(b';');
            out.extend_from_slice(rest);
        }
        None => {
            out.push(b' ');
            out.extend_from_slice(message);
        }
    }
}

fn tags_of(message: &[u8]) -> Option<Tags<'_>> {
    let tagged = message.strip_prefix(b"@")?;
    let end = memchr::memchr(b' ', tagged)?;
    Some(Tags::new(str::from_utf8(tagged.get(..end)?).ok()?))
}

/// Whether a message begins a batch.
fn begins_batch(message: &[u8]) -> bool {
    let mut words = message.split(|byte| *byte == b' ').filter(|word| !word.starts_with(b"@"));
    let command = words.find(|word| !word.starts_with(b":"));
    command == Some(b"BATCH") && words.next().is_some_and(|name| name.starts_with(b"+"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    /// The lines that a client reads of these answers, with the label `x;y`.
    fn read(answers: &[&str]) -> Vec<String> {
        let mut response = LabelledResponse::new(Line::sanitise(b"x;y"), "b1".to_owned());
        let mut out = Vec::new();
        for answer in answers {
            response.add(format!("{answer}\r\n").as_bytes(), "irc.local", &mut out);
        }
        response.finish("irc.local", &mut out);
        let text = String::from_utf8(out).unwrap();
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_response_has_the_label_once() {
        assert_eq!(read(&[]), [r"@label=x\:y :irc.local ACK"]);
        assert_eq!(read(&[":s PONG s x"]), [r"@label=x\:y :s PONG s x"]);
        assert_eq!(read(&["@time=1 :a PRIVMSG b :c"]), [r"@label=x\:y;time=1 :a PRIVMSG b :c"]);
        assert_eq!(
            read(&[":s 1 a", "@time=1 :s 2 a", ":s 3 a"]),
            [
                r"@label=x\:y :irc.local BATCH +b1 labeled-response",
                "@batch=b1 :s 1 a",
                "@batch=b1;time=1 :s 2 a",
                "@batch=b1 :s 3 a",
                ":irc.local BATCH -b1",
            ]
        );
    }

    #[test]
    fn an_answer_stays_before_what_follows_it() {
        let mut response = LabelledResponse::new(Line::sanitise(b"x"), "b1".to_owned());
        let mut out = Vec::new();
        response.release("irc.local", &mut out);
        response.add(b":a PRIVMSG #a :own\r\n", "irc.local", &mut out);
        assert_eq!(out, b"", "it may be the only one");
        response.release("irc.local", &mut out);
        response.release("irc.local", &mut out);
        out.extend_from_slice(b":b QUIT\r\n");
        response.finish("irc.local", &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "@label=x :irc.local BATCH +b1 labeled-response\r\n@batch=b1 :a PRIVMSG #a :own\r\n\
             :b QUIT\r\n:irc.local BATCH -b1\r\n"
        );
    }

    #[test]
    fn a_batch_alone_has_the_label_itself() {
        let batch =
            ["@time=1 :s BATCH +h chathistory #a", "@batch=h :a PRIVMSG #a :b", ":s BATCH -h"];
        assert_eq!(
            read(&batch),
            [
                r"@label=x\:y;time=1 :s BATCH +h chathistory #a",
                "@batch=h :a PRIVMSG #a :b",
                ":s BATCH -h",
            ]
        );
        let within = read(&[&[":a JOIN #a"], &batch[..]].concat());
        assert_eq!(
            within[1..],
            [
                "@batch=b1 :a JOIN #a",
                "@batch=b1;time=1 :s BATCH +h chathistory #a",
                "@batch=h :a PRIVMSG #a :b",
                "@batch=b1 :s BATCH -h",
                ":irc.local BATCH -b1",
            ]
        );
    }
}
