// The page: enters, reconnects, connects its parts. Does not know how anything is sent or shown.

import * as actions from './actions.js';
import * as compose from './compose.js';
import * as connection from './connection.js';
import { restore } from './conversations.js';
import { fillGap, older } from './history.js';
import * as keys from './keys.js';
import * as lines from './lines.js';
import { handlers } from './messages.js';
import { hideDoor, putWords, showDoor, waitForDoor } from './panels.js';
import { browse, goQuickly, look, search } from './search.js';
import { chat, places, save, tab, visit } from './state.js';
import { $, among } from './text.js';
import { draw, drawNow, listen as listenToView, note } from './view.js';
import { command as offered, say, tag, told } from './words.js';

const SAVE_MS = 500; // a draft is stored this long after typing
const LEAVE = { name: 'leave', arguments: '[ROOM]', does: 'leaves a room, and stays on the server' }; // not a line command
const ELSEWHERE = ['resume', 'echo']; // for the name question, and for terminals
const KEEPERS = ['kick', 'ban', 'unban', 'mute', 'unmute']; // only keepers can use them

const CLOSED = ['room-password', 'invited-only', 'room-full']; // the rules of a room do not let the person in

const OTHER_TAB_MS = 200; // another tab of this browser answers within this time
const LEAVING_MS = 2_000; // a closed page has the name for some seconds,
const LEAVING_TRIES = 3; // and the page tries again this many times

let identity = null; // the identity of the person who wants to enter
let tries = 0;
let answered = () => {};
let saving = 0;

const tabs = new BroadcastChannel('parlor');
tabs.onmessage = ({ data }) => {
	if (data.answer) answered();
	else if (chat.isIn && data.asked === chat.me) tabs.postMessage({ answer: chat.me });
};

document.documentElement.lang = tag;
putWords();
among(function* () {
	for (const room of chat.rooms.values()) yield* room.seats.keys();
});
compose.listen({
	submit: actions.submit,
	most: () => chat.hello.lines,
	changed,
	commands: commandsLike,
	names: namesLike,
	rooms: (word) => chat.known.map(({ room }) => room).filter((name) => name.startsWith(word.toLowerCase())),
});
lines.listen({ older, moved: draw, fill: fillGap });
listenToView({ open: actions.open, leave: actions.leave, write: actions.write });
keys.listen({ isIn: () => chat.isIn, step: actions.step, goTo: goQuickly, newest: toNewest });
connection.listen({ hear: (message) => (hear[message.kind] ?? handlers[message.kind] ?? handlers.answer)(message), down });
$('name').value = visit.name ?? '';
if (tab.code) comeIn(visit.name);
else showDoor(actions.addressed());

$('door').onsubmit = (event) => {
	event.preventDefault();
	const typed = $('name').value.trim();
	tab.code = /^\/resume\s+(\S+)$/.exec(typed)?.[1] ?? '';
	comeIn(tab.code ? '' : typed, $('password').value);
};
$('browse').onclick = $('choose').onclick = browse;
$('search').onclick = () => search('');
$('me').onclick = () => actions.interpose('/name ');
$('come-back').onclick = () => actions.command('away', { args: [] });
$('topic').onclick = () => chat.current.isTalk || actions.interpose(`/topic ${chat.current.topic ?? ''}`);
$('newest').onclick = toNewest;
$('notify').onclick = () => Notification.requestPermission().then(draw);
$('retry').onclick = connection.retryNow;
addEventListener('popstate', () => chat.isIn && actions.follow());
addEventListener('focus', draw);
addEventListener('pagehide', keep);
document.addEventListener('visibilitychange', () => (document.hidden ? keep() : draw()));

function toNewest() {
	lines.toEnd();
	draw();
	if (matchMedia('(pointer: fine)').matches) $('input').focus();
}

function changed() {
	clearTimeout(saving);
	saving = setTimeout(keep, SAVE_MS);
}

function keep() {
	if (chat.current) chat.current.draft = compose.text();
	save();
}

// Enters and reconnects.

function comeIn(name, password) {
	tries = 0;
	identity = { ...(name && { name }), ...(password && { password }) };
	waitForDoor(true);
	if (connection.isOpen()) enter();
	else connection.open();
}

