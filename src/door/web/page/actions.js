// Actions of the person: lines, commands, rooms. Does not know how they are sent or shown.

import * as compose from './compose.js';
import * as connection from './connection.js';
import { talkWith } from './conversations.js';
import * as lines from './lines.js';
import { askPassword, hideSides } from './panels.js';
import { Nowhere } from './rooms.js';
import { browse, search } from './search.js';
import { chat, kept, places, save, visit } from './state.js';
import { $, fold } from './text.js';
import { draw, drawNow, note } from './view.js';
import { say, told, zoned } from './words.js';

const SAID_BYTES_MAX = 16_000; // a message has 16,384, with more in it than the text

/** Says the text or runs the command. Returns the reason if the text stays in the field. */
export function submit(text) {
	const typed = text.split('\n').filter((line) => line.trim());
	if (!chat.isIn) return say('notNow');
	if (typed.length > chat.hello.lines) return say('tooMany', { n: typed.length, most: chat.hello.lines });
	if (new TextEncoder().encode(JSON.stringify(typed)).length > SAID_BYTES_MAX) return say('tooMuch');
	const [, verb, rest] = (typed.length === 1 && /^\/([^\s/]\S*)\s*(.*)$/.exec(typed[0])) || [];
	if (chat.current.isNowhere && (!verb || ['say', 'me'].includes(verb.toLowerCase()))) return say('joinFirst');
	if (verb) return void run(verb.toLowerCase(), rest);
	if (typed.length === 1) typed[0] = typed[0].replace(/^\/\//, '/');
	send('say', typed);
}

function run(verb, rest) {
	if (verb === 'join' && rest) return join(rest, true);
	if (verb === 'join' || verb === 'rooms') return browse();
	if (verb === 'search') return search(rest);
	if (verb === 'say' && rest) return send(verb, [rest]);
	if (verb === 'me' && rest && !chat.current.isTalk) return send(verb, [rest]);
	const [, to, words] = (verb === 'msg' && /^(\S+)\s+(.+)$/.exec(rest)) || [];
	if (to) return whisper(to, words);
	if (verb === 'leave') return leave(chat.rooms.get(rest.toLowerCase()) ?? chat.current);
	lines.toEnd(); // the answer appears there
	note(`/${verb} ${rest}`, 'typed');
	command(verb, { args: rest ? [verb === 'since' ? zoned(rest) : rest] : [] });
}

export async function command(verb, fields) {
	const { room, current } = chat;
	const again = []; // earlier lines, shown at the place of the request
	const take = (event) => event.old && event.room === room?.name && again.push(event);
	const { isDone, refusal } = await connection.ask({ do: verb, room: room?.name, ...fields }, take);
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
	const { isDone, refusal } = await connection.ask({ do: 'msg', args: [to, words] });
	if (isDone && !refusal) return chat.talks.has(fold(to)) && open(chat.talks.get(fold(to)));
	if (refusal) note(told(refusal));
	compose.interpose(`/msg ${to} ${words}`);
}

/** A line waits in the outbox until the server sends it back. If that fails, it returns to the field. */
async function send(verb, typed) {
	const place = chat.current;
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
		const { isDone, refusal } = await connection.ask({ do: 'msg', args: [talk.name, line] });
		if (refusal) return giveBack(talk, sent, told(refusal));
		if (!isDone) return;
	}
	talk.settle(sent);
}

export function giveBack(place, sent, words) {
	const text = sent.lines.join('\n');
	const typed = sent.verb === 'me' ? `/me ${text}` : text.replace(/^(?=\/.*$)/, '/');
	const isCurrent = place === chat.current;
	place.settle(sent);
	if (isCurrent) place.draft = compose.text();
	place.draft = [typed, place.draft].join('\n').trim();
	if (isCurrent) compose.put(place.draft, words);
}

/** The passwords of rooms, for when the connection is made again. */
export const passwords = new Map();

/** A room, and the last line that the page has of it; `null` is no room. */
export function from(room) {
	if (room === null) return { room };
	const { log, last: after } = chat.rooms.get(room) ?? kept(visit.read, room) ?? {};
	return after >= 0 ? { room, log, after } : { room };
}

