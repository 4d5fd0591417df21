// The page: what follows from what is said, typed and clicked. Knows not how it is sent, kept or shown.

import * as compose from './compose.js';
import * as connection from './connection.js';
import { find } from './finder.js';
import * as lines from './lines.js';
import { askPassword, drawRoom, drawRooms, hideDoor, putWords, showDoor } from './panels.js';
import { ITEMS_MAX, Room } from './rooms.js';
import { $, mentionOf } from './text.js';
import { command as offered, moment, say, tag, told } from './words.js';

const SAID_BYTES_MAX = 16_000; // a message has 16,384, and there is more in it
const HISTORY_LINES = 100; // more than a screen
const DRAW_MS = 16; // what comes in a burst is drawn together
const LEAVE = { name: 'leave', arguments: '[ROOM]', does: 'gives up a room, and stays in the others' }; // not a line command
const DAY_S = 86_400;

const rooms = new Map();
let current = null;
let identity = null; // of somebody who wants to be in
let me = '';
let isIn = false;
let hello = {};
let commands = [];
let known = []; // rooms that there are, as far as was asked
let farewell = ''; // why one has to leave a room
let drawing = 0;

// This tab knows how to come back; the next visit knows one's name, and how far one has read.
const tab = load('sessionStorage');
const visit = load('localStorage');

document.documentElement.lang = tag;
putWords();
compose.listen({ submit, most: () => hello.lines, commands: commandsLike, names: namesLike, rooms: roomsLike });
lines.listen({ older, moved: draw, fill: fillGap, write });
connection.listen({ hear: (message) => (heard[message.kind] ?? heard.answer)(message), down });
$('name').value = visit.name ?? '';
if (tab.code) comeIn(visit.name);
else showDoor(addressed());

$('door').onsubmit = (event) => {
	event.preventDefault();
	const typed = $('name').value.trim();
	tab.code = /^\/resume\s+(\S+)$/.exec(typed)?.[1] ?? '';
	comeIn(tab.code ? '' : typed, $('password').value);
};
$('browse').onclick = browse;
$('search').onclick = () => search('');
$('me').onclick = () => interpose('/name ');
$('topic').onclick = () => interpose(`/topic ${current.topic ?? ''}`);
$('newest').onclick = () => {
	lines.toEnd();
	draw();
	$('scroller').focus();
};
$('notify').onclick = () => Notification.requestPermission().then(draw);
$('retry').onclick = connection.retryNow;
addEventListener('popstate', () => isIn && join(addressed()));
addEventListener('focus', draw);
document.addEventListener('visibilitychange', () => (document.hidden ? save() : draw()));

// Coming in, and coming back.

function comeIn(name, password) {
	identity = { ...(name && { name }), ...(password && { password }) };
	if (connection.isOpen()) enter();
	else connection.open();
}

async function enter() {
	const place = current?.name ?? addressed();
	const who = tab.code ? { code: tab.code } : identity;
	const { isDone, refusal } = await connection.ask({ do: 'enter', ...who, ...from(place) });
	if (!isDone) return;
	if (!refusal) return settle();
	tab.code = '';
	if (who !== identity && identity.name) enter();
	// A connection that was lost has the name until the server has noticed, too.
	else if (refusal.why === 'name-taken' && current) connection.lose();
	else turnedAway(refusal, place);
}

/** A room, and the line after which its lines are wanted. */
function from(room) {
	const { log, last: after } = rooms.get(room) ?? readIn(room);
	return after >= 0 ? { room, log, after } : { room };
}

/** How far a room was read on the last visit, and in which log that is a number; rooms may be called as objects' own things are. */
function readIn(room) {
	return Object.hasOwn(visit.read, room) ? visit.read[room] : {};
}

