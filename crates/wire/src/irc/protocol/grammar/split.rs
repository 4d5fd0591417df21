//! Splits a text that is too long for one message. Knows no message.

/// A blank among this many of the last bytes of a part is the better place for its end.
const BLANK_BYTES_MAX: usize = 64;

/// The parts of a text, each of at most `bytes_max` bytes, or of one character if that is longer. A
/// part ends behind a blank near its end, otherwise between two characters. Put together the parts
/// are the text; an empty text is one empty part.
pub fn parts(text: &str, bytes_max: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (part, behind) = text.split_at_checked(first_part(text, bytes_max))?;
        rest = (!behind.is_empty()).then_some(behind);
        Some(part)
    })
}

/// The length of the first part, in bytes.
fn first_part(text: &str, bytes_max: usize) -> usize {
    if text.len() <= bytes_max {
        return text.len();
    }
    let end = text.floor_char_boundary(bytes_max);
    if end == 0 {
        return text.chars().next().map_or(0, char::len_utf8);
    }
    let near = text.floor_char_boundary(end.saturating_sub(BLANK_BYTES_MAX));
    let blank = text.get(near..end).and_then(|near_end| near_end.rfind(' '));
    blank.map_or(end, |at| near + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, bytes_max: usize) -> Vec<&str> {
        parts(text, bytes_max).collect()
    }

    #[test]
    fn a_part_ends_behind_a_blank_or_between_characters() {
        assert_eq!(split("one two three", 9), ["one two ", "three"]);
        assert_eq!(split("one two three", 8), ["one two ", "three"]);
        assert_eq!(split("one two three", 7), ["one ", "two ", "three"]);
        assert_eq!(split("one two three", 13), ["one two three"]);
        assert_eq!(split("onetwo", 4), ["onet", "wo"]);
        assert_eq!(split("  one", 4), ["  ", "one"]);
        assert_eq!(split("größe", 3), ["gr", "ö", "ße"]);
        assert_eq!(split("世界", 4), ["世", "界"]);
        assert_eq!(split("世界", 0), ["世", "界"]);
        assert_eq!(split("", 4), [""]);
        assert_eq!(split("    ", 2), ["  ", "  "]);
    }

    #[test]
    fn a_blank_far_from_the_end_is_no_place() {
        let far = format!("x {}", "y".repeat(100));
        assert_eq!(split(&far, 66)[0].len(), 66);
        assert_eq!(split(&far, 65)[0], "x ");
        let wide = format!("x {}", "世".repeat(100));
        assert_eq!(split(&wide, 68)[0].len(), 68);
    }
}
