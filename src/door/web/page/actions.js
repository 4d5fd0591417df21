// Actions of the person: lines, commands, rooms. Does not know how they are sent or shown.

import * as compose from './compose.js';
import * as connection from './connection.js';
import { talkWith } from './conversations.js';
import * as lines from './lines.js';
import { hideSides } from './panels.js';
import { browse, search } from './search.js';
import { house, kept, places, save, visit } from './state.js';
import { $, fold } from './text.js';
import { draw, drawNow, note } from './view.js';
import { say, told, zoned } from './words.js';

const SAID_BYTES_MAX = 16_000; // a message has 16,384, and there is more in it

/** Says the text or runs the command. Returns the reason if the text stays in the field. */
export function submit(text) {
	const typed = text.split('\n').filter((line) => line.trim());
	if (!house.isIn) return say('notNow');
	if (typed.length > house.hello.lines) return say('tooMany', { n: typed.length, most: house.hello.lines });
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
	if (verb === 'say' && rest) return send(verb, [rest]);
	if (verb === 'me' && rest && !house.current.isTalk) return send(verb, [rest]);
	const [, to, words] = (verb === 'msg' && /^(\S+)\s+(.+)$/.exec(rest)) || [];
	if (to) return whisper(to, words);
	if (verb === 'leave') return leave(house.rooms.get(rest.toLowerCase()) ?? house.current);
	lines.toEnd(); // where the answer will be
	note(`/${verb} ${rest}`, 'typed');
	command(verb, { args: rest ? [verb === 'since' ? zoned(rest) : rest] : [] });
}

export async function command(verb, fields) {
	const { room, current } = house;
	const again = []; // lines from before, where they are asked for
	const take = (event) => event.old && event.room === room.name && again.push(event);
	const { isDone, refusal } = await connection.ask({ do: verb, room: room.name, ...fields }, take);
	if (refusal) note(told(refusal));
	if (again.length) {
		room.fill(again[0].seq, again.at(-1).seq, again);
		if (current !== room) open(room);
		drawNow();
		lines.show(again[0].seq, again.at(-1).seq);
	}
	if (!isDone && fields.args) compose.interpose(`/${verb} ${fields.args}`);
}

/** Sends a private message; the conversation opens when it has arrived. */
async function whisper(to, words) {
	const { isDone, refusal } = await connection.ask({ do: 'msg', room: house.room.name, args: [to, words] });
	if (isDone && !refusal) return house.talks.has(fold(to)) && open(house.talks.get(fold(to)));
	if (refusal) note(told(refusal));
	compose.interpose(`/msg ${to} ${words}`);
}

/** A line waits in the outbox until the server sends it back; else it returns to the field. */
async function send(verb, typed) {
	const place = house.current;
	const sent = { verb, lines: [...typed], seq: place.last };
	place.outbox.push(sent);
	place.markAt();
	lines.toEnd();
	draw();
	if (place.isTalk) await whisperAll(place, sent, typed);
	else {
		const words = verb === 'say' ? { text: typed.join('\n') } : { args: typed };
		const { isDone, refusal } = await connection.ask({ do: verb, room: place.name, ...words });
		if (refusal) giveBack(place, sent, told(refusal));
		else if (isDone) place.settle(sent);
	}
	draw();
}

async function whisperAll(talk, sent, typed) {
	for (const line of typed) {
		const { isDone, refusal } = await connection.ask({ do: 'msg', room: house.room.name, args: [talk.name, line] });
		if (refusal) return giveBack(talk, sent, told(refusal));
		if (!isDone) return;
	}
	talk.settle(sent);
}

export function giveBack(place, sent, words) {
	const text = sent.lines.join('\n');
	const typed = sent.verb === 'me' ? `/me ${text}` : text.replace(/^(?=\/.*$)/, '/');
	const isCurrent = place === house.current;
	place.settle(sent);
	if (isCurrent) place.draft = compose.text();
	place.draft = [typed, place.draft].join('\n').trim();
	if (isCurrent) compose.put(place.draft, words);
}

