//! `parlor check`: looks for damage in all stored lines. Knows no connection, and changes nothing.

use anyhow::{Context, bail};

use crate::config::DataOption;
use crate::journal::{self, Extent};

/// Checks every stored line, passes each damaged place to `tell`, and returns a sentence if it
/// finds none.
///
/// # Errors
///
/// A line is damaged, nothing is stored there, or the file cannot be read. The error is one
/// sentence.
pub fn check(data: &DataOption, mut tell: impl FnMut(String)) -> anyhow::Result<String> {
    let (archive, file) = journal::open_stored(&data.directory()?)?;
    let mut damages = 0;
    let verified = archive.verify(&mut |damage| {
        damages += 1;
        tell(damage);
    });
    let file = file.display();
    let Extent { rooms, lines } = verified.with_context(|| file.to_string())?;
    if damages > 0 {
        let places = if damages == 1 { "place" } else { "places" };
        bail!("{file}: damaged in {damages} {places}; restore a backup");
    }
    Ok(format!("{file}: no damage; lines: {lines}, rooms: {rooms}\n"))
}
