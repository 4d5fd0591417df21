//! For any bytes of an IRC client, in any pieces: the frames of a simple reference; and for each
//! line, what is printed of it is one line without controls, and is read again as it was.

use parlor_wire::irc::{
    BanMask, CHANGES_MAX, CLIENT_TAGS_BYTES_MAX, Caps, Ctcp, Glob, IrcFrame, IrcFramer, IrcMessage,
    MESSAGE_BYTES_MAX, MessageWriter, MsgId, Negotiation, PARAMETERS_MAX, SaslPlain, SaslResponse,
    Selector, TAGS_BYTES_MAX, TagWriter, channel_modes, name, parts, plain, user_modes,
};

use super::irc_client;

/// The first byte is the size of a piece; the client sends the others.
pub(crate) fn run(data: &[u8]) {
    let [piece, bytes @ ..] = data else {
        return;
    };
    irc_client::run(bytes);
    let expected = reference(bytes);
    assert_eq!(frames([bytes]), expected);
    assert_eq!(frames(bytes.chunks(usize::from(*piece).max(1))), expected);
    for frame in &expected {
        if let IrcFrame::Line(line) = frame {
            check(line, (*piece).into());
        }
    }
}

/// The frames of bytes that arrive in these pieces.
pub(crate) fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<IrcFrame<'a>> {
    let mut framer = IrcFramer::default();
    let mut frames = Vec::new();
    for mut input in pieces {
        while let Some(frame) = framer.next(&mut input) {
            frames.push(frame);
        }
        assert!(input.is_empty());
        assert!(framer.tail().len() <= CLIENT_TAGS_BYTES_MAX + MESSAGE_BYTES_MAX + 3);
    }
    frames
}

/// The frames of all bytes at once, in the simplest way.
pub(crate) fn reference(bytes: &[u8]) -> Vec<IrcFrame<'static>> {
    let mut lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
    let unfinished = lines.pop().unwrap();
    let mut frames: Vec<_> = lines.into_iter().filter_map(line).collect();
    let tags = if unfinished.starts_with(b"@") { CLIENT_TAGS_BYTES_MAX + 2 } else { 0 };
    if unfinished.len() > tags + MESSAGE_BYTES_MAX + 1 {
        frames.push(IrcFrame::TooLong);
    }
    frames
}

fn line(bytes: &[u8]) -> Option<IrcFrame<'static>> {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let space = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let is_too_long = match bytes.first()? {
        b'@' => space > CLIENT_TAGS_BYTES_MAX + 1 || bytes.len() > space + 1 + MESSAGE_BYTES_MAX,
        _ => bytes.len() > MESSAGE_BYTES_MAX,
    };
    Some(match String::from_utf8(bytes.to_vec()) {
        _ if is_too_long => IrcFrame::TooLong,
        Ok(text) => IrcFrame::Line(text.into()),
        Err(error) => IrcFrame::InvalidUtf8(error.into_bytes().into()),
    })
}

/// Everything that is done with a line; `size` is the length of a part.
pub(crate) fn check(line: &str, size: usize) {
    if let Some(message) = IrcMessage::parse(line) {
        check_message(line, &message);
        let parameters = message.parameters();
        assert!(parameters.len() <= PARAMETERS_MAX);
        assert!(channel_modes(parameters).count() <= CHANGES_MAX);
        parameters.iter().for_each(|parameter| check_parameter(parameter));
        if let [pattern, text, ..] = parameters {
            check_glob(pattern, text);
        }
    }
    check_parameter(line);
    check_text(line, size);
}

/// A message is printed as one safe line, and read again as it was.
fn check_message(line: &str, message: &IrcMessage<'_>) {
    let mut out = Vec::new();
    print(message, &mut out);
    let (tags, printed) = safe_line(&out);
    assert!(tags.len() < TAGS_BYTES_MAX);
    let again = IrcMessage::parse(printed).unwrap();
    let is_cut = printed.len() - tags.len() >= MESSAGE_BYTES_MAX - 3;
    if !line.contains(|c: char| c.is_ascii_control()) && !is_cut {
        assert!(again.tags.iter().eq(message.tags.iter()));
        assert_eq!((again.source, again.command), (message.source, message.command));
        assert_eq!(again.parameters(), message.parameters());
    }
    let mut out = Vec::new();
    print(&again, &mut out);
    let (_, twice) = safe_line(&out);
    assert_eq!(IrcMessage::parse(twice), Some(again));
}

fn print(message: &IrcMessage<'_>, out: &mut Vec<u8>) {
    let tags = TagWriter::new(out).client_tags(message.tags);
    tags.message(message.source, message.command).all(message.parameters());
}

