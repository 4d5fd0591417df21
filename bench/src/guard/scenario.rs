//! The scenarios: each counts one stage of a message's way. Knows neither callgrind nor the
//! baseline.

use std::hint::black_box;

use anyhow::Context;
use parlor_core::link::{Decoder, Input};
use parlor_core::log::{Batch, Encoding};
use parlor_wire::framer::{Frame, Framer};
use parlor_wire::lines::LineDecoder;
use parlor_wire::style::LineMode;

use super::callgrind::counted;
use super::irc;
use super::room::{CountedRoom, Leg, encoder, text};

/// The number of lines in one read or one batch of several lines.
const MANY: usize = 64;

/// Work that is repeated and counted.
pub(super) struct GuardScenario {
    pub(super) name: &'static str,
    /// The unit that the count is divided by.
    pub(super) operation: &'static str,
    /// The number of repetitions: enough that chance, such as the seeds of hash maps, is less than
    /// 1 % of the sum.
    rounds: usize,
    set_up: fn() -> anyhow::Result<Round>,
}

/// One round of the work. Returns the number of operations that were counted in it.
type Round = Box<dyn FnMut() -> u64>;

/// All scenarios, in the order of a message's way.
pub(super) static SCENARIOS: [GuardScenario; 13] = [
    scenario("frame-plain", "line, framed from a read of 64", 200, || Ok(frame(plain))),
    scenario("frame-odd", "the same, with a telnet command in some", 200, || Ok(frame(odd))),
    scenario("decode-plain", "line, framed, sanitised and decoded", 200, || Ok(decode(plain))),
    scenario("decode-odd", "the same, with Unicode and controls", 50, || Ok(decode(odd))),
    scenario("decode-irc", "PRIVMSG, framed, parsed and decoded", 200, decode_irc),
    scenario("post-1", "line, posted alone and gathered", 1_000, || walk(1, Leg::Post)),
    scenario("post-64", "line, of 64 posted by 4 and gathered", 200, || walk(MANY, Leg::Post)),
    scenario("append-1", "batch of 1 line, appended", 200, || walk(1, Leg::Append)),
    scenario("append-64", "batch of 64 lines, appended", 200, || walk(MANY, Leg::Append)),
    scenario("encode-64", "line, of 64 encoded", 200, || encode(MANY)),
    scenario("encode-irc-64", "line, of 64 encoded for IRC with all tags", 200, encode_irc),
    scenario("read-1", "read of 1 line by a member", 100, || walk(1, Leg::Read)),
    scenario("read-64", "read of 64 lines by a member", 100, || walk(MANY, Leg::Read)),
];

const fn scenario(
    name: &'static str,
    operation: &'static str,
    rounds: usize,
    set_up: fn() -> anyhow::Result<Round>,
) -> GuardScenario {
    GuardScenario { name, operation, rounds, set_up }
}

/// Runs one scenario, in the process where it is counted, and prints the number of its operations.
pub(crate) fn run_body(name: &str) -> anyhow::Result<()> {
    let mut scenarios = SCENARIOS.iter();
    let scenario = scenarios
        .find(|scenario| scenario.name == name)
        .with_context(|| format!("there is no scenario {name}"))?;
    let mut round = (scenario.set_up)()?;
    let operations: u64 = (0..scenario.rounds).map(|_| round()).sum();
    println!("{operations}");
    Ok(())
}

/// Splits a read of several lines into lines.
fn frame(line: fn(usize) -> Vec<u8>) -> Round {
    let read: Vec<u8> = (0..MANY).flat_map(line).collect();
    let mut framer = Framer::new(LineMode::Named.line_bytes_max());
    Box::new(move || {
        counted(|| {
            let mut rest = read.as_slice();
            let mut lines = 0;
            while let Some(frame) = framer.next(&mut rest) {
                lines += u64::from(matches!(black_box(frame), Frame::Line(_)));
            }
            lines
        })
    })
}

