//! `parlor export`: stored lines as text or as JSON lines, whether or not a server runs. Knows no connection.
//!
//! It reads the lines page by page, so a long export does not make a server wait.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io::{self, BufWriter, ErrorKind, Write};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use parlor_core::model::{Damage, Manner, RoomName, Said, WallTime};
use parlor_wire::web::put_line;

use crate::clock::moment;
use crate::config::{DataOption, InvalidValue};
use crate::journal::{self, Archive};

/// How many lines of a room are read at once.
const PAGE_LINES: usize = 1_000;

/// The options of `export`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ExportOptions {
    /// The directory of the server.
    #[command(flatten)]
    pub data: DataOption,

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
    let (archive, file) = journal::open_stored(&options.data.directory()?)?;
    let file = file.display();
    let wanted = match &options.room {
        Some(typed) => {
            Some(RoomName::parse(typed).with_context(|| format!("{typed:?} cannot be a room"))?)
        }
        None => None,
    };
    let rooms = rooms(&*archive, wanted.as_ref(), options.since);
    let rooms = rooms.with_context(|| file.to_string())?;
    if let (Some(wanted), true) = (wanted, rooms.is_empty()) {
        bail!(
            "there are no lines from a room {wanted}; --room takes the name of a room in which somebody spoke"
        );
    }
    let mut out = BufWriter::new(io::stdout().lock());
    match write_all(&*archive, rooms, options.format, &mut out) {
        Ok(None) => Ok(()),
        Ok(Some(damage)) => bail!(
            "damaged lines in {file} are left out ({damage}); list them with parlor check, and restore a backup"
        ),
        Err(error) => match error.downcast_ref().map(io::Error::kind) {
            Some(ErrorKind::BrokenPipe) => Ok(()),
            Some(_) => Err(error.context("cannot write to standard output")),
            None => Err(error.context(file.to_string())),
        },
    }
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

/// The rooms to export, all or one of them, each from its first line to export.
fn rooms(
    archive: &dyn Archive,
    wanted: Option<&RoomName>,
    since: Option<Timestamp>,
) -> anyhow::Result<Vec<Unwritten>> {
    let mut rooms = Vec::new();
    for (name, end) in archive.ends()? {
        let room = RoomName::stored(&name); // accepts names that the present rules forbid
        if wanted.is_some_and(|wanted| *wanted != room) {
            continue;
        }
        let next = match since {
            Some(since) => archive.first_since(&room, WallTime(since.as_millisecond()))?,
            None => Some(1),
        };
        let (next, page) = (next.unwrap_or(u64::MAX), VecDeque::new());
        rooms.push(Unwritten { room, page, next, last: end.seq, damage: None });
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
            write_line(&room.room, &said, format, &zone, out)?;
        }
        first.extend(room.at(archive)?.map(|at| Reverse((at, index))));
    }
    out.flush()?;
    Ok(rooms.into_iter().find_map(|room| room.damage))
}

fn write_line(
    room: &RoomName,
    said: &Said,
    format: ExportFormat,
    zone: &TimeZone,
    out: &mut impl Write,
) -> io::Result<()> {
    let (name, text) = (&said.who.name, &said.text);
    let time = Timestamp::from_millisecond(said.at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = ZonedDateTime::new(time, zone.clone()).strftime("[%Y-%m-%d %H:%M]");
    match (format, said.manner) {
        (_, Manner::Gone) => Ok(()),
        (ExportFormat::Text, Manner::Plain | Manner::Notice) => {
            writeln!(out, "{at} {room} {name}: {text}")
        }
        (ExportFormat::Text, Manner::Action) => writeln!(out, "{at} {room} * {name} {text}"),
        (ExportFormat::Jsonl, Manner::Plain | Manner::Notice | Manner::Action) => {
            let mut line = Vec::new();
            put_line(room, said, &mut line);
            line.push(b'\n');
            out.write_all(&line)
        }
    }
}
