// Private conversations, shown like rooms; they survive a reload. Knows neither socket nor page.

import { Room } from './rooms.js';
import { house, tab } from './state.js';
import { fold } from './text.js';

class Talk extends Room {
	isTalk = true;
	isLoading = false;
	isWhole = true;
	topic = null;

	constructor(name) {
		super(name, 0);
	}

	get key() {
		return `@${this.name}`;
	}

	get people() {
		return [house.me, this.name];
	}

	get size() {
		return 2;
	}

	hear(name, text, time) {
		const line = { kind: 'line', seq: this.last + 1, name, text, time };
		if (name === house.me) this.confirm(line);
		this.add(line);
	}
}

export function talkWith(name) {
	if (!house.talks.has(fold(name))) house.talks.set(fold(name), new Talk(name));
	return house.talks.get(fold(name));
}

/** Handles a new name. Returns the conversation that changes, if any. */
export function follow(from, name) {
	const talk = house.talks.get(fold(from));
	if (!talk || (house.talks.get(fold(name)) ?? talk) !== talk) return null;
	house.talks.delete(fold(from));
	talk.name = name;
	house.talks.set(fold(name), talk);
	return talk;
}

/** What this tab stored for the person with this name. */
export function restore() {
	if (house.talks.size || tab.talker !== fold(house.me)) return;
	for (const { name, unread, said } of tab.talks) {
		const talk = talkWith(name);
		talk.draft = tab.drafts[talk.key] ?? '';
		for (const { who, text, time } of said) talk.hear(who, text, time);
		talk.attend();
		for (let n = 0; n < unread; n++) talk.count(true);
	}
}
