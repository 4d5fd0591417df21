// Private conversations, shown like rooms; they survive a reload. Knows neither socket nor page.

import { Room } from './rooms.js';
import { chat, tab } from './state.js';
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
		return [chat.me, this.name];
	}

	get size() {
		return 2;
	}

	hear(name, text, time) {
		const line = { kind: 'line', seq: this.last + 1, name, text, time };
		if (name === chat.me) this.confirm(line);
		this.add(line);
	}
}

export function talkWith(name) {
	if (!chat.talks.has(fold(name))) chat.talks.set(fold(name), new Talk(name));
	return chat.talks.get(fold(name));
}

/** Handles a new name. Returns the conversation that changes, if any. */
export function follow(from, name) {
	const talk = chat.talks.get(fold(from));
	if (!talk || (chat.talks.get(fold(name)) ?? talk) !== talk) return null;
	chat.talks.delete(fold(from));
	talk.name = name;
	chat.talks.set(fold(name), talk);
	return talk;
}

/** Restores the conversations that this tab has stored for the person with this name. */
export function restore() {
	if (chat.talks.size || tab.talker !== fold(chat.me)) return;
	for (const { name, unread, said } of tab.talks) {
		const talk = talkWith(name);
		talk.draft = tab.drafts[talk.key] ?? '';
		for (const { who, text, time } of said) talk.hear(who, text, time);
		talk.attend();
		for (let n = 0; n < unread; n++) talk.count(true);
	}
}
