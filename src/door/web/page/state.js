// The state of the page: place, name, and storage for the next visit. Knows no element and no socket.

import { fold } from './text.js';

const TALKS_CHARS_MAX = 200_000; // a browser keeps some millions for the whole site

export const chat = {
	rooms: new Map(),
	talks: new Map(), // private conversations, by the folded name of the other
	current: null, // a room or a talk
	room: null, // the room shown last, to which commands apply; none if the person is in no room
	me: '',
	away: null, // the text for people who write, while the person is away
	isIn: false,
	hello: {},
	commands: [],
	known: [], // the rooms in the last list from the server
};

/** The tab stores return code, drafts and private messages. */
export const tab = { rooms: [], drafts: {}, talks: [], ...load('sessionStorage') };
/** The next visit has the name, and the last line read in each log. */
export const visit = { read: {}, ...load('localStorage') };

function load(store) {
	try {
		return JSON.parse(window[store].parlor);
	} catch {
		return {};
	}
}

export const places = () => [...chat.rooms.values(), ...chat.talks.values()];

/** A room may have the name of an object's own property. */
export const kept = (record, key) => (Object.hasOwn(record, key) ? record[key] : undefined);

export function save() {
	for (const room of chat.rooms.values()) visit.read[room.name] = { log: room.log, last: room.read };
	if (chat.current) {
		tab.rooms = [...chat.rooms.keys()];
		tab.isNowhere = !chat.rooms.size;
		tab.drafts = Object.fromEntries(places().flatMap(({ key, draft }) => (draft ? [[key, draft]] : [])));
		Object.assign(tab, { talker: fold(chat.me), talks: packed() });
	}
	try {
		sessionStorage.parlor = JSON.stringify(tab);
		localStorage.parlor = JSON.stringify(visit);
	} catch {
		// Without storage, the page asks for the name again.
	}
}

/** The newest private messages. */
function packed() {
	let left = TALKS_CHARS_MAX;
	return [...chat.talks.values()].map(({ name, unread, items }) => {
		const said = items.filter(({ kind }) => kind === 'line').map(({ name: who, text, time }) => ({ who, text, time }));
		const from = said.findLastIndex(({ text }) => (left -= text.length) < 0) + 1;
		return { name, unread, said: said.slice(from) };
	});
}
