//! Modes of channels and people, as MODE changes and shows them. Knows no channel and no person.

use parlor_core::model::Modes;

/// The largest number of modes that are read from one MODE; the others are ignored.
pub const CHANGES_MAX: usize = 10;

/// A mode of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelMode {
    /// A ban or a mute.
    Ban,
    /// Only people who are invited enter.
    InvitedOnly,
    /// A password.
    Key,
    /// A keeper, shown as an operator of the channel.
    Keeper,
    /// The largest number of people.
    Limit,
    /// Only keepers and people with a voice speak.
    Moderated,
    /// Nobody outside speaks in the channel. This is always so.
    NoOutside,
    /// Nobody outside sees the channel.
    Secret,
    /// Only keepers change the topic.
    TopicLock,
    /// A voice in a channel where only keepers speak.
    Voice,
}

/// The use of a parameter by a mode of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeKind {
    /// It adds to a list or removes from it; without a parameter it asks for the list.
    List,
    /// It needs the name of a member.
    Rank,
    /// It has a parameter.
    Setting,
    /// It has a parameter if it is given, and none if it is taken away.
    Quantity,
    /// It has no parameter.
    Flag,
}

impl ChannelMode {
    /// All modes, in alphabetical order.
    pub const ALL: [ChannelMode; 10] = [
        ChannelMode::Ban,
        ChannelMode::InvitedOnly,
        ChannelMode::Key,
        ChannelMode::Limit,
        ChannelMode::Moderated,
        ChannelMode::NoOutside,
        ChannelMode::Keeper,
        ChannelMode::Secret,
        ChannelMode::TopicLock,
        ChannelMode::Voice,
    ];

    /// Its letter.
    pub const fn letter(self) -> char {
        match self {
            ChannelMode::Ban => 'b',
            ChannelMode::InvitedOnly => 'i',
            ChannelMode::Keeper => 'o',
            ChannelMode::Key => 'k',
            ChannelMode::Limit => 'l',
            ChannelMode::Moderated => 'm',
            ChannelMode::NoOutside => 'n',
            ChannelMode::Secret => 's',
            ChannelMode::TopicLock => 't',
            ChannelMode::Voice => 'v',
        }
    }

    /// Its use of a parameter.
    pub const fn kind(self) -> ModeKind {
        match self {
            ChannelMode::Ban => ModeKind::List,
            ChannelMode::Keeper | ChannelMode::Voice => ModeKind::Rank,
            ChannelMode::Key => ModeKind::Setting,
            ChannelMode::Limit => ModeKind::Quantity,
            ChannelMode::InvitedOnly
            | ChannelMode::Moderated
            | ChannelMode::NoOutside
            | ChannelMode::Secret
            | ChannelMode::TopicLock => ModeKind::Flag,
        }
    }

    /// The mode with this letter.
    pub fn of(letter: char) -> Option<ChannelMode> {
        ChannelMode::ALL.into_iter().find(|mode| mode.letter() == letter)
    }
}

/// The letters of all modes of channels of a kind.
pub fn channel_letters(kind: ModeKind) -> String {
    let modes = ChannelMode::ALL.into_iter().filter(|mode| mode.kind() == kind);
    modes.map(ChannelMode::letter).collect()
}

/// A change of a channel's mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModeChange<'a> {
    /// Whether the mode is given; otherwise it is taken away.
    pub is_set: bool,
    /// The mode.
    pub mode: ChannelMode,
    /// The parameter, if the mode has one.
    pub parameter: Option<&'a str>,
}

/// One mode in a MODE of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeRequest<'a> {
    /// Changes a mode.
    Change(ModeChange<'a>),
    /// Asks for the list of a mode.
    Show(ChannelMode),
}

/// The reason why a letter in a MODE of a channel means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeError {
    /// Channels have no mode with this letter.
    Unknown(char),
    /// The mode needs a parameter, and there is none.
    Missing(ChannelMode),
}

/// The first modes in the parameters of MODE behind the channel: `+o-b alice bob!*@*`.
pub fn channel_modes<'a>(
    parameters: &[&'a str],
) -> impl Iterator<Item = Result<ModeRequest<'a>, ModeError>> {
    let (letters, parameters) = parameters.split_first().unwrap_or((&"", &[]));
    let mut parameters = parameters.iter().copied();
    let modes = signed(letters).map(move |(is_set, letter)| {
        let mode = ChannelMode::of(letter).ok_or(ModeError::Unknown(letter))?;
        let parameter = match mode.kind() {
            ModeKind::List | ModeKind::Rank | ModeKind::Setting => parameters.next(),
            ModeKind::Quantity if is_set => parameters.next(),
            ModeKind::Quantity | ModeKind::Flag => None,
        };
        let parameter = parameter.filter(|given| !given.is_empty());
        match (mode.kind(), parameter) {
            (ModeKind::List, None) => Ok(ModeRequest::Show(mode)),
            (ModeKind::Rank, None) => Err(ModeError::Missing(mode)),
            (ModeKind::Setting | ModeKind::Quantity, None) if is_set => {
                Err(ModeError::Missing(mode))
            }
            _ => Ok(ModeRequest::Change(ModeChange { is_set, mode, parameter })),
        }
    });
    modes.take(CHANGES_MAX)
}

