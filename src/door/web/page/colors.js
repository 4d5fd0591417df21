// The colours of names: as different as can be among those who are here, and each for as long as its owner stays. Knows no room.

import { fold } from './text.js';

const HUES = 18; // as many as can be told apart
const FAR = 3; // so many steps apart, two hues are different enough
const GIVEN_MAX = 2_000; // names that are remembered

const given = new Map();
let here = () => [];

/** From now on these are the folded names of those who are here. */
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

/** Somebody comes: the colour from before is good, unless another one has it by now. */
export function comes(name) {
	const key = fold(name);
	if (given.has(key) && used(key).includes(given.get(key))) given.delete(key);
}

/** The hues of the others who are here; of a crowd all there are. */
function used(key) {
	const hues = new Set();
	for (const other of here()) {
		if (other !== key && given.has(other)) hues.add(given.get(other));
		if (hues.size === HUES) break;
	}
	return [...hues];
}

/** The wished one, or that behind it which is farthest from all that are used. */
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
