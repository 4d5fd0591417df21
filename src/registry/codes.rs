//! Return codes: who lost a connection takes the place again that it had. Knows no connection but by what it has read.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use blake2::{Blake2s256, Digest};
use parlor_core::answer::Refusal;
use parlor_core::client::Client;
use parlor_core::entry::RoomId;
use parlor_core::line::Line;
use parlor_core::time::WallTime;

use tokio::time::sleep;

use super::Registry;
use crate::clock;
use crate::journal::{CodeHash, Standing, Undone};

/// So long a code is good for when its connection has ended.
const LIFE: Duration = Duration::from_secs(3_600);

/// So often it is kept how far those have read who have a code.
const READINGS_EVERY: Duration = Duration::from_secs(10);

/// What a code is made of: no letter in it looks like another one.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// 100 bits: nobody guesses that.
const CODE_LETTERS: usize = 20;

/// It is shown in groups, so that people can type it.
const GROUP_LETTERS: usize = 5;

/// The right to come back. Whoever knows it is taken for the person who had it.
#[derive(Clone)]
pub(crate) struct Code(String);

impl Code {
    fn new() -> Result<Code, getrandom::Error> {
        let mut random = [0; CODE_LETTERS];
        getrandom::fill(&mut random)?;
        let letters = random
            .iter()
            .map(|byte| LETTERS[usize::from(byte % 32)] as char);
        Ok(Code(letters.collect()))
    }

    /// What somebody typed, with or without the marks between.
    fn typed(words: &str) -> Code {
        let letters = words.chars().filter(char::is_ascii_alphanumeric);
        Code(letters.map(|letter| letter.to_ascii_lowercase()).collect())
    }

    /// What is kept of it: nobody who reads the file can come back as somebody else.
    fn hash(&self) -> CodeHash {
        CodeHash(Blake2s256::digest(self.0.as_bytes()).into())
    }

    /// As people read it.
    pub(crate) fn shown(&self) -> Line {
        let groups: Vec<_> = self.0.as_bytes().chunks(GROUP_LETTERS).collect();
        Line::sanitise(&groups.join(&b'-'))
    }
}

/// Connections whose codes have been asked for.
#[derive(Default)]
pub(super) struct Living(Mutex<HashMap<CodeHash, Life>>);

struct Life {
    client: Weak<Client>,
    /// The room that its standing is about.
    room: RoomId,
}

/// Somebody comes back.
pub(crate) struct Returned {
    /// Where they were.
    pub(crate) standing: Standing,
    /// The connection that still has their place, if one has.
    pub(crate) ghost: Option<Arc<Client>>,
    /// Is good for the next time, too.
    pub(crate) code: Code,
}

impl Registry {
    /// A code for a connection that stands there.
    pub(crate) async fn give_code(
        &self,
        client: &Arc<Client>,
        room: RoomId,
        standing: Standing,
    ) -> Result<Code, Undone> {
        let code = Code::new().map_err(|error| {
            tracing::error!(%error, "the system gives no random numbers");
            Undone
        })?;
        self.note_standing(&code, client, room, standing).await?;
        Ok(code)
    }

    /// Where the connection with this code stands now.
    pub(crate) async fn note_standing(
        &self,
        code: &Code,
        client: &Arc<Client>,
        room: RoomId,
        standing: Standing,
    ) -> Result<(), Undone> {
        let hash = code.hash();
        client.track_reading();
        self.living.with(|living| {
            let client = Arc::downgrade(client);
            living.insert(hash, Life { client, room });
        });
        let put = move |store: &mut crate::journal::Store| {
            store.put_code(&hash, &standing, None, clock::wall())
        };
        self.errands.run(put).await
    }

    /// The connection with this code has ended, having read so far.
    pub(crate) async fn let_code_die(&self, code: &Code, standing: Standing) -> Result<(), Undone> {
        let hash = code.hash();
        self.living.with(|living| living.remove(&hash));
        let now = clock::wall();
        let until = WallTime(now.0 + LIFE.as_millis() as i64);
        let put = move |store: &mut crate::journal::Store| {
            store.put_code(&hash, &standing, Some(until), now)
        };
        self.errands.run(put).await
    }

    /// Keeps now and then how far everybody has read who may come back after a crash.
    pub(crate) async fn keep_readings(&self) {
        loop {
            sleep(READINGS_EVERY).await;
            self.note_readings().await.ok(); // the operator's log says why not
        }
    }

    async fn note_readings(&self) -> Result<(), Undone> {
        let mut readings = Vec::new();
        self.living.with(|living| {
            living.retain(|hash, life| {
                let Some(client) = life.client.upgrade() else {
                    return true; // about to be taken out
                };
                let read = client.read_to().filter(|(room, _)| *room == life.room);
                readings.extend(read.map(|(_, seq)| (*hash, seq)));
                true
            });
        });
        if readings.is_empty() {
            return Ok(());
        }
        let put = move |store: &mut crate::journal::Store| store.put_readings(&readings);
        self.errands.run(put).await
    }

    /// Who comes back with what somebody at this address has typed.
    ///
    /// # Errors
    /// That is no code, or none any more; or there have been too many tries.
    pub(crate) async fn redeem(&self, typed: &str, address: IpAddr) -> Result<Returned, Refusal> {
        self.tries().may_try_at(address, Instant::now())?;
        let code = Code::typed(typed);
        let (hash, now) = (code.hash(), clock::wall());
        let found = self.errands.run(move |store| store.code(&hash, now));
        let Some(mut standing) = found.await? else {
            self.tries().failed_at(address, Instant::now());
            return Err(Refusal::NoSuchCode);
        };
        let life = self.living.with(|living| living.remove(&hash));
        let ghost = life.as_ref().and_then(|life| life.client.upgrade());
        let read = ghost.as_ref().and_then(|ghost| ghost.read_to());
        if let (Some(life), Some((room, seq))) = (&life, read)
            && room == life.room
        {
            standing.seq = seq;
        }
        Ok(Returned {
            standing,
            ghost,
            code,
        })
    }
}

impl Living {
    fn with<T>(&self, what: impl FnOnce(&mut HashMap<CodeHash, Life>) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_again_however_it_is_typed() {
        let code = Code::new().map(|code| (code.hash(), code.shown()));
        let Ok((hash, shown)) = code else {
            panic!("the system has random numbers");
        };
        assert_eq!(shown.as_str().len(), 23, "{shown}");
        for typed in [
            shown.as_str().to_owned(),
            shown.as_str().to_uppercase(),
            format!(" {} ", shown.as_str().replace('-', "")),
        ] {
            assert_eq!(Code::typed(&typed).hash(), hash, "{typed}");
        }
        assert_ne!(Code::typed("").hash(), hash);
    }
}
