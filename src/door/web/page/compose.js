// The field in which one types: its menu, what is pasted, and the Enter that is none. Knows no socket and
// no room.

import { button, make } from './text.js';
import { say } from './words.js';

/** The code that a key has while an input method composes with it. */
const COMPOSING = 229;
/** More would cover what is being answered. */
const MENU_MAX = 8;
/** What the field grows to where the browser does not make it grow. */
const ROWS_MAX = 6;

export class Compose {
	#options = [];
	#chosen = 0;
	#from = 0;

	/** Calls `on.submit(text)`, which says whether it is taken, `on.page(direction)`, and `on.options(kind, word)`
		for what may stand there: each with `insert`, `label`, `words`, and `also` for what else it is called. */
	constructor(form, on) {
		const [menu, question, input, hint] = ['menu', 'question', 'input', 'hint'].map((id) => form.querySelector(`#${id}`));
		Object.assign(this, { menu, question, input, hint, on });
		form.onsubmit = (event) => {
			event.preventDefault();
			this.#submit();
			input.focus();
		};
		input.onkeydown = (event) => this.#key(event);
		input.oninput = () => this.#typed();
		input.onblur = () => this.#open(0, []);
		input.onpaste = (event) => this.#paste(event);
		// The focus stays where it is, and the menu with it.
		menu.onmousedown = (event) => event.preventDefault();
		menu.onclick = ({ target }) => this.#accept([...menu.children].indexOf(target.closest('li')));
	}

	get text() {
		return this.input.value;
	}

	set text(text) {
		this.input.value = text;
		this.question.replaceChildren();
		this.#typed();
	}

	/** A word about what was typed. */
	say(words) {
		this.hint.textContent = words;
	}

	#submit() {
		if (this.text.trim() && this.on.submit(this.text)) this.text = '';
	}

	#key(event) {
		if (event.isComposing || event.keyCode === COMPOSING || event.ctrlKey || event.altKey || event.metaKey) return;
		const action = this.#action(event.key, event.shiftKey);
		if (!action) return;
		event.preventDefault();
		action();
	}

	#action(key, isShifted) {
		if (key === 'PageUp' || key === 'PageDown') return () => this.on.page(key === 'PageUp' ? -1 : 1);
		if (isShifted) return null;
		if (key === 'Tab' && this.#options.length === 0) return this.#lookAround(true);
		if (key === 'Enter' && (this.#options.length === 0 || this.#isWhole())) return () => this.#submit();
		if (this.#options.length === 0) return null;
		return {
			Enter: () => this.#accept(this.#chosen),
			Tab: () => this.#accept(Math.max(0, this.#chosen)),
			ArrowDown: () => this.#choose(this.#chosen + 1),
			ArrowUp: () => this.#choose(this.#chosen - 1),
			Escape: () => this.#open(0, []),
		}[key];
	}

	/** Whether a whole command stands there, so that Enter does not mean the menu. */
	#isWhole() {
		if (this.#chosen < 0) return true;
		const { insert, also = [] } = this.#options[this.#chosen];
		return [insert.trim(), ...also].includes(this.text.slice(this.#from).trim());
	}

	#typed() {
		this.say('');
		if (!this.text.includes('\n')) this.question.replaceChildren();
		this.input.rows = Math.min(ROWS_MAX, this.text.split('\n').length);
		this.#open(0, []);
		this.#lookAround(false)?.();
	}

	/** What could stand before the caret; a plain name only where Tab asks for it. */
	#lookAround(isTab) {
		const typed = this.text.slice(0, this.input.selectionStart);
		const word = /[^\s@]*$/.exec(typed)[0];
		const from = typed.length - word.length;
		if (/^\/\S*$/.test(typed)) return () => this.#open(0, this.on.options('command', word.slice(1)));
		// None is chosen before somebody has: the room may be a new one.
		if (/^\/(join|who) \S*$/.test(typed)) return () => this.#open(from, this.on.options('room', word), -1);
		if (!(isTab && word) && !/(^|\s)@$/.test(typed.slice(0, from))) return null;
		const names = this.on.options('name', word);
		// At the beginning of a line a name calls somebody.
		if (from === 0) for (const name of names) name.insert = `${name.label}: `;
		return () => {
			this.#open(from, names);
			if (isTab && names.length === 1) this.#accept(0);
		};
	}

	#open(from, options, chosen = 0) {
		this.#options = options.slice(0, MENU_MAX);
		this.#from = from;
		this.menu.hidden = options.length === 0;
		const rows = this.#options.map(({ label, words = '' }, place) =>
			Object.assign(make('li', '', make('b', '', label), words), { id: `choice-${place}`, role: 'option' }),
		);
		this.menu.replaceChildren(...rows);
		this.#choose(chosen);
	}

	#choose(place) {
		const rows = [...this.menu.children];
		this.#chosen = place < -1 ? rows.length - 1 : place < rows.length ? place : 0;
		for (const [index, row] of rows.entries()) row.ariaSelected = String(index === this.#chosen);
		this.input.setAttribute('aria-activedescendant', rows[this.#chosen]?.id ?? '');
	}

	#accept(place) {
		const option = this.#options[place];
		if (!option) return;
		this.input.setRangeText(option.insert, this.#from, this.input.selectionStart, 'end');
		this.#typed();
	}

	/** Several lines are not said before somebody has said how. */
	#paste(event) {
		const copied = event.clipboardData.getData('text/plain').replace(/\r\n?/g, '\n');
		if (!copied.includes('\n')) return;
		event.preventDefault();
		const { selectionStart, selectionEnd } = this.input;
		this.input.setRangeText(copied.replace(/\n+$/, ''), selectionStart, selectionEnd, 'end');
		this.#typed();
		const n = this.text.split('\n').filter((line) => line.trim()).length;
		if (n < 2) return;
		const choice = (key, act) => button(say(key), () => {
			this.question.replaceChildren();
			act();
			this.input.focus();
		});
		this.question.replaceChildren(
			say('pasted', { n }),
			choice('together', () => this.#submit()),
			choice('oneLine', () => (this.text = this.text.trim().replace(/\s*\n\s*/g, ' '))),
			choice('edit', () => {}),
		);
		this.question.querySelector('button').focus();
	}
}
