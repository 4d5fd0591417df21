//! Slow clients of a load: stuck ones, which read nothing, and dripping ones, which read a little.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::bail;
use rustix::event::epoll::{self, EventData, EventFlags};

use super::client::Role;
use super::clients::{ClientId, Load};
use super::tally::Tally;

/// A dripping client reads again after this time ...
const DRIP_TIME: Duration = Duration::from_millis(50);

/// ... at most this many bytes: 5 KB/s, a fraction of the bytes in a busy room.
const DRIP_BYTES: usize = 256;

impl Load {
    /// Makes a listener that has received everything stuck or dripping, and counts what it reads
    /// from then on.
    pub(crate) fn slow_down(&mut self, id: ClientId, role: Role) -> anyhow::Result<()> {
        self.listeners.retain(|&other| other != id);
        if role == Role::Dripping {
            self.dripping.push(id);
        }
        self.clients[id].tally = Some(Tally::of(self.protocol));
        self.change(id, role, EventFlags::empty())
    }

    /// Lets the client read as fast as it can from now on; no line waits for it.
    pub(crate) fn speed_up(&mut self, id: ClientId) -> anyhow::Result<()> {
        self.dripping.retain(|&other| other != id);
        self.change(id, Role::Bystander, EventFlags::IN)
    }

    fn change(&mut self, id: ClientId, role: Role, wants: EventFlags) -> anyhow::Result<()> {
        self.clients[id].role = role;
        let data = EventData::new_u64(id as u64);
        Ok(epoll::modify(&self.poll, self.clients[id].socket()?, data, wants)?)
    }

    /// The counts of the lines that a client has read and skipped since it became slow.
    pub(crate) fn tally(&self, id: ClientId) -> Option<&Tally> {
        self.clients.get(id)?.tally.as_ref()
    }

    /// Lets the dripping clients read a little, when it is time.
    pub(super) fn drip(&mut self) -> anyhow::Result<()> {
        if self.dripping.is_empty() || Instant::now() < self.next_drip {
            return Ok(());
        }
        self.next_drip = Instant::now() + DRIP_TIME;
        for &id in &self.dripping {
            let client = &mut self.clients[id];
            if client.socket.is_none() {
                continue;
            }
            match client.receive(&mut self.buffer, DRIP_BYTES) {
                Ok((1.., text)) => {
                    let tally = client.tally.iter_mut();
                    tally.for_each(|tally| tally.count(&self.buffer[..text]));
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                _ => bail!("the server has disconnected client {id}, which was slow"),
            }
        }
        Ok(())
    }
}
