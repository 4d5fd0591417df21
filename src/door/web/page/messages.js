// Handles messages of the server. Knows no element except those for notifications.

import { address, command, open, remove } from './actions.js';
import * as connection from './connection.js';
import { follow, talkWith } from './conversations.js';
import * as lines from './lines.js';
import { askPassword } from './panels.js';
import { Room } from './rooms.js';
import { chat, kept, save, tab, visit } from './state.js';
import { $, fold, mentionOf } from './text.js';
import { attends, draw, note } from './view.js';
import { say, told } from './words.js';

const DAY_S = 86_400;

/** By kind of message; `answer` handles the others. */
export const handlers = {
	entered(message) {
		// The numbers belong to another log.
		const isAnew = message.resumed === 'another log';
		const room = chat.rooms.get(message.room) ?? newRoom(message.room, isAnew);
		if (isAnew && chat.rooms.has(room.name)) room.renew(say('anew'));
		room.log = chat.hello.log;
		chat.me = message.name;
		chat.away = message.away ?? null;
		room.keeps = message.keeps;
		room.enter(message);
		if (!chat.rooms.size) room.greetings.push(keeping());
		if (message.keeps && !chat.rooms.has(room.name)) room.greetings.push(say('youKeep'));
		chat.rooms.set(room.name, room);
		if (chat.current?.isNowhere) open(room, true);
		if (message.others) listPeople(room);
		draw();
	},
	departed: ({ room }) => remove(room),
	fell_behind({ room }) {
		const behind = chat.rooms.get(room);
		if (behind?.isSeated) listPeople(behind, true);
	},
	presence({ room, come, gone }) {
		chat.rooms.get(room)?.seat(come, gone);
		draw();
	},
	line: said,
	action: said,
	read({ room, time }) {
		chat.rooms.get(room)?.readTo(time);
		draw();
	},
	skipped({ room, first, last }) {
		chat.rooms.get(room)?.skip(first, last);
		draw();
	},
	arrived: happening((room, { name }) => room.seat(name)),
	left: happening((room, { name }) => room.seat(undefined, name)),
	// The page knows their names already.
	arrived_together: happening(() => {}),
	left_together: happening(() => {}),
	renamed: happening((room, { from, name }) => {
		room.seat(name, from);
		const talk = follow(from, name);
		if (talk && talk === chat.current) address(talk, true);
	}),
	topic: happening((room, { topic }) => (room.topic = topic)),
	took_back: happening((room, { name }) => room.takeBack(name)),
	ruled: happening(() => {}),
	you({ name }) {
		chat.me = visit.name = name;
		draw();
	},
	private({ from, to, words, time = Date.now() }) {
		const isOwn = fold(from) === fold(chat.me);
		const talk = talkWith(isOwn ? to : from);
		talk.hear(isOwn ? chat.me : from, words, time);
		if (!isOwn && !attends(talk)) call(talk, from, words);
		save();
		draw();
	},
	letter: (message) => handlers.private(message),
	async password({ refusal, ...question }) {
		command('password', { text: await askPassword(question, refusal && told(refusal)) });
	},
	refused: (message) => note(told(message)),
	removed(message) {
		if (!message.room) return showReason(told(message));
		lines.toEnd();
		note(told(message)); // the page has left the room
	},
	answer(message) {
		if (['away', 'back'].includes(message.about)) chat.away = message.words ?? null;
		// About a private message: it is in its conversation.
		if (['is-away', 'kept-for'].includes(message.about)) talkWith(message.name).note(told(message));
		else if (message.text) note(told(message));
		draw();
	},
};

function newRoom(name, isAnew) {
	const room = new Room(name, isAnew ? undefined : kept(visit.read, name)?.last);
	room.draft = kept(tab.drafts, name) ?? '';
	return room;
}

function showReason(words) {
	$('door-words').textContent = words;
}

function said(event) {
	const room = chat.rooms.get(event.room);
	if (!room?.add(event)) return;
	if (event.time <= room.readAt) room.read = Math.max(room.read, event.seq);
	if (event.name === chat.me) room.confirm(event);
	else if (event.seq > room.read && (event.old || !attends(room))) {
		if (mentionOf(chat.me)?.test(event.text)) call(room, event.name, event.text, event.old);
		else room.count();
	}
	draw();
}

/** An event changes its room, and is shown there. */
function happening(change) {
	return (event) => {
		const room = chat.rooms.get(event.room);
		if (!room) return;
		change(room, event);
		room.items.push(event);
		draw();
	};
}

/** Asks for all people of a room, page by page; arrivals and departures come between the pages. */
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
	const asking = Symbol();
	room.asking = asking;
	while (next !== null && room.asking === asking) {
		const { isDone, refusal } = await connection.ask({ do: 'people', room: room.name, from: next }, take);
		if (!isDone || refusal) return;
		draw();
	}
}

function keeping() {
	const { keeps, retain } = chat.hello;
	const key = keeps === 'disk' ? (retain ? 'keptFor' : 'kept') : 'notKept';
	return say(key, { n: Math.ceil(retain / DAY_S) });
}

function call(room, name, body, isOld) {
	room.count(true);
	$('call').textContent = room.isTalk ? say('wrote', { name }) : say('named', { name, room: room.name });
	if (isOld || window.Notification?.permission !== 'granted') return;
	try {
		const title = room.isTalk ? name : `${name} · ${room.name}`;
		new Notification(title, { body, tag: room.key }).onclick = () => focus() || open(room);
	} catch {
		// Phones do not support these notifications; the title has the count.
	}
}

