//! Those in a load who stand still or drip, and how they are made to read to the end.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::{ClientId, Load, Role, Tally};

/// Those who drip read again after this long...
const DRIP_TIME: Duration = Duration::from_millis(50);

/// ...so many bytes: 5 KB/s, a fraction of what a busy room says.
const DRIP_BYTES: usize = 256;

impl Load {
    /// A listener, which has heard all there was, stands still or drips from now on; what it reads
    /// is counted.
    pub(crate) fn stick(&mut self, id: ClientId, role: Role) -> anyhow::Result<()> {
        self.listeners -= usize::from(self.clients[id].role == Role::Listener);
        if role == Role::Dripping {
            self.dripping.push(id);
        }
        self.clients[id].tally = Some(Tally::of(self.dialect));
        self.change(id, role, EventFlags::empty())
    }

    /// It reads as fast as it can from now on, and nobody waits for it.
    pub(crate) fn unstick(&mut self, id: ClientId) -> anyhow::Result<()> {
        self.dripping.retain(|&other| other != id);
        self.change(id, Role::Bystander, EventFlags::IN)
    }

    fn change(&mut self, id: ClientId, role: Role, wants: EventFlags) -> anyhow::Result<()> {
        let client = &mut self.clients[id];
        client.role = role;
        let socket = client.socket.as_ref().context("it has left")?;
        let data = EventData::new_u64(id as u64);
        Ok(epoll::modify(&self.poll, socket, data, wants)?)
    }

    /// What a client has read since it stood still or dripped.
    pub(crate) fn tally(&self, id: ClientId) -> Option<&Tally> {
        self.clients.get(id)?.tally.as_ref()
    }

    /// Those who drip read a little, when it is time.
    pub(super) fn drip(&mut self) -> anyhow::Result<()> {
        if self.dripping.is_empty() || Instant::now() < self.next_drip {
            return Ok(());
        }
        self.next_drip = Instant::now() + DRIP_TIME;
        for &id in &self.dripping {
            let client = &mut self.clients[id];
            let (Some(socket), Some(tally)) = (&client.socket, &mut client.tally) else {
                continue;
            };
            match recv(socket, &mut self.buffer[..DRIP_BYTES], RecvFlags::empty()) {
                Ok((read @ 1.., _)) => tally.hear(&self.buffer[..read]),
                Err(Errno::AGAIN | Errno::INTR) => {}
                _ => bail!("the server has closed client {id}, which drips"),
            }
        }
        Ok(())
    }
}
