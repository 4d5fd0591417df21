//! `parlor admin`: gives one order to the server that runs, and prints the answer. Knows no order by itself.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use super::{AdminOptions, SOCKET};
use crate::config::directory;

/// The server answers sooner, whatever it is asked.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// Gives the order, and hands each line of the answer to `tell`.
///
/// # Errors
/// No server runs there, or it refuses: in one sentence.
pub fn ask(options: &AdminOptions, mut tell: impl FnMut(&str)) -> anyhow::Result<()> {
    let directory = directory(options.data.as_deref())?;
    let path = directory.join(SOCKET);
    let shown = directory.display();
    let stream = UnixStream::connect(&path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => anyhow!(
            "only the user of the server on {shown}, and root, may give it orders"
        ),
        io::ErrorKind::InvalidInput => anyhow!(
            "{} is too long for the path of a socket; the server has none either",
            path.display()
        ),
        _ => anyhow!(
            "no server runs on {shown}: {error}; say with --data where it keeps its lines, as it logs at its start"
        ),
    })?;
    converse(stream, options, &mut tell)
        .with_context(|| format!("the server on {shown} does not answer"))?
        .map_err(|sentence| anyhow!("{sentence}"))
}

/// Sends the order and reads the answer: whether it was done, or the sentence that says why not.
fn converse(
    mut stream: UnixStream,
    options: &AdminOptions,
    tell: &mut impl FnMut(&str),
) -> anyhow::Result<Result<(), String>> {
    stream.set_read_timeout(Some(ANSWER_TIME))?;
    stream.set_write_timeout(Some(ANSWER_TIME))?;
    let order = serde_json::to_string(&options.order)?;
    writeln!(stream, "{order}")?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if let Some(words) = line.strip_prefix(' ') {
            tell(words);
        } else if let Some(sentence) = line.strip_prefix('!') {
            return Ok(Err(sentence.to_owned()));
        } else {
            return Ok(Ok(()));
        }
    }
    bail!("it has ended meanwhile");
}