function turnedAway(refusal, place) {
	const isOther = refusal.why === 'name-taken' && identity.name === visit.name;
	const words = refusal.why === 'name-owned' ? say('owned', identity) : told(refusal);
	identity = null;
	showDoor(place, isOther ? `${words} · ${say('otherTab')}` : words, ['name-owned', 'wrong-password'].includes(refusal.why));
}

async function settle() {
	connection.settle();
	isIn = true;
	hideDoor();
	if (!current) open([...rooms.values()][0], true);
	if (me.includes(':')) delete visit.name; // an address is no name
	else visit.name = identity.name = me;
	$('hint').textContent = '';
	connection.ask({ do: 'code' }, ({ kind, code }) => kind === 'code' && (tab.code = code));
	connection.ask({ do: 'help' }, (message) => message.kind === 'help' && (commands = [...message.commands, LEAVE]));
	look();
	for (const name of new Set([...rooms.keys(), ...tab.rooms])) {
		if (rooms.get(name)?.isSeated) continue;
		const { isDone, refusal } = await connection.ask({ do: 'join', ...from(name) });
		if (!isDone) return;
		if (refusal) remove(name);
	}
	for (const room of rooms.values()) {
		room.caughtUp();
		// What was said first comes to stand first.
		for (const sent of room.outbox.toReversed()) if (sent.isLost) giveBack(room, sent, say('lost'));
	}
	save();
	draw();
}

function down(pauseMs) {
	isIn = false;
	for (const room of rooms.values()) {
		room.isSeated = false;
		for (const sent of room.outbox) sent.isLost = true;
	}
	save();
	for (const dialog of [$('asking'), $('finder')]) dialog.close();
	if (pauseMs !== undefined) return showState(say('broken'));
	if (!current) return;
	rooms.clear();
	current = identity = null;
	Object.assign(tab, { code: '', rooms: [] });
	showDoor(addressed(), $('door-words').textContent || say('youLeft'));
	draw();
}

function showState(words) {
	$('state').hidden = !words;
	$('state-words').textContent = $('door-words').textContent = words;
}

// What the server says.

const heard = {
	hello(message) {
		hello = message;
		showState('');
		if (identity) enter();
	},
	entered(message) {
		// Numbers of another log mean nothing here.
		const isAnew = message.resumed === 'another log';
		const room = rooms.get(message.room) ?? new Room(message.room, isAnew ? undefined : readIn(message.room).last);
		if (isAnew && rooms.has(room.name)) room.renew(say('anew'));
		room.log = hello.log;
		me = message.name;
		room.enter(message);
		if (!rooms.size) room.note(keeping());
		if (message.keeps && !rooms.has(room.name)) room.note(say('youKeep'));
		rooms.set(room.name, room);
		if (current && !rooms.has(current.name)) open(room, true);
		sayFarewell();
		if (message.others) listPeople(room);
		draw();
	},
	fell_behind({ room }) {
		const behind = rooms.get(room);
		if (behind?.isSeated) listPeople(behind, true);
	},
	presence({ room, come, gone }) {
		rooms.get(room)?.seat(come, gone);
		draw();
	},
	departed: ({ room }) => remove(room),
	line: said,
	action: said,
	skipped({ room, first, last }) {
		rooms.get(room)?.skip(first, last);
		draw();
	},
	arrived: happening((room, { name }) => room.seat(name)),
	left: happening((room, { name }) => room.seat(undefined, name)),
	// Who they are has been told one by one.
	arrived_together: happening(() => {}),
	left_together: happening(() => {}),
	renamed: happening((room, { from, name, stays }) => room.seat(name, stays ? undefined : from)),
	topic: happening((room, { topic }) => (room.topic = topic)),
	took_back: happening((room, { name }) => room.takeBack(name)),
	ruled: happening(() => {}),
	you({ name }) {
		me = visit.name = identity.name = name;
		draw();
	},
	private({ from, to, words, time = Date.now() }) {
		current.note(words, 'private', { name: from, to, time });
		if (from !== me && !attends(current)) call(current, from, words);
		draw();
	},
	letter: (message) => heard.private(message),
	password: async (message) => command('password', { text: await askPassword(message) }),
	refused: (message) => note(told(message)),
	removed(message) {
		if (!message.room) return showState(told(message));
		farewell = told(message);
		sayFarewell();
	},
	answer: (message) => message.text && note(told(message)),
};

