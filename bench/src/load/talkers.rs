//! People who each say a line every 20 ms, in a thread, and note for how long they read none of
//! their own lines. If a connection ends, they enter at the next node. Counts no processor time.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::ensure;
use memchr::{memchr_iter, memmem};

use super::messages::{MARK_BYTES, MARKER, read_mark, text};

/// How often each person says a line.
const SAY_EVERY: Duration = Duration::from_millis(20);

/// How long a person waits for bytes before looking for something else to do.
const LOOK: Duration = Duration::from_millis(5);

/// How long people may take until all of them have read an own line.
const TALK_TIME: Duration = Duration::from_secs(90);

/// The lines of a person are numbered from this many times the number of the person.
const LINES_MAX: u32 = 1 << 24;

/// The end of the sentence that others have left.
const LEFT: &[u8] = b" left";

/// People, who leave when this is dropped.
pub(crate) struct Talkers {
    page: Arc<Mutex<Page>>,
    threads: Vec<JoinHandle<()>>,
}

/// The state that all threads share.
struct Page {
    /// The addresses of the nodes; None while a node is down.
    doors: Vec<Option<SocketAddr>>,
    people: Vec<Talker>,
    is_over: bool,
}

/// The notes of a person.
#[derive(Debug, Clone, Copy)]
struct Talker {
    /// The node to which this person goes if it is there.
    home: usize,
    /// The node where this person is.
    at: Option<usize>,
    /// When this person read an own line last.
    read_at: Instant,
    /// The longest time without one.
    gap: Duration,
    /// When this person first read that others have left.
    told_at: Option<Instant>,
}

/// The gaps that people have noticed since [`Talkers::measure`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Noticed {
    /// The longest time without an own line of people at other nodes, in seconds.
    pub(crate) gap_elsewhere: f64,
    /// The same of people at the node in question.
    pub(crate) gap_there: f64,
    /// When people at other nodes first read that somebody has left, in seconds since the given
    /// moment.
    pub(crate) told_after: Option<f64>,
}

impl Talkers {
    /// People at each of these nodes.
    pub(crate) fn start(doors: &[SocketAddr], each: usize) -> Talkers {
        let now = Instant::now();
        let talker = |number: usize| Talker {
            home: number / each,
            at: None,
            read_at: now,
            gap: Duration::ZERO,
            told_at: None,
        };
        let page = Page {
            doors: doors.iter().copied().map(Some).collect(),
            people: (0..doors.len() * each).map(talker).collect(),
            is_over: false,
        };
        let count = page.people.len();
        let page = Arc::new(Mutex::new(page));
        let thread = |person: usize| {
            let page = Arc::clone(&page);
            spawn(move || live(&page, person))
        };
        Talkers { threads: (0..count).map(thread).collect(), page }
    }

    /// A node is down, or is back at this address.
    pub(crate) fn set_door(&self, node: usize, door: Option<SocketAddr>) {
        if let Some(place) = lock(&self.page).doors.get_mut(node) {
            *place = door;
        }
    }

    /// Begins to measure.
    pub(crate) fn measure(&self) {
        let now = Instant::now();
        for person in &mut lock(&self.page).people {
            (person.read_at, person.gap, person.told_at) = (now, Duration::ZERO, None);
        }
    }

    /// Waits until everybody has read an own line after this moment, and those whose node is there are
    /// at home.
    pub(crate) fn wait_until_all_talk(&self, after: Instant) -> anyhow::Result<()> {
        let until = Instant::now() + TALK_TIME;
        loop {
            let silent = lock(&self.page).silent(after);
            if silent == 0 {
                return Ok(());
            }
            ensure!(Instant::now() < until, "{silent} people read nothing for {TALK_TIME:?}");
            sleep(LOOK);
        }
    }

    /// Waits until people at other nodes than this one have read that somebody has left.
    pub(crate) fn wait_until_told(&self, node: usize) -> anyhow::Result<()> {
        let until = Instant::now() + TALK_TIME;
        while lock(&self.page).noticed(Some(node), Instant::now()).told_after.is_none() {
            ensure!(Instant::now() < until, "nobody reads that others have left");
            sleep(LOOK);
        }
        Ok(())
    }

