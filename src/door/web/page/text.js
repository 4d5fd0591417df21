// Nodes from untrusted text: only text, never markup. Knows no room.

import { parts } from './words.js';

/** Ends at a space, or at Chinese and Japanese punctuation, which no space follows. */
const LINK = /(https?:\/\/[^\s<>"“”‘’「」『』【】《》（），。、；：！？]+)/i;
/** Between one or two backticks. */
const CODE = /(`{1,2})([^`]+)\1/;
/** Scripts without spaces between words: a name may touch the next word. */
const IN_WORD = '[\\p{Ll}\\p{Lu}\\p{N}_-]';
/** Scripts that are hard to read in italics. */
const UPRIGHT = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Arab}\p{sc=Hebr}\p{sc=Thai}]/u;

const HUES = 18; // as many as people can distinguish
const FAR = 3; // two hues this many steps apart are different enough
const GIVEN_MAX = 2_000; // the number of remembered names

export const $ = (id) => document.getElementById(id);

/** An element; its string children become text, never markup. */
export function make(tag, className, ...children) {
	const element = document.createElement(tag);
	if (className) element.className = className;
	element.append(...children);
	return element;
}

/** Folds a name as the server does, character by character, until nothing changes. */
export function fold(name) {
	const folded = [...name].map((sign) => sign.toUpperCase().toLowerCase()).join('');
	return folded === name ? name : fold(folded);
}

/** A name in its colour. */
export function colored(name) {
	const element = make('bdi', 'name', name);
	element.style.setProperty('--hue', hueOf(name));
	return element;
}

export function button(words, onclick, className) {
	return Object.assign(make('button', className, words), { type: 'button', onclick });
}

/** One of our sentences; text of others in it has its own direction. */
export const sentence = (key, fields) =>
	parts(key, fields).map((part) => (part.name === undefined ? part : make('bdi', '', part.name)));

const escaped = (text) => text.replace(/[^\p{L}\p{N}]/gu, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);

/** A pattern for mentions of a name. An address is no name. */
export function mentionOf(name) {
	return name.includes(':') ? null : new RegExp(`(?<!${IN_WORD})(${escaped(name)})(?!${IN_WORD})`, 'iu');
}

/** A pattern for the words of a search. */
export function marksOf(words) {
	const found = words.split(/[\s"]+/).filter(Boolean);
	return found.length ? new RegExp(`(${found.map(escaped).join('|')})`, 'iu') : null;
}

export const isUpright = (text) => UPRIGHT.test(text);

/** Marks links, code, and matches of `mark`. */
export const rich = (text, mark) => {
	const code = CODE.exec(text);
	if (!code) return plain(text, mark);
	const [before, behind] = [text.slice(0, code.index), text.slice(code.index + code[0].length)];
	return [...plain(before, mark), make('code', '', code[2]), ...rich(behind, mark)];
};

const plain = (text, mark) =>
	text.split(LINK).flatMap((piece, place) => (place % 2 ? linked(piece) : marked(piece, mark)));

function linked(address) {
	const shown = withoutStop(address);
	if (!URL.canParse(shown)) return [address];
	const link = make('a', '', shown);
	Object.assign(link, { href: shown, target: '_blank', rel: 'noopener noreferrer' });
	return [link, address.slice(shown.length)];
}

/** A final full stop or unopened bracket is not part of an address. */
function withoutStop(address) {
	const cut = address.replace(/[.,;:!?'*_~\]]+$/, '');
	const isOpenedBefore = cut.split('(').length < cut.split(')').length;
	return cut.endsWith(')') && isOpenedBefore ? withoutStop(cut.slice(0, -1)) : cut;
}

const marked = (text, mark) =>
	mark ? text.split(mark).map((piece, place) => (place % 2 ? make('mark', '', piece) : piece)) : [text];

// The colours of names: different for people here, and stable while they stay.

const given = new Map();
let here = () => [];

/** Sets the folded names of the people here. */
export function among(names) {
	here = names;
}

/** In degrees. */
export function hueOf(name) {
	const key = fold(name);
	if (!given.has(key)) {
		if (given.size >= GIVEN_MAX) given.delete(given.keys().next().value);
		given.set(key, choose(key));
	}
	return given.get(key) * (360 / HUES);
}

/** Gives a newcomer the earlier colour, unless it is in use. */
export function comes(name) {
	const key = fold(name);
	if (given.has(key) && used(key).includes(given.get(key))) given.delete(key);
}

/** The hues in use; in a crowd, all of them. */
function used(key) {
	const hues = new Set();
	for (const other of here()) {
		if (other !== key && given.has(other)) hues.add(given.get(other));
		if (hues.size === HUES) break;
	}
	return [...hues];
}

/** The wanted hue, or the one farthest from all in use. */
function choose(key) {
	const taken = used(key);
	const wished = hash(key) % HUES;
	if (taken.length >= HUES) return wished;
	const distance = (a, b) => Math.min((a - b + HUES) % HUES, (b - a + HUES) % HUES);
	const room = (hue) => Math.min(FAR, ...taken.map((other) => distance(hue, other)));
	const hues = Array.from({ length: HUES }, (_, step) => (wished + step) % HUES);
	return hues.reduce((best, hue) => (room(hue) > room(best) ? hue : best));
}

function hash(key) {
	let sum = 0;
	for (const sign of key) sum = Math.imul(sum + sign.codePointAt(0), 0x9e3779b1);
	return (sum ^ (sum >>> 16)) >>> 0;
}
