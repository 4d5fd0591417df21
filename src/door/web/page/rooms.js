// A room for one reader: its lines in order, each once. Knows neither socket nor page.
//
// An item is an event of the server, a `note`, or a `gap` for missing lines. Lines have their own numbers;
// other items have the number of the line before.

import { comes, fold } from './text.js';

/** A phone draws this many easily; scrolling up loads older lines again. */
const ITEMS_MAX = 3_000;
/** The number of newest lines that stay while the reader is far above. */
const NEWEST_KEPT = 200;
/** The number of lines dropped at once, since all lines are drawn again after that. */
const ITEMS_DROPPED = 500;

export const isLine = ({ kind }) => kind === 'line' || kind === 'action';

export class Room {
	items = [];
	version = 0; // counts the changes other than items added at the end
	isLoading = true; // older lines are on their way
	isWhole = false; // the first line here is the first of the room
	mark = null; // the line behind which "new" stands
	readAt; // the time up to which an owner has read, as the server knows it; undefined for others
	unread = 0;
	isNamed = false;
	draft = '';
	outbox = [];
	greetings = []; // notes to show after the first lines
	wanted = ITEMS_MAX; // the number of older lines that load by themselves

	constructor(name, read) {
		Object.assign(this, { name, read, last: read ?? 0 });
	}

	get key() {
		return this.name;
	}

	get first() {
		return this.items.find((item) => item.seq && rank(item) === 0)?.seq ?? this.last + 1;
	}

	/** Lines up to number `seq` follow. */
	enter({ topic, names, others, seq, name, resumed, read }) {
		Object.assign(this, { topic, upTo: seq, isSeated: true, readAt: read });
		this.listAnew([name, ...names], others);
		if (this.read === undefined) this.read = read ? 0 : seq; // a person who comes for the first time has missed nothing
		else if (resumed !== 'exact') this.skip(this.last + 1, seq);
	}

	caughtUp() {
		this.last = Math.max(this.last, this.upTo);
		this.isLoading = false;
		this.read ||= this.first - 1;
		for (const words of this.greetings.splice(0)) this.note(words);
	}

	/** The numbers are invalid now; the lines stay. */
	renew(words) {
		this.items = this.items.filter(({ kind }) => kind !== 'gap');
		for (const item of [...this.items, ...this.outbox]) item.seq = 0;
		Object.assign(this, { last: 0, read: undefined, mark: null, isWhole: false, isLoading: true });
		this.note(words);
		this.version += 1;
	}

	/** Adds a line. Returns whether it is new. */
	add(line) {
		if (line.seq <= this.last) return this.fill(line.seq, line.seq, [line]) > 0;
		this.items.push(line);
		this.last = line.seq;
		return true;
	}

	note(text, kind = 'note', more = {}) {
		this.items.push({ kind, seq: this.last, text, ...more });
	}

	has(seq) {
		return this.items.some((item) => item.seq === seq && isLine(item));
	}

	/** Counts something unread. */
	count(isCalling = false) {
		if (this.unread === 0) this.markAt(this.read);
		this.unread += 1;
		this.isNamed ||= isCalling;
	}

	skip(first, last) {
		if (first > last) return;
		this.items.push(gap(first, last));
		this.last = Math.max(this.last, last);
	}

	/** Inserts all items between two numbers, inclusive. */
	fill(low, high, lines) {
		const known = new Set(this.items.filter(isLine).map(({ seq }) => seq));
		const added = lines.filter(({ seq }) => !known.has(seq));
		this.items = this.items.flatMap((item) =>
			item.kind !== 'gap' || high < item.first || low > item.last
				? [item]
				: [gap(item.first, low - 1), gap(high + 1, item.last)].filter(({ first, last }) => first <= last),
		);
		if (high + 1 < this.first) this.items.push(gap(high + 1, this.first - 1));
		this.items.push(...added);
		this.items.sort((a, b) => a.seq - b.seq || rank(a) - rank(b));
		this.version += 1;
		return added.length;
	}