/// The tags, with their mark and the blank behind them, and the whole of the only line in these
/// bytes. It has no controls.
fn safe_line(bytes: &[u8]) -> (&str, &str) {
    let line = str::from_utf8(bytes).unwrap().strip_suffix("\r\n").unwrap();
    assert!(!line.contains(|c: char| c.is_ascii_control()), "{line:?}");
    let tags = match line.starts_with('@') {
        true => line.split_inclusive(' ').next().unwrap(),
        false => "",
    };
    assert!(line.len() - tags.len() <= MESSAGE_BYTES_MAX);
    (tags, line)
}

/// Names, masks and ids in a parameter have one printed form, which is read as the same.
fn check_parameter(text: &str) {
    if let Ok(name) = name::named(text) {
        let nick = name::nick(&name).into_owned();
        assert!(!nick.contains([' ', ':', ',', '*', '?', '!', '@', '#']));
        assert_eq!(name::named(&nick), Ok(name));
    }
    if let Ok(name) = name::claimed(text) {
        assert!(!name.is_address());
    }
    if let Some(Ok(room)) = name::room(text) {
        assert_eq!(name::room(&name::channel(&room)), Some(Ok(room)));
    }
    let user = name::user(text);
    assert!((1..=10).contains(&user.len()) && name::user(&user) == user);
    if let Ok(mask) = BanMask::parse(text) {
        assert_eq!(BanMask::parse(&mask.to_string()), Ok(mask));
    }
    if let Some(id) = MsgId::parse(text) {
        assert_eq!(id.to_string(), text);
    }
    Selector::parse(text);
    assert!(user_modes(text).count() <= CHANGES_MAX);
    SaslPlain::parse(text.as_bytes());
    SaslResponse::default().hear(text);
    let mut client = Negotiation::default();
    if client.request(text, Caps::OFFERED) {
        let before = client;
        assert!(client.request(&client.list(usize::MAX).concat(), Caps::OFFERED));
        assert_eq!(client, before);
    }
}

/// A pattern stands for the same texts as in the definition.
fn check_glob(pattern: &str, text: &str) {
    let Some(glob) = Glob::new(pattern) else {
        assert!(pattern.chars().filter(|c| *c != '*').count() > 127);
        return;
    };
    let text: Vec<char> = text.chars().map(|c| c.to_ascii_lowercase()).collect();
    // For each number of characters at the beginning of the text: whether the pattern stands for
    // them.
    let mut stands = vec![false; text.len() + 1];
    stands[0] = true;
    for c in pattern.chars() {
        let mut before = false;
        for (at, stands) in stands.iter_mut().enumerate() {
            let stood = *stands;
            *stands = match c {
                '*' => before || stood,
                c => {
                    let is_like = |known: &char| c == '?' || *known == c.to_ascii_lowercase();
                    before && at.checked_sub(1).and_then(|at| text.get(at)).is_some_and(is_like)
                }
            };
            before = if c == '*' { *stands } else { stood };
        }
    }
    let text: String = text.into_iter().collect();
    assert_eq!(glob.matches(&text), stands.ends_with(&[true]), "{pattern} {text}");
}

/// A text is split and put together, loses its codes, and is sent as it is or not at all.
pub(crate) fn check_text(text: &str, size: usize) {
    let split: Vec<_> = parts(text, size).collect();
    assert_eq!(split.concat(), text);
    for part in split {
        assert!(part.len() <= size || part.chars().count() == 1);
        assert!(!part.is_empty() || text.is_empty());
    }
    let shown = plain(text);
    assert_eq!(plain(&shown), shown);
    assert!(shown.len() <= text.len());
    if let Some(ctcp) = Ctcp::parse(text) {
        assert!(!ctcp.command.contains(['\x01', ' ']) && !ctcp.text.contains('\x01'));
    }
    let mut out = Vec::new();
    MessageWriter::new(&mut out, Some(text), text).with(text).last(text);
    safe_line(&out);
    out.clear();
    TagWriter::new(&mut out).tag("a", text).message(None, "X").text(text);
    let (_, line) = safe_line(&out);
    let message = IrcMessage::parse(line).unwrap();
    let is_control = |c: char| c.is_ascii_control() && !matches!(c, '\r' | '\n');
    assert_eq!(message.tags.get("a").unwrap(), text.replace(is_control, ""));
    out.clear();
    MessageWriter::new(&mut out, None, "X").ctcp("ACTION", text);
    assert_eq!(out.iter().filter(|byte| **byte == 1).count(), 2);
    out.retain(|byte| *byte != 1);
    safe_line(&out);
}