function said(event) {
	const room = rooms.get(event.room);
	if (!room?.add(event)) return;
	if (event.name === me) room.confirm(event);
	else if (event.seq > room.read && (event.old || !attends(room))) {
		if (mentionOf(me)?.test(event.text)) call(room, event.name, event.text, event.old);
		else room.count();
	}
	draw();
}

/** What happens changes a room, and is to be read there. */
function happening(change) {
	return (event) => {
		const room = rooms.get(event.room);
		if (!room) return;
		change(room, event);
		room.items.push(event);
		draw();
	};
}

/** Asks for all who are in a room, page by page; who comes and goes meanwhile is heard between the pages. */
async function listPeople(room, isAnew = false) {
	let next = 0;
	const take = ({ kind, ...page }) => {
		if (kind !== 'people') return false;
		if (isAnew) room.listAnew([]);
		isAnew = false;
		next = page.next;
		room.list(page.names, next === null);
		return true;
	};
	const [asking, isLatest] = [Symbol(), () => room.asking === asking];
	room.asking = asking;
	while (next !== null && isLatest()) {
		const { isDone, refusal } = await connection.ask({ do: 'people', room: room.name, from: next }, take);
		if (!isDone || refusal) return;
		draw();
	}
}

function note(text, kind) {
	current?.note(text, kind);
	draw();
}

function keeping() {
	const key = hello.keeps === 'disk' ? (hello.retain ? 'keptFor' : 'kept') : 'notKept';
	return say(key, { n: Math.ceil(hello.retain / DAY_S) });
}

function call(room, name, body, isOld) {
	room.count(true);
	if (isOld || window.Notification?.permission !== 'granted') return;
	try {
		new Notification(`${name} · ${room.name}`, { body, tag: room.name }).onclick = () => focus() || open(room);
	} catch {
		// Phones have no such notifications; the count in the title is there.
	}
}

// What the person does.

