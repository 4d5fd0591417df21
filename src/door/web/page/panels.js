// What stands around the lines: the door, rooms, people, the question for a password. Knows no socket.

import { $, button, colored, make, sentence } from './text.js';
import { say } from './words.js';

const PASSWORD_CHARS = 8; // the server takes no shorter one, but says so late

/** Puts the words of the reader's language where the HTML names them. */
export function putWords() {
	for (const element of document.querySelectorAll('[data-say]')) element.textContent = say(element.dataset.say);
	for (const element of document.querySelectorAll('[data-label]')) element.ariaLabel = say(element.dataset.label);
}

export function showDoor(room, words = '', wantsPassword = false) {
	$('chat').hidden = true;
	$('door').hidden = false;
	$('place').replaceChildren(...sentence('place', { room }));
	$('door-words').textContent = words;
	$('password').value = '';
	$('secret').hidden = !wantsPassword;
	$(wantsPassword ? 'password' : 'name').focus();
}

export function hideDoor() {
	$('door-words').textContent = '';
	$('door').hidden = true;
	$('chat').hidden = false;
}

export function drawRooms(rooms, current, open, leave) {
	const row = (room) => {
		const opener = button(make('bdi', '', room.name), () => open(room), 'open');
		if (room === current) opener.ariaCurrent = 'page';
		if (room.unread) opener.append(make('span', room.isNamed ? 'count named' : 'count', room.unread));
		const leaver = button('×', () => leave(room.name), 'leave');
		leaver.ariaLabel = say('leave', room);
		return make('li', '', opener, leaver);
	};
	put($('room-list'), rooms.toSorted((a, b) => a.name.localeCompare(b.name)).map(row));
	const unread = rooms.reduce((sum, room) => sum + room.unread, 0);
	$('elsewhere').textContent = unread - (current?.unread ?? 0) || '';
	document.title = `${unread ? `(${unread}) ` : ''}${current ? `${current.name} · ` : ''}Parlor`;
}

export function drawRoom(room, me, write) {
	$('title').textContent = room.name;
	$('me').textContent = me;
	$('topic').textContent = room.topic ?? say('about');
	$('here').textContent = room.size;
	drawPeople(room, me, write);
}

/** A row stays for as long as its person does: of thousands, few change at once. */
function drawPeople({ people, size }, me, write) {
	const list = $('people-list');
	const before = new Map([...list.children].map((row) => [row.dataset.name, row]));
	const rows = people.sort().map((name) => {
		const row = before.get(name) ?? person(name, write);
		row.classList.toggle('self', name === me);
		return row;
	});
	if (size > people.length) rows.push(make('li', 'quiet', `+ ${size - people.length}`));
	if (rows.length === list.children.length && rows.every((row, place) => row === list.children[place])) return;
	const focused = document.activeElement;
	list.replaceChildren(...rows);
	if (list.contains(focused)) focused.focus();
}

function person(name, write) {
	const row = make('li', '', button(colored(name), () => write(name), 'open'));
	row.dataset.name = name;
	return row;
}

/** Puts rows into a list unless they are there: what one clicks on stays. So does the focus. */
function put(list, rows) {
	if (list.isEqualNode(Object.assign(make('ul', '', ...rows), { id: list.id }))) return;
	const place = [...list.querySelectorAll('button')].indexOf(document.activeElement);
	list.replaceChildren(...rows);
	list.querySelectorAll('button')[place]?.focus();
}

/** Resolves to nothing where none is given. */
export function askPassword({ for: use, name }) {
	const [dialog, field] = [$('asking'), $('answer')];
	$('asked').replaceChildren(...sentence(`for-${use}`, { name }));
	dialog.returnValue = field.value = '';
	field.minLength = use === 'new' ? PASSWORD_CHARS : 0;
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.onclose = () => {
			resolve(dialog.returnValue && field.value);
			field.value = '';
		};
	});
}
