//! The cost of a delivery on a node, against a server alone, in turns.

use std::path::Path;

use crate::load::LoadPace;
use crate::runs::bench::Bench;
use crate::runs::grid::{DELIVERIES, Entrant, Grid};
use crate::server::{NatsCluster, NatsSync, NodePlace};

const LISTENERS: usize = 1_000;

/// Lines on their way at once.
const WINDOWS: [usize; 2] = [1, 64];

/// Runs the grid. The server of NATS has the core of the load, so that it takes no time and no cache
/// from a measured server.
pub(super) fn run(bench: &mut Bench, nats: &Path) -> anyhow::Result<()> {
    let cluster = NatsCluster::start(nats, &[bench.cores.load], 1, NatsSync::Later)?;
    let urls = cluster.urls();
    let node = |house| NodePlace::Node { urls: &urls, house, node: "one" };
    let parlor = &bench.parlor;
    let targets = [
        parlor.in_memory(NodePlace::Alone),
        parlor.in_memory(node("memory")),
        parlor.written(NodePlace::Alone),
        parlor.written(node("disk")),
    ];
    let cores = vec![bench.cores.server];
    let entrant = |(number, target)| {
        let alone = number & !1; // the one before a node
        Entrant { target, cores: cores.clone(), reference: alone }
    };
    let closed = WINDOWS.into_iter().map(|window| LoadPace::Closed { window });
    let grid = Grid {
        entrants: targets.into_iter().enumerate().map(entrant).collect(),
        listeners: vec![LISTENERS],
        paces: closed.chain([LoadPace::Open { deliveries: DELIVERIES }]).collect(),
        rounds: bench.pick(7, 25),
        seconds: bench.pick(0.5, 1.0),
    };
    let tables = grid.compare("A node", "a server without others that stores lines alike");
    let note = " A node is one of a house in which all listeners are on it, and its order is in one server of NATS on the \
         core of the load, which syncs every two minutes; the time of that server is not counted. On disk means that \
         lines are written and not synced, as nodes do.";
    bench.tables.extend(tables.into_iter().map(|mut table| {
        table.note += note;
        table
    }));
    Ok(())
}
