// The page's sentences in English; each other language has its own file. Knows neither page nor server.
// {name} is text that a person typed; {n line lines} is the word after a number.

/** The language that the browser prefers. */
const language = /^zh\b/i.test(navigator.language) && 'zh';

const words = {
	yourName: 'Your name',
	password: 'Password',
	enter: 'Enter',
	entering: 'Connecting…',
	place: 'Join {room}',
	nameless: 'Without a name you appear under your network address.',
	youLeft: 'You have left.',
	otherTab: 'Perhaps you are already here in another tab.',
	rooms: 'Rooms',
	room: 'room',
	talks: 'Private messages',
	talk: 'private',
	people: 'People',
	search: 'Search',
	leave: 'Leave {name}',
	closeTalk: 'Close the conversation with {name}',
	unread: '{n} new',
	unreadNamed: '{n} new; you are mentioned',
	notify: 'Notify me of mentions',
	about: 'Add a topic',
	lines: 'Messages',
	say: 'Message {name}, or / for commands',
	sayBriefly: 'Message {name}',
	sayTo: 'Message {name} privately',
	sayNowhere: 'Type / for commands',
	noRoom: 'No room',
	nowhere: 'You are in no room. You keep your name, and people can write to you privately.',
	joinFirst: 'You are in no room. Join one first.',
	talkAbout: 'Private: only you two read this.',
	talkEmpty: 'Nothing yet. Only you and {name} will read what you write here; it stays in this tab until you close it.',
	firstHere: 'You are the first here.',
	nothingYet: 'Nothing has been said here yet.',
	share: 'Share this address to invite people:',
	copy: 'Copy',
	copied: 'Copied',
	wrote: '{name} wrote to you privately',
	named: '{name} mentioned you in {room}',
	browse: 'Join a room',
	goTo: 'Go to a room or a conversation',
	send: 'Send',
	choices: 'Suggestions',
	newest: 'Newest lines',
	news: 'New',
	gap: '{n} {n line lines} not shown',
	above: '{n} older {n line lines} not shown',
	show: 'Show',
	anew: 'The server has started anew or went back to an older copy. What you missed here cannot be counted.',
	kept: 'Messages here are stored.',
	keptFor: 'Messages here are stored for {n} {n day days}.',
	notKept: 'Messages here are gone when the server stops.',
	pasted: '{n} lines',
	together: 'Send them together',
	oneLine: 'Make it one line',
	tooMany: '{n} lines are too many: {most} can be sent at once. Send fewer, or make them one line.',
	tooMuch: 'This is too long: 16 KB can be sent at once. Send it in parts.',
	broken: 'Connection lost. Reconnecting…',
	back: 'Connected again.',
	lost: 'This was not delivered. Send it again?',
	notNow: 'Not sent: there is no connection. Try again in a moment.',
	tryNow: 'Try now',
	owned: '{name} is registered. Enter its password, or choose another name.',
	'for-own': 'Password for {name}',
	'for-present': 'Current password for {name}',
	otherPassword: 'That is another password.',
	'for-room': 'Password of the room {name}',
	'new-password': 'Your name has a new password, so this connection is closed. Enter again with the new password.',
	'for-new': 'New password for {name}, at least {chars} characters. Nobody else sees it.',
	'for-again': 'Repeat the password',
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
	'you-muted': '{by} has muted you in {place}',
	'left-banned': '{by} has banned {name}',
	'left-removed': '{by} has removed {name}',
	banned: '{by} has banned {whom}',
	unbanned: '{by} has lifted the ban on {whom}',
	muted: '{by} has muted {whom}',
	unmuted: '{by} has unmuted {whom}',
	locked: '{by} has locked the topic: only keepers can change it',
	unlocked: '{by} has unlocked the topic',
	'invited-only': '{by} lets only invited people in',
	'not-invited-only': '{by} lets people in without an invitation',
	moderated: '{by} lets only keepers and people with a voice speak',
	'not-moderated': '{by} lets everybody speak',
	'not-moderated-unkept': 'No keeper is here any more, so everybody can speak',
	secret: '{by} made the room secret: nobody outside sees it',
	'not-secret': '{by} made the room visible to people outside',
	'room-password': '{by} gave the room a password: /room shows it',
	'no-room-password': '{by} removed the password of the room',
	limited: '{by} lets at most {limit} people into the room',
	'not-limited': '{by} removed the limit of people',
	private: '{by} made the room private: only invited people enter, and nobody else sees it',
	open: '{by} made the room open to everybody',
	voice: '{by} gave {whom} a voice',
	'no-voice': '{by} took the voice of {whom}',
	keeper: '{by} has made {whom} a keeper',
	'no-keeper': '{whom} is no longer a keeper ({by})',
	until: 'until {time}',
	server: 'this server',
	operator: 'The operator',
	took_back: '{name} has deleted all their messages',
	roomName: 'Join or create a room',
	searchFor: 'Search all rooms',
	find: 'Search',
	foundMore: 'Show more ({n} left)',
	go: 'Go',
	close: 'Close',
	inRoom: '{n} {n person people}',
	youAreAway: 'You are away: {words}',
	comeBack: "I'm back",
	youKeep: 'You are a keeper here: see /help kick, /help ban and /help mute.',
};

