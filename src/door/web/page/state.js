// The state of the page: place, name, and storage for the next visit. Knows no element and no socket.

import { fold } from './text.js';

const TALKS_CHARS_MAX = 200_000; // a browser keeps some millions for the whole site

export const house = {
	rooms: new Map(),
	talks: new Map(), // private conversations, by the folded name of the other
	current: null, // a room or a talk
	room: null, // the room in which one was last: commands are about it
	me: '',
	isIn: false,
	hello: {},
	commands: [],
	known: [], // rooms that there are, as far as was asked
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

export const places = () => [...house.rooms.values(), ...house.talks.values()];

/** A room may have the name of an object's own property. */
export const kept = (record, key) => (Object.hasOwn(record, key) ? record[key] : undefined);

export function save() {
	for (const room of house.rooms.values()) visit.read[room.name] = { log: room.log, last: room.read };
	if (house.current) {
		tab.rooms = [...house.rooms.keys()];
		tab.drafts = Object.fromEntries(places().flatMap(({ key, draft }) => (draft ? [[key, draft]] : [])));
		Object.assign(tab, { talker: fold(house.me), talks: packed() });
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
	return [...house.talks.values()].map(({ name, unread, items }) => {
		const said = items.filter(({ kind }) => kind === 'line').map(({ name: who, text, time }) => ({ who, text, time }));
		const from = said.findLastIndex(({ text }) => (left -= text.length) < 0) + 1;
		return { name, unread, said: said.slice(from) };
	});
}
