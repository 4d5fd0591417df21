//! Return codes: who lost a connection takes the place again that it had. Knows no connection but by what it has read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use blake2::{Blake2s256, Digest};
use parlor_core::link::{Client, Refusal, Request};
use parlor_core::model::{Claim, Line, RoomId, RoomName, WallTime};

use tokio::time::sleep;

use super::Registry;
use super::code_table::{CODE_LIFE, CodeHash, Standing};
use crate::clock;
use crate::journal::DatabaseFailed;

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
    pub(crate) fn new() -> Result<Code, getrandom::Error> {
        let mut random = [0; CODE_LETTERS];
        getrandom::fill(&mut random)?;
        let letters = random
            .iter()
            .map(|byte| LETTERS[usize::from(byte % 32)] as char);
        Ok(Code(letters.collect()))
    }

    /// What somebody typed, with or without the marks between.
    pub(crate) fn typed(words: &str) -> Code {
        let letters = words.chars().filter(char::is_ascii_alphanumeric);
        Code(letters.map(|letter| letter.to_ascii_lowercase()).collect())
    }

    /// What is kept of it: nobody who reads the file can come back as somebody else.
    pub(crate) fn hash(&self) -> CodeHash {
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
pub(crate) struct Living(Mutex<HashMap<CodeHash, Life>>);

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

impl Returned {
    /// What is asked of the broadcaster for them: the place that they had, or one in this room.
    pub(crate) fn request(&self, room: Option<RoomName>) -> Request {
        let Standing {
            name,
            proof,
            room: before,
            ..
        } = self.standing.clone();
        Request::ComeBack {
            name: Claim { name, proof },
            room: room.unwrap_or(before),
            ghost: self.ghost.as_ref().map(|ghost| ghost.id()),
        }
    }
}

impl Registry {
    /// A code for a connection that stands there.
    pub(crate) async fn give_code(
        &self,
        client: &Arc<Client>,
        room: RoomId,
        standing: Standing,
    ) -> Result<Code, DatabaseFailed> {
        let code = Code::new().map_err(|error| {
            tracing::error!(%error, "the system has no random numbers");
            DatabaseFailed
        })?;
        self.note_standing(&code, client, room, standing).await?;
        Ok(code)
    }

    /// From now on the code is this connection's: whoever comes back with it meanwhile finds that one, and no other.
    pub(crate) fn take_over(&self, code: &Code, client: &Arc<Client>, room: RoomId) {
        let client = Arc::downgrade(client);
        self.living
            .with(|living| living.insert(code.hash(), Life { client, room }));
    }

    /// Where the connection with this code stands now.
    pub(crate) async fn note_standing(
        &self,
        code: &Code,
        client: &Arc<Client>,
        room: RoomId,
        standing: Standing,
    ) -> Result<(), DatabaseFailed> {
        let hash = code.hash();
        client.track_reading();
        let is_here = self.living.with(|living| {
            // Else somebody has come back with the code meanwhile, and it is theirs.
            let is_here = client.removed().is_none();
            if is_here {
                let client = Arc::downgrade(client);
                living.insert(hash, Life { client, room });
            }
            is_here
        });
        if !is_here {
            return Ok(());
        }
        self.put_code(hash, standing, None).await
    }

    /// A code is good no longer, and its connection goes on.
    pub(crate) fn forget_code(&self, code: &Code) {
        self.living.with(|living| living.remove(&code.hash()));
    }

    /// The connection with this code has ended, having read so far.
    /// Where another one has come back with it meanwhile, it is that one's.
    pub(crate) async fn let_code_die(
        &self,
        code: &Code,
        client: &Client,
        standing: Standing,
    ) -> Result<(), DatabaseFailed> {
        let hash = code.hash();
        let was_its = self.living.with(|living| {
            let its = |life: &mut Life| std::ptr::eq(life.client.as_ptr(), client);
            living.get_mut(&hash).is_some_and(its) && living.remove(&hash).is_some()
        });
        if !was_its {
            return Ok(());
        }
        let until = WallTime(clock::wall_awake().0 + CODE_LIFE.as_millis() as i64);
        self.put_code(hash, standing, Some(until)).await
    }

    /// Keeps a code, unless the password has been changed by which its person owned the name.
    async fn put_code(
        &self,
        hash: CodeHash,
        standing: Standing,
        until: Option<WallTime>,
    ) -> Result<(), DatabaseFailed> {
        let proofs = Arc::clone(&self.proofs);
        let put = move |store: &mut crate::journal::Store| match standing.proof {
            Some(proof) if proof != proofs.of(&standing.name) => Ok(()),
            _ => store.put_code(&hash, &standing, until, clock::wall_awake()),
        };
        self.database.write(put).await
    }

    /// Keeps now and then how far everybody has read who may come back after a crash.
    pub(crate) async fn keep_readings(&self) {
        loop {
            sleep(READINGS_EVERY).await;
            self.note_readings().await.ok(); // the operator's log says why not
        }
    }

    async fn note_readings(&self) -> Result<(), DatabaseFailed> {
        let mut readings = Vec::new();
        self.living.with(|living| {
            for (hash, life) in living {
                let read = life.client.upgrade().and_then(|client| client.read_to());
                let here = read.filter(|(room, _)| *room == life.room);
                readings.extend(here.map(|(_, seq)| (*hash, seq)));
            }
        });
        if readings.is_empty() {
            return Ok(());
        }
        let put = move |store: &mut crate::journal::Store| store.put_readings(&readings);
        self.database.write(put).await
    }

    /// Who comes back with what somebody has typed. Wrong ones are not counted: nobody guesses a code, and those behind one
    /// address have codes of their own.
    ///
    /// # Errors
    /// That is no code, or none any more.
    pub(crate) async fn redeem(&self, typed: &str) -> Result<Returned, Refusal> {
        let code = Code::typed(typed);
        let (hash, now) = (code.hash(), clock::wall_awake());
        let proofs = Arc::clone(&self.proofs);
        let found = self.database.read(move |store| {
            // What it shows is no newer than the code: that is looked at again when its name is known.
            let Some(before) = store.code(&hash, now)? else {
                return Ok(None);
            };
            let proof = proofs.of(&before.name);
            let found = store.code(&hash, now)?;
            Ok(found.map(|standing| Standing {
                proof: standing.proof.map(|_| proof),
                ..standing
            }))
        });
        let Some(mut standing) = found.await? else {
            return Err(Refusal::NoSuchCode);
        };
        // Looked at, and left: who knows whether this one comes in.
        let life = self.living.with(|living| {
            let life = living.get(&hash)?;
            Some((life.client.upgrade()?, life.room))
        });
        if let Some((ghost, here)) = &life
            && let Some((room, seq)) = ghost.read_to()
            && room == *here
        {
            standing.seq = seq;
        }
        let ghost = life.map(|(ghost, _)| ghost);
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
