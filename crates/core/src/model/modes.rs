//! The modes of a person, as a set: the wishes and the remarks that a client sets for its person.

/// A set of modes of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes(u8);

impl Modes {
    /// No mode.
    pub const NONE: Modes = Modes(0);
    /// No mask finds the person.
    pub const INVISIBLE: Modes = Modes(1);
    /// The person reads what operators say to all who want to.
    pub const WALLOPS: Modes = Modes(2);
    /// A program, as it says of itself.
    pub const BOT: Modes = Modes(4);
    /// The person has authority on the whole server. Nobody sets this for themselves.
    pub const OPERATOR: Modes = Modes(8);

    const ALL: u8 = 15;

    /// The set with these bits; none if other bits are set.
    pub fn from_bits(bits: u8) -> Option<Modes> {
        (bits & !Modes::ALL == 0).then_some(Modes(bits))
    }

    /// The set as bits.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether all modes of another set are in it.
    pub fn has(self, other: Modes) -> bool {
        self.0 & other.0 == other.0
    }

    /// The modes of both sets.
    #[must_use]
    pub fn with(self, other: Modes) -> Modes {
        Modes(self.0 | other.0)
    }

    /// The modes that are not in the other set.
    #[must_use]
    pub fn without(self, other: Modes) -> Modes {
        Modes(self.0 & !other.0)
    }
}
