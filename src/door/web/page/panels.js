// The parts around the lines: entry form, rooms, people, passwords. Knows no socket.

import { isLine } from './rooms.js';
import { $, button, colored, make, sentence } from './text.js';
import { say } from './words.js';

const WAIT_MS = 300; // most people enter sooner, and see no notice
const COPIED_MS = 2_000;

let waiting = 0;

/** Fills in the words of the reader's language. */
export function putWords() {
	for (const element of document.querySelectorAll('[data-say]')) element.textContent = say(element.dataset.say);
	for (const element of document.querySelectorAll('[data-label]')) element.ariaLabel = say(element.dataset.label);
	$('copy').onclick = copy;
}

export function showDoor(room, words = '', wantsPassword = false) {
	waitForDoor(false);
	$('chat').hidden = true;
	$('door').hidden = false;
	$('place').replaceChildren(...sentence('place', { room }));
	$('door-words').textContent = words;
	$('password').value = '';
	$('secret').hidden = !wantsPassword;
	$(wantsPassword ? 'password' : 'name').focus();
}

export function hideDoor() {
	waitForDoor(false);
	$('door-words').textContent = '';
	$('door').hidden = true;
	$('chat').hidden = false;
}

/** Shown between the form and the room on a slow connection. */
export function waitForDoor(waits) {
	clearTimeout(waiting);
	$('enter').disabled = waits;
	$('enter').textContent = say(waits ? 'entering' : 'enter');
	$('wait').hidden = true;
	if (waits && $('door').hidden && $('chat').hidden) waiting = setTimeout(() => ($('wait').hidden = false), WAIT_MS);
}

export function hideSides() {
	for (const side of [$('rooms'), $('people')]) side.hidePopover();
}

export function drawRooms(places, current, open, leave) {
	const row = (place) => {
		const opener = button(make('bdi', 'label', place.name), () => open(place), 'open');
		if (place === current) opener.ariaCurrent = 'page';
		if (place.unread) opener.append(badge(place));
		const leaver = button('×', () => leave(place), 'leave');
		leaver.ariaLabel = leaver.title = say(place.isTalk ? 'closeTalk' : 'leave', place);
		return make('li', '', opener, leaver);
	};
	const sorted = places.toSorted((a, b) => a.name.localeCompare(b.name));
	put($('room-list'), sorted.filter(({ isTalk }) => !isTalk).map(row));
	put($('talk-list'), sorted.filter(({ isTalk }) => isTalk).map(row));
	$('talks').hidden = !places.some(({ isTalk }) => isTalk);
	const elsewhere = places.filter((place) => place !== current);
	const sum = (of) => of.reduce((all, { unread }) => all + unread, 0);
	$('elsewhere').textContent = sum(elsewhere) || '';
	$('elsewhere').classList.toggle('named', elsewhere.some(({ isNamed }) => isNamed));
	const unread = sum(places);
	document.title = `${unread ? `(${unread}) ` : ''}${current ? `${current.name} · ` : ''}Parlor`;
}

/** Marks a mention: `@` before the number, in another colour. */
function badge({ isNamed, isTalk, unread }) {
	const element = make('span', isNamed ? 'count named' : 'count', isNamed && !isTalk ? `@ ${unread}` : unread);
	element.title = say(isNamed ? 'unreadNamed' : 'unread', { n: unread });
	return element;
}

export function drawRoom(room, me, write) {
	$('chat').classList.toggle('talking', !!room.isTalk);
	$('title').textContent = room.name;
	$('me').textContent = me;
	$('topic').textContent = room.isTalk ? say('talkAbout') : (room.topic ?? say('about'));
	$('topic').classList.toggle('none', room.topic === null);
	$('topic').hidden = !!room.isNowhere;
	$('topic').disabled = !!room.isTalk;
	for (const element of [$('here'), $('size')]) element.textContent = room.size;
	drawPeople(room, me, write);
}

/** Shown in an empty room: how to invite people. Shown without a room: how to join one. */
export function drawEmpty(room) {
	const isEmpty = !room.isLoading && !room.items.some((item) => isLine(item) || item.kind === 'gap') && !room.outbox.length;
	$('empty').hidden = !isEmpty;
	if (!isEmpty) return;
	const isAlone = room.size < 2;
	const key = room.isNowhere ? 'nowhere' : room.isTalk ? 'talkEmpty' : isAlone ? 'firstHere' : 'nothingYet';
	$('nothing').replaceChildren(...sentence(key, room));
	$('choose').hidden = !room.isNowhere;
	$('invitation').hidden = room.isNowhere || room.isTalk || !isAlone;
	$('share').value = location.href;
}

function copy() {
	$('share').select();
	// Without TLS, browsers have no other way.
	if (navigator.clipboard) navigator.clipboard.writeText($('share').value).then(copied, () => {});
	else if (document.execCommand('copy')) copied();
}

function copied() {
	$('copy').textContent = say('copied');
	setTimeout(() => ($('copy').textContent = say('copy')), COPIED_MS);
}

/** The row of a person stays while the person is here: of thousands of rows, few change at once. */
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
	const opener = button(colored(name), () => write(name), 'open');
	opener.title = name; // the visible name may be cut
	const row = make('li', '', opener);
	row.dataset.name = name;
	return row;
}

/** Updates the rows of a list, and keeps those that stay, with their focus. */
function put(list, rows) {
	if (list.isEqualNode(Object.assign(make('ul', '', ...rows), { id: list.id }))) return;
	const place = [...list.querySelectorAll('button')].indexOf(document.activeElement);
	list.replaceChildren(...rows);
	list.querySelectorAll('button')[place]?.focus();
}

/** Resolves to nothing if no password is given. `why` is the reason to ask again. */
export function askPassword({ for: use, name, chars }, why = '') {
	const [dialog, field] = [$('asking'), $('answer')];
	$('asked').replaceChildren(...sentence(`for-${use}`, { name, chars }));
	dialog.returnValue = field.value = '';
	field.autocomplete = ['new', 'again'].includes(use) ? 'new-password' : 'current-password';
	dialog.showModal();
	$('asked-again').textContent = why; // a screen reader reads only visible changes
	return new Promise((resolve) => {
		dialog.onclose = () => {
			resolve(dialog.returnValue && field.value);
			field.value = '';
		};
	});
}