/** `closed` is a room that does not let everybody in: the person enters the server, and joins it from there. */
async function enter(closed) {
	// A person without a room has none after a reload, either.
	const isNowhere = closed || (chat.current ? !chat.room : tab.isNowhere && !actions.named());
	const place = isNowhere ? null : (chat.room?.name ?? actions.addressed());
	const who = tab.code ? { code: tab.code } : identity;
	const { isDone, refusal } = await connection.ask({ do: 'enter', ...who, ...actions.from(place) });
	if (!isDone) return;
	if (!refusal) {
		await settle();
		return closed && actions.join(closed, true);
	}
	tab.code = '';
	if (who !== identity && identity.name) enter();
	// A lost connection has the name until the server notices.
	else if (refusal.why === 'name-taken' && chat.current) connection.lose();
	else if (refusal.why === 'name-taken' && (await isLeaving(identity.name))) setTimeout(enter, LEAVING_MS);
	else if (place && CLOSED.includes(refusal.why)) enter(place);
	else turnedAway(refusal, place);
}

/** Whether a page of this browser, closed a moment ago, may have the name. */
async function isLeaving(name) {
	if (name !== visit.name || tries++ >= LEAVING_TRIES) return false;
	const isInOtherTab = await new Promise((resolve) => {
		answered = () => resolve(true);
		tabs.postMessage({ asked: name });
		setTimeout(() => resolve(false), OTHER_TAB_MS);
	});
	return !isInOtherTab;
}

function turnedAway(refusal, place) {
	const isOther = refusal.why === 'name-taken' && identity.name === visit.name;
	const words = refusal.why === 'name-owned' ? say('owned', identity) : told(refusal);
	identity = null;
	tab.isNowhere = false;
	showDoor(place ?? actions.addressed(), isOther ? `${words} · ${say('otherTab')}` : words, ['name-owned', 'wrong-password'].includes(refusal.why));
}

async function settle() {
	const isBack = !!chat.current;
	connection.settle();
	chat.isIn = true;
	hideDoor();
	restore();
	if (!chat.current) {
		chat.room = [...chat.rooms.values()][0] ?? null;
		const talk = actions.talkAddressed();
		if (talk) actions.open(talk, true);
		else actions.openRoom(true);
	}
	if (chat.me.includes(':')) delete visit.name; // an address is no name
	else visit.name = identity.name = chat.me;
	$('hint').textContent = '';
	connection.ask({ do: 'code' }, ({ kind, code }) => {
		if (kind !== 'code') return false;
		tab.code = code;
		save();
		return true;
	});
	connection.ask({ do: 'help' }, (message) => message.kind === 'help' && (chat.commands = [...message.commands, LEAVE]));
	look();
	for (const name of new Set([...chat.rooms.keys(), ...tab.rooms])) {
		if (chat.rooms.get(name)?.isSeated) continue;
		const { isDone, refusal } = await connection.ask({ do: 'join', ...actions.from(name), args: [actions.passwords.get(name) ?? ''] });
		if (!isDone) return;
		if (refusal) actions.remove(name);
	}
	for (const room of chat.rooms.values()) room.caughtUp();
	if (isBack) note(say('back'));
	// The oldest comes first.
	for (const place of places()) {
		for (const sent of place.outbox.toReversed()) if (sent.isLost) actions.giveBack(place, sent, say('lost'));
	}
	save();
	draw();
}

function down(pauseMs) {
	chat.isIn = false;
	for (const place of places()) {
		place.isSeated = false;
		for (const sent of place.outbox) sent.isLost = true;
	}
	keep();
	for (const dialog of [$('asking'), $('finder')]) dialog.close();
	if (pauseMs !== undefined) return showState(say('broken'));
	if (!chat.current) return;
	chat.rooms.clear();
	chat.talks.clear();
	chat.current = chat.room = identity = null;
	Object.assign(tab, { code: '', rooms: [], isNowhere: false, drafts: {}, talks: [] });
	save();
	history.replaceState(null, '', location.pathname);
	showDoor(actions.addressed(), $('door-words').textContent || say('youLeft'));
	drawNow();
}

function showState(words) {
	$('state').hidden = !words;
	$('state-words').textContent = $('door-words').textContent = words;
}

const hear = {
	hello(message) {
		chat.hello = message;
		showState('');
		if (identity) enter();
	},
	you(message) {
		handlers.you(message);
		identity.name = message.name;
	},
};

// Completions for the field.

function namesLike(word) {
	const isLike = (name) => name !== chat.me && name.toLowerCase().startsWith(word.toLowerCase());
	return chat.current.people.filter(isLike).sort();
}

function commandsLike(word) {
	const isLike = (name) => name.startsWith(word.toLowerCase());
	const isOffered = ({ name }) => !ELSEWHERE.includes(name) && isLike(name) && (chat.room?.keeps || !KEEPERS.includes(name));
	return chat.commands.filter(isOffered).map((spec) => {
		const { usage, does } = offered(spec);
		return { label: usage, words: does, insert: `/${spec.name}${spec.arguments && ' '}` };
	});
}