/// Decodes a read of several lines into inputs, as the reading half of a session does.
fn decode(line: fn(usize) -> Vec<u8>) -> Round {
    let read: Vec<u8> = (0..MANY).flat_map(line).collect();
    let mut decoder = LineDecoder::new(LineMode::Named);
    Box::new(move || {
        let said = counted(|| {
            let mut rest = read.as_slice();
            let mut said = Vec::new();
            while let Some(input) = decoder.next(&mut rest) {
                if let Input::Say(spoken) = input {
                    said.push(spoken);
                }
            }
            said
        });
        said.len() as u64
    })
}

/// Decodes a read of several messages of a client of IRC.
fn decode_irc() -> anyhow::Result<Round> {
    let message = |number| [b"PRIVMSG #lobby :", text(number).as_slice(), b"\r\n"].concat();
    let read: Vec<u8> = (0..MANY).flat_map(message).collect();
    let mut decoder = irc::decoder()?;
    Ok(Box::new(move || {
        let said = counted(|| {
            let mut rest = read.as_slice();
            let mut said = Vec::new();
            while let Some(input) = decoder.next(&mut rest) {
                if irc::says(&input) {
                    said.push(input);
                }
            }
            said
        });
        said.len() as u64
    }))
}

fn plain(number: usize) -> Vec<u8> {
    [text(number).as_slice(), b"\n"].concat()
}

/// Lines that are not plain: letters of several bytes, a colour, bytes that are not UTF-8, a telnet
/// command in the middle of a line, and the line ending of telnet.
fn odd(number: usize) -> Vec<u8> {
    let words: &[u8] = match number % 4 {
        0 => "Wir hören uns später, naïve Grüße aus dem Café. ☕".as_bytes(),
        1 => b"\x1b[31mred\x1b[0m and a bell \x07, then plain words to the end",
        2 => b"latin1 caf\xe9, a command \xff\xf1 amidst, and words behind it",
        _ => "привет, как дела? e\u{301}a\u{308} \u{200b}و مرحبا".as_bytes(),
    };
    [words, b"\r\n"].concat()
}

/// Sends `lines` lines all the way in each round; one leg is counted.
fn walk(lines: usize, leg: Leg) -> anyhow::Result<Round> {
    let mut room = CountedRoom::open(lines)?;
    Ok(Box::new(move || room.round(lines, Some(leg))))
}

/// Encodes a batch for netcat.
fn encode(lines: usize) -> anyhow::Result<Round> {
    encode_with(encoder(), lines)
}

/// Encodes a batch for modern clients of IRC.
fn encode_irc() -> anyhow::Result<Round> {
    encode_with(irc::encoding(), MANY)
}

fn encode_with(encoder: impl Encoding + 'static, lines: usize) -> anyhow::Result<Round> {
    let batch = CountedRoom::open(lines)?.batch(lines).context("no batch")?;
    Ok(Box::new(move || {
        // A batch is encoded only once, so each round has a new one.
        let fresh =
            Batch::new(batch.room().clone(), batch.start(), batch.at(), batch.entries().to_vec());
        let bytes = counted(|| black_box(fresh.encoded(&encoder)).bytes(0..lines).len());
        if bytes > 0 { lines as u64 } else { 0 }
    }))
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use super::*;

    /// If a round did less work, its count would be too low.
    #[test]
    fn each_round_does_all_its_operations() {
        let expected = [
            ("frame-plain", 64),
            ("frame-odd", 64),
            ("decode-plain", 64),
            ("decode-odd", 64),
            ("decode-irc", 64),
            ("post-1", 1),
            ("post-64", 64),
            ("append-1", 1),
            ("append-64", 1),
            ("encode-64", 64),
            ("encode-irc-64", 64),
            ("read-1", 99),
            ("read-64", 99),
        ];
        for (scenario, (name, operations)) in SCENARIOS.iter().zip(expected) {
            assert_eq!(scenario.name, name);
            let mut round = (scenario.set_up)().expect("it is set up");
            for _ in 0..8 {
                assert_eq!(round(), operations, "{name}");
            }
        }
    }
}
