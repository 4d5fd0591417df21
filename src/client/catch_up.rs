//! Hides replayed lines that the person has seen before the connection was lost. Knows no
//! connection and no terminal.

use std::collections::VecDeque;

use super::server_line::{ServerLine, split_time};

/// The client remembers this number of shown lines, more than a server replays.
const SHOWN_MAX: usize = 5_000;

/// The client holds back this number of replayed lines until the replay ends; more are shown at
/// once.
const HELD_MAX: usize = 5_000;

/// The lines of a room that were shown, and those that are being replayed.
#[derive(Default)]
pub(super) struct CatchUp {
    /// The lines of people, without times; the newest at the end.
    shown: VecDeque<String>,
    /// The replayed lines so far, while the server replays.
    held: Option<Vec<String>>,
}

impl CatchUp {
    /// Notes that the replay broke off. The next replay repeats all of its lines.
    pub(super) fn break_off(&mut self) {
        self.held = None;
    }

    /// Forgets the lines of another room, because they are not replayed here.
    pub(super) fn forget(&mut self) {
        self.shown.clear();
    }

    /// Takes the next line, and returns the lines to show now.
    pub(super) fn pass(&mut self, line: &str) -> Vec<String> {
        let is_replayed = !split_time(line).0.is_empty();
        match &mut self.held {
            Some(held) if is_replayed && held.len() < HELD_MAX => {
                held.push(line.to_owned());
                Vec::new()
            }
            _ => {
                let mut lines = self.end_replay();
                lines.push(line.to_owned());
                lines.iter().for_each(|line| self.note(line));
                // The replay begins with a line that was shown, or directly after one.
                self.held = (ServerLine::of(line) == ServerLine::Back).then(Vec::new);
                lines
            }
        }
    }

    /// Ends the replay and returns its new lines: those after the longest beginning of the replay
    /// that equals the end of the shown lines.
    fn end_replay(&mut self) -> Vec<String> {
        let Some(mut held) = self.held.take() else {
            return Vec::new();
        };
        let replayed = held.iter().map(|line| split_time(line).1);
        let is_end = |count: &usize| {
            let shown = self.shown.iter().skip(self.shown.len() - count);
            shown.eq(replayed.clone().take(*count))
        };
        let longest = held.len().min(self.shown.len());
        let count = (1..=longest).rev().find(is_end).unwrap_or_default();
        held.split_off(count)
    }

    fn note(&mut self, line: &str) {
        let said = split_time(line).1;
        if matches!(ServerLine::of(said), ServerLine::Said { to: None, .. }) {
            self.shown.push_back(said.to_owned());
            if self.shown.len() > SHOWN_MAX {
                self.shown.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CatchUp;

    const BACK: &str = "-- Welcome back, al: what came after the last line";

    /// The lines of `replayed` that appear after `shown`, when a roster ends the replay.
    fn caught_up(shown: &[&str], replayed: &[&str]) -> Vec<String> {
        let mut catch_up = CatchUp::default();
        for line in shown {
            assert_eq!(catch_up.pass(line), [line.to_string()]);
        }
        catch_up.pass(BACK);
        for line in replayed {
            assert!(catch_up.pass(&format!("[12:01] {line}")).is_empty());
        }
        let mut lines = catch_up.pass("In lobby: bob");
        assert_eq!(lines.pop().as_deref(), Some("In lobby: bob"));
        lines
    }

    #[test]
    fn shown_lines_are_not_repeated_and_no_other_line_is_left_out() {
        let shown = ["bob: a", "bob has left", "bob: ok", "[bob -> al] psst", "al: b"];
        assert_eq!(caught_up(&shown, &["bob: a", "bob: ok", "al: b"]), [""; 0]);
        assert_eq!(caught_up(&shown, &["al: b", "bob: c"]), ["[12:01] bob: c"]);
        assert_eq!(caught_up(&shown, &["bob: ok", "bob: ok"]), ["[12:01] bob: ok"; 2]);
        assert_eq!(caught_up(&shown, &["bob: new"]), ["[12:01] bob: new"]);
        assert_eq!(caught_up(&[], &["bob: new"]), ["[12:01] bob: new"]);
        assert_eq!(caught_up(&shown, &[]), [""; 0]);
    }
}
