//! The store of keys that all nodes share, as the stream of keys would hold them. Knows no node.

use parlor::sequencer::{Key, KeyMade, KeyRead, KeyReport, KeyStep};

/// The key with this number, also if it is deleted.
pub(super) fn key_of(number: u64) -> Key {
    Key::from_bytes(&[number as u8; Key::BYTES]).expect("a key")
}

/// The keys in the order of their numbers, from 1 on; none in the place of a deleted one.
#[derive(Debug, Default)]
pub(crate) struct KeyShelf(Vec<Option<Key>>);

impl KeyShelf {
    /// Takes a step of a node, whose link may be cut.
    pub(super) fn take(&mut self, step: KeyStep, is_cut: bool) -> Option<KeyReport> {
        Some(match step {
            KeyStep::Make { number, .. } => {
                let key = Some(key_of(self.0.len() as u64 + 1));
                self.0.push(key.clone()); // perhaps without an answer
                let made = key.filter(|_| !is_cut);
                let made =
                    made.map_or(KeyMade::Unknown, |key| KeyMade::Key(self.0.len() as u64, key));
                KeyReport::Made(number, made)
            }
            KeyStep::Read(key) if is_cut => KeyReport::Read(key, KeyRead::Unknown),
            KeyStep::Read(key) => {
                let read = self.0[key as usize - 1].clone();
                KeyReport::Read(key, read.map_or(KeyRead::Gone, KeyRead::Key))
            }
            KeyStep::Erase(key) => {
                self.0[key as usize - 1] = None;
                KeyReport::Erased(key, !is_cut)
            }
            KeyStep::Reconnect => return None,
        })
    }
}
