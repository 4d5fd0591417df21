//! What a session does so that its person can come back: it says the code, and keeps where the person stands.

use std::sync::Arc;

use parlor_core::link::{Answer, Client, Decoder, Item, Outcome, Refusal, Request, Spec};
use parlor_core::model::RoomId;
use tokio::io::AsyncRead;

use super::read::Reader;
use crate::accounts::{Code, Registry, Standing};

/// Where somebody stood at last, and the code for it.
pub(super) struct Last {
    registry: Arc<Registry>,
    code: Code,
    room: RoomId,
    standing: Standing,
}

impl Last {
    /// Keeps it, with how far has been written.
    pub(super) async fn keep(mut self, client: &Client) {
        if let Some((room, seq)) = client.read_to()
            && room == self.room
        {
            self.standing.seq = seq;
        }
        // Where it cannot be kept, the operator's log says so.
        let kept = self
            .registry
            .let_code_die(&self.code, client, self.standing);
        kept.await.ok();
    }
}

impl<R: AsyncRead + Unpin, D: Decoder> Reader<'_, R, D> {
    /// Says the code, which is made when it is first asked for.
    pub(super) async fn show_code(&mut self, spec: &'static Spec) -> Answer {
        if let Some((code, _)) = &self.place {
            return Answer::Code(code.shown());
        }
        let Some(registry) = self.manners.registry.clone() else {
            return Refusal::NeedsDisk(spec).into();
        };
        self.make_code(&registry).await
    }

    /// Has the code end that was shown before another password was set, and shows the one that counts instead.
    pub(super) async fn with_another_code(&mut self, answer: Answer) -> Answer {
        let (Some((code, _)), Some(registry)) = (self.place.take(), self.manners.registry.clone())
        else {
            return answer;
        };
        registry.forget_code(&code);
        self.reply(Item::Answer(answer)).await;
        self.make_code(&registry).await
    }

    async fn make_code(&mut self, registry: &Registry) -> Answer {
        let Some(standing) = self.standing().await else {
            return Refusal::NotThere.into();
        };
        let client = Arc::clone(self.link.client());
        let given = registry.give_code(&client, self.seat.room(), standing.clone());
        match given.await {
            Ok(code) => {
                let shown = code.shown();
                self.place = Some((code, standing));
                Answer::Code(shown)
            }
            Err(undone) => Refusal::from(undone).into(),
        }
    }

    /// Keeps that the person is somewhere else, or somebody else, if there is a code for it.
    pub(super) async fn note_standing(&mut self) {
        let (Some((code, _)), Some(registry)) = (&self.place, self.manners.registry.clone()) else {
            return;
        };
        let code = code.clone();
        let Some(standing) = self.standing().await else {
            return;
        };
        self.place = Some((code.clone(), standing.clone()));
        let (client, room) = (Arc::clone(self.link.client()), self.seat.room());
        // Where it cannot be kept, the operator's log says so.
        let noted = registry.note_standing(&code, &client, room, standing);
        noted.await.ok();
    }

    /// Where the person stands at the end; none if nobody asked for a code.
    pub(super) fn last_place(&self) -> Option<Last> {
        let (code, standing) = self.place.clone()?;
        Some(Last {
            registry: self.manners.registry.clone()?,
            code,
            room: self.seat.room(),
            standing,
        })
    }

    /// Where the person stands now: behind the last line that was written, if that is known, else at the end.
    async fn standing(&mut self) -> Option<Standing> {
        let Outcome::You(me) = self.link.call(Request::WhoAmI).await else {
            return None;
        };
        let read = self.link.client().read_to();
        let here = |(room, seq)| (room == self.seat.room()).then_some(seq);
        Some(Standing {
            name: me.name,
            proof: me.proof,
            room: self.seat.room_name().clone(),
            seq: read.and_then(here).unwrap_or(self.seat.log().end().seq),
        })
    }
}
