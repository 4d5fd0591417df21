//! Mail for somebody who has just come stands behind the welcome. A journal stops the server for a
//! moment, so others write before the welcome is written.

use std::future::ready;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use parlor_core::journal::{Commit, Journal, Record};
use parlor_core::log::Batch;
use tokio::task::block_in_place;

use crate::support::{DEADLINE, TestServer};

use super::{DOORS, enter, in_lobby, stranger};

/// The number of people who come; nobody may invite more within a minute.
const NEWCOMERS: usize = 8;

/// A journal that stops the whole broadcaster at each commit, until the test lets it go on.
struct StandingStill {
    /// Says that the broadcaster stands still.
    stands: SyncSender<()>,
    go_on: Receiver<()>,
}

impl Journal for StandingStill {
    fn commit(&mut self, _: &[Arc<Batch>], _: &[Record]) -> Commit {
        block_in_place(|| {
            // Fails when the test is over.
            self.stands.send(()).ok();
            self.go_on.recv_timeout(DEADLINE).ok();
        });
        Box::pin(ready(Ok(())))
    }
}

#[test]
fn mail_from_others_comes_behind_the_welcome() {
    let (stands, stood) = sync_channel(0);
    let (lets_go, go_on) = sync_channel(0);
    let journal = Box::new(StandingStill { stands, go_on });
    let server = TestServer::with_journal(journal, &DOORS, |_| {});
    let mut carol = in_lobby(&server, "carol");
    let mut bob = enter(&server, "bob");
    bob.joins("#tea");
    let mut invited = 0;
    for number in 0..NEWCOMERS * 10 {
        let name = format!("guest{number}");
        carol.say("PRIVMSG #lobby :hold on");
        stood.recv_timeout(DEADLINE).unwrap();
        // The newcomer asks to come, and bob writes to the newcomer, while nobody is answered.
        let mut newcomer = stranger(&server);
        newcomer.say(&format!("PING x\r\nNICK {name}\r\nUSER u 0 * :U"));
        newcomer.sees("{}PONG {}x");
        bob.say(&format!("VERSION\r\nINVITE {name} #tea\r\nPRIVMSG {name} :hello"));
        bob.until(":irc.example 005 bob {}UTF8ONLY{}");
        lets_go.send(()).unwrap();
        let answer = bob.until_pong();
        let is_invited = answer.iter().any(|message| message.command() == "341");
        let welcome = newcomer.until_end_of_motd();
        let is_numeric = |command: &str| command.parse::<u16>().is_ok();
        if let Some(early) = welcome.iter().find(|message| !is_numeric(message.command())) {
            newcomer.fail(&format!("{early:?} comes before the end of the welcome"));
        }
        assert_eq!(welcome[0].command(), "001");
        if is_invited {
            newcomer.sees(&format!(":bob!bob@irc INVITE {name} #tea"));
            newcomer.sees(&format!(":bob!bob@irc PRIVMSG {name} :hello"));
            invited += 1;
        }
        if invited == NEWCOMERS {
            return;
        }
    }
    panic!("{invited} newcomers were invited; all others came too late");
}
