// The state of rooms: their lines in order and without doubles, what is missing between them, what
// is unread, who is there, what was typed and is not confirmed. Knows neither socket nor page.
//
// An item is an event as the server sent it, or one of ours: `note`, or `gap` for lines that are not
// here. Lines have numbers of their own; all else stands behind the line whose number it has.

/** What a phone draws without effort; what is older is asked for again when one scrolls there. */
const ITEMS_MAX = 2_500;
/** Somebody who reads far back keeps more, for dropping lines would move those being read. */
const ITEMS_FAR_BACK_MAX = 6_000;
/** So many go at once, since each time everything is drawn. */
const ITEMS_DROPPED = 500;

const isLine = ({ kind }) => kind === 'line' || kind === 'action' || kind === 'private';

export class Room {
  items = [];
  /** Counts the changes that are more than items added at the end. */
  version = 0;
  /** The numbers of the first line here, and of the last one that is known. */
  first = Infinity;
  last = 0;
  /** The server has nothing before the first line. */
  isWhole = false;
  /** The last line read; the one behind which "new" stands, if anywhere. */
  read = 0;
  mark = null;
  unread = 0;
  isNamed = false;
  topic = null;
  people = [];
  others = 0;
  draft = '';
  /** What was typed here and has not come back yet, oldest first. */
  outbox = [];
  #numbers = new Set();
  #upTo = 0;

  constructor(name, { isPrivate = false, read = 0 } = {}) {
    this.name = name;
    this.isPrivate = isPrivate;
    this.isWhole = isPrivate;
    this.read = this.last = read;
  }

  /** What `entered` says: here one is, and the lines before have numbers up to `seq`. */
  enter({ topic, names, others, seq, resumed }, me) {
    this.topic = topic;
    this.people = [...names.filter((name) => name !== me), me];
    this.others = others;
    this.#upTo = seq;
    if (this.last === 0) {
      this.read = seq;
    } else if (resumed !== 'exact' && seq > this.last) {
      this.#miss(this.last + 1, seq);
      this.last = seq;
    }
  }

