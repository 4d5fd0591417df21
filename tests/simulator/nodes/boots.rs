//! The rules by which proposals count, once more and without the ledger: boots begin and end by
//! entries of the order, and each number of a boot counts once. Knows no person and no room.

use std::collections::HashMap;
use std::time::Duration;

use parlor_core::intent::{Intent, Proposal};
use parlor_core::model::Format;

/// A boot that was not heard for this time may be ended by another one.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// A boot that is in touch is heard at least this often.
const GAP_MAX: Duration = Duration::from_secs(5);

/// A run of a node.
#[derive(Debug)]
struct Boot {
    node: String,
    /// The last number that counted.
    last: u64,
    /// When it began, and when each proposal came that counted.
    heard: Vec<Duration>,
    is_live: bool,
    /// The newest format that its program can read.
    newest: Format,
}

/// The boots of all nodes; boot number n is at index n - 1.
#[derive(Debug, Default)]
pub(crate) struct Boots {
    boots: Vec<Boot>,
    /// The format in force, which all live boots can read.
    pub(crate) format: Format,
    last_of: HashMap<String, u32>,
}

/// The reason why a proposal does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skipped {
    /// Its number, or a later one, has counted.
    Repeated,
    /// Its boot has ended.
    Fenced,
    /// There is a later boot of the node.
    Stale,
    /// It begins a boot of a program that cannot read the format in force.
    TooOld,
}

/// The changes by a proposal beside its people and lines.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// The boots that end.
    pub(crate) ended: Vec<u32>,
    /// Whether a number before it will never come.
    pub(crate) is_after_void: bool,
}

impl Boots {
    /// Whether this boot lives.
    pub(crate) fn is_live(&self, boot: u32) -> bool {
        self.index(boot).is_some_and(|index| self.boots[index].is_live)
    }

    /// The node of a boot.
    pub(crate) fn node(&self, boot: u32) -> Option<&str> {
        self.index(boot).map(|index| self.boots[index].node.as_str())
    }

    /// The nodes with boots that live.
    pub(crate) fn live_nodes(&self) -> impl Iterator<Item = &str> {
        self.boots.iter().filter(|boot| boot.is_live).map(|boot| boot.node.as_str())
    }

    fn index(&self, boot: u32) -> Option<usize> {
        let index = (boot as usize).checked_sub(1)?;
        (index < self.boots.len()).then_some(index)
    }

    /// Takes in the next proposal of the order.
    pub(crate) fn take(&mut self, proposal: &Proposal, came: Duration) -> Result<Counted, Skipped> {
        let mut counted = Counted::default();
        let (boot, number) = (proposal.id.boot, proposal.id.number);
        if boot == 0 {
            let [Intent::Up { node, after, program, .. }] = &proposal.intents[..] else {
                panic!("proposed by no boot: {proposal:?}");
            };
            let ended = self.begin(node.as_str(), (*after, program.newest), came)?;
            counted.ended.extend(ended);
            return Ok(counted);
        }
        let index = self.index(boot).expect("a boot that began");
        let own = &mut self.boots[index];
        if !own.is_live {
            return Err(Skipped::Fenced);
        }
        if number <= own.last {
            return Err(Skipped::Repeated);
        }
        counted.is_after_void = number > own.last + 1;
        own.last = number;
        own.heard.push(came);
        for intent in &proposal.intents {
            if !self.boots[index].is_live {
                break; // nothing counts behind the end
            }
            counted.ended.extend(match *intent {
                Intent::Down { boot: silent, last } => {
                    let ended = self.end(silent, Some(last));
                    ended.inspect(|silent| self.check_down(boot, *silent, came))
                }
                Intent::Leaving => self.end(boot, None),
                Intent::UseFormat(format) => {
                    self.use_format(format);
                    None
                }
                _ => None,
            });
        }
        Ok(counted)
    }

    /// Puts a newer format in force, if all live boots can read it.
    fn use_format(&mut self, format: Format) {
        let mut live = self.boots.iter().filter(|boot| boot.is_live);
        if format > self.format && live.all(|boot| boot.newest >= format) {
            self.format = format;
        }
    }

    /// Begins a boot after the last one of the node. Returns that one if it ends by it.
    fn begin(
        &mut self,
        node: &str,
        (after, newest): (Option<u32>, Format),
        came: Duration,
    ) -> Result<Option<u32>, Skipped> {
        if self.last_of.get(node).copied() != after {
            return Err(Skipped::Stale);
        }
        if newest < self.format {
            return Err(Skipped::TooOld);
        }
        let ended = after.and_then(|before| self.end(before, None));
        let heard = vec![came];
        self.boots.push(Boot { node: node.to_owned(), last: 0, heard, is_live: true, newest });
        self.last_of.insert(node.to_owned(), self.boots.len() as u32);
        Ok(ended)
    }

    /// Checks that a boot was silent for long enough when another one ended it, and that the other
    /// one was heard all that time.
    fn check_down(&self, by: u32, silent: u32, came: Duration) {
        let heard = |boot| self.index(boot).map(|index| &self.boots[index].heard[..]);
        let since = came.saturating_sub(SILENT_AFTER);
        let last = heard(silent).and_then(<[_]>::last);
        assert!(last <= Some(&since), "{by} ended {silent} at {came:?}, heard at {last:?}");
        let own = heard(by).unwrap_or_default();
        // A node may be in touch a little before its boot begins, and before others hear it.
        let has_begun = own.first() <= Some(&came.saturating_sub(GAP_MAX));
        assert!(has_begun, "{by} began late, and ended {silent}: {own:?}");
        let steady_since = since + Duration::from_secs(1);
        let from = own.iter().rposition(|heard| *heard <= steady_since).unwrap_or_default();
        // The last one may come late: while it was on its way, the order may have been out of reach.
        let own = &own[from..own.len() - 1];
        let is_steady = own.windows(2).all(|pair| pair[1] - pair[0] <= GAP_MAX);
        assert!(is_steady, "{by} was out of touch, and ended {silent}: {own:?}");
    }

    /// Ends a boot that lives, if `last` is its last number. Returns the boot if it ends.
    fn end(&mut self, boot: u32, last: Option<u64>) -> Option<u32> {
        let index = self.index(boot)?;
        let ended = &mut self.boots[index];
        let is_meant = ended.is_live && last.is_none_or(|last| last == ended.last);
        ended.is_live &= !is_meant;
        is_meant.then_some(boot)
    }
}