/** Enters a room; its password may be behind the name, or is asked for. */
export async function join(typed, isWanted) {
	let [name, password] = typed.trim().toLowerCase().split(/\s+/, 1).concat(typed.trim().split(/\s+/).slice(1).join(' '));
	if (!chat.rooms.has(name)) {
		const take = ({ kind, room }) => {
			if (kind === 'entered') name = room;
		};
		const ask = () => connection.ask({ do: 'join', ...from(name), args: password ? [password] : [] }, take);
		let { refusal } = await ask();
		while (refusal?.why === 'room-password' && (password = await askPassword({ for: 'room', name }, password && say('otherPassword')))) {
			({ refusal } = await ask());
		}
		if (!refusal && password) passwords.set(name, password);
		if (refusal) {
			lines.toEnd();
			note(told(refusal));
		} else chat.rooms.get(name)?.caughtUp();
	}
	if (chat.rooms.has(name)) open(chat.rooms.get(name), !isWanted);
	else address(chat.current, true); // if entering has failed
}

export function leave(place) {
	$('input').focus(); // and not on the button that leaves the next room
	if (place.isTalk) return forget(place);
	if (place.isNowhere) return note(say('joinFirst'));
	lines.toEnd();
	command('leave', { room: place.name });
}

function forget(talk) {
	chat.talks.delete(fold(talk.name));
	if (chat.current === talk) openRoom();
	save();
	draw();
}

export function remove(name) {
	save(); // stores the last line read
	const room = chat.rooms.get(name);
	chat.rooms.delete(name);
	if (chat.room === room) chat.room = [...chat.rooms.values()][0] ?? null;
	if (chat.current === room) openRoom();
	else address(chat.current, true);
	save();
	draw();
}

/** Opens the room shown last; if there is none, it says what a person without a room can do. */
export function openRoom(isInHistory) {
	open(chat.room ?? new Nowhere(say('noRoom')), isInHistory);
}

export function open(place, isInHistory) {
	const { current } = chat;
	if (current && current !== place) {
		current.draft = compose.text();
		if (!current.unread) current.markAt();
	}
	chat.current = place;
	if (!place.isTalk) chat.room = place.isNowhere ? null : place;
	address(place, isInHistory || place.isNowhere);
	const label = say(place.isNowhere ? 'sayNowhere' : place.isTalk ? 'sayTo' : 'say', place);
	const isBrief = matchMedia('(max-width: 40rem)').matches && !place.isNowhere;
	$('input').ariaLabel = label;
	$('input').placeholder = isBrief ? say('sayBriefly', place) : label;
	drawNow();
	hideSides();
	// On a phone this would show the keyboard.
	if (matchMedia('(pointer: fine)').matches) $('input').focus();
	compose.put(place.draft);
}

export function address(place, isInHistory) {
	const room = encodeURIComponent(chat.room?.name ?? '');
	const here = location.pathname.split('/').pop() + location.hash;
	const wanted = place.isTalk ? `${room}#${encodeURIComponent(place.key)}` : room;
	if (wanted !== here) history[isInHistory ? 'replaceState' : 'pushState'](null, '', `./${wanted}`);
}

/** The room in the address of the page. */
export function follow() {
	const talk = talkAddressed();
	if (talk) open(talk, true);
	else join(addressed());
}

/** The conversation in the address, if there is one. */
export const talkAddressed = () => chat.talks.get(fold(decodeURIComponent(location.hash.slice(1)).slice(1)));

/** The room in the address, or nothing. After the last slash: a proxy may serve the rooms below a path. */
export const named = () => decodeURIComponent(location.pathname.split('/').pop()).toLowerCase();
export const addressed = () => named() || 'lobby';

export function write(name) {
	if (fold(name) !== fold(chat.me)) open(talkWith(name));
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
	const wanted = isUnread ? all.filter((place) => place.unread || place === chat.current) : all;
	if (wanted.length) open(wanted.at((wanted.indexOf(chat.current) + steps) % wanted.length));
}

export const inOrder = (all) =>
	all.toSorted((a, b) => !!a.isTalk - !!b.isTalk || a.name.localeCompare(b.name));
