// The field for typing: its menu, pastes, and input methods. Knows no socket and no room.

import { $, make } from './text.js';
import { say } from './words.js';

const COMPOSING = 229; // the code of a key while an input method composes
const RECALLED_MAX = 50; // the number of typed texts that the arrow key brings back

const [input, menu, question] = [$('input'), $('menu'), $('question')];
let [choices, chosen, from] = [[], 0, 0];
let [recalled, place] = [[], 0];
let kept = ''; // the draft, while a command is in front of it
let on = {};

/** Calls `on.submit(text)`, which returns the reason of a refusal; `on.changed()` during typing; `on.most()` for how
	many lines may be said together; and for completions `on.names(word)`, `on.rooms(word)` and `on.commands(word)`, the
	last with `insert`, `label` and `words`. */
export function listen(listener) {
	on = listener;
	$('compose').onsubmit = (event) => {
		event.preventDefault();
		submit();
		input.focus();
	};
	input.onkeydown = (event) => {
		if (event.isComposing || event.keyCode === COMPOSING || event.ctrlKey || event.altKey || event.metaKey) return;
		const action = actionOf(event.key, event.shiftKey);
		if (!action) return;
		event.preventDefault();
		action();
	};
	input.oninput = () => {
		typed();
		on.changed();
	};
	input.onblur = () => offer(0, []);
	input.onpaste = paste;
	question.onclick = ({ target }) => answer(target.id);
	// The field keeps the focus.
	menu.onmousedown = (event) => event.preventDefault();
	menu.onfocus = () => input.focus();
	menu.onclick = ({ target }) => accept([...menu.children].indexOf(target.closest('li')));
}

/** The text in the field, with the command before it if there is one. */
export const text = () => kept || input.value;

export function put(text, words = '') {
	kept = '';
	input.value = text;
	typed();
	$('hint').textContent = words;
}

/** Puts a command before the draft, which returns when the command is sent or cancelled. Of two commands the
	second is meant. */
export function interpose(command, words) {
	const before = text().startsWith('/') ? '' : text();
	put(command, words);
	kept = before;
}

function submit() {
	const typed = input.value;
	if (!typed.trim()) return;
	put(kept);
	on.changed();
	recalled = [...recalled.filter((other) => other !== typed), typed].slice(-RECALLED_MAX);
	place = recalled.length;
	const words = on.submit(typed);
	if (words) interpose(typed, words);
}

function actionOf(key, isShifted) {
	if (isShifted) return null;
	if (key === 'Tab' && choices.length === 0) return lookAround(true);
	// A complete word stays unchanged.
	if (key === 'Enter' && (choices.length === 0 || isWhole(choices[chosen]))) return submit;
	if (choices.length === 0) return recallOf(key);
	return {
		Enter: () => accept(chosen),
		Tab: () => accept(chosen),
		ArrowDown: () => choose(chosen + 1),
		ArrowUp: () => choose(chosen - 1),
		Escape: () => offer(0, []),
	}[key];
}

const isWhole = ({ insert }) => insert.trim() === input.value.slice(from).trim();

/** Puts an earlier text back into an empty field. */
function recallOf(key) {
	if (key === 'Escape' && kept) return () => put(kept);
	const step = { ArrowUp: -1, ArrowDown: 1 }[key];
	const isOther = input.value && input.value !== recalled[place];
	if (!step || isOther || place + step < 0 || place + step > recalled.length) return null;
	return () => {
		place += step;
		put(recalled[place] ?? '');
		offer(0, []);
	};
}

function typed() {
	$('hint').textContent = '';
	question.hidden = true;
	input.rows = input.value.split('\n').length;
	offer(0, []);
	lookAround(false)?.();
}

/** Completions for the text before the caret; plain names only after Tab. */
function lookAround(isTab) {
	const typed = input.value.slice(0, input.selectionStart);
	if (/^\/\S*$/.test(typed)) return () => offer(0, on.commands(typed.slice(1)));
	const [, before, word] = /^(.*?@?)([^\s@]*)$/s.exec(typed);
	const isRoom = /^\/(join|who) +$/.test(before);
	if (!(isTab && (word || isRoom)) && !/(^|\s)@$/.test(before)) return null;
	const names = isRoom ? on.rooms(word) : on.names(word);
	return () => {
		// A name at the beginning of a line addresses a person.
		offer(before.length, names.map((label) => ({ label, insert: label + (before ? ' ' : ': ') })));
		if (isTab && names.length === 1) accept(0);
	};
}

function offer(place, what) {
	choices = what;
	from = place;
	menu.hidden = choices.length === 0;
	const rows = choices.map(({ label, words = '' }, index) =>
		Object.assign(make('li', '', make('b', '', label), make('span', 'quiet', words)), { id: `choice-${index}`, role: 'option' }),
	);
	menu.classList.toggle('explained', choices.some(({ words }) => words));
	menu.replaceChildren(...rows);
	choose(Math.max(0, choices.findIndex(isWhole))); // /room is also the beginning of /rooms
}

function choose(place) {
	const rows = [...menu.children];
	chosen = (place + rows.length) % rows.length || 0;
	for (const [index, row] of rows.entries()) row.ariaSelected = String(index === chosen);
	rows[chosen]?.scrollIntoView({ block: 'nearest' });
	input.setAttribute('aria-activedescendant', rows[chosen]?.id ?? '');
}

function accept(place) {
	if (!choices[place]) return;
	input.setRangeText(choices[place].insert, from, input.selectionStart, 'end');
	typed();
}

/** Asks how to send several lines before it sends them. */
function paste(event) {
	const copied = event.clipboardData.getData('text/plain').replace(/\r\n?/g, '\n');
	if (!copied.includes('\n')) return;
	event.preventDefault();
	input.setRangeText(copied.replace(/\n+$/, ''), input.selectionStart, input.selectionEnd, 'end');
	typed();
	const n = input.value.split('\n').filter((line) => line.trim()).length;
	const isTooMuch = n > on.most();
	$('pasted').textContent = say(isTooMuch ? 'tooMany' : 'pasted', { n, most: on.most() });
	question.hidden = n < 2;
	$('together').hidden = isTooMuch;
	$($('together').hidden ? 'one-line' : 'together').focus();
}

function answer(id) {
	question.hidden = true;
	input.focus();
	if (id === 'together') submit();
	if (id === 'one-line') put(input.value.trim().replace(/\s*\n\s*/g, ' '));
}
