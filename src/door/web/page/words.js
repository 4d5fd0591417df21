// What the page says in English; other languages have a file each, which is loaded where it is wanted.
// Knows neither the page nor the server. {name} stands for what somebody typed; {n line lines} for the word that follows a number.

/** Which of them the browser prefers. */
const language = /^zh\b/i.test(navigator.language) && 'zh';

const words = {
	yourName: 'Your name',
	password: 'Password',
	enter: 'Enter',
	place: 'The door to {room}',
	nameless: 'Without a name you are shown by your network address.',
	youLeft: 'You have left.',
	otherTab: 'Perhaps you are here in another tab.',
	rooms: 'Rooms',
	people: 'People',
	search: 'Search',
	leave: 'Leave {name}',
	notify: 'Notify me when I am named',
	about: 'Say what this room is about',
	lines: 'What is said',
	say: 'Say something in {name}, or / for commands',
	browse: 'Join a room',
	privately: 'to {to} alone:',
	send: 'Send',
	choices: 'What can stand here',
	newest: 'Newest lines',
	news: 'New',
	gap: '{n} {n line lines} not shown',
	show: 'Show',
	anew: 'The server began anew or went back to an older copy: what you missed here cannot be counted.',
	kept: 'Lines here are kept.',
	keptFor: 'Lines here are kept for {n} {n day days}.',
	notKept: 'Lines here are gone when the server ends.',
	pasted: '{n} lines',
	together: 'Say them together',
	oneLine: 'Make it one line',
	tooMuch: 'Too much at once: 16 KB at most.',
	broken: 'The connection is lost; it is tried again and again.',
	lost: 'That did not arrive. Send it again?',
	notNow: 'The connection is lost.',
	tryNow: 'Try now',
	owned: '{name} has an owner: what is the password?',
	'for-own': 'The password of {name}',
	'new-password': 'The name you use has a new password; this connection is closed',
	'for-present': 'The present password of {name}',
	'for-new': 'A password for {name}: 8 characters or more; nobody else sees it',
	'for-again': 'The same once more',
	cancel: 'Cancel',
	andOthers: '{names} and {n} {n other others}',
	arrived: '{name} has arrived',
	left: '{name} has left',
	leftSaying: '{name} has left ({words})',
	arrived_together: '{names} have arrived',
	left_together: '{names} have left',
	renamed: '{from} is now known as {name}',
	topic: '{name} changed the topic to: {topic}',
	topicCleared: '{name} cleared the topic',
	'you-banned': '{by} has banned you from {place}',
	'you-removed': '{by} has removed you from {place}',
	'you-muted': '{by} does not let you speak in {place}',
	'left-banned': '{by} has banned {name}',
	'left-removed': '{by} has removed {name}',
	banned: '{by} has banned {whom}',
	unbanned: '{by} lets {whom} come again',
	muted: '{by} does not let {whom} speak',
	unmuted: '{by} lets {whom} speak again',
	locked: '{by} has locked the topic: only keepers change it',
	unlocked: '{by} has unlocked the topic',
	keeper: '{by} has made {whom} a keeper',
	'no-keeper': '{by} has {whom} be a keeper no longer',
	until: 'until {time}',
	server: 'this server',
	operator: 'The operator',
	took_back: '{name} has taken back what {name} said',
	roomName: 'A room to go to, or the name of a new one',
	searchFor: 'Words that were said in any room',
	find: 'Find',
	go: 'Go there',
	close: 'Close',
	inRoom: '{n} {n person people}',
	answerTo: 'Reply',
	youKeep: 'You keep order here: /help kick, /help ban and /help mute say how.',
};

/** How a point in time is written. */
export const moment = new Intl.DateTimeFormat(navigator.language, { dateStyle: 'medium', timeStyle: 'short' });
const other = language ? await import(`./${language}.js`) : {};

export const tag = other.tag ?? 'en';

/** A sentence in pieces: our words as strings, those of others as `{ name }`. */
export function parts(key, fields = {}) {
	return (other.words ?? words)[key].split(/\{(.+?)\}/).map((part, place) => {
		if (place % 2 === 0) return part;
		const [field, one, many] = part.split(' ');
		if (one) return fields[field] === 1 ? one : many;
		return { name: String(fields[field]) };
	});
}

/** The same as one string. */
export const say = (key, fields) => parts(key, fields).map((part) => part.name ?? part).join('');

/** What the server says, whose own words are English. */
export function told(message) {
	const { kind, why, about, banned, by } = message;
	const verdict = kind === 'removed' ? (banned ? 'banned' : kind) : (why ?? about);
	if (by === 'new-password') return say('new-password');
	if (by && by !== 'themselves' && `you-${verdict}` in words) return order(`you-${verdict}`, message);
	return other.told?.(message) || message.text;
}

/** What was done with authority, with its end and its reason where it has them. */
export function order(key, { by, room, until, reason, ...fields }) {
	const end = until && say('until', { time: moment.format(new Date(until)) });
	const done = say(key, { ...fields, by: by === 'the operator' ? say('operator') : by, place: room ?? say('server') });
	return [done, end, reason].filter(Boolean).join(' · ');
}

/** A command as it is offered: how it is typed, and what it does. */
export const command = (spec) => other.command?.(spec) ?? { usage: `/${spec.name} ${spec.arguments}`, does: spec.does };
