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
	anew: 'The server began anew; nothing from before is left.',
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
	took_back: '{name} has taken back what {name} said',
	roomName: 'A room to go to, or the name of a new one',
	searchFor: 'Words that were said in any room',
	find: 'Find',
	go: 'Go there',
	close: 'Close',
	inRoom: '{n} {n person people}',
	answerTo: 'Reply',
	keeper: 'You keep order here: /help kick, /help ban and /help mute say how.',
};

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
export const told = (message) => other.told?.(message) || message.text;

/** A command as it is offered: how it is typed, and what it does. */
export const command = (spec) => other.command?.(spec) ?? { usage: `/${spec.name} ${spec.arguments}`, does: spec.does };