    /// The effect on people of a fault at this moment, which concerned a node or all.
    pub(crate) fn noticed(&self, node: Option<usize>, since: Instant) -> Noticed {
        lock(&self.page).noticed(node, since)
    }
}

impl Drop for Talkers {
    fn drop(&mut self) {
        lock(&self.page).is_over = true;
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

impl Page {
    /// The node to which a person goes, and its address.
    fn door(&self, person: usize) -> Option<(usize, SocketAddr)> {
        let home = self.people.get(person)?.home;
        let count = self.doors.len();
        let mut nodes = (0..count).map(|further| (home + further) % count);
        nodes.find_map(|node| Some((node, self.doors[node]?)))
    }

    /// Whether a person stays at a node: it is home, or home is down.
    fn stays(&self, person: usize, node: usize) -> bool {
        !self.is_over && self.door(person).is_some_and(|(best, _)| best == node)
    }

    fn read_own(&mut self, person: usize, now: Instant) {
        let person = &mut self.people[person];
        person.gap = person.gap.max(now.saturating_duration_since(person.read_at));
        person.read_at = now;
    }

    /// The number of people who have read no own line after this moment, or are not where they belong.
    fn silent(&self, after: Instant) -> usize {
        let people = self.people.iter().enumerate();
        let talks = |(number, person): &(usize, &Talker)| {
            person.read_at > after && person.at.is_some_and(|node| self.stays(*number, node))
        };
        people.filter(|person| !talks(person)).count()
    }

    fn noticed(&self, node: Option<usize>, since: Instant) -> Noticed {
        let longest = |is_there: bool| {
            let people = self.people.iter();
            let people = people.filter(|person| (Some(person.home) == node) == is_there);
            people.map(|person| person.gap.as_secs_f64()).fold(0.0, f64::max)
        };
        let others = self.people.iter().filter(|person| Some(person.home) != node);
        let told = others.filter_map(|person| person.told_at).min();
        Noticed {
            gap_elsewhere: longest(false),
            gap_there: longest(true),
            told_after: told.map(|told| told.saturating_duration_since(since).as_secs_f64()),
        }
    }
}

fn lock(page: &Mutex<Page>) -> MutexGuard<'_, Page> {
    page.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The life of a person: one visit after the other.
fn live(page: &Mutex<Page>, person: usize) {
    let mut said = 0;
    for visit in 0.. {
        if lock(page).is_over {
            return;
        }
        let door = lock(page).door(person);
        if let Some((node, door)) = door
            && let Ok(socket) = TcpStream::connect(door)
        {
            let name = format!("talker{person}x{visit}\n");
            visit_node(page, (person, node), socket, (&name, &mut said)).ok();
            lock(page).people[person].at = None;
        }
        sleep(LOOK);
    }
}

/// Says lines and reads, until the connection ends or the person belongs elsewhere.
fn visit_node(
    page: &Mutex<Page>,
    (person, node): (usize, usize),
    mut socket: TcpStream,
    (name, said): (&str, &mut u32),
) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(LOOK))?;
    socket.set_write_timeout(Some(SAY_EVERY))?;
    socket.write_all(name.as_bytes())?;
    lock(page).people[person].at = Some(node);
    let mut bytes = vec![0; 64 * 1024];
    let (mut held, mut due) = (0, Instant::now());
    while lock(page).stays(person, node) {
        if Instant::now() >= due {
            let number = person as u32 * LINES_MAX + *said % LINES_MAX;
            socket.write_all(format!("{}\n", text(number)).as_bytes())?;
            (*said, due) = (*said + 1, Instant::now() + SAY_EVERY);
        }
        match socket.read(&mut bytes[held..]) {
            Ok(0) => return Ok(()),
            Ok(read) => held = take_in(page, person, &mut bytes, held + read),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Notes what these bytes say. Moves an incomplete line to the beginning, and returns its length.
fn take_in(page: &Mutex<Page>, person: usize, bytes: &mut [u8], length: usize) -> usize {
    let end = memchr::memrchr(b'\n', &bytes[..length]).map_or(0, |end| end + 1);
    let lines = &bytes[..end];
    let is_own = |place: usize| {
        let mark = lines.get(place..place + MARK_BYTES).and_then(read_mark);
        mark.is_some_and(|number| number / LINES_MAX == person as u32)
    };
    let now = Instant::now();
    let mut page = lock(page);
    if memchr_iter(MARKER, lines).any(is_own) {
        page.read_own(person, now);
    }
    if memmem::find(lines, LEFT).is_some() {
        page.people[person].told_at.get_or_insert(now);
    }
    drop(page);
    bytes.copy_within(end..length, 0);
    // A line that is longer than the buffer is not from a room.
    if length - end == bytes.len() { 0 } else { length - end }
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::{Shutdown, TcpListener};

    use super::*;

    /// A node that sends each line of its only visitor back, until `stops` says so of a line.
    fn echo(listener: &TcpListener, stops: impl Fn(&str) -> bool) {
        let (mut visitor, _) = listener.accept().expect("somebody comes");
        let mut lines = BufReader::new(visitor.try_clone().expect("it is open")).lines();
        lines.next().expect("a name").expect("a name");
        for line in lines.map_while(Result::ok) {
            if stops(&line) || writeln!(visitor, "talker0x0: {line}").is_err() {
                break;
            }
        }
        visitor.shutdown(Shutdown::Both).ok();
    }

    fn door(listener: &TcpListener) -> SocketAddr {
        listener.local_addr().expect("it is bound")
    }

    #[test]
    fn somebody_whose_node_ends_goes_on_at_the_next_one_and_home_when_it_is_back() {
        let [home, next, again] =
            [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("loopback has ports"));
        let talkers = Talkers::start(&[door(&home)], 1);
        lock(&talkers.page).doors.push(Some(door(&next))); // nobody is at home there
        echo(&home, |line| line.starts_with("~00000003"));
        talkers.set_door(0, None);
        let fault = Instant::now();
        let elsewhere = spawn(move || echo(&next, |_| false));
        talkers.wait_until_all_talk(fault).expect("the next node answers");
        let noticed = talkers.noticed(Some(0), fault);
        assert!(noticed.gap_there > 0.0 && noticed.gap_elsewhere == 0.0, "{noticed:?}");
        talkers.set_door(0, Some(door(&again)));
        let back = spawn(move || echo(&again, |_| false));
        talkers.wait_until_all_talk(Instant::now()).expect("home answers");
        drop(talkers);
        elsewhere.join().expect("it has ended");
        back.join().expect("it has ended");
    }

    #[test]
    fn own_lines_and_departures_are_noticed_whatever_pieces_they_come_in() {
        let door = SocketAddr::from(([127, 0, 0, 1], 1)); // nobody listens there
        let talkers = Talkers::start(&[door], 2);
        let since = Instant::now();
        talkers.measure();
        let own = format!("talker1x0: {}\n", text(LINES_MAX + 5));
        let other = format!("talker0x0: {}\n", text(5));
        let left = "-- talker8 and 3 others have left\n";
        let mut bytes = [0; 512];
        let mut take = |held: usize, piece: &str| {
            bytes[held..held + piece.len()].copy_from_slice(piece.as_bytes());
            take_in(&talkers.page, 1, &mut bytes, held + piece.len())
        };
        assert_eq!(take(0, &other), 0);
        assert_eq!(lock(&talkers.page).people[1].gap, Duration::ZERO);
        let held = take(0, &own[..20]);
        assert_eq!(held, 20);
        assert_eq!(take(held, &own[20..]), 0);
        assert!(lock(&talkers.page).people[1].gap > Duration::ZERO);
        assert_eq!(talkers.noticed(None, since).told_after, None);
        take(0, left);
        assert!(talkers.noticed(None, since).told_after.is_some());
        assert!(talkers.noticed(Some(0), since).told_after.is_none(), "of people elsewhere");
    }
}
