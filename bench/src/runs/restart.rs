//! A restart, as at an upgrade: how long people at each door have no server.

use std::time::{Duration, Instant};

use super::bench::{Bench, progress};
use super::figures::median;
use crate::load::{Load, Role, StoppedServer};
use crate::report::{ResultTable, YES};
use crate::server::LoadDoor;

const PEOPLE: usize = 1_000;

/// Longer than the second after which a crowd is announced.
const QUIET: Duration = Duration::from_millis(1_500);

/// The doors, whatever `--door` says.
const DOORS: [LoadDoor; 5] =
    [LoadDoor::Lines, LoadDoor::Tls, LoadDoor::Ws, LoadDoor::Https, LoadDoor::Irc];

/// Runs the scenario: the server of each round has the files of the one before.
pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut table = table();
    for door in DOORS {
        let target = bench.parlor.on_disk_at(door);
        let cores = [bench.cores.server];
        let mut server = target.start(&cores)?;
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for round in 1..=bench.pick(3, 5) {
            progress(format_args!("{}: restart {round}", target.name));
            let mut load = Load::around(server, &target)?;
            load.add_all(Role::Bystander, PEOPLE)?;
            load.receive_until_quiet(QUIET)?;
            load.ensure_all_connected()?;
            let StoppedServer { closed, ended, folder } = load.stop_server()?;
            let start = Instant::now();
            server = target.start_in(folder, &cores)?;
            let accepts = start.elapsed().as_secs_f64();
            times.iter_mut().zip([closed, ended, accepts]).for_each(|(all, time)| all.push(time));
        }
        let [closed, ended, accepts] = times.map(|all| median(all).into());
        let name = target.name.as_str().into();
        table.row([name, PEOPLE.into(), closed, ended, accepts, YES.into()]);
    }
    bench.tables = vec![table];
    Ok(())
}

fn table() -> ResultTable {
    ResultTable::new(
        "Restart",
        "Many people in one room when the server gets SIGTERM, each door with a server of its own, whose lines are on \
         disk. Closed: until the server has closed all connections, and so everybody has read that it is going down. \
         Ended: until the program has ended. Accepts: from the start of the next program, with the same files, until it \
         accepts connections, to 0.02 s. Medians of rounds, in seconds.",
        "server | people | closed, s | ended, s | accepts, s | valid",
    )
}
