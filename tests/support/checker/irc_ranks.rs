//! The ranks of people in a room, as a client of IRC knows them: from the signs in lists of people,
//! and from MODE. Knows no record: lists and modes have to agree.

use std::collections::BTreeMap;

/// The rank of a person in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rank {
    is_keeper: bool,
    /// None if it is not known: a list may show the sign of a keeper alone.
    has_voice: Option<bool>,
}

impl Rank {
    /// Whether a list may show this rank so.
    fn agrees(self, listed: Rank) -> bool {
        let both = self.has_voice.zip(listed.has_voice);
        listed.is_keeper == self.is_keeper && both.is_none_or(|(known, now)| known == now)
    }
}

/// The ranks of the people in a room, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranks {
    told: BTreeMap<String, Rank>,
    /// The ranks that the last list showed, and MODE has not told yet: an answer knows what has been
    /// decided, and may be ahead of the room.
    ahead: BTreeMap<String, Rank>,
}

impl Ranks {
    /// The ranks that a list shows: names, each with its signs.
    pub(super) fn of_list(list: &BTreeMap<String, String>) -> Ranks {
        let rank = |signs: &String| {
            let is_keeper = signs.starts_with('@');
            let has_voice = signs.ends_with('+');
            Rank { is_keeper, has_voice: (has_voice || !is_keeper).then_some(has_voice) }
        };
        let told = list.iter().map(|(name, signs)| (name.clone(), rank(signs))).collect();
        Ranks { told, ahead: BTreeMap::new() }
    }

    /// Somebody goes, or comes without a rank, or takes another name.
    pub(super) fn change(&mut self, gone: Option<&str>, come: Option<&str>, takes_name: bool) {
        let before = gone.and_then(|name| self.told.remove(name)).filter(|_| takes_name);
        let none = Rank { is_keeper: false, has_voice: Some(false) };
        self.told.extend(come.map(|name| (name.to_owned(), before.unwrap_or(none))));
        gone.map(|name| self.ahead.remove(name));
    }

    /// Somebody has a rank now, or no longer: `+o bob`. Other modes change no rank.
    pub(super) fn take_mode(&mut self, mode: &str) {
        let Some((letters, name)) = mode.split_once(' ') else { return };
        let Some(rank) = self.told.get_mut(name) else { return };
        let is_set = letters.starts_with('+');
        match letters.get(1..) {
            Some("o") => rank.is_keeper = is_set,
            Some("v") => rank.has_voice = Some(is_set),
            _ => {}
        }
        let rank = *rank;
        self.ahead.retain(|ahead, listed| ahead != name || !rank.agrees(*listed));
    }

    /// Takes a list of everybody.
    pub(super) fn take_list(&mut self, list: &BTreeMap<String, String>) {
        self.ahead.clear();
        for (name, listed) in Ranks::of_list(list).told {
            let known = self.told.entry(name.clone()).or_default();
            match known.agrees(listed) {
                true => known.has_voice = listed.has_voice.or(known.has_voice),
                false => drop(self.ahead.insert(name, listed)),
            }
        }
    }

    /// Somebody whose rank in the last list MODE has not told.
    pub(super) fn untold(&self) -> Option<&String> {
        self.ahead.keys().next()
    }
}
