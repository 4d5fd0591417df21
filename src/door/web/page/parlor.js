// The page: what follows from what is said, typed and clicked. Knows how none of it is sent, kept or shown.

import { Compose } from './compose.js';
import { Connection } from './connection.js';
import { Lines } from './lines.js';
import { $, askPassword, drawRoom, drawRooms, putWords, showDoor } from './panels.js';
import { ITEMS_FAR_BACK_MAX, Room } from './rooms.js';
import { mentionOf } from './text.js';
import { does, isChinese, say, why } from './words.js';

/** A message may have 16,384 bytes, and there is more in it than text. */
const SAID_BYTES_MAX = 16_000;
/** More than a screen, and drawn without a pause. */
const HISTORY_LINES = 100;
/** What comes in a burst is drawn together. */
const DRAW_MS = 16;
const DAY_S = 86_400;

const rooms = new Map();
let current = null;
let identity = {};
let me = '';
let wantsIn = false;
let isIn = false;
let hello = {};
let commands = [];
let places = []; // the server's rooms, when last asked for
let farewell = '';
let drawing = 0;

// This tab knows how to come back, and the next visit one's name and how far one has read.
const tab = load('sessionStorage');
const visit = load('localStorage');

const address = new URL('/-/socket', location.href.replace(/^http/, 'ws'));
const connection = new Connection(address, (message) => (heard[message.kind] ?? heard.answer)(message), down);
const lines = new Lines($('scroller'), $('lines'), $('outbox'), { older, draw, fillGap, goTo, post, discard });
const compose = new Compose($('compose'), { submit, options, page: (direction) => lines.page(direction) });

document.documentElement.lang = isChinese ? 'zh-Hans' : 'en';
putWords();
listen();
if (tab.code) comeIn(tab.name);
else showDoor(true, addressed(), visit.name);

function listen() {
	$('door').firstElementChild.onsubmit = (event) => {
		event.preventDefault();
		tab.code = '';
		comeIn($('name').value.trim(), $('secret').hidden ? '' : $('password').value);
	};
	// Another name has another password, or none.
	$('name').oninput = () => ($('secret').hidden = true);
	$('browse').onclick = () => run('rooms', '') && begin('/join ');
	$('search').onclick = () => begin('/search ');
	$('me').onclick = () => begin('/name ');
	$('topic').onclick = () => begin('/topic ');
	$('newest').onclick = () => lines.toEnd();
	$('notify').onclick = () => Notification.requestPermission().then(draw);
	$('state').lastElementChild.onclick = () => connection.retryNow();
	addEventListener('popstate', () => isIn && join(addressed(), 'replaceState'));
	addEventListener('focus', draw);
	addEventListener('pagehide', save);
	document.addEventListener('visibilitychange', () => (document.hidden ? save() : draw()));
}

// Coming in, and coming back.

function comeIn(name, password) {
	identity = { ...(name && { name }), ...(password && { password }) };
	wantsIn = true;
	if (connection.isOpen) enter();
	else connection.open();
}

async function enter() {
	const place = current?.name ?? addressed();
	for (const who of tab.code ? [{ code: tab.code }, identity] : [identity]) {
		const { isDone, refusal } = await ask({ do: 'enter', ...who, ...from(place) });
		if (!isDone) return;
		if (!refusal) return settle();
		tab.code = '';
		if (who === identity) turnedAway(refusal, place);
	}
}

/** Resolves to whether it was done, and to why it was refused, if it was. */
async function ask(request) {
	let refusal = null;
	const isDone = await connection.ask(request, (message) => message.kind === 'refused' && (refusal = message));
	return { isDone, refusal };
}

/** A room, and the line after which its lines are wanted. */
function from(room) {
	const after = rooms.get(room)?.last ?? visit.read[room];
	return after > 0 ? { room, log: hello.log, after } : { room };
}

function turnedAway(refusal, place) {
	// A connection that was lost has the name until the server has noticed, too.
	if (refusal.why === 'name-taken' && current) return connection.lose();
	wantsIn = false;
	const isOwned = refusal.why === 'name-owned';
	const words = isOwned ? say('owned', identity) : why(refusal);
	showDoor(true, place, identity.name, words, isOwned || refusal.why === 'wrong-password');
}

