// The line that one types: its menus of commands and names, what is pasted, and the Enter that is
// none. Knows no socket and no room; what is typed goes to `on.submit`.

import { make } from './text.js';
import { say } from './words.js';

/** What a key has as its code while an input method composes with it, in all browsers. */
const COMPOSING = 229;
/** More would cover what is being answered to. */
const MENU_MAX = 8;

export class Compose {
  #options = [];
  #chosen = 0;
  #from = 0;

  /** `on.submit(text)`: whether it is taken; `on.commands(typed)`, `on.names(typed)`, `on.rooms(typed)`: options,
      each with what to insert, and words to explain it; `on.page(direction)`; `on.linesMax()`. */
  constructor({ form, input, menu, question, hint }, on) {
    Object.assign(this, { input, menu, question, hint, on });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
      input.focus();
    });
    input.addEventListener('keydown', (event) => this.#key(event));
    input.addEventListener('input', () => this.#typed());
    input.addEventListener('blur', () => this.#close());
    input.addEventListener('paste', (event) => this.#paste(event));
    question.addEventListener('click', ({ target }) => this.#answer(target.dataset.answer));
    question.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#answer('edit'));
    // A click must not take the focus away before it is one.
    menu.addEventListener('mousedown', (event) => event.preventDefault());
    menu.addEventListener('click', ({ target }) => {
      this.#accept([...menu.children].indexOf(target.closest('li')));
    });
  }

  get text() {
    return this.input.value;
  }

  set text(text) {
    this.input.value = text;
    this.say('');
    this.#ask(false);
    this.#close();
    this.#fit();
  }

  /** A word about what was typed. */
  say(words) {
    this.hint.textContent = words;
  }

  #submit() {
    if (!this.text.trim()) return;
    this.say('');
    if (this.on.submit(this.text)) this.text = '';
  }

  #key(event) {
    if (event.isComposing || event.keyCode === COMPOSING) return;
    const action = this.#keyAction(event);
    if (!action) return;
    event.preventDefault();
    action();
  }

  #keyAction({ key, shiftKey, ctrlKey, altKey, metaKey }) {
    if (ctrlKey || altKey || metaKey) return null;
    const isOpen = this.#options.length > 0;
    switch (key) {
      case 'Enter':
        if (shiftKey) return null;
        return isOpen && !this.#isComplete() ? () => this.#accept(this.#chosen) : () => this.#submit();
      case 'Tab':
        if (shiftKey) return null;
        if (isOpen) return () => this.#accept(this.#chosen);
        return this.#word() ? () => this.#complete() : null;
      case 'ArrowDown':
        return isOpen ? () => this.#choose(this.#chosen + 1) : null;
      case 'ArrowUp':
        return isOpen ? () => this.#choose(this.#chosen - 1) : null;
      case 'Escape':
        return isOpen ? () => this.#close() : null;
      case 'PageUp':
        return () => this.on.page(-1);
      case 'PageDown':
        return () => this.on.page(1);
      default:
        return null;
    }
  }

  /** Whether what stands there is a whole command already, so that Enter does not mean the menu. */
  #isComplete() {
    const { insert, also = [] } = this.#options[this.#chosen];
    return this.#from === 0 && [insert.trim(), ...also].includes(this.text.trim());
  }

  #typed() {
    this.say('');
    this.#fit();
    if (!this.text.includes('\n')) this.#ask(false);
    const typed = this.text.slice(0, this.input.selectionStart);
    const command = /^\/(\p{L}*)$/u.exec(typed);
    const name = /(?:^|\s)@(\S*)$/.exec(typed);
    if (command) this.#open(0, this.on.commands(command[1].toLowerCase()));
    else if (name) this.#open(typed.length - name[1].length, this.on.names(name[1]));
    else this.#close();
  }

  /** The word before the caret. */
  #word() {
    return /\S*$/.exec(this.text.slice(0, this.input.selectionStart))[0];
  }

  /** Tab: a name or a room, or a menu where there are several. */
  #complete() {
    const word = this.#word();
    const isRoom = /^\/(join|who|leave)\s+\S*$/i.test(this.text);
    const options = isRoom ? this.on.rooms(word) : this.on.names(word);
    const from = this.input.selectionStart - word.length;
    // At the beginning a name calls somebody.
    if (from === 0) for (const option of options) option.insert = option.insert.trim() + ': ';
    this.#open(from, options);
    if (options.length === 1) this.#accept(0);
  }

  #open(from, options) {
    this.#options = options.slice(0, MENU_MAX);
    this.#from = from;
    this.menu.hidden = this.#options.length === 0;
    this.menu.replaceChildren(
      ...this.#options.map(({ label, words }, place) => {
        const item = make('li', '', make('b', '', label), make('span', '', words ?? ''));
        item.id = `option-${place}`;
        item.role = 'option';
        return item;
      }),
    );
    this.#choose(0);
  }

  #choose(place) {
    const count = this.#options.length;
    this.#chosen = count ? (place + count) % count : 0;
    for (const [index, item] of [...this.menu.children].entries()) {
      item.ariaSelected = String(index === this.#chosen);
    }
    if (count) this.input.setAttribute('aria-activedescendant', `option-${this.#chosen}`);
    else this.input.removeAttribute('aria-activedescendant');
  }

  #accept(place) {
    const option = this.#options[place];
    if (!option) return;
    this.input.setRangeText(option.insert, this.#from, this.input.selectionStart, 'end');
    this.#close();
    this.#fit();
  }

  #close() {
    this.#open(0, []);
  }

  /** Several lines are not said before somebody has said so. */
  #paste(event) {
    const copied = event.clipboardData.getData('text/plain');
    if (!/[\r\n]/.test(copied)) return;
    const pasted = copied.replace(/\r\n?/g, '\n').replace(/\n+$/, '');
    const { selectionStart, selectionEnd } = this.input;
    event.preventDefault();
    this.input.setRangeText(pasted, selectionStart, selectionEnd, 'end');
    this.#typed();
    if (pasted.includes('\n')) this.#ask(true);
  }

  #ask(isAsked) {
    this.question.hidden = !isAsked;
    if (!isAsked) return;
    const n = this.text.split('\n').filter((line) => line.trim()).length;
    const max = this.on.linesMax();
    const [words, together] = [this.question.querySelector('p'), this.question.querySelector('button')];
    words.textContent = say('pasted', { n }) + (n > max ? ` · ${say('tooMany', { n: max })}` : '');
    together.disabled = n > max;
    this.question.querySelector('button:enabled').focus();
  }

  #answer(answer) {
    if (!answer) return;
    this.#ask(false);
    if (answer === 'one') this.text = this.text.trim().replace(/\s*\n\s*/g, ' ');
    if (answer === 'together') this.#submit();
    this.input.focus();
  }

  /** As high as what is typed, within what the style allows; browsers that do it by themselves are left alone. */
  #fit() {
    if (CSS.supports('field-sizing', 'content')) return;
    this.input.rows = Math.min(6, this.text.split('\n').length);
  }
}
