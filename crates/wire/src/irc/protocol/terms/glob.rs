//! Patterns with `*` for any text and `?` for any character. Knows no name.

/// The largest number of characters in a pattern, the stars not counted: each has a bit.
const PLACES_MAX: u32 = 127;

/// A pattern. It compares in one pass over a text, whatever the pattern is; letters of ASCII have no
/// case.
///
/// A set of bits has the states that the text so far can have reached: bit 5 is set if the first
/// five characters of the pattern can stand for all of the text so far.
#[derive(Clone, Debug)]
pub struct Glob {
    /// The characters of the pattern in order, each with the places where it stands: bit 5 is the
    /// sixth character.
    characters: Vec<(char, u128)>,
    /// The places of `?`.
    any: u128,
    /// The states at which a star stands.
    stars: u128,
    /// The state at the end of the pattern.
    end: u128,
}

impl Glob {
    /// The pattern in a text; none if it has more than 127 characters beside its stars, as no name
    /// has.
    pub fn new(pattern: &str) -> Option<Glob> {
        let mut glob = Glob { characters: Vec::new(), any: 0, stars: 0, end: 1 };
        for c in pattern.chars() {
            match c {
                '*' => {
                    glob.stars |= glob.end;
                    continue;
                }
                '?' => glob.any |= glob.end,
                c => glob.add(c.to_ascii_lowercase()),
            }
            if glob.end.trailing_zeros() == PLACES_MAX {
                return None;
            }
            glob.end <<= 1;
        }
        Some(glob)
    }

    fn add(&mut self, c: char) {
        match self.characters.binary_search_by_key(&c, |(known, _)| *known) {
            Ok(at) => {
                if let Some((_, places)) = self.characters.get_mut(at) {
                    *places |= self.end;
                }
            }
            Err(at) => self.characters.insert(at, (c, self.end)),
        }
    }

    /// Whether the pattern stands for the whole text.
    pub fn matches(&self, text: &str) -> bool {
        let mut states = 1_u128;
        for c in text.chars() {
            let here = self.any | self.places_of(c.to_ascii_lowercase());
            states = ((states & here) << 1) | (states & self.stars);
            if states == 0 {
                return false;
            }
        }
        states & self.end != 0
    }

    fn places_of(&self, c: char) -> u128 {
        let found = self.characters.binary_search_by_key(&c, |(known, _)| *known);
        found.ok().and_then(|at| self.characters.get(at)).map_or(0, |(_, places)| *places)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_texts() {
        for (pattern, yes, no) in [
            ("alice", &["alice", "ALICE"][..], &["alic", "alices", ""][..]),
            ("al*", &["al", "alice", "AL*"], &["a", "xal"]),
            ("*@192.0.2.7", &["al!al@192.0.2.7", "@192.0.2.7"], &["al!al@192.0.2.77"]),
            ("al*@*", &["al!x@irc", "alice!x@", "al@@"], &["bal!x@irc", "alice"]),
            ("al!*@*", &["al!ice@irc", "al!@"], &["alice!x@irc", "al@x"]),
            ("al!?u@*", &["al!~u@irc", "al!uu@"], &["al!u@irc", "al!~~u@irc"]),
            ("al!u?*@*", &["al!ui@irc"], &["al!u@irc"]),
            ("a[bc]\\*", &["a[bc]\\", "a[bc]\\x"], &["ab", "ac\\"]),
            ("*", &["", "x"], &[]),
            ("**", &["", "x"], &[]),
            ("?", &["x", "世", "*"], &["", "xy"]),
            ("*?", &["x", "xy"], &[""]),
            ("", &[""], &["x"]),
            ("*a*b*", &["ab", "xaxbx", "bab"], &["ba", "b"]),
            ("*aab", &["aaab", "aabaab"], &["aaba"]),
            ("É*", &["Éva"], &["éva"]),
        ] {
            let glob = Glob::new(pattern).unwrap();
            assert!(yes.iter().all(|text| glob.matches(text)), "{pattern}");
            assert!(!no.iter().any(|text| glob.matches(text)), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_has_127_characters_beside_its_stars() {
        let longest = format!("*{}*", "?*".repeat(127));
        let glob = Glob::new(&longest).unwrap();
        assert!(glob.matches(&"x".repeat(127)) && glob.matches(&"x".repeat(500)));
        assert!(!glob.matches(&"x".repeat(126)));
        assert!(Glob::new(&(longest + "?")).is_none());
        let exact = "ab".repeat(63) + "c";
        assert!(Glob::new(&exact).unwrap().matches(&exact));
    }
}
