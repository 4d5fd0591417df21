//! The story of a client: the number of lines that it has read, and their order. Knows no socket.

/// A prime, so that lines in another order give another number.
const FACTOR: u64 = 0x100_0000_01b3;

/// The lines that a client has read since it began to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Story {
    /// The number of lines.
    pub(crate) lines: u64,
    /// A number over them in their order: two clients who have read the same lines in one order have
    /// the same.
    pub(crate) order: u64,
}

impl Story {
    /// Adds the line with this number.
    pub(super) fn read(&mut self, number: u32) {
        self.lines += 1;
        self.order = self.order.wrapping_mul(FACTOR).wrapping_add(u64::from(number) + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(numbers: &[u32]) -> Story {
        let mut story = Story::default();
        numbers.iter().for_each(|number| story.read(*number));
        story
    }

    #[test]
    fn stories_differ_in_lines_and_in_their_order() {
        let told = story(&[0, 1, 2]);
        assert_eq!(told, story(&[0, 1, 2]));
        assert_eq!(told.lines, 3);
        for other in [&[0, 2, 1][..], &[1, 2], &[0, 1], &[0, 1, 3], &[0, 1, 1, 2]] {
            assert_ne!(told, story(other), "{other:?}");
        }
    }
}