  /** The lines that follow on entering are all here. */
  caughtUp() {
    this.last = Math.max(this.last, this.#upTo);
    this.first = Math.min(this.first, this.last + 1);
  }

  /** The numbers belong to a log that is gone: the lines stay to be read, and have none any more. */
  renew(words) {
    this.items = this.items.filter(({ kind }) => kind !== 'gap');
    for (const item of this.items) item.seq = 0;
    this.#numbers.clear();
    for (const sent of this.outbox) sent.after = 0;
    this.first = Infinity;
    this.read = this.last = 0;
    this.isWhole = this.isPrivate;
    this.mark = null;
    this.version += 1;
    if (this.items.length) this.note(words);
  }

  /** An event that happened now, or a line of those replayed. Whether it is news here. */
  add(event, { isAttended, isOwn, isNaming }) {
    if (this.isPrivate) event.seq = this.last + 1;
    if (!isLine(event)) {
      this.items.push(event);
      return true;
    }
    if (this.#numbers.has(event.seq)) return false;
    if (event.seq <= this.last) {
      this.fill(event.seq, event.seq, [event]);
    } else {
      this.#numbers.add(event.seq);
      this.items.push(event);
      this.last = event.seq;
      this.first = Math.min(this.first, event.seq);
    }
    const isNews = event.seq > this.read && (!isAttended || event.old);
    if (isNews && !isOwn) {
      if (this.unread === 0) {
        if (this.mark !== null) this.version += 1;
        this.mark = this.read;
      }
      this.unread += 1;
      this.isNamed ||= isNaming;
    }
    return true;
  }

  /** A word of the server's, or of ours, to this person. */
  note(text) {
    this.items.push({ kind: 'note', seq: this.last, time: Date.now(), text });
  }

  /** Lines that the server did not show. */
  skip(first, last) {
    this.#miss(first, last);
    this.first = Math.min(this.first, first);
    this.last = Math.max(this.last, last);
  }

  /** Puts in what is between two numbers, both included: from now on nothing is missing there. */
  fill(low, high, events) {
    const added = events.filter(({ seq }) => !this.#numbers.has(seq));
    for (const { seq } of added) this.#numbers.add(seq);
    const kept = this.items.flatMap((item) => (item.kind === 'gap' ? without(item, low, high) : [item]));
    if (high < this.first - 1 && this.first !== Infinity) kept.push(gap(high + 1, this.first - 1));
    this.first = Math.min(this.first, low);
    this.items = [...kept, ...added].sort(byPlace);
    this.version += 1;
  }

  /** What was said under this name is shown no more. */
  takeBack(name) {
    this.items = this.items.filter((item) => !isLine(item) || item.name !== name);
    this.version += 1;
  }

  /** Keeps the number of items within bounds; whoever stands at the end does not see it. */
  trim(isAtEnd) {
    if (this.items.length <= (isAtEnd ? ITEMS_MAX : ITEMS_FAR_BACK_MAX)) return;
    const dropped = this.items.splice(0, this.items.length - ITEMS_MAX + ITEMS_DROPPED);
    for (const { seq } of dropped.filter(isLine)) this.#numbers.delete(seq);
    this.first = this.items.find((item) => item.seq > 0 && rank(item) === 0)?.seq ?? this.last + 1;
    this.isWhole = this.isPrivate;
    this.version += 1;
  }

  /** The same for somebody who reads far back: the newest make room, and leave a gap. */
  trimNewest() {
    if (this.items.length <= ITEMS_FAR_BACK_MAX || this.isPrivate) return;
    const dropped = this.items.splice(ITEMS_FAR_BACK_MAX - ITEMS_DROPPED);
    for (const { seq } of dropped.filter(isLine)) this.#numbers.delete(seq);
    const from = dropped.find(isLine)?.seq ?? this.last + 1;
    if (from <= this.last) this.items.push(gap(from, this.last));
    this.version += 1;
  }

  /** Everything here has been seen. */
  attend() {
    const hadNews = this.unread > 0;
    this.read = this.last;
    this.unread = 0;
    this.isNamed = false;
    return hadNews;
  }

  unmark() {
    if (this.mark === null) return;
    this.mark = null;
    this.version += 1;
  }

  has(seq) {
    return this.#numbers.has(seq);
  }

  /** A line of one's own came back: what was waiting for it waits no longer. */
  confirm({ kind, seq, text }) {
    const sent = this.outbox.find(
      ({ verb, after, lines }) =>
        (verb === 'me') === (kind === 'action') && seq > after && lines[0]?.trim() === text.trim(),
    );
    sent?.lines.shift();
    if (sent?.lines.length === 0) this.settle(sent);
  }

  /** That is said, or given up. */
  settle(sent) {
    this.outbox = this.outbox.filter((other) => other !== sent);
  }

  arrive(names, others = 0) {
    this.people = [...new Set([...this.people, ...names])];
    this.others += others;
  }

  depart(names, others = 0) {
    this.people = this.people.filter((name) => !names.includes(name));
    this.others = Math.max(0, this.others - others);
  }

  rename(from, to) {
    this.people = this.people.map((name) => (name === from ? to : name));
  }

  /** Lines in a row of which nothing is here, or not yet. */
  #miss(first, last) {
    if (first > last) return;
    this.items.push(gap(first, last));
    this.version += 1;
  }
}

const gap = (first, last) => ({ kind: 'gap', seq: first, first, last });

/** What is left of a gap when lines are put in. */
function without(hole, low, high) {
  if (high < hole.first || low > hole.last) return [hole];
  return [gap(hole.first, low - 1), gap(high + 1, hole.last)].filter(({ first, last }) => first <= last);
}

/** By number; behind the line that has it comes what has no number of its own. */
const byPlace = (a, b) => a.seq - b.seq || rank(a) - rank(b);
const rank = (item) => (isLine(item) || item.kind === 'gap' ? 0 : 1);