/** A point in time, as text. */
export const moment = new Intl.DateTimeFormat(navigator.language, { dateStyle: 'medium', timeStyle: 'short' });
const other = language ? await import(`./${language}.js`) : {};

export const tag = other.tag ?? 'en';

/** A sentence in parts: our words are strings, those of others `{ name }`. */
export function parts(key, fields = {}) {
	return (other.words ?? words)[key].split(/\{(.+?)\}/).map((part, place) => {
		if (place % 2 === 0) return part;
		const [field, one, many] = part.split(' ');
		if (one) return fields[field] === 1 ? one : many;
		return { name: String(fields[field]) };
	});
}

/** A sentence as one string. */
export const say = (key, fields) => parts(key, fields).map((part) => part.name ?? part).join('');

/** An answer of the server, whose sentences are English. */
export function told(message) {
	const { kind, why, about, banned, by } = message;
	const verdict = kind === 'removed' ? (banned ? 'banned' : kind) : (why ?? about);
	if (by === 'new-password') return say('new-password');
	if (by && by !== 'themselves' && `you-${verdict}` in words) return order(`you-${verdict}`, message);
	return other.told?.(message) || message.text;
}

/** An act of moderation, with its end and reason if it has them. */
export function order(key, { by, room, until, reason, ...fields }) {
	const end = until && say('until', { time: moment.format(new Date(until)) });
	const done = say(key, { ...fields, by: by === 'the operator' ? say('operator') : by, place: room ?? say('server') });
	return [done, end, reason].filter(Boolean).join(' · ');
}

/** A typed time in the reader's zone, for a server in another one. */
export function zoned(typed) {
	const [, day, hour] = /^(?:(\d{4}-\d\d?-\d\d?|yesterday|today)[ T]?)?(?:(\d\d?:\d\d)(?::\d\d)?)?$/i.exec(typed.trim()) ?? [];
	if (!day && !hour) return typed;
	const at = new Date();
	if (/^\d/.test(day ?? '')) at.setFullYear(...day.split('-').map((part, place) => part - (place === 1)));
	if (/^y/i.test(day ?? '')) at.setDate(at.getDate() - 1);
	at.setHours(...(hour ?? '0:00').split(':'), 0, 0);
	if (!day && at > Date.now()) at.setDate(at.getDate() - 1); // the last time at this hour
	return Number.isNaN(at.getTime()) ? typed : at.toISOString();
}

/** A command in the menu: its form and its effect. */
export const command = (spec) => other.command?.(spec) ?? { usage: `/${spec.name} ${spec.arguments}`, does: spec.does };