function submit(text) {
	const typed = text.split('\n').filter((line) => line.trim());
	if (!isIn) return say('notNow');
	if (new TextEncoder().encode(JSON.stringify(typed)).length > SAID_BYTES_MAX) return say('tooMuch');
	const [, verb, rest] = (typed.length === 1 && /^\/([^\s/]\S*)\s*(.*)$/.exec(typed[0])) || [];
	if (verb) return void run(verb.toLowerCase(), rest);
	if (typed.length === 1) typed[0] = typed[0].replace(/^\/\//, '/');
	send('say', typed);
}

function run(verb, rest) {
	if (verb === 'join' && rest) return join(rest, true);
	if (verb === 'join' || verb === 'rooms') return browse();
	if (verb === 'search') return search(rest);
	if ((verb === 'me' || verb === 'say') && rest) return send(verb, [rest]);
	lines.toEnd(); // where the answer will be
	if (verb !== 'msg') note(`/${verb} ${rest}`, 'typed');
	if (verb === 'leave') {
		$('input').focus(); // and not on what closes the next room
		command(verb, { room: rest || current.name });
	} else command(verb, { args: rest ? [rest] : [] });
}

async function command(verb, fields) {
	const [room, again] = [current, []]; // lines from before, where they are asked for
	const take = (event) => event.old && event.room === room.name && again.push(event);
	const { isDone, refusal } = await connection.ask({ do: verb, room: room.name, ...fields }, take);
	if (refusal) note(told(refusal));
	if (again.length) {
		room.fill(again[0].seq, again.at(-1).seq, again);
		drawNow();
		if (room === current) lines.show(again[0].seq, again.at(-1).seq);
	}
	if (!isDone && fields.args) compose.interpose(`/${verb} ${fields.args}`);
}

/** What is said waits in the outbox until it comes back, or returns into the field. */
async function send(verb, typed) {
	const room = current;
	const sent = { verb, lines: [...typed], seq: room.last };
	room.outbox.push(sent);
	room.markAt();
	lines.toEnd();
	draw();
	const words = verb === 'say' ? { text: typed.join('\n') } : { args: typed };
	const { isDone, refusal } = await connection.ask({ do: verb, room: room.name, ...words });
	if (refusal) giveBack(room, sent, told(refusal));
	else if (isDone) room.settle(sent);
	draw();
}

function giveBack(room, sent, words) {
	const text = sent.lines.join('\n');
	const typed = sent.verb === 'me' ? `/me ${text}` : text.replace(/^(?=\/.*$)/, '/');
	room.settle(sent);
	if (room === current) room.draft = compose.text();
	room.draft = [typed, room.draft].join('\n').trim();
	if (room === current) compose.put(room.draft, words);
}

async function join(typed, isWanted) {
	let name = typed.toLowerCase();
	if (!rooms.has(name)) {
		const { refusal } = await connection.ask({ do: 'join', ...from(name) }, ({ kind, room }) => {
			if (kind === 'entered') name = room;
		});
		if (refusal) {
			lines.toEnd();
			note(told(refusal));
		} else rooms.get(name)?.caughtUp();
	}
	if (rooms.has(name)) open(rooms.get(name), !isWanted);
	else address(current, true); // where one has not come in
}

function remove(name) {
	save(); // how far it was read
	rooms.delete(name);
	if (current?.name === name && rooms.size) open([...rooms.values()][0]);
	save();
	draw();
}

/** Where one sits when one has had to leave another room. */
function sayFarewell() {
	if (!farewell || !rooms.has(current.name)) return;
	lines.toEnd();
	note(farewell);
	farewell = '';
}

function open(room, isInHistory) {
	if (current && current !== room) {
		current.draft = compose.text();
		if (!current.unread) current.markAt();
	}
	current = room;
	address(room, isInHistory);
	$('input').placeholder = $('input').ariaLabel = say('say', room);
	drawNow();
	hideSides();
	// A phone would bring up its keyboard.
	if (matchMedia('(pointer: fine)').matches) $('input').focus();
	compose.put(room.draft);
}

function address({ name }, isInHistory) {
	const path = encodeURIComponent(name);
	if (path !== place()) history[isInHistory ? 'replaceState' : 'pushState'](null, '', path);
}

function write(name) {
	if (name === me) return;
	interpose(`/msg ${name} `);
}

/** Begins a command; what stands in the field comes back afterwards. */
function interpose(text) {
	hideSides();
	$('input').focus();
	compose.interpose(text);
}

function hideSides() {
	for (const side of [$('rooms'), $('people')]) side.hidePopover();
}

function namesLike(word) {
	const isLike = (name) => name !== me && name.toLowerCase().startsWith(word.toLowerCase());
	return current.people.filter(isLike).sort();
}

function commandsLike(word) {
	const isLike = (name) => name.startsWith(word.toLowerCase());
	return commands.filter(({ name }) => name !== 'resume' && isLike(name)).map((spec) => {
		const { usage, does } = offered(spec);
		return { label: usage, words: does, insert: `/${spec.name}${spec.arguments && ' '}` };
	});
}

function roomsLike(word) {
	return known.map(({ room }) => room).filter((name) => name.startsWith(word.toLowerCase()));
}

// What is looked for.

/** Asks which rooms there are. */
const look = () => connection.ask({ do: 'rooms' }, (message) => message.kind === 'rooms' && (known = message.rooms));

async function browse() {
	hideSides();
	await look();
	const row = ({ room, people, topic }) => [
		room,
		[say('inRoom', { n: people }), topic].filter(Boolean).join(' · '),
		() => join(room, true),
	];
	find(say('roomName'), say('go'), '', {
		typed: (word) => known.filter(({ room }) => room.includes(word)).map(row),
		submit: (name) => {
			$('finder').close();
			join(name, true);
		},
	});
}

function search(words) {
	find(say('searchFor'), say('find'), words, {
		async submit(typed) {
			const rows = [];
			const take = (message) => {
				const { kind, room, seq, time, name, words } = message;
				if (kind === 'found') rows.push([`${name}: ${words}`, `${room} · ${moment.format(new Date(time))}`, () => show(room, seq)]);
				else if (kind === 'answer') rows.push(told(message));
				return kind === 'found' || kind === 'answer';
			};
			const { refusal } = await connection.ask({ do: 'search', args: [typed] }, take);
			return refusal ? [told(refusal)] : rows;
		},
	});
}

/** Shows a line among those that were said around it. */
async function show(name, seq) {
	await join(name, true);
	const room = current;
	if (room.name !== name) return;
	if (!room.has(seq)) {
		const events = await recall(room, { before: seq + HISTORY_LINES / 2 });
		if (events?.length) room.fill(events[0].seq, events.at(-1).seq, events);
	}
	drawNow();
	lines.show(seq);
}

// Lines from before.

async function recall(room, query) {
	const events = [];
	const take = (event) => event.old && event.room === room.name && events.push(event);
	const { isDone } = await connection.ask({ do: 'history', room: room.name, limit: HISTORY_LINES, ...query }, take);
	for (const event of events) if (event.name === me) room.confirm(event);
	return isDone ? events : null;
}

async function older() {
	const room = current;
	if (!isIn || room.isWhole || room.isLoading || room.items.length > ITEMS_MAX) return;
	room.isLoading = true;
	const events = room.first > 1 ? await recall(room, { before: room.first }) : [];
	room.isLoading = false;
	if (!events) return;
	if (events.length) room.fill(events[0].seq, room.first - 1, events);
	else room.isWhole = true;
	draw();
}

async function fillGap({ first, last }) {
	const room = current;
	const events = await recall(room, { after: first - 1 });
	if (!events) return;
	// Where fewer came, the server has no more.
	const high = events.length < HISTORY_LINES ? last : Math.min(last, events.at(-1).seq);
	room.fill(first, high, events.filter(({ seq }) => seq <= last));
	draw();
}

// What is shown.

function draw() {
	drawing ||= setTimeout(drawNow, DRAW_MS);
}

function drawNow() {
	clearTimeout(drawing);
	drawing = 0;
	if (current) {
		for (const room of rooms.values()) room.trim();
		lines.draw(current, me);
		if (attends(current)) current.attend();
		drawRoom(current, me, write);
		$('notify').hidden = window.Notification?.permission !== 'default';
		$('newest').hidden = lines.isAtEnd;
	}
	drawRooms([...rooms.values()], current, open, (name) => run('leave', name));
}

const attends = (room) => room === current && lines.isAtEnd && document.hasFocus();

// What is kept.

function addressed() {
	return decodeURIComponent(place()).toLowerCase() || 'lobby';
}

/** Behind the last slash: a web server may show the rooms below a path of its own. */
function place() {
	return location.pathname.split('/').pop();
}

function load(store) {
	try {
		return JSON.parse(window[store].parlor);
	} catch {
		return { read: {}, rooms: [] };
	}
}

function save() {
	for (const room of rooms.values()) visit.read[room.name] = { log: room.log, last: room.read };
	if (current) tab.rooms = [...rooms.keys()];
	try {
		sessionStorage.parlor = JSON.stringify(tab);
		localStorage.parlor = JSON.stringify(visit);
	} catch {
		// A browser that keeps nothing asks for the name again.
	}
}