/** A room, and the last line that the page has of it. */
export function from(room) {
	const { log, last: after } = house.rooms.get(room) ?? kept(visit.read, room) ?? {};
	return after >= 0 ? { room, log, after } : { room };
}

export async function join(typed, isWanted) {
	let name = typed.toLowerCase();
	if (!house.rooms.has(name)) {
		const { refusal } = await connection.ask({ do: 'join', ...from(name) }, ({ kind, room }) => {
			if (kind === 'entered') name = room;
		});
		if (refusal) {
			lines.toEnd();
			note(told(refusal));
		} else house.rooms.get(name)?.caughtUp();
	}
	if (house.rooms.has(name)) open(house.rooms.get(name), !isWanted);
	else address(house.current, true); // where one has not come in
}

/** Leaving the only room ends the session. */
export function leave(place) {
	$('input').focus(); // and not on what closes the next room
	if (place.isTalk) return forget(place);
	if (house.rooms.size === 1) return command('quit', {});
	lines.toEnd();
	command('leave', { room: place.name });
}

function forget(talk) {
	house.talks.delete(fold(talk.name));
	if (house.current === talk) open(house.room);
	save();
	draw();
}

export function remove(name) {
	save(); // how far it was read
	const room = house.rooms.get(name);
	house.rooms.delete(name);
	const other = [...house.rooms.values()][0];
	if (house.room === room && other) house.room = other;
	if (house.current === room && other) open(other);
	save();
	draw();
}

export function open(place, isInHistory) {
	const { current } = house;
	if (current && current !== place) {
		current.draft = compose.text();
		if (!current.unread) current.markAt();
	}
	house.current = place;
	if (!place.isTalk) house.room = place;
	address(place, isInHistory);
	const label = say(place.isTalk ? 'sayTo' : 'say', place);
	$('input').ariaLabel = label;
	$('input').placeholder = matchMedia('(max-width: 40rem)').matches ? say('sayBriefly', place) : label;
	drawNow();
	hideSides();
	// A phone would bring up its keyboard.
	if (matchMedia('(pointer: fine)').matches) $('input').focus();
	compose.put(place.draft);
}

export function address(place, isInHistory) {
	const path = place.isTalk ? `#${encodeURIComponent(place.key)}` : encodeURIComponent(place.name);
	const here = location.pathname.split('/').pop() + location.hash;
	const wanted = place.isTalk ? encodeURIComponent(house.room.name) + path : path;
	if (wanted !== here) history[isInHistory ? 'replaceState' : 'pushState'](null, '', wanted);
}

/** The room in the address of the page. */
export function follow() {
	const talk = talkAddressed();
	if (talk) open(talk, true);
	else join(addressed());
}

/** The conversation in the address, if there is one. */
export const talkAddressed = () => house.talks.get(fold(decodeURIComponent(location.hash.slice(1)).slice(1)));

/** After the last slash: a proxy may serve the rooms below a path. */
export function addressed() {
	return decodeURIComponent(location.pathname.split('/').pop()).toLowerCase() || 'lobby';
}

export function write(name) {
	if (fold(name) !== fold(house.me)) open(talkWith(name));
}

/** Begins a command; the draft comes back afterwards. */
export function interpose(text) {
	hideSides();
	$('input').focus();
	compose.interpose(text);
}

/** The room or conversation `steps` down the list, or the next unread one. */
export function step(steps, isUnread) {
	const all = inOrder(places());
	const wanted = isUnread ? all.filter((place) => place.unread || place === house.current) : all;
	open(wanted.at((wanted.indexOf(house.current) + steps) % wanted.length));
}

export const inOrder = (all) =>
	all.toSorted((a, b) => !!a.isTalk - !!b.isTalk || a.name.localeCompare(b.name));
