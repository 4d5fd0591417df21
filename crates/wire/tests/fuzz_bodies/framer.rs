//! For any bytes in any pieces: the frames of the reference, and bounded memory.

use parlor_wire::framer::{Frame, Framer};

use super::reference;

/// The first byte is the limit of a line, the second the size of a piece; the client sends the
/// others.
pub(crate) fn run(data: &[u8]) {
    let [line_bytes_max, piece, bytes @ ..] = data else {
        return;
    };
    let line_bytes_max = usize::from(*line_bytes_max);
    let expected = reference::frames(line_bytes_max, bytes);
    assert_eq!(frames(line_bytes_max, [bytes]), expected);
    let pieces = bytes.chunks(usize::from(*piece).max(1));
    assert_eq!(frames(line_bytes_max, pieces), expected);
    if !bytes.contains(&255) {
        assert_eq!(reference::lines(line_bytes_max, bytes), expected);
    }
}

/// The frames of bytes that arrive in these pieces; each one is checked.
pub(crate) fn frames<'a>(
    line_bytes_max: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Frame<'a>> {
    let mut framer = Framer::new(line_bytes_max);
    let mut frames = Vec::new();
    for mut input in pieces {
        while let Some(frame) = framer.next(&mut input) {
            if let Frame::Line(line) = &frame {
                assert!(line.len() <= line_bytes_max);
                assert!(!line.contains(&b'\n'));
            }
            frames.push(frame);
        }
        assert!(input.is_empty());
        assert!(framer.tail().len() <= line_bytes_max);
    }
    frames.extend(framer.finish().map(|line| Frame::Line(line.into())));
    frames
}
