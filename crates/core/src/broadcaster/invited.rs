//! The invitations that a connection has received. Knows no person.

use std::collections::VecDeque;

use crate::model::RoomName;

/// The number of received invitations that are remembered; the latest count.
const RECEIVED_MAX: usize = 10;

/// The rooms that a connection is invited to and has not entered. The latest is the last.
#[derive(Debug, Default)]
pub(super) struct ReceivedInvitations(VecDeque<RoomName>);

impl ReceivedInvitations {
    /// Notes an invitation to a room.
    pub(super) fn add(&mut self, room: RoomName) {
        self.end(&room);
        if self.0.len() == RECEIVED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(room);
    }

    /// Ends the invitation to a room, if there is one: the person has come.
    pub(super) fn end(&mut self, room: &RoomName) {
        self.0.retain(|other| other != room);
    }

    /// The rooms.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &RoomName> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ten_invitations_are_remembered_until_the_person_comes() {
        let rooms: Vec<_> = (0..12).map(|n| RoomName::parse(&format!("r{n}")).ok()).collect();
        let mut received = ReceivedInvitations::default();
        rooms.iter().flatten().for_each(|room| received.add(room.clone()));
        rooms.get(3).into_iter().flatten().for_each(|room| received.add(room.clone()));
        rooms.get(4).into_iter().flatten().for_each(|room| received.end(room));
        let names: Vec<_> = received.rooms().map(RoomName::as_str).collect();
        assert_eq!(names, ["r2", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r3"]);
    }
}