/** In: takes the other seats again, and says what waits. */
async function settle() {
	connection.settle();
	isIn = true;
	showDoor(false);
	if (!current) open([...rooms.values()][0], 'replaceState');
	visit.name = identity.name;
	connection.ask({ do: 'code' }, ({ kind, code }) => {
		if (code) tab.code = code;
		return kind === 'code' || kind === 'refused';
	});
	connection.ask({ do: 'help' }, (message) => message.kind === 'help' && (commands = message.commands));
	for (const name of new Set([...rooms.keys(), ...tab.rooms])) {
		if (rooms.get(name)?.isSeated) continue;
		const { isDone, refusal } = await ask({ do: 'join', ...from(name) });
		if (!isDone) return;
		if (refusal) remove(name);
	}
	for (const room of rooms.values()) {
		room.caughtUp();
		for (const sent of room.outbox) {
			if (sent.state === 'waiting') post(sent, room);
			if (sent.state === 'unsure') sent.state = 'lost';
		}
	}
	save();
	draw();
}

function down(code, pauseMs) {
	isIn = false;
	for (const room of rooms.values()) {
		room.isSeated = false;
		for (const sent of room.outbox) if (sent.state === 'sending') sent.state = 'unsure';
	}
	if (pauseMs !== null) {
		showState(say('broken', { n: Math.ceil(pauseMs / 1000) }));
	} else if (current) {
		rooms.clear();
		current = null;
		wantsIn = false;
		Object.assign(tab, { code: '', rooms: [] });
		showDoor(true, addressed(), identity.name, farewell || say('youLeft'));
		farewell = '';
	}
	save();
	draw();
}

function showState(words) {
	$('state').hidden = !words;
	$('state').firstElementChild.textContent = $('door-words').textContent = words;
}

// What the server says.

const heard = {
	hello(message) {
		if (hello.log && hello.log !== message.log) for (const room of rooms.values()) room.renew(say('anew'));
		if (visit.log !== message.log) Object.assign(visit, { log: message.log, read: {} });
		hello = message;
		showState('');
		if (wantsIn) enter();
	},
	entered(message) {
		const isNew = !rooms.has(message.room);
		if (isNew) rooms.set(message.room, new Room(message.room, visit.read[message.room]));
		const room = rooms.get(message.room);
		me = message.name;
		room.isSeated = true;
		room.enter(message);
		if (isNew) room.note(keeping() + (message.keeps ? ` ${say('keeper')}` : ''));
		const take = (answer) => answer.kind === 'who' && seat(answer);
		if (message.others) connection.ask({ do: 'who', room: room.name, args: [] }, take);
		draw();
	},
	departed: ({ room }) => remove(room),
	line: said,
	action: said,
	skipped: happening((room, { first, last }) => room.skip(first, last), false),
	arrived: happening((room, { name }) => room.arrive([name])),
	left: happening((room, { name }) => room.depart([name])),
	arrived_together: happening((room, { names, others }) => room.arrive(names, others)),
	left_together: happening((room, { names, others }) => room.depart(names, others)),
	renamed: happening((room, { from, name }) => room.rename(from, name)),
	topic: happening((room, { topic }) => (room.topic = topic)),
	took_back: happening((room, { name }) => room.takeBack(name)),
	ruled: happening(() => {}),
	you({ name }) {
		for (const room of rooms.values()) room.rename(me, name);
		me = visit.name = identity.name = name;
		draw();
	},
	private({ from, to, words, time = Date.now() }) {
		const isSeen = from === me || attends(current);
		const event = { kind: 'private', name: from, to, text: words, time };
		current.whisper(event, isSeen);
		if (!isSeen) notify(current, event);
		draw();
	},
	letter: (message) => heard.private(message),
	who(message) {
		seat(message);
		note(message.text);
	},
	rooms(message) {
		places = message.rooms.map(({ room }) => room);
		note(message.rooms.map(({ room, people, topic }) => `${room} (${people}) ${topic ?? ''}`).join('\n'));
	},
	found({ room, seq, time, name, words }) {
		const at = new Date(time).toLocaleString(navigator.language, { dateStyle: 'short', timeStyle: 'short' });
		note(`${room} · ${at} · ${name}: ${words}`, { room, seq });
	},
	help: () => note(options('command', '').map(({ label, words }) => `${label}: ${words}`).join('\n')),
	async password(message) {
		connection.ask({ do: 'password', text: await askPassword(message) });
	},
	refused: (message) => note(why(message)),
	removed({ room, text }) {
		if (!room) farewell = text;
		note(text);
	},
	answer: ({ text }) => text && note(text),
};

/** Something was said: it gets its place, is counted, and calls who looks elsewhere. */
function said(event) {
	const room = rooms.get(event.room);
	if (!room) return;
	const isOwn = event.name === me;
	const isCalling = !isOwn && Boolean(mentionOf(me)?.test(event.text));
	const isSeen = isOwn || (attends(room) && !event.old);
	if (!room.add(event, isSeen, isCalling)) return;
	if (isOwn) room.confirm(event);
	if (isCalling && !isSeen && !event.old) notify(room, event);
	draw();
}