/// A mode of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserMode {
    /// A program, as it says of itself.
    Bot,
    /// No mask finds the person.
    Invisible,
    /// An operator of the server.
    Operator,
    /// The person reads WALLOPS.
    Wallops,
}

impl UserMode {
    /// All modes, in alphabetical order.
    pub const ALL: [UserMode; 4] =
        [UserMode::Bot, UserMode::Invisible, UserMode::Operator, UserMode::Wallops];

    /// Its letter.
    pub const fn letter(self) -> char {
        match self {
            UserMode::Bot => 'B',
            UserMode::Invisible => 'i',
            UserMode::Operator => 'o',
            UserMode::Wallops => 'w',
        }
    }

    /// The set of this mode alone.
    pub(crate) const fn set(self) -> Modes {
        match self {
            UserMode::Bot => Modes::BOT,
            UserMode::Invisible => Modes::INVISIBLE,
            UserMode::Operator => Modes::OPERATOR,
            UserMode::Wallops => Modes::WALLOPS,
        }
    }

    /// The mode with this letter.
    pub fn of(letter: char) -> Option<UserMode> {
        UserMode::ALL.into_iter().find(|mode| mode.letter() == letter)
    }
}

/// The first modes in the parameter of MODE behind a person: whether each is set, and the mode, or
/// a letter that is no mode.
pub fn user_modes(letters: &str) -> impl Iterator<Item = (bool, Result<UserMode, char>)> {
    let modes = signed(letters).map(|(is_set, c)| (is_set, UserMode::of(c).ok_or(c)));
    modes.take(CHANGES_MAX)
}

/// The letters in a text, each with whether a minus stands before it.
fn signed(letters: &str) -> impl Iterator<Item = (bool, char)> {
    let mut is_set = true;
    letters.chars().filter_map(move |c| match c {
        '+' | '-' => {
            is_set = c == '+';
            None
        }
        letter => Some((is_set, letter)),
    })
}

/// Letters with their signs, as MODE shows them: `+ot-b`. No letters are `+`.
pub fn letters(changes: impl IntoIterator<Item = (bool, char)>) -> String {
    let mut shown = String::new();
    let mut sign = None;
    for (is_set, letter) in changes {
        if sign.replace(is_set) != Some(is_set) {
            shown.push(if is_set { '+' } else { '-' });
        }
        shown.push(letter);
    }
    if shown.is_empty() { "+".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChannelMode::{Ban, Keeper, NoOutside, TopicLock};

    fn change(is_set: bool, mode: ChannelMode, parameter: Option<&str>) -> ModeRequest<'_> {
        ModeRequest::Change(ModeChange { is_set, mode, parameter })
    }

    #[test]
    fn modes_take_their_parameters_in_order() {
        let read = |parameters: &[&'static str]| channel_modes(parameters).collect::<Vec<_>>();
        assert_eq!(
            read(&["+o-bn+t", "alice", "bob!*@*", "rest"]),
            [
                Ok(change(true, Keeper, Some("alice"))),
                Ok(change(false, Ban, Some("bob!*@*"))),
                Ok(change(false, NoOutside, None)),
                Ok(change(true, TopicLock, None)),
            ]
        );
        assert_eq!(read(&["b"]), [Ok(ModeRequest::Show(Ban))]);
        assert_eq!(read(&["-b", ""]), [Ok(ModeRequest::Show(Ban))]);
        assert_eq!(
            read(&["+bxo+-é", "bob"]),
            [
                Ok(change(true, Ban, Some("bob"))),
                Err(ModeError::Unknown('x')),
                Err(ModeError::Missing(Keeper)),
                Err(ModeError::Unknown('é')),
            ]
        );
        assert_eq!(read(&[]), []);
        assert_eq!(read(&["+-"]), []);
    }

    #[test]
    fn ten_modes_are_read_and_no_more() {
        assert_eq!(channel_modes(&[&"x".repeat(500)]).count(), CHANGES_MAX);
        assert_eq!(user_modes(&"+x".repeat(200)).count(), CHANGES_MAX);
    }

    #[test]
    fn modes_of_people_have_no_parameters() {
        let read = |letters| user_modes(letters).collect::<Vec<_>>();
        assert_eq!(
            read("+iw-oz"),
            [
                (true, Ok(UserMode::Invisible)),
                (true, Ok(UserMode::Wallops)),
                (false, Ok(UserMode::Operator)),
                (false, Err('z')),
            ]
        );
        assert_eq!(read("B"), [(true, Ok(UserMode::Bot))]);
    }

    #[test]
    fn changes_are_shown_with_as_few_signs_as_possible() {
        let shown = |changes: &[(bool, char)]| letters(changes.iter().copied());
        assert_eq!(shown(&[(true, 'o'), (true, 't'), (false, 'b')]), "+ot-b");
        assert_eq!(shown(&[(false, 'o'), (true, 'o')]), "-o+o");
        assert_eq!(shown(&[]), "+");
    }

    #[test]
    fn letters_name_modes() {
        for mode in ChannelMode::ALL {
            assert_eq!(ChannelMode::of(mode.letter()), Some(mode));
        }
        for mode in UserMode::ALL {
            assert_eq!(UserMode::of(mode.letter()), Some(mode));
        }
        assert_eq!(channel_letters(ModeKind::Flag), "imnst");
        assert_eq!(channel_letters(ModeKind::Rank), "ov");
    }
}
