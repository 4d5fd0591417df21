//! The reading and writing of a session's bytes, over any transport.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::ready;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::timeout;

/// How long remaining input is read after the final message. If it stayed unread, closing would
/// reset the connection.
const LINGER_TIME: Duration = Duration::from_secs(1);

thread_local! {
    /// Bytes are read into this buffer and copied from it, so an idle connection holds no buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 * 1024].into_boxed_slice());
}

/// Reads the waiting bytes, at most `max`, and appends them to `held`. Returns 0 at the end of the
/// input.
pub(crate) async fn read_some<R: AsyncRead + Unpin>(
    input: &mut R,
    held: &mut Vec<u8>,
    max: usize,
) -> io::Result<usize> {
    poll_fn(|cx| {
        SCRATCH.with_borrow_mut(|scratch| {
            let size = scratch.len().min(max);
            let mut buffer = ReadBuf::new(scratch.get_mut(..size).unwrap_or_default());
            ready!(Pin::new(&mut *input).poll_read(cx, &mut buffer))?;
            held.extend_from_slice(buffer.filled());
            Ok(buffer.filled().len()).into()
        })
    })
    .await
}

/// Reads and drops remaining input, for a moment.
pub(crate) async fn linger<R: AsyncRead + Unpin>(input: &mut R) {
    let reading = async {
        let mut ignored = Vec::new();
        while let Ok(1..) = read_some(input, &mut ignored, usize::MAX).await {
            ignored.clear();
        }
    };
    timeout(LINGER_TIME, reading).await.ok();
}

/// The target of a session's bytes.
pub(crate) trait Output: AsyncWrite + Unpin + Send {
    /// Touches the memory that the next write reads, so that it is in the cache. The result has no
    /// meaning.
    fn prefetch(&self) -> usize {
        0
    }
}
