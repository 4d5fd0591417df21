// Finds rooms and lines. Uses the socket only for requests.

import { inOrder, join, open } from './actions.js';
import * as connection from './connection.js';
import { show } from './history.js';
import { hideSides } from './panels.js';
import { chat, places } from './state.js';
import { $, button, colored, make, marksOf, rich } from './text.js';
import { moment, say, told } from './words.js';

const [dialog, field, found] = [$('finder'), $('wanted'), $('found')];
let on = {};

field.oninput = () => on.typed && list(on.typed(field.value.trim().toLowerCase()));
$('look').onclick = async (event) => {
	event.preventDefault();
	const typed = field.value.trim();
	if (typed) list((await on.submit(typed)) ?? []);
};

dialog.onkeydown = (event) => {
	const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
	if (!way) return;
	event.preventDefault();
	const stops = [field, ...found.querySelectorAll('button')];
	stops.at((stops.indexOf(document.activeElement) + way) % stops.length).focus();
};

/** Asks for the rooms. */
export const look = () =>
	connection.ask({ do: 'rooms' }, (message) => message.kind === 'rooms' && (chat.known = message.rooms));

export async function browse() {
	hideSides();
	await look();
	const row = ({ room, people, topic }) => [
		[make('bdi', '', room)],
		[say('inRoom', { n: people }), topic].filter(Boolean).join(' · '),
		() => join(room, true),
	];
	find(say('roomName'), say('go'), '', {
		typed: (word) => chat.known.filter(({ room }) => room.includes(word)).map(row),
		submit: (name) => {
			$('finder').close();
			join(name, true);
		},
	});
}

/** Chooses a room or conversation with few keys. */
export async function goQuickly() {
	hideSides();
	const mine = inOrder(places().filter((place) => place !== chat.current)).toSorted((a, b) => !!b.unread - !!a.unread);
	const own = (place) => [[make('bdi', '', place.name)], place.unread ? String(place.unread) : say(place.isTalk ? 'talk' : 'room'), () => open(place)];
	const other = ({ room, people }) => [[make('bdi', '', room)], say('inRoom', { n: people }), () => join(room, true)];
	const rows = (word) => [
		...mine.filter(({ name }) => name.toLowerCase().includes(word)).map(own),
		...chat.known.filter(({ room }) => room.includes(word) && !chat.rooms.has(room)).map(other),
	];
	find(say('goTo'), say('go'), '', {
		typed: rows,
		submit: (name) => {
			const [first] = rows(name.toLowerCase());
			$('finder').close();
			if (first) first[2]();
			else join(name, true);
		},
	});
	look();
}

export function search(words) {
	let [typed, rows] = ['', []];
	/** The results so far, and a button for more. */
	async function next() {
		const more = [];
		const take = (message) => {
			const { kind, about, lines, room, seq, time, name, words: text } = message;
			if (kind === 'found') {
				const line = [colored(name), ' ', ...rich(text, marksOf(typed)).map(unlinked)];
				rows.push([line, `${room} · ${moment.format(new Date(time))}`, () => show(room, seq)]);
			} else if (about === 'found-more' && lines) {
				more.push(button(say('foundMore', { n: lines }), goOn, 'more'));
			} else if (kind === 'answer') more.push(told(message));
			return kind === 'found' || kind === 'answer';
		};
		const { refusal } = await connection.ask({ do: 'search', args: [typed], skip: rows.length }, take);
		return refusal ? [told(refusal)] : [...rows, ...more];
	}
	async function goOn() {
		const from = rows.length;
		list(await next());
		found.querySelectorAll('button')[from]?.focus();
	}
	find(say('searchFor'), say('find'), words, {
		submit(text) {
			[typed, rows] = [text, []];
			return next();
		},
	});
}

/** A click anywhere in the row counts. */
const unlinked = (node) => (node.tagName === 'A' ? node.textContent : node);

// The list and its field.

/** Shows the results of `on.typed(word)` during typing, or of `on.submit(typed)` at the end: rows as [nodes, words,
	what happens when it is chosen], and whatever else stands among them as it is. */
function find(title, action, typed, listener) {
	on = listener;
	$('finding').textContent = title;
	$('look').textContent = action;
	field.value = typed;
	list([]);
	if (!dialog.open) dialog.showModal();
	if (typed) $('look').click();
	else field.oninput();
}

function list(rows) {
	found.replaceChildren(...rows.map((row) => make('li', '', Array.isArray(row) ? choice(...row) : row)));
}

function choice(nodes, words, choose) {
	const chosen = () => {
		dialog.close();
		choose();
	};
	const label = make('span', '', ...nodes);
	label.dir = 'auto';
	const opener = button(label, chosen, 'open');
	const more = make('span', 'quiet', words);
	more.dir = 'auto';
	opener.append(more);
	return opener;
}
