//! A person who says numbered lines and reads everything, on one connection after the other. Knows
//! no fault.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::checker::token;
use crate::data::STORED;
use crate::hall::{Door, Fate, Hall, PEOPLE_PER_NODE, Page, Phase, Stay, TOGETHER};

/// The pause between two lines of a person.
const PACE: Duration = Duration::from_millis(50);

/// How long to read before looking whether there is something to do.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The pause after a node has refused a connection.
const REFUSED_PAUSE: Duration = Duration::from_millis(500);

/// Lets all people in. They live until the hall tells them to leave.
pub(crate) fn arrive(hall: &Arc<Hall>) -> Vec<JoinHandle<()>> {
    let people = hall.page().people.len();
    let person = |number: usize| Person {
        hall: Arc::clone(hall),
        number,
        // Only of a line said alone is it known that the refusal means this line.
        together: if number.is_multiple_of(PEOPLE_PER_NODE) { 1 } else { TOGETHER },
        visits: 0,
        refusals: 0,
    };
    (0..people).map(person).map(|person| thread::spawn(|| person.live())).collect()
}

struct Person {
    hall: Arc<Hall>,
    number: usize,
    /// How many lines to say at once.
    together: usize,
    visits: usize,
    /// How many nodes in a row have refused this person.
    refusals: usize,
}

/// A connection.
struct Visit {
    lines: BufReader<TcpStream>,
    /// The beginning of a line.
    partial: Vec<u8>,
    /// Its number among all.
    stay: usize,
    node: usize,
    has_entered: bool,
    /// When to say the next line.
    next: Instant,
}

impl Person {
    fn live(mut self) {
        loop {
            let page = self.hall.page();
            if page.phase == Phase::Leave {
                return;
            }
            let door = self.choose(&page);
            drop(page);
            let connected = door.and_then(|(node, door)| {
                let stream = door.machine.connect(door.address).ok()?;
                Some((node, stream))
            });
            let has_entered = connected.is_some_and(|(node, stream)| self.visit(node, stream));
            if has_entered {
                self.refusals = 0;
            } else {
                self.refusals += 1;
                self.hall.wait_a_while(REFUSED_PAUSE);
            }
        }
    }

    /// The next node to try: home, or one after the other.
    fn choose(&self, page: &Page) -> Option<(usize, Door)> {
        let home = page.people[self.number].home;
        let nodes = page.doors.len();
        let node = (0..nodes).map(|more| (home + self.refusals + more) % nodes);
        node.filter_map(|node| Some((node, page.doors[node].clone()?))).next()
    }

    /// The name for this visit. The one before may be taken until the others know that its node is
    /// down.
    fn name(&self) -> String {
        format!("p{}v{}", self.number, self.visits)
    }

    /// Enters, and stays while the connection lasts. Returns whether this person came in.
    fn visit(&mut self, node: usize, stream: TcpStream) -> bool {
        self.visits += 1;
        stream.set_read_timeout(Some(LOOK_EVERY)).unwrap();
        stream.set_nodelay(true).unwrap();
        let stay = self.hall.write(|page| {
            page.stays.push(Stay {
                node,
                person: self.number,
                text: Vec::new(),
                notices: Vec::new(),
                has_ended: false,
            });
            page.stays.len() - 1
        });
        let next = Instant::now();
        let lines = BufReader::new(stream);
        let mut visit = Visit { lines, partial: Vec::new(), stay, node, has_entered: false, next };
        visit.send(&(self.name() + "\n"));
        while self.stay_on(&mut visit) {}
        self.hall.write(|page| {
            page.people[self.number].at = None;
            let is_over = page.phase == Phase::Leave;
            page.stays[stay].has_ended = !is_over;
            page.people[self.number].settle(Fate::InDoubt);
        });
        visit.has_entered
    }

    /// Reads what is there, and says the next lines if it is time to. Returns whether the connection
    /// lasts.
    fn stay_on(&self, visit: &mut Visit) -> bool {
        let Some(line) = visit.read() else {
            return false;
        };
        self.hall.write(|page| {
            if let Some(line) = line {
                self.take(page, visit, &line);
            }
            self.wants_to_stay(page, visit.node) && {
                self.speak(page, visit);
                true
            }
        })
    }

    /// Takes a line in.
    fn take(&self, page: &mut Page, visit: &mut Visit, bytes: &[u8]) {
        let line = String::from_utf8_lossy(bytes);
        let line = line.trim_end_matches(['\r', '\n']);
        let text = &mut page.stays[visit.stay].text;
        // The checker knows what is said in rooms, not what is asked before.
        if !text.is_empty() || line == format!("You are {}", self.name()) {
            text.extend_from_slice(bytes);
        }
        if let Some((speaker, number)) = line.split_once(": ").and_then(|(_, text)| read(text)) {
            return page.hear(self.number, speaker, number);
        }
        if line == STORED {
            visit.has_entered = true;
            page.people[self.number].at = Some(visit.node);
        }
        if line.starts_with("-- Not sent") {
            let fate = if self.together == 1 { Fate::Refused } else { Fate::InDoubt };
            page.people[self.number].settle(fate);
        }
        page.notice(visit.stay, line.to_owned());
    }

    /// Whether this person stays at a node: not if it is away from home and could go there, unless
    /// something is under way.
    fn wants_to_stay(&self, page: &Page, node: usize) -> bool {
        let person = &page.people[self.number];
        let could_go_home = node != person.home && page.doors[person.home].is_some();
        page.phase != Phase::Leave && !(could_go_home && person.is_idle())
    }

    /// Says the next lines, if it is time to and those before are settled.
    fn speak(&self, page: &mut Page, visit: &mut Visit) {
        // Each visit is another speaker: a line of a connection that is over may come behind the next
        // ones, if its node was killed.
        let speaker = self.visits * page.people.len() + self.number;
        let person = &mut page.people[self.number];
        let now = Instant::now();
        let is_ready = visit.has_entered && person.is_idle() && now >= visit.next;
        if page.phase != Phase::Talk || !is_ready {
            return;
        }
        visit.next = now + PACE;
        let mut words = String::new();
        for _ in 0..self.together {
            person.lines.push(Fate::UnderWay);
            person.speakers.push(speaker);
            words += &token(speaker, person.lines.len() as u64);
            words.push('\n');
        }
        visit.send(&words);
    }
}

impl Visit {
    /// Sends as much as the server takes; reading finds out if the connection is over.
    fn send(&mut self, words: &str) {
        self.lines.get_mut().write_all(words.as_bytes()).ok();
    }

    /// The next line, if one comes soon; none if the connection is over.
    #[expect(clippy::option_option, reason = "the end, nothing yet, a line")]
    fn read(&mut self) -> Option<Option<Vec<u8>>> {
        match self.lines.read_until(b'\n', &mut self.partial) {
            Ok(1..) if self.partial.ends_with(b"\n") => {
                Some(Some(std::mem::take(&mut self.partial)))
            }
            Ok(_) => None,
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Some(None),
                _ => None,
            },
        }
    }
}

/// The speaker and the number of a [`token`].
fn read(text: &str) -> Option<(usize, u64)> {
    let (speaker, number) = text.strip_prefix('s')?.split_once('n')?;
    Some((speaker.parse().ok()?, number.parse().ok()?))
}
