// Draws the lines of one room, and keeps the reader's place. Knows no socket, and changes no room.

import { isLine } from './rooms.js';
import { button, make, mentionOf, rich, sentence } from './text.js';
import { say } from './words.js';

/** Nearer to the end than this one follows what comes. */
const AT_END_PX = 48;
/** Older lines are asked for before one gets there. */
const NEAR_TOP_PX = 400;
/** Who speaks on within this time has the name shown once. */
const SAME_BREATH_MS = 5 * 60_000;
/** So many colours can be told apart. */
const HUES = 18;

const clock = new Intl.DateTimeFormat(navigator.language, { hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(navigator.language, { weekday: 'long', month: 'long', day: 'numeric' });

/** A name in its colour, the same everywhere and on every visit. */
export function colored(name) {
	let hash = 0;
	for (const sign of name.toLowerCase()) hash = (hash * 31 + sign.codePointAt(0)) >>> 0;
	const element = make('bdi', 'name', name);
	element.style.setProperty('--hue', ((hash % HUES) * 360) / HUES);
	return element;
}

export class Lines {
	#room = null;
	#version = 0;
	#drawn = 0;
	#nodes = new WeakMap();
	isAtEnd = true;

	/** Calls `on.older()`, `on.draw()`, `on.fillGap(gap)`, `on.goTo(found)`, `on.post(sent)`, `on.discard(sent)`. */
	constructor(scroller, list, outbox, on) {
		Object.assign(this, { scroller, list, outbox, on });
		scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
		// The keyboard of a phone takes half of the height away, and the last line must not go with it.
		new ResizeObserver(() => this.isAtEnd && this.toEnd()).observe(scroller);
	}

	/** Draws what has changed since the last time. */
	draw(room, me) {
		const isOther = room !== this.#room;
		if (me !== this.me) Object.assign(this, { me, mention: mentionOf(me) });
		if (isOther || room.version !== this.#version) this.#drawAll(room, isOther);
		else this.list.append(...this.#dressed(room, this.#drawn));
		this.#drawn = room.items.length;
		this.outbox.replaceChildren(...room.outbox.map((sent) => this.#waiting(sent)));
		const news = isOther && this.list.querySelector('.news');
		if (isOther || this.isAtEnd) this.toEnd();
		if (news) news.scrollIntoView();
		this.#scrolled();
	}

	toEnd() {
		this.isAtEnd = true;
		this.scroller.scrollTop = this.scroller.scrollHeight;
	}

	page(direction) {
		this.scroller.scrollBy(0, direction * this.scroller.clientHeight * 0.9);
	}

	/** Shows where a line stands. */
	reveal(seq) {
		const node = this.list.querySelector(`[data-seq="${seq}"]`);
		this.list.querySelector('.here')?.classList.remove('here');
		node?.classList.add('here');
		node?.scrollIntoView({ block: 'center' });
	}

	#scrolled() {
		const { scrollHeight, scrollTop, clientHeight } = this.scroller;
		this.isAtEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
		if (scrollTop < NEAR_TOP_PX) this.on.older();
		this.on.draw();
	}

	/** Puts everything in its place, and touches only what is not there. */
	#drawAll(room, isOther) {
		// What was there before is nothing to be read out.
		this.list.ariaLive = 'off';
		const anchor = isOther ? null : this.#topmost();
		const before = anchor?.getBoundingClientRect().top;
		this.#room = room;
		this.#version = room.version;
		const nodes = this.#dressed(room, 0);
		const wanted = new Set(nodes);
		for (const node of [...this.list.children]) if (!wanted.has(node)) node.remove();
		let next = this.list.firstChild;
		for (const node of nodes) {
			if (node === next) next = next.nextSibling;
			else this.list.insertBefore(node, next);
		}
		if (anchor?.isConnected) this.scroller.scrollTop += anchor.getBoundingClientRect().top - before;
		setTimeout(() => (this.list.ariaLive = 'polite'));
	}

	#topmost() {
		const { left, top, width } = this.scroller.getBoundingClientRect();
		return document.elementFromPoint(left + width / 2, top + 4)?.closest('.item');
	}

	/** The nodes of the items from a place on, with what depends on the item before. */
	#dressed(room, from) {
		return room.items.slice(from).map((item, place) => {
			if (!this.#nodes.has(item)) this.#nodes.set(item, this.#build(item));
			const node = this.#nodes.get(item);
			const previous = room.items[from + place - 1];
			const [at, before] = [new Date(item.time), new Date(previous?.time)];
			const isNewDay = item.time && at.toDateString() !== before.toDateString();
			const isNews = room.mark !== null && item.seq > room.mark && !(previous?.seq > room.mark);
			const isOneBreath = previous?.kind === item.kind && previous.name === item.name && at - before < SAME_BREATH_MS;
			node.classList.toggle('same', isOneBreath && !isNewDay && !isNews);
			rule(node, 'news', isNews && say('news'));
			rule(node, 'day', isNewDay && calendar.format(at));
			return node;
		});
	}

	#build(item) {
		const isSaid = isLine(item) || item.kind === 'private';
		const body = make('div', 'body', ...(isSaid ? this.#said(item) : this.#told(item)));
		const node = make('div', `item ${isSaid ? 'said' : 'told'} ${item.kind}`, body);
		if (isLine(item)) node.dataset.seq = item.seq;
		if (item.name !== this.me && body.querySelector('mark')) node.classList.add('named');
		return node;
	}

	#said({ kind, name, to, text, time }) {
		const at = make('time', '', clock.format(new Date(time)));
		at.title = new Date(time).toLocaleString(navigator.language);
		const words = make('span', 'text', ...rich(text, this.mention));
		words.dir = 'auto';
		if (kind === 'action') words.prepend(make('bdi', '', name), ' ');
		if (kind === 'private') words.prepend(...sentence('privately', { to }), ' ');
		return [make('span', 'who', colored(name)), words, at];
	}

	#told(item) {
		if (item.kind === 'gap') {
			const n = item.last - item.first + 1;
			return [make('span', 'text', say('gap', { n }), ' ', button(say('show'), () => this.on.fillGap(item)))];
		}
		const words = make('span', 'text', ...happening(item));
		if (item.found) words.append(' ', button(say('show'), () => this.on.goTo(item.found)));
		return [words];
	}

	#waiting(sent) {
		const about = make('div', 'about', sent.why ?? (sent.state === 'sending' ? '' : say(sent.state)));
		if (sent.state === 'lost' || sent.why) {
			about.append(
				button(say('again'), () => this.on.post(sent)),
				button(say('discard'), () => this.on.discard(sent)),
			);
		}
		return make('div', 'sent', make('div', 'text', sent.lines.join('\n')), about);
	}
}

/** What happened, beside what was said. */
function happening(event) {
	switch (event.kind) {
		case 'arrived_together':
		case 'left_together': {
			const names = event.names.join(', ');
			const all = event.others ? say('andOthers', { names, n: event.others }) : names;
			return sentence(event.kind, { names: all });
		}
		case 'left':
			if (event.by) return [event.text];
			return sentence(event.words ? 'leftSaying' : 'left', event);
		case 'topic':
			return sentence(event.topic === null ? 'topicCleared' : 'topicSet', event);
		case 'arrived':
		case 'renamed':
		case 'took_back':
			return sentence(event.kind, event);
		default:
			return [event.text];
	}
}

/** A line across, above an item: a new day, or where one stopped reading. */
function rule(node, kind, words) {
	const old = node.querySelector(`:scope > .${kind}`);
	if (words && old) return;
	old?.remove();
	if (words) node.prepend(make('div', `rule ${kind}`, make('span', '', words)));
}
