//! Text for a terminal: sanitised, with coloured names. Knows no terminal and no connection.

use std::collections::{HashMap, HashSet};

use parlor_core::model::Line;

/// The colours of names, around the rainbow: 256-colour numbers with a contrast of at least 3.8:1
/// on black and on white.
const PALETTE: [u8; 20] =
    [160, 131, 166, 130, 100, 64, 28, 65, 29, 66, 30, 31, 27, 63, 98, 129, 164, 133, 132, 161];

/// Text without control codes for the terminal, from any bytes.
pub(crate) fn sanitise(bytes: &[u8]) -> String {
    Line::sanitise(bytes).as_str().to_owned()
}

/// Colours each of `names`, which are parts of `line` in order, with the colour at the same index.
pub(crate) fn paint_line(line: &str, names: &[&str], colours: &[u8]) -> String {
    let mut painted = String::with_capacity(line.len() + 16 * names.len());
    let mut rest = line;
    for (name, colour) in names.iter().zip(colours) {
        // The position of the name itself, not of the first equal letters: `In lobby: lob` has them
        // twice.
        let offset = (name.as_ptr() as usize).saturating_sub(rest.as_ptr() as usize);
        let Some((before, from)) = rest.split_at_checked(offset) else {
            continue;
        };
        let Some(after) = from.strip_prefix(name) else {
            continue;
        };
        painted.push_str(before);
        painted.push_str(&format!("\x1b[38;5;{colour}m{name}\x1b[39m"));
        rest = after;
    }
    painted + rest
}

/// The colour of each name. It is the name's usual colour, unless another person here has it
/// already, and does not change while both are here.
#[derive(Default)]
pub(crate) struct Colours {
    given: HashMap<String, u8>,
}

impl Colours {
    /// The colours of `names`, while these people are `here`.
    pub(crate) fn of<'a>(
        &mut self,
        names: &[&'a str],
        here: impl Iterator<Item = &'a str>,
    ) -> Vec<u8> {
        if names.iter().any(|name| !self.given.contains_key(*name)) {
            let here: HashSet<&str> = here.chain(names.iter().copied()).collect();
            self.given.retain(|name, _| here.contains(name.as_str()));
        }
        names.iter().map(|name| self.give(name)).collect()
    }

    fn give(&mut self, name: &str) -> u8 {
        if let Some(&given) = self.given.get(name) {
            return given;
        }
        let own = colour(name);
        let from_own = PALETTE.into_iter().cycle().skip_while(|&other| other != own);
        let is_free = |other: &u8| !self.given.values().any(|given| given == other);
        let free = from_own.take(PALETTE.len()).find(is_free).unwrap_or(own);
        self.given.insert(name.to_owned(), free);
        free
    }
}

/// A name's usual colour. FNV-1a gives the same one on every machine; the standard hashers do not
/// promise that.
///
/// Its low bits vary little for short names, so the finaliser of MurmurHash3 mixes all bits.
fn colour(name: &str) -> u8 {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    let hash = hash ^ (hash >> 16);
    PALETTE.into_iter().cycle().nth(hash as usize % PALETTE.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Colours, PALETTE, colour, paint_line, sanitise};

    #[test]
    fn nothing_steers_the_terminal() {
        let shown = sanitise(b"\x1b[31mred\x07 \xff\xc2\x9b2J\ta\rb\nc\x7f");
        assert!(!shown.contains(|c: char| c.is_control() && c != '\t'), "{shown:?}");
        assert!(shown.contains("[31mred") && shown.contains('\t'));
    }

    #[test]
    fn names_are_painted_where_they_stand() {
        let line = "In lob: lob, bo";
        let (lob, bo) = (&line[8..11], &line[13..15]);
        let expected = format!(
            "In lob: \x1b[38;5;{}mlob\x1b[39m, \x1b[38;5;{}mbo\x1b[39m",
            colour(lob),
            colour(bo)
        );
        assert_eq!(paint_line(line, &[lob, bo], &[colour(lob), colour(bo)]), expected);
        assert_eq!(paint_line(line, &[], &[]), line);
    }

    #[test]
    fn people_who_are_here_have_different_colours() {
        let names: Vec<String> = (0..PALETTE.len()).map(|n| format!("guest{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut colours = Colours::default();
        let given: Vec<u8> =
            names.iter().map(|name| colours.of(&[name], names.iter().copied())[0]).collect();
        let all: HashSet<&u8> = given.iter().collect();
        assert_eq!(all.len(), PALETTE.len());
        assert_eq!(colours.of(&names, names.iter().copied()), given);
        let one_more = colours.of(&["zed"], names.iter().copied());
        assert_eq!(one_more, [colour("zed")]);
        assert_eq!(colours.of(&["guest0"], ["zed"].into_iter()), given[..1]);
    }

    #[test]
    fn a_name_keeps_its_colour() {
        assert_eq!((colour("alice"), colour("bob")), (colour("alice"), colour("bob")));
        let all: std::collections::HashSet<u8> =
            (0..200).map(|n| colour(&format!("guest{n}"))).collect();
        assert_eq!(all.len(), super::PALETTE.len(), "every colour is used");
    }

    #[test]
    fn two_names_share_a_colour_no_more_often_than_by_chance() {
        let names = [
            "alice",
            "bob",
            "carol",
            "dave",
            "erin",
            "frank",
            "grace",
            "heidi",
            "ivan",
            "judy",
            "al",
            "bo",
            "Ben",
            "Zoë",
            "李雷",
            "韩梅梅",
            "太郎",
            "花子",
            "мария",
            "иван",
            "علي",
            "ana",
            "eva",
            "tom",
            "max",
            "kim",
            "lee",
            "sam",
            "pat",
            "jo",
            "ci",
            "bot",
        ];
        let (mut all, mut same) = (0, 0);
        for (n, a) in names.into_iter().enumerate() {
            for b in names.into_iter().skip(n + 1) {
                all += 1;
                same += usize::from(colour(a) == colour(b));
            }
        }
        assert!(same * super::PALETTE.len() <= all * 5 / 4, "{same} of {all}");
        assert_ne!(colour("alice"), colour("李雷"));
    }

    #[test]
    fn every_colour_reads_on_black_and_on_white() {
        let linear = |value: u8| match [0_u8, 95, 135, 175, 215, 255].get(usize::from(value)) {
            Some(&level) => ((f64::from(level) / 255.0 + 0.055) / 1.055).powf(2.4),
            None => f64::NAN,
        };
        for number in super::PALETTE {
            let cube = number - 16;
            let light = 0.2126 * linear(cube / 36)
                + 0.7152 * linear(cube / 6 % 6)
                + 0.0722 * linear(cube % 6);
            let (on_white, on_black) = (1.05 / (light + 0.05), (light + 0.05) / 0.05);
            assert!(on_white > 3.75 && on_black > 3.75, "{number}");
        }
    }
}
