//! From where a node continues: the snapshots and positions from which its files miss nothing that
//! the stream still has. Knows no stream and no file.

use super::schedule::StoredSnapshot;

/// The first message, which founds the stream. The ledger after it is empty.
pub(crate) const FOUNDING: u64 = 1;

/// A ledger to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The empty ledger.
    Founding,
    /// The snapshot in the files of this node.
    OwnFile,
    /// One in the stream of snapshots.
    Stored(StoredSnapshot),
}

/// A way to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LedgerOrigin {
    /// The ledger.
    pub(crate) base: Base,
    /// The position of that ledger.
    pub(crate) from: u64,
    /// The position up to which the ledger is then made from the stream. The node continues behind
    /// it.
    pub(crate) position: u64,
}

/// The positions of a node's files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Had {
    /// The position up to which its files have everything; none for a node without files.
    pub(crate) position: Option<u64>,
    /// The position of the snapshot in its files.
    pub(crate) snapshot: Option<u64>,
}

/// The part of the order that the stream has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderExtent {
    /// The position of the first message behind the founding; the one after the last if there is none.
    pub(crate) first: u64,
    /// The position of the last message that is there.
    pub(crate) last: u64,
}

impl LedgerOrigin {
    /// Whether messages that its files lack are not in the stream any more.
    pub(crate) fn misses_some(&self, had: Option<u64>) -> bool {
        had.is_some_and(|position| position < self.position)
    }
}

/// The ways to begin, the best first: those that continue where the files end, and then those that
/// continue later, because nothing before that is left. Without files, nothing is missed, and the
/// node continues at the end of the stream. `stored` is in the order of positions.
pub(crate) fn origins(
    had: Had,
    extent: OrderExtent,
    stored: &[StoredSnapshot],
) -> Vec<LedgerOrigin> {
    let end = had.position.unwrap_or(extent.last);
    let stored = stored.iter().map(|it| (it.position, Base::Stored(it.clone())));
    let own = had.snapshot.map(|position| (position, Base::OwnFile));
    let mut bases: Vec<_> =
        [(FOUNDING, Base::Founding)].into_iter().chain(stored).chain(own).collect();
    bases.retain(|(from, _)| from + 1 >= extent.first && *from <= extent.last);
    bases.sort_by_key(|(from, _)| *from); // stable: among equals, the own one is the last
    let fits = |from: u64| from <= end && end + 1 >= extent.first;
    let continuing = bases.iter().rev().filter(|(from, _)| fits(*from));
    let continuing = continuing.map(|(from, base)| LedgerOrigin {
        base: base.clone(),
        from: *from,
        position: end,
    });
    let later = bases.iter().filter(|(from, _)| !fits(*from) && *from > end);
    let later =
        later.map(|(from, base)| LedgerOrigin { base: base.clone(), from: *from, position: *from });
    continuing.chain(later).collect()
}

#[cfg(test)]
mod tests {
    use parlor_core::model::WallTime;

    use super::{Base, Had, OrderExtent, origins};
    use crate::sequencer::jetstream::schedule::StoredSnapshot;

    fn stored(positions: &[u64]) -> Vec<StoredSnapshot> {
        let snapshot =
            |position: &u64| StoredSnapshot { position: *position, at: WallTime(0), boot: 1 };
        positions.iter().map(snapshot).collect()
    }

    /// The bases with their positions, and where the node continues.
    fn chosen(
        had: (Option<u64>, Option<u64>),
        extent: (u64, u64),
        stored_at: &[u64],
    ) -> Vec<(char, u64, u64)> {
        let had = Had { position: had.0, snapshot: had.1 };
        let extent = OrderExtent { first: extent.0, last: extent.1 };
        let ways = origins(had, extent, &stored(stored_at));
        let way = |way: super::LedgerOrigin| {
            let kind = match way.base {
                Base::Founding => 'f',
                Base::OwnFile => 'o',
                Base::Stored(_) => 's',
            };
            assert_eq!(
                way.misses_some(had.position),
                had.position.is_some_and(|it| it < way.position)
            );
            (kind, way.from, way.position)
        };
        ways.into_iter().map(way).collect()
    }

    #[test]
    fn files_continue_where_they_end_from_the_newest_ledger_before_that() {
        let ways = chosen((Some(500), Some(400)), (2, 900), &[100, 300, 400, 600]);
        let before =
            [('o', 400, 500), ('s', 400, 500), ('s', 300, 500), ('s', 100, 500), ('f', 1, 500)];
        assert_eq!(ways[..5], before);
        assert_eq!(ways[5..], [('s', 600, 600)], "only if no other can be read");
    }

    #[test]
    fn a_new_node_begins_where_the_stream_begins() {
        assert_eq!(chosen((Some(1), None), (2, 900), &[100, 300])[0], ('f', 1, 1));
        assert_eq!(
            chosen((Some(1), None), (300, 900), &[300, 600]),
            [('s', 300, 300), ('s', 600, 600)]
        );
        assert_eq!(chosen((Some(1), None), (2, 1), &[]), [('f', 1, 1)], "an empty stream");
    }

    #[test]
    fn files_that_end_before_the_stream_begins_continue_with_its_oldest_ledger() {
        let ways = chosen((Some(200), Some(150)), (300, 900), &[100, 300, 600]);
        assert_eq!(ways, [('s', 300, 300), ('s', 600, 600)]);
        // The message behind the files is the first one: nothing is missing.
        let ways = chosen((Some(299), Some(299)), (300, 900), &[300, 600]);
        assert_eq!(ways[0], ('o', 299, 299));
    }

    #[test]
    fn a_node_without_files_begins_with_the_newest_ledger_and_continues_at_the_end() {
        let ways = chosen((None, None), (300, 900), &[100, 300, 600, 950]);
        assert_eq!(ways, [('s', 600, 900), ('s', 300, 900)], "one of another stream is no base");
        assert_eq!(chosen((None, None), (2, 900), &[]), [('f', 1, 900)]);
    }
}
