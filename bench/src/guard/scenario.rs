//! The scenarios: what is counted, one stage of a message's way each. Knows neither callgrind nor the baseline.

use std::hint::black_box;

use anyhow::Context;
use parlor_core::link::{Decoder, Input};
use parlor_core::log::Batch;
use parlor_wire::framer::{Frame, Framer};
use parlor_wire::lines::LineDecoder;
use parlor_wire::style::LineMode;

use super::callgrind::counted;
use super::house::{House, Step, encoder, text};

/// So many lines come with one read, or lie in one batch, where there are several.
const MANY: usize = 64;

/// Something that is done again and again.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// What the instructions are divided by.
    pub(super) operation: &'static str,
    /// So often that chance, as in the seeds of hash maps, is less than 1 % of the sum.
    rounds: usize,
    set_up: fn() -> anyhow::Result<Round>,
}

/// What is done in one round. Gives the number of operations that were counted in it.
type Round = Box<dyn FnMut() -> u64>;

/// In the order of the way of a message.
pub(super) const SCENARIOS: [Scenario; 11] = [
    Scenario {
        name: "frame-plain",
        operation: "line, framed from a read of 64",
        rounds: 200,
        set_up: || Ok(frame(plain)),
    },
    Scenario {
        name: "frame-odd",
        operation: "the same, with a telnet command in some",
        rounds: 200,
        set_up: || Ok(frame(odd)),
    },
    Scenario {
        name: "decode-plain",
        operation: "line, framed, sanitised and understood",
        rounds: 200,
        set_up: || Ok(decode(plain)),
    },
    Scenario {
        name: "decode-odd",
        operation: "the same, with Unicode and controls",
        rounds: 50,
        set_up: || Ok(decode(odd)),
    },
    Scenario {
        name: "post-1",
        operation: "line, posted alone and gathered",
        rounds: 1_000,
        set_up: || walk(1, Step::Post),
    },
    Scenario {
        name: "post-64",
        operation: "line, of 64 posted by 4 and gathered",
        rounds: 200,
        set_up: || walk(MANY, Step::Post),
    },
    Scenario {
        name: "append-1",
        operation: "batch of 1 line, appended",
        rounds: 200,
        set_up: || walk(1, Step::Append),
    },
    Scenario {
        name: "append-64",
        operation: "batch of 64 lines, appended",
        rounds: 200,
        set_up: || walk(MANY, Step::Append),
    },
    Scenario {
        name: "encode-64",
        operation: "line, of 64 made bytes",
        rounds: 200,
        set_up: || encode(MANY),
    },
    Scenario {
        name: "read-1",
        operation: "read of 1 line by a member",
        rounds: 100,
        set_up: || walk(1, Step::Read),
    },
    Scenario {
        name: "read-64",
        operation: "read of 64 lines by a member",
        rounds: 100,
        set_up: || walk(MANY, Step::Read),
    },
];

/// Does what the scenario of this name is about. How many operations that was.
pub(super) fn run(name: &str) -> anyhow::Result<u64> {
    let mut scenarios = SCENARIOS.iter();
    let scenario = scenarios
        .find(|scenario| scenario.name == name)
        .with_context(|| format!("there is no scenario {name}"))?;
    let mut round = (scenario.set_up)()?;
    Ok((0..scenario.rounds).map(|_| round()).sum())
}

/// A read of several lines is cut into lines.
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

/// A read of several lines becomes inputs, as the reading half of a session has it.
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

fn plain(number: usize) -> Vec<u8> {
    [text(number).as_slice(), b"\n"].concat()
}

/// What is not plain: letters of several bytes, a colour, bytes that are no UTF-8, a telnet command amidst the
/// line, and telnet's ending.
fn odd(number: usize) -> Vec<u8> {
    let words: &[u8] = match number % 4 {
        0 => "Wir hören uns später, naïve Grüße aus dem Café. ☕".as_bytes(),
        1 => b"\x1b[31mred\x1b[0m and a bell \x07, then plain words to the end",
        2 => b"latin1 caf\xe9, a command \xff\xf1 amidst, and words behind it",
        _ => "привет, как дела? e\u{301}a\u{308} \u{200b}و مرحبا".as_bytes(),
    };
    [words, b"\r\n"].concat()
}

/// So many lines go all the way in each round; one step is counted.
fn walk(lines: usize, step: Step) -> anyhow::Result<Round> {
    let mut house = House::open(lines)?;
    Ok(Box::new(move || house.round(lines, Some(step))))
}

/// A batch is made bytes.
fn encode(lines: usize) -> anyhow::Result<Round> {
    let batch = House::open(lines)?.batch(lines).context("no batch")?;
    let encoder = encoder();
    Ok(Box::new(move || {
        // The bytes of a batch are made once: each round has a batch of its own.
        let fresh = Batch::new(
            batch.room().clone(),
            batch.start(),
            batch.at(),
            batch.entries().to_vec(),
        );
        let bytes = counted(|| black_box(fresh.encoded(&encoder)).bytes(0..lines).len());
        if bytes > 0 { lines as u64 } else { 0 }
    }))
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    /// Else something cheaper than what it is named after would be counted.
    #[test]
    fn each_round_does_what_it_is_counted_for() {
        let expected = [
            ("frame-plain", 64),
            ("frame-odd", 64),
            ("decode-plain", 64),
            ("decode-odd", 64),
            ("post-1", 1),
            ("post-64", 64),
            ("append-1", 1),
            ("append-64", 1),
            ("encode-64", 64),
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
