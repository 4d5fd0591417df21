//! Whether the file of a node follows the order: what is written, what waits, and what is left to
//! somebody who reads the order again. A state machine; knows no file and no thread.
//!
//! The broadcaster gives jobs, each with everything since the one before. If too much waits, its
//! jobs are left out, and the file stops. When the disk works again, another reader of the order
//! writes what is missing. It offers the place that it has reached; at a later place the broadcaster
//! takes over: its jobs from there wait until the other reader has written everything up to there.

use std::collections::VecDeque;
use std::mem;

/// The way of the jobs.
#[derive(Debug)]
pub(super) enum FileState<J> {
    /// The jobs are written.
    Following,
    /// The jobs are left out.
    Stopped,
    /// The jobs are left out; everything up to this position, or a later one, is being written.
    Offered(u64),
    /// The jobs after this position wait until everything up to it is written.
    TakenOver {
        /// The position.
        from: u64,
        /// The jobs, each with its size in bytes.
        jobs: VecDeque<(J, usize)>,
        /// The size of all.
        bytes: usize,
    },
}

impl<J> FileState<J> {
    /// Takes a job of this size. Returns it if it is written now. If more than `bytes_max` wait for
    /// the other reader, the file stops again.
    pub(super) fn take(&mut self, job: J, bytes: usize, bytes_max: usize) -> Option<J> {
        match self {
            FileState::Following => Some(job),
            FileState::Stopped | FileState::Offered(_) => None,
            FileState::TakenOver { bytes: waiting, .. } if *waiting + bytes > bytes_max => {
                *self = FileState::Stopped;
                None
            }
            FileState::TakenOver { jobs, bytes: waiting, .. } => {
                *waiting += bytes;
                jobs.push_back((job, bytes));
                None
            }
        }
    }

    /// Stops the file. Returns whether it followed.
    pub(super) fn stop(&mut self) -> bool {
        matches!(mem::replace(self, FileState::Stopped), FileState::Following)
    }

    /// Notes that the jobs so far have everything up to a position. Returns whether the broadcaster
    /// takes over there.
    pub(super) fn give(&mut self, position: u64) -> bool {
        let is_reached = matches!(self, FileState::Offered(offered) if position >= *offered);
        if is_reached {
            *self = FileState::TakenOver { from: position, jobs: VecDeque::new(), bytes: 0 };
        }
        is_reached
    }

    /// Offers to write everything up to a position, or a later one. Returns the position at which
    /// the broadcaster has taken over, if it has.
    pub(super) fn offer(&mut self, position: u64) -> Option<u64> {
        match self {
            FileState::Stopped | FileState::Offered(_) => {
                *self = FileState::Offered(position);
                None
            }
            FileState::TakenOver { from, .. } => Some(*from),
            FileState::Following => None,
        }
    }

    /// Lets the file follow, because everything up to the place of the take-over is written. Returns
    /// the jobs after it; none if the file has stopped again.
    pub(super) fn follow(&mut self) -> Option<VecDeque<(J, usize)>> {
        let FileState::TakenOver { jobs, .. } = self else {
            return None;
        };
        let jobs = mem::take(jobs);
        *self = FileState::Following;
        Some(jobs)
    }
}

#[cfg(test)]
mod tests {
    use super::FileState;

    #[test]
    fn a_stopped_file_follows_again_from_the_place_where_the_broadcaster_takes_over() {
        let mut state = FileState::Following;
        assert_eq!(state.take(1, 9, 10), Some(1));
        assert!(state.stop() && !state.stop());
        assert_eq!(state.take(2, 1, 10), None);
        assert!(!state.give(20), "nobody has read that far");
        assert_eq!(state.offer(25), None);
        assert_eq!(state.take(3, 1, 10), None);
        assert!(!state.give(24), "the other reader is further");
        assert_eq!(state.offer(26), None);
        assert!(!state.give(25) && state.give(28));
        assert_eq!(state.offer(27), Some(28));
        assert_eq!((state.take(4, 6, 10), state.take(5, 4, 10)), (None, None));
        let jobs = state.follow().map(Vec::from);
        assert_eq!(jobs, Some(vec![(4, 6), (5, 4)]));
        assert_eq!(state.take(6, 1, 10), Some(6));
    }

    #[test]
    fn a_file_stops_again_if_too_much_waits_for_the_other_reader() {
        let mut state = FileState::Stopped;
        state.offer(5);
        assert!(state.give(5));
        assert_eq!((state.take(1, 6, 10), state.take(2, 5, 10)), (None, None));
        assert!(state.follow().is_none());
        assert_eq!(state.take(3, 1, 10), None);
    }
}
