//! The rules of a room: who may enter, speak, and read it from outside.

use super::line::Line;

/// The longest password of a room, in bytes.
pub const ROOM_PASSWORD_BYTES_MAX: usize = 32;

/// The largest number of people to which a room can be limited.
pub const PEOPLE_LIMIT_MAX: u64 = 1_000_000;

/// The rules of a room. A room without rules is open to everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomRules {
    /// Whether only people who are invited enter.
    pub is_invited_only: bool,
    /// Whether only keepers and people with a voice speak.
    pub is_moderated: bool,
    /// Whether nobody outside sees that the room exists.
    pub is_secret: bool,
    /// The password that people need to enter. It is stored as it is, because the people in the room
    /// may read it, so that they can pass it on.
    pub password: Option<Line>,
    /// The largest number of people.
    pub people_max: Option<u64>,
}

impl RoomRules {
    /// Whether there is no rule.
    pub fn is_nothing(&self) -> bool {
        *self == RoomRules::default()
    }

    /// Whether people outside may not read what is said.
    pub fn is_closed(&self) -> bool {
        self.is_secret || self.is_invited_only || self.password.is_some()
    }
}

/// The reason why a text is no password of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomPasswordError {
    /// There is none.
    Empty,
    /// It has more than [`ROOM_PASSWORD_BYTES_MAX`] bytes.
    TooLong,
    /// It has a blank, a comma or a colon at its beginning, which IRC clients cannot send.
    Sign,
}

/// Whether a text can be the password of a room.
///
/// # Errors
/// It cannot, for this reason.
pub fn check_room_password(typed: &str) -> Result<(), RoomPasswordError> {
    let has_sign = typed.contains([' ', ',']) || typed.starts_with(':');
    match typed.len() {
        0 => Err(RoomPasswordError::Empty),
        _ if has_sign || typed.contains(char::is_whitespace) => Err(RoomPasswordError::Sign),
        1..=ROOM_PASSWORD_BYTES_MAX => Ok(()),
        _ => Err(RoomPasswordError::TooLong),
    }
}
