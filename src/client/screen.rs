//! What the terminal is given: text made harmless, names coloured. Knows no terminal and no connection.

use parlor_core::line::Line;

/// How a name is coloured: 256-colour numbers that read at 3.9:1 or better on black and on white alike.
const PALETTE: [u8; 12] = [28, 130, 31, 164, 64, 98, 161, 29, 27, 131, 129, 162];

/// Text that cannot steer a terminal, whatever the bytes.
pub(super) fn sanitise(bytes: &[u8]) -> String {
    Line::sanitise(bytes).as_str().to_owned()
}

/// Gives each of `names`, which are parts of `line` in the order of the line, the colour it always has.
pub(super) fn paint(line: &str, names: &[&str]) -> String {
    let mut painted = String::with_capacity(line.len() + 16 * names.len());
    let mut rest = line;
    for name in names {
        // Where the name stands, not where its letters occur first: `In lobby: lob` holds them twice.
        let offset = (name.as_ptr() as usize).saturating_sub(rest.as_ptr() as usize);
        let Some((before, from)) = rest.split_at_checked(offset) else {
            continue;
        };
        let Some(after) = from.strip_prefix(name) else {
            continue;
        };
        painted.push_str(before);
        painted.push_str(&format!("\x1b[38;5;{}m{name}\x1b[39m", colour(name)));
        rest = after;
    }
    painted + rest
}

/// The same name has the same colour on every machine and every day (FNV-1a; the standard hashers promise no such thing).
fn colour(name: &str) -> u8 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    PALETTE
        .into_iter()
        .cycle()
        .nth(hash as usize % PALETTE.len())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{colour, paint, sanitise};

    #[test]
    fn nothing_steers_the_terminal() {
        let shown = sanitise(b"\x1b[31mred\x07 \xff\xc2\x9b2J\ta\rb\nc\x7f");
        assert!(
            !shown.contains(|c: char| c.is_control() && c != '\t'),
            "{shown:?}"
        );
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
        assert_eq!(paint(line, &[lob, bo]), expected);
        assert_eq!(paint(line, &[]), line);
    }

    #[test]
    fn a_name_keeps_its_colour() {
        assert_eq!(
            (colour("alice"), colour("bob")),
            (colour("alice"), colour("bob"))
        );
        let all: std::collections::HashSet<u8> =
            (0..200).map(|n| colour(&format!("guest{n}"))).collect();
        assert_eq!(all.len(), super::PALETTE.len(), "every colour is used");
    }
}
