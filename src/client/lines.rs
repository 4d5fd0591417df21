//! Cuts the server's bytes into lines. Knows neither their meaning nor their display.

use std::io;
use std::mem;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Holds the longest line of a server: 65,535 bytes, each shown as a picture of three bytes, and a
/// name.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// Lines as they arrive; never holds more than [`LINE_BYTES_MAX`] of one.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    cutter: Cutter,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader), cutter: Cutter::default() }
    }

    /// The next line without its line ending, cut at [`LINE_BYTES_MAX`]; `None` when the server has
    /// closed the connection.
    ///
    /// Cancelling the call loses nothing.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let arrived = self.reader.fill_buf().await?;
            if arrived.is_empty() {
                return Ok(self.cutter.rest());
            }
            let (used, line) = self.cutter.cut(arrived);
            self.reader.consume(used);
            if line.is_some() {
                return Ok(line);
            }
        }
    }
}

/// The line that is still arriving; never more than [`LINE_BYTES_MAX`] of it.
#[derive(Default)]
pub(super) struct Cutter {
    line: Vec<u8>,
}

impl Cutter {
    /// Takes bytes up to the end of a line; returns their number, and the line if it is complete.
    pub(super) fn cut(&mut self, arrived: &[u8]) -> (usize, Option<Vec<u8>>) {
        let part = arrived.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
        self.line.extend(part.iter().take(room));
        if part.len() == arrived.len() {
            return (part.len(), None);
        }
        self.line.pop_if(|last| *last == b'\r');
        (part.len() + 1, Some(mem::take(&mut self.line)))
    }

    /// Takes all bytes, and returns the complete lines.
    pub(super) fn cut_all(&mut self, mut arrived: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        while !arrived.is_empty() {
            let (used, line) = self.cut(arrived);
            lines.extend(line);
            arrived = arrived.get(used..).unwrap_or_default();
        }
        lines
    }

    /// The last line, if it has no line ending.
    pub(super) fn rest(&mut self) -> Option<Vec<u8>> {
        Some(mem::take(&mut self.line)).filter(|line| !line.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES_MAX, Lines};

    async fn cut(bytes: &[u8]) -> Vec<Vec<u8>> {
        let (mut lines, mut all) = (Lines::new(bytes), Vec::new());
        while let Ok(Some(line)) = lines.next().await {
            all.push(line);
        }
        all
    }

    #[tokio::test]
    async fn lines_end_at_lf_crlf_or_the_end() {
        assert_eq!(cut(b"a\n\nb\r\nc").await, [&b"a"[..], b"", b"b", b"c"]);
    }

    #[tokio::test]
    async fn an_endless_line_takes_bounded_memory() {
        let endless = [vec![b'a'; 2 * LINE_BYTES_MAX], b"\nnext\n".to_vec()].concat();
        assert_eq!(cut(&endless).await, [vec![b'a'; LINE_BYTES_MAX], b"next".to_vec()]);
    }
}
