//! `/search`: what is found is shown line by line, each as soon as there is room for it. Knows no wording, and no index.

use parlor_core::link::{Answer, Decoder, Item, Outcome, Refusal, Request, Spec};
use parlor_core::model::{Line, RoomName};
use tokio::io::AsyncRead;

use super::read::Reader;
use crate::door::network;
use crate::journal::{Found, Searcher, Unreadable};

impl<R: AsyncRead + Unpin, D: Decoder> Reader<'_, R, D> {
    /// Has the lines shown that have these words; what is left to say.
    pub(super) async fn search(
        &mut self,
        words: Line,
        skip: u64,
        spec: &'static Spec,
    ) -> Option<Item> {
        let Some(search) = &self.manners.search else {
            return Some(Item::Answer(Refusal::NeedsDisk(spec).into()));
        };
        let Outcome::Barred(barred) = self.link.call(Request::Barred).await else {
            return Some(Item::Answer(Refusal::NotThere.into()));
        };
        let may_read = move |room: &RoomName| !barred.contains(room);
        let address = self.peer.address;
        let searcher = Searcher {
            person: self.link.client().id(),
            network: (!address.is_loopback()).then(|| network(address)),
        };
        let found = match search.find(words.as_str(), skip, searcher, may_read).await {
            Ok(found) => found,
            Err(refusal) => return Some(Item::Answer(refusal.into())),
        };
        if found.behind > 0 {
            self.reply(Item::Answer(Answer::SearchBehind(found.behind)))
                .await;
        }
        self.show_found(words, &found)
            .await
            .unwrap_or_else(|Unreadable| Some(Refusal::Unreadable.into()))
            .map(Item::Answer)
    }

    async fn show_found(&self, words: Line, found: &Found) -> Result<Option<Answer>, Unreadable> {
        let Some(history) = &self.manners.history else {
            return Ok(None);
        };
        let mut shown = 0;
        for (room, seq) in &found.lines {
            let page = history.page(room, *seq, *seq).await?;
            // What is damaged has been indexed as it was; what it was, nobody knows any more.
            for said in page.lines.into_iter().flatten() {
                shown += 1;
                let room = room.clone();
                self.reply(Item::Answer(Answer::Found { room, said })).await;
            }
        }
        Ok(match found {
            Found {
                more: 0,
                is_cut: false,
                ..
            } if shown == 0 => Some(Answer::FoundNothing(words)),
            Found {
                more: 0,
                is_cut: false,
                ..
            } => None,
            Found { more, is_cut, .. } => Some(Answer::FoundMore {
                lines: *more,
                is_all: !is_cut,
            }),
        })
    }
}
