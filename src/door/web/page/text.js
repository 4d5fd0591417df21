// Nodes out of what people typed, which is hostile, and becomes text and nothing else. Knows no room.

import { parts } from './words.js';

/** Up to a blank, or to a sign that ends a phrase in Chinese and Japanese, where no blank follows. */
const LINK = /(https?:\/\/[^\s<>"“”‘’「」『』【】《》（），。、；：！？]+)/i;
/** Scripts without blanks between words have no cases, and let a name stand right beside them. */
const IN_WORD = '[\\p{Ll}\\p{Lu}\\p{N}_-]';

const HUES = 18; // as many as can be told apart

export const $ = (id) => document.getElementById(id);

/** An element; strings among its children become text, and never markup. */
export function make(tag, className, ...children) {
	const element = document.createElement(tag);
	if (className) element.className = className;
	element.append(...children);
	return element;
}

/** A name in its colour, the same everywhere and on every visit. */
export function colored(name) {
	let hash = 0;
	for (const sign of name.toLowerCase()) hash = Math.imul(hash + sign.codePointAt(0), 0x9e3779b1);
	const element = make('bdi', 'name', name);
	element.title = name; // it may be cut
	element.style.setProperty('--hue', (((hash ^ (hash >>> 16)) >>> 0) % HUES) * (360 / HUES));
	return element;
}

export function button(words, onclick, className) {
	return Object.assign(make('button', className, words), { type: 'button', onclick });
}

/** A sentence of ours; what others typed has a reading direction of its own in it. */
export const sentence = (key, fields) =>
	parts(key, fields).map((part) => (part.name === undefined ? part : make('bdi', '', part.name)));

/** What finds this name where it is called. An address is no name. */
export function mentionOf(name) {
	if (name.includes(':')) return null;
	const letters = name.replace(/[^\p{L}\p{N}]/gu, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);
	return new RegExp(`(?<!${IN_WORD})(${letters})(?!${IN_WORD})`, 'iu');
}

export const rich = (text, mention) =>
	text.split(LINK).flatMap((piece, place) => (place % 2 ? linked(piece) : marked(piece, mention)));

function linked(address) {
	const shown = withoutStop(address);
	if (!URL.canParse(shown)) return [address];
	const link = make('a', '', shown);
	Object.assign(link, { href: shown, target: '_blank', rel: 'noopener noreferrer' });
	return [link, address.slice(shown.length)];
}

/** A stop ends the sentence and not the address; so does a bracket that was not opened in it. */
function withoutStop(address) {
	const cut = address.replace(/[.,;:!?'*_~\]]+$/, '');
	const isOpenedBefore = cut.split('(').length < cut.split(')').length;
	return cut.endsWith(')') && isOpenedBefore ? withoutStop(cut.slice(0, -1)) : cut;
}

const marked = (text, mention) =>
	mention ? text.split(mention).map((piece, place) => (place % 2 ? make('mark', '', piece) : piece)) : [text];