/** Something happened, that changes the room, and is to be read there. */
function happening(change, isShown = true) {
	return (event) => {
		const room = rooms.get(event.room);
		if (!room) return;
		change(room, event);
		if (isShown) room.items.push(event);
		draw();
	};
}

function seat({ room, people, others }) {
	if (rooms.has(room)) Object.assign(rooms.get(room), { people: people.map(({ name }) => name), others });
	draw();
	return true;
}

/** A word to this person, where they are looking. */
function note(text, found) {
	current?.note(text, found);
	draw();
}

function keeping() {
	if (hello.keeps !== 'disk') return say('notKept');
	return hello.retain ? say('keptFor', { n: Math.ceil(hello.retain / DAY_S) }) : say('kept');
}

function notify(room, { name, text }) {
	if (window.Notification?.permission !== 'granted') return;
	try {
		const notification = new Notification(`${name} · ${room.name}`, { body: text, tag: room.name, icon: '/-/icon.svg' });
		notification.onclick = () => {
			focus();
			open(room);
		};
	} catch {
		// Phones have no such notifications; the count in the title is there.
	}
}

// What the person does.

/** Whether what was typed is taken, and may go from the field. */
function submit(text) {
	const typed = text.split('\n').filter((line) => line.trim());
	const command = typed.length === 1 && /^\/([^\s/]\S*)\s*(.*)$/.exec(typed[0].trim());
	if (command) return run(command[1].toLowerCase(), command[2]);
	if (typed.length === 1) typed[0] = typed[0].replace(/^\/\//, '/');
	return send('say', typed);
}

function run(verb, rest) {
	if (verb === 'me' && rest) return send('me', [rest]);
	if (!isIn) return refuse('notNow');
	if (verb === 'join' && rest) join(rest);
	else if (verb === 'leave') return leave(rooms.get(rest.toLowerCase()) ?? current);
	else command(verb, rest);
	return true;
}

/** What does not arrive comes back into the field, to be typed again. */
async function command(verb, rest) {
	const isDone = await connection.ask({ do: verb, room: current.name, args: rest ? [rest] : [] });
	if (!isDone && verb !== 'quit') compose.text ||= `/${verb} ${rest}`;
}

function refuse(key) {
	compose.say(say(key));
	return false;
}

function send(verb, typed) {
	if (new TextEncoder().encode(JSON.stringify(typed)).length > SAID_BYTES_MAX) return refuse('tooMuch');
	const sent = { verb, lines: typed, after: current.last };
	current.outbox.push(sent);
	current.markAt();
	lines.toEnd();
	post(sent);
	return true;
}

/** Says it, and knows afterwards whether it is said, refused, or in doubt. */
async function post(sent, room = current) {
	Object.assign(sent, { why: null, state: isIn ? 'sending' : 'waiting' });
	draw();
	if (!isIn) return;
	const text = sent.lines.join('\n');
	const { isDone, refusal } = await ask({ do: sent.verb, room: room.name, [sent.verb === 'say' ? 'text' : 'args']: sent.verb === 'say' ? text : [text] });
	if (refusal) sent.why = why(refusal);
	else if (isDone) room.settle(sent);
	draw();
}

function discard(sent) {
	current.settle(sent);
	draw();
}

/** Goes into a room, and takes a seat there first where one has none. */
async function join(typed, how) {
	let name = typed.toLowerCase();
	if (!rooms.has(name)) {
		const take = ({ kind, room }) => {
			if (kind === 'entered') name = room;
		};
		await connection.ask({ do: 'join', ...from(name) }, take);
		rooms.get(name)?.caughtUp();
	}
	if (rooms.has(name)) open(rooms.get(name), how);
	return rooms.get(name);
}

function leave(room) {
	if (rooms.size === 1) return refuse('lastRoom');
	connection.ask({ do: 'leave', room: room.name });
	return true;
}

function remove(name) {
	rooms.delete(name);
	if (current?.name === name && rooms.size) open([...rooms.values()][0]);
	save();
	draw();
}

function open(room, how = 'pushState') {
	if (current && current !== room) {
		current.draft = compose.text;
		if (!current.unread) current.markAt();
	}
	current = room;
	const path = `/${encodeURIComponent(room.name)}`;
	if (path !== location.pathname) history[how](null, '', path);
	compose.text = room.draft;
	$('input').placeholder = $('input').ariaLabel = say('say', room);
	for (const side of [$('rooms'), $('people')]) side.hidePopover();
	// A phone would bring up its keyboard.
	if (matchMedia('(pointer: fine)').matches) $('input').focus();
	drawNow();
}

function begin(text) {
	for (const side of [$('rooms'), $('people')]) side.hidePopover();
	$('input').focus();
	compose.text = text;
}

/** What may stand in the field where a command, a room or a name begins like this. */
function options(kind, word) {
	const isLike = (name) => name.toLowerCase().startsWith(word.toLowerCase());
	if (kind === 'room') return places.filter(isLike).map((label) => ({ label, insert: label }));
	if (kind === 'name') {
		const names = current.people.filter((name) => name !== me && isLike(name));
		return names.sort().map((label) => ({ label, insert: `${label} ` }));
	}
	const leaving = { name: 'leave', aliases: [], arguments: '[ROOM]', does: 'gives up a room' };
	return [...commands, leaving]
		.filter(({ name, aliases }) => name !== 'resume' && [name, ...aliases].some(isLike))
		.sort((a, b) => isLike(b.name) - isLike(a.name))
		.map((spec) => ({
			label: `/${spec.name} ${spec.arguments}`,
			words: does(spec),
			insert: `/${spec.name}${spec.arguments && ' '}`,
			also: spec.aliases.map((name) => `/${name}`),
		}));
}

// Lines from before.

async function recall(room, query) {
	const events = [];
	const take = (event) => event.old && event.room === room.name && events.push(event);
	const isDone = await connection.ask({ do: 'history', room: room.name, limit: HISTORY_LINES, ...query }, take);
	for (const event of events) if (event.name === me) room.confirm(event);
	return isDone ? events : null;
}

async function older() {
	const room = current;
	if (!isIn || room.isWhole || room.isLoading || room.first === Infinity) return;
	if (room.items.length + HISTORY_LINES > ITEMS_FAR_BACK_MAX) return;
	room.isLoading = true;
	const events = room.first > 1 ? await recall(room, { before: room.first }) : [];
	room.isLoading = false;
	if (events?.length) room.fill(events[0].seq, room.first - 1, events);
	else if (events) room.isWhole = true;
	draw();
}

async function fillGap({ first, last }) {
	const room = current;
	const events = await recall(room, { after: first - 1 });
	if (!events) return;
	// Where fewer came than were wanted, the server has no more of them.
	const high = events.length < HISTORY_LINES ? last : Math.min(last, events.at(-1).seq);
	room.fill(first, high, events.filter(({ seq }) => seq <= last));
	draw();
}

async function goTo({ room: name, seq }) {
	const room = await join(name);
	if (!room) return;
	if (!room.has(seq)) {
		const events = await recall(room, { after: Math.max(0, seq - HISTORY_LINES / 2) });
		if (events?.length) room.fill(events[0].seq, events.at(-1).seq, events);
	}
	drawNow();
	lines.reveal(seq);
}

// What is shown.

function draw() {
	drawing ||= setTimeout(drawNow, DRAW_MS);
}

function drawNow() {
	clearTimeout(drawing);
	drawing = 0;
	if (current) {
		for (const room of rooms.values()) room.trim(room === current && !lines.isAtEnd);
		lines.draw(current, me);
		if (attends(current)) current.attend();
		drawRoom(current, me, (name) => begin(`/msg ${name} `));
		$('me').textContent = me;
		$('notify').hidden = window.Notification?.permission !== 'default';
		$('newest').hidden = lines.isAtEnd;
		$('newest').textContent = `↓ ${current.unread || ''} ${say('newest')}`;
	}
	drawRooms([...rooms.values()], current, open, leave);
}

/** Whether somebody is looking at the end of this room. */
const attends = (room) => room === current && lines.isAtEnd && document.hasFocus();

// What is kept.

/** The room that the address of the page names. */
function addressed() {
	try {
		return decodeURIComponent(location.pathname.slice(1)).toLowerCase() || 'lobby';
	} catch {
		return 'lobby';
	}
}

function load(store) {
	const empty = { read: {}, rooms: [] };
	try {
		return { ...empty, ...JSON.parse(window[store].parlor) };
	} catch {
		return empty;
	}
}

function save() {
	for (const room of rooms.values()) visit.read[room.name] = room.read;
	if (current) Object.assign(tab, { name: identity.name, rooms: [...rooms.keys()] });
	try {
		sessionStorage.parlor = JSON.stringify(tab);
		localStorage.parlor = JSON.stringify(visit);
	} catch {
		// A browser that keeps nothing asks for the name again.
	}
}
