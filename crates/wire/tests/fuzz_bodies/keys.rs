//! For any bytes in any pieces: the same keys, text as it was typed, and a limited number of them.

use parlor_wire::keys::{Keys, Keystroke, PASTE_BYTES_MAX};

/// The first byte is the size of a piece; the person types the others.
pub(crate) fn run(data: &[u8]) {
    let [piece, bytes @ ..] = data else {
        return;
    };
    let whole = keys([bytes]);
    assert!(whole.len() <= bytes.len());
    assert_eq!(keys(bytes.chunks(usize::from(*piece).max(1))), whole);
    plain_text_stays(bytes);
    a_paste_stays(bytes);
}

/// The keys of bytes that arrive in these pieces; each one is checked.
pub(crate) fn keys<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Keystroke> {
    let mut decoder = Keys::default();
    let mut keys = Vec::new();
    for mut input in pieces {
        while let Some(key) = decoder.next(&mut input) {
            match &key {
                Keystroke::Char(c) | Keystroke::Alt(c) => assert!(!c.is_ascii_control()),
                Keystroke::Control(c) => assert!(c.is_ascii_lowercase()),
                // U+FFFD has three bytes, and stands for one.
                Keystroke::Paste(text) => assert!(text.len() <= 3 * PASTE_BYTES_MAX),
                _ => {}
            }
            keys.push(key);
        }
        assert!(input.is_empty());
    }
    keys.extend(decoder.pause());
    keys
}

/// Without control characters, the keys are the characters.
fn plain_text_stays(bytes: &[u8]) {
    let mut text: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_control()).collect();
    text.push(b'.'); // ends a character that is not whole
    let text_keys = String::from_utf8_lossy(&text).chars().map(Keystroke::Char).collect::<Vec<_>>();
    assert_eq!(keys([&text[..]]), text_keys);
}

/// A paste is its bytes, whatever they are, and the next key comes after it.
fn a_paste_stays(bytes: &[u8]) {
    const END: &[u8] = b"\x1b[201~";
    let end = bytes.windows(END.len()).position(|part| part == END);
    let pasted = &bytes[..end.unwrap_or(bytes.len())];
    let typed = [b"\x1b[200~", pasted, END, b"x"].concat();
    let mut pieces = keys([&typed[..]]);
    assert_eq!(pieces.pop(), Some(Keystroke::Char('x')));
    let pieces = pieces.into_iter().map(|key| match key {
        Keystroke::Paste(piece) => piece,
        key => panic!("{key:?} in a paste"),
    });
    let text = String::from_utf8_lossy(pasted).replace("\r\n", "\n").replace('\r', "\n");
    assert_eq!(pieces.collect::<String>(), text);
}
