// Decides when to draw: once for a burst of changes. Knows no socket.

import * as lines from './lines.js';
import { mark } from './markers.js';
import { drawEmpty, drawRoom, drawRooms } from './panels.js';
import { chat, places } from './state.js';
import { $ } from './text.js';
import { say } from './words.js';

const DRAW_MS = 16;

let drawing = 0;
let on = {};

/** A click on a room calls `on.open(room)`, on its cross `on.leave(room)`, on a name `on.write(name)`. */
export function listen(listener) {
	on = listener;
}

export const attends = (room) => room === chat.current && lines.isAtEnd && document.hasFocus();

export function draw() {
	drawing ||= setTimeout(drawNow, DRAW_MS);
}

export function drawNow() {
	clearTimeout(drawing);
	drawing = 0;
	const { current, me } = chat;
	if (current) {
		for (const room of chat.rooms.values()) room.trim(room !== current || lines.isAtEnd);
		lines.draw(current, me);
		if (attends(current)) {
			current.attend();
			mark(current);
		}
		drawRoom(current, me, on.write);
		drawEmpty(current);
		$('away').hidden = chat.away === null;
		$('away-words').textContent = say('youAreAway', { words: chat.away });
		$('notify').hidden = window.Notification?.permission !== 'default';
		$('newest').hidden = lines.isAtEnd;
	}
	drawRooms(places(), current, on.open, on.leave);
}

/** A note for this reader, in the current room. */
export function note(text, kind) {
	chat.current?.note(text, kind);
	draw();
}
