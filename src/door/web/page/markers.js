// Tells the server how far an owner has read, for the other pages and clients. Knows no element.

import * as connection from './connection.js';
import { isLine } from './rooms.js';

const PAUSE_MS = 3_000; // in a busy room, each line is read at once

const due = new Set();
let waiting = 0;

/** The reader has seen all lines of a room. */
export function mark(room) {
	const time = room.items.findLast(isLine)?.time;
	if (room.readAt === undefined || !time || time <= room.readAt) return;
	room.readAt = time;
	due.add(room);
	waiting ||= setTimeout(tell, PAUSE_MS);
}

function tell() {
	waiting = 0;
	for (const { name, readAt } of due) connection.ask({ do: 'read', room: name, time: readAt });
	due.clear();
}
