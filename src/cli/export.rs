//! `parlor export`: stored lines as text or as JSON lines, whether or not a server runs. Knows no connection.
//!
//! It reads the lines page by page, so a long export does not make a server wait.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum, ValueHint};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use parlor_core::model::{Manner, RoomName, Said, WallTime};
use parlor_wire::web::put_line;

use crate::clock::moment;
use crate::config::{InvalidValue, directory};
use crate::journal::{self, Archive, Damage};

/// How many lines of a room are read at once.
const PAGE_LINES: usize = 1_000;

/// The options of `export`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ExportOptions {
    /// The directory in which the server stores its lines [default: as for serve]
    #[arg(long, env = "PARLOR_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,

    /// Only lines from ROOM
    #[arg(long, value_name = "ROOM")]
    pub room: Option<String>,

    /// Only lines since 14:00, 2026-11-20, "2026-11-20 12:01", 2026-11-20T12:01+01:00, yesterday or
    /// 2h
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    pub since: Option<Timestamp>,

    /// The format
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub format: ExportFormat,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// As people read it, with day, time and room
    Text,
    /// A JSON object with room, seq, time, name, kind and text
    Jsonl,
}

/// Reads a time in the forms that people type.
fn moment(typed: &str) -> Result<Timestamp, InvalidValue> {
    moment::parse(typed, &ZonedDateTime::now()).ok_or_else(|| {
        InvalidValue::new(
            "write a time as 14:00, a day as 2026-11-20, both as \"2026-11-20 12:01\" or 2026-11-20T12:01:00Z, or yesterday or 2h",
        )
    })
}

/// Writes stored lines to standard output, oldest first. It is no error if the reader stops early.
///
/// # Errors
/// Nothing is stored there, the room is unknown, or the file cannot be read. The error is one
/// sentence.
pub fn export(options: &ExportOptions) -> anyhow::Result<()> {
    let (archive, file) = journal::open_stored(&directory(options.data.as_deref())?)?;
    let (archive, file) = (&*archive, file.display());
    let rooms = rooms(archive, options, &file.to_string())?;
    let mut out = BufWriter::new(io::stdout().lock());
    match write_all(archive, rooms, options.format, &mut out) {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        Err(error) if error.is::<io::Error>() => {
            Err(error.context("cannot write to standard output"))
        }
        Err(error) => Err(error.context(file.to_string())),
        Ok(None) => Ok(()),
        Ok(Some(damage)) => bail!(
            "damaged lines in {file} are left out ({damage}); list them with parlor check, and restore a backup"
        ),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// The lines of a room that are still to be written.
struct Unwritten {
    room: RoomName,
    page: VecDeque<Said>,
    /// The number of the next line to read.
    next: u64,
    /// The number of the room's last line when the export began.
    last: u64,
    /// The first damage among the lines read so far.
    damage: Option<Damage>,
}

impl Unwritten {
    /// The time of the next line; `None` after the last one.
    fn at(&mut self, archive: &dyn Archive) -> anyhow::Result<Option<WallTime>> {
        while self.page.is_empty() && self.next <= self.last {
            let (page, first_damage) = (&mut self.page, &mut self.damage);
            self.next = 1 + archive.read(&self.room, self.next, self.last, &mut |line| {
                match line {
                    Ok(said) => page.push_back(said),
                    Err(damage) => {
                        first_damage.get_or_insert(damage);
                    }
                }
                page.len() < PAGE_LINES
            })?;
        }
        Ok(self.page.front().map(|said| said.at))
    }
}

/// The rooms to export, each from its first line to export.
fn rooms(
    archive: &dyn Archive,
    options: &ExportOptions,
    file: &str,
) -> anyhow::Result<Vec<Unwritten>> {
    let wanted = match &options.room {
        Some(typed) => {
            Some(RoomName::parse(typed).with_context(|| format!("{typed:?} cannot be a room"))?)
        }
        None => None,
    };
    let mut rooms = Vec::new();
    for (name, end) in archive.ends().with_context(|| file.to_owned())? {
        let room = RoomName::stored(&name); // accepts names that the present rules forbid
        if wanted.as_ref().is_some_and(|wanted| *wanted != room) {
            continue;
        }
        let next = match options.since {
            Some(since) => archive
                .first_since(&room, WallTime(since.as_millisecond()))
                .with_context(|| file.to_owned())?,
            None => Some(1),
        };
        rooms.push(Unwritten {
            room,
            page: VecDeque::new(),
            next: next.unwrap_or(u64::MAX),
            last: end.seq,
            damage: None,
        });
    }
    if let (Some(wanted), true) = (wanted, rooms.is_empty()) {
        bail!(
            "there are no lines from a room {wanted}; --room takes the name of a room in which somebody spoke"
        );
    }
    rooms.sort_by(|a, b| a.room.as_str().cmp(b.room.as_str()));
    Ok(rooms)
}

/// Writes the lines of all rooms by their times, and lines of one moment by the names of the rooms.
/// Leaves out damaged lines, and returns the first damage.
fn write_all(
    archive: &dyn Archive,
    mut rooms: Vec<Unwritten>,
    format: ExportFormat,
    out: &mut impl Write,
) -> anyhow::Result<Option<Damage>> {
    let zone = TimeZone::system();
    let mut first = BinaryHeap::new();
    for (index, room) in rooms.iter_mut().enumerate() {
        first.extend(room.at(archive)?.map(|at| Reverse((at, index))));
    }
    while let Some(Reverse((_, index))) = first.pop() {
        let Some(room) = rooms.get_mut(index) else {
            break;
        };
        if let Some(said) = room.page.pop_front() {
            match format {
                ExportFormat::Text => write_text(&room.room, &said, &zone, out)?,
                ExportFormat::Jsonl => write_record(&room.room, &said, out)?,
            }
        }
        first.extend(room.at(archive)?.map(|at| Reverse((at, index))));
    }
    out.flush()?;
    Ok(rooms.into_iter().find_map(|room| room.damage))
}

fn write_text(
    room: &RoomName,
    said: &Said,
    zone: &TimeZone,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let at = ZonedDateTime::new(time_of(said), zone.clone()).strftime("[%Y-%m-%d %H:%M]");
    let (name, text) = (&said.who.name, &said.text);
    match said.manner {
        Manner::Plain => writeln!(out, "{at} {room} {name}: {text}")?,
        Manner::Action => writeln!(out, "{at} {room} * {name} {text}")?,
        Manner::Gone => {}
    }
    Ok(())
}

fn write_record(room: &RoomName, said: &Said, out: &mut impl Write) -> anyhow::Result<()> {
    if said.manner == Manner::Gone {
        return Ok(());
    }
    let mut line = Vec::new();
    put_line(room, said, &mut line);
    line.push(b'\n');
    Ok(out.write_all(&line)?)
}

fn time_of(said: &Said) -> Timestamp {
    Timestamp::from_millisecond(said.at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}