	takeBack(name) {
		this.items = this.items.filter((item) => !isLine(item) || item.name !== name);
		this.version += 1;
	}

	/** Drops lines far above or below the reader. */
	trim(isAtEnd) {
		const excess = this.items.length - ITEMS_MAX;
		if (excess < ITEMS_DROPPED) return;
		if (isAtEnd) {
			this.items.splice(0, excess);
			Object.assign(this, { isWhole: false, wanted: ITEMS_MAX });
		} else {
			const from = this.items.length - NEWEST_KEPT - excess;
			const cut = this.items.splice(from, excess).filter((item) => rank(item) === 0);
			const place = gap(cut[0]?.seq, cut.at(-1)?.last ?? cut.at(-1)?.seq);
			if (cut.length) this.items.splice(from, 0, place);
		}
		this.version += 1;
	}

	/** Adds older lines; after many of them, the reader has to ask for more. */
	grow(lines) {
		this.wanted -= lines;
		if (this.wanted > 0 || this.first <= 1) return;
		this.items.unshift(gap(1, this.first - 1));
		this.version += 1;
	}

	/** Whether this gap is above all lines. */
	isTop(item) {
		return this.items[0] === item;
	}

	/** Lets older lines load by themselves again. */
	openTop() {
		if (this.items[0]?.kind === 'gap') this.items.shift();
		this.wanted = ITEMS_MAX;
		this.version += 1;
	}

	attend() {
		Object.assign(this, { read: this.last, unread: 0, isNamed: false });
	}

	/** Lines up to this time are read, on another page or client. */
	readTo(time) {
		if (!time) return;
		this.readAt = time;
		const seq = this.items.findLast((item) => isLine(item) && item.time <= time)?.seq;
		if (!(seq > this.read)) return;
		const after = this.items.filter((item) => isLine(item) && item.seq > seq);
		Object.assign(this, { read: seq, unread: Math.min(this.unread, after.length) });
		this.isNamed &&= this.unread > 0;
		if (this.mark !== null) this.markAt(this.unread ? seq : null);
	}

	/** The place of "New", if any. */
	markAt(seq = null) {
		if (this.mark !== null) this.version += 1;
		this.mark = seq;
	}

	/** Notes that a line of this person came back. */
	confirm({ kind, seq, text }) {
		const sent = this.outbox.find(
			(it) => (it.verb === 'me') === (kind === 'action') && seq > it.seq && it.lines[0].trim() === text.trim(),
		);
		sent?.lines.shift();
		if (sent?.lines.length === 0) this.settle(sent);
	}

	settle(sent) {
		this.outbox = this.outbox.filter((other) => other !== sent);
	}

	/** Only these are known; `others` more are here. */
	listAnew(names, others = 0) {
		names.forEach(comes);
		this.seats = new Map(names.map((name) => [fold(name), name]));
		this.size = this.seats.size + others;
	}

	/** Adds people; after the last ones, all are known. */
	list(names, isLast) {
		for (const name of names) this.seats.set(fold(name), name);
		this.size = isLast ? this.seats.size : Math.max(this.size, this.seats.size);
	}

	seat(come, go) {
		const isUnknown = () => this.size > this.seats.size;
		if (go !== undefined && (this.seats.delete(fold(go)) || isUnknown())) this.size -= 1;
		if (come === undefined) return;
		if (!this.seats.has(fold(come))) this.size += 1;
		comes(come);
		this.seats.set(fold(come), come);
	}

	get people() {
		return [...this.seats.values()];
	}
}

/** The place of a person who is in no room: it has notes alone. */
export class Nowhere extends Room {
	isNowhere = true;
	isLoading = false;
	isWhole = true;
	topic = null;

	constructor(name) {
		super(name, 0);
		this.listAnew([]);
	}
}

const gap = (first, last) => ({ kind: 'gap', seq: first, first, last });

/** Other items with its number come after a line. */
const rank = (item) => (isLine(item) || item.kind === 'gap' ? 0 : 1);
