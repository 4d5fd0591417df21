// Earlier lines: older ones, gaps, found ones. Knows no element.

import { join } from './actions.js';
import * as connection from './connection.js';
import * as lines from './lines.js';
import { chat } from './state.js';
import { draw, drawNow } from './view.js';

const HISTORY_LINES = 100; // more than a screen

async function recall(room, query) {
	const events = [];
	const take = (event) => event.old && event.room === room.name && events.push(event);
	const { isDone } = await connection.ask({ do: 'history', room: room.name, limit: HISTORY_LINES, ...query }, take);
	for (const event of events) if (event.name === chat.me) room.confirm(event);
	return isDone ? events : null;
}

/** Loads older lines when the reader comes near the first one. */
export async function older() {
	const room = chat.current;
	if (!chat.isIn || room.isWhole || room.isLoading || room.items[0]?.kind === 'gap') return;
	room.isLoading = true;
	const events = room.first > 1 ? await recall(room, { before: room.first }) : [];
	room.isLoading = false;
	if (!events) return;
	if (events.length) {
		room.fill(events[0].seq, room.first - 1, events);
		room.grow(events.length);
	} else room.isWhole = true;
	draw();
}

export async function fillGap(gap) {
	const room = chat.current;
	if (room.isTop(gap)) {
		room.openTop();
		return older();
	}
	const { first, last } = gap;
	const events = await recall(room, { after: first - 1 });
	if (!events) return;
	// If fewer came, the server has no more.
	const high = events.length < HISTORY_LINES ? last : Math.min(last, events.at(-1).seq);
	room.fill(first, high, events.filter(({ seq }) => seq <= last));
	draw();
}

/** Shows a line among its neighbours. */
export async function show(name, seq) {
	await join(name, true);
	const room = chat.current;
	if (room.name !== name || room.isTalk) return;
	if (!room.has(seq)) {
		const events = await recall(room, { before: seq + HISTORY_LINES / 2 });
		if (events?.length) room.fill(events[0].seq, events.at(-1).seq, events);
	}
	drawNow();
	lines.show(seq);
}
