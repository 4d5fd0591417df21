// Draws the lines of one room, and keeps the reader's place. Knows no socket, and changes no room.

import { isLine } from './rooms.js';
import { $, button, colored, isUpright, make, mentionOf, rich, sentence } from './text.js';
import { moment, order, say } from './words.js';

const AT_END_PX = 48; // if the end is nearer than this, the view follows new lines
const SHOWN_MS = 4_000; // how long a found line stands out
const NEAR_TOP_PX = 400; // older lines are loaded when the top is this near
const SAME_BREATH_MS = 5 * 60_000; // a person who continues within this time has the name shown once,
const SAME_BREATH_LINES = 10; // and again after this many lines, where it would be out of sight
const NAME_PX_MAX = 144; // the column of names is as wide as the widest name, up to this width
const FENCE = /^```\S*$/; // around lines of code

const happenings = ['arrived', 'left', 'arrived_together', 'left_together', 'renamed', 'topic', 'took_back'];
const clock = new Intl.DateTimeFormat(navigator.language, { hour: 'numeric', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(navigator.language, { weekday: 'long', month: 'long', day: 'numeric' });

/** Whether the newest line is visible. */
export let isAtEnd = true;
const [scroller, list] = [$('scroller'), $('lines')];
const nodes = new WeakMap();
const ruler = document.createElement('canvas').getContext('2d');
let [room, version, drawn, me, mention] = [null, 0, 0, '', null];
const widths = new Map();
let widest = 0;
let on = {};

/** Calls `on.older()` near the top, `on.moved()`, and on a click in a gap `on.fill(gap)`. */
export function listen(listener) {
	on = listener;
	const { fontSize, fontFamily } = getComputedStyle(scroller);
	ruler.font = `600 ${fontSize} ${fontFamily}`;
	scroller.addEventListener('scroll', scrolled, { passive: true });
	// The last line must stay visible when a phone's keyboard appears.
	new ResizeObserver(() => isAtEnd && toEnd()).observe(scroller);
}

/** Draws the changes since the last time. */
export function draw(shown, name) {
	if (name !== me) [me, mention] = [name, mentionOf(name)];
	const isOther = shown !== room;
	if (isOther) widest = 0;
	if (isOther || shown.version !== version) drawAll(shown, isOther);
	else list.append(...dressed(drawn));
	if (widest === 0) fit(me);
	drawn = room.items.length;
	const waiting = room.outbox.flatMap(({ lines }) => lines).join('\n');
	if ($('outbox').textContent !== waiting) $('outbox').textContent = waiting;
	if (isOther || isAtEnd) toEnd();
	if (isOther) list.querySelector('.news')?.scrollIntoView();
	scrolled();
}

export function toEnd() {
	isAtEnd = true;
	scroller.scrollTop = scroller.scrollHeight;
}

/** Scrolls to drawn lines, from one number to another. */
export function show(first, last = first) {
	isAtEnd = false;
	const found = room.items.filter((item) => isLine(item) && first <= item.seq && item.seq <= last);
	for (const item of found) nodes.get(item).animate({ background: ['var(--call)', 'transparent'] }, SHOWN_MS);
	if (found.length) nodes.get(found[0]).scrollIntoView({ block: 'center' });
	on.moved();
}

function scrolled() {
	const wasAtEnd = isAtEnd;
	isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < AT_END_PX;
	if (isAtEnd !== wasAtEnd) on.moved();
	if (scroller.scrollTop < NEAR_TOP_PX) on.older();
}

/** Draws all lines again, and keeps the reader's place. */
function drawAll(shown, isOther) {
	// A screen reader must not read it out.
	list.ariaLive = 'off';
	const { top } = scroller.getBoundingClientRect();
	const isInSight = (node) => node.getBoundingClientRect().bottom > top;
	const anchor = !isOther && [...list.children].find(isInSight);
	const before = anchor && anchor.getBoundingClientRect().top;
	[room, version] = [shown, shown.version];
	list.replaceChildren(...dressed(0));
	if (anchor?.isConnected) scroller.scrollTop += anchor.getBoundingClientRect().top - before;
	setTimeout(() => (list.ariaLive = 'polite'));
}

/** The nodes of the items from an index on; each depends on the item before it. */
function dressed(from) {
	let before = new Date(room.items.slice(0, from).findLast(({ time }) => time)?.time);
	return room.items.slice(from).map((item, place) => {
		if (!nodes.has(item)) nodes.set(item, build(item));
		const node = nodes.get(item);
		if (isLine(item)) fit(item.name);
		const previous = room.items[from + place - 1];
		const at = new Date(item.time);
		const isNewDay = item.time && at.toDateString() !== before.toDateString();
		const isNews = room.mark !== null && item.seq > room.mark && !(previous?.seq > room.mark);
		const rule = [isNewDay && calendar.format(at), isNews && say('news')].filter(Boolean).join(' · ');
		const isOneBreath = previous?.kind === item.kind && previous.name === item.name && at - before < SAME_BREATH_MS;
		node.breath = isOneBreath && !rule ? (nodes.get(previous)?.breath ?? 0) + 1 : 0;
		if (item.time) before = at;
		const isInCode = isOneBreath && nodes.get(previous).fence;
		const isFence = item.kind === 'line' && FENCE.test(item.text);
		node.fence = isFence !== !!isInCode;
		node.classList.toggle('code', !!(isInCode || isFence));
		node.classList.toggle('fence', isFence);
		node.classList.toggle('same', node.breath % SAME_BREATH_LINES > 0);
		node.classList.toggle('news', isNews);
		node.toggleAttribute('data-rule', rule);
		if (rule) node.dataset.rule = rule;
		return node;
	});
}

/** Sets the width for names; a very long one wraps. */
function fit(name) {
	if (!widths.has(name)) widths.set(name, Math.ceil(ruler.measureText(name).width) + 2);
	if (widths.get(name) <= widest) return;
	widest = Math.min(widths.get(name), NAME_PX_MAX);
	scroller.style.setProperty('--names', `${widest}px`);
}

function build(item) {
	const isSaid = isLine(item);
	const body = make('div', 'body', ...(isSaid ? said(item) : [told(item)]));
	const isCalling = item.name !== me && body.querySelector('mark');
	return make('div', `item ${isSaid ? 'said' : 'told'} ${item.kind} ${isCalling ? 'named' : ''}`, body);
}

function said({ kind, name, text, time }) {
	const at = make('time', '', clock.format(new Date(time)));
	at.title = moment.format(new Date(time));
	const words = make('span', 'text', ...rich(text, mention));
	words.dir = 'auto';
	if (kind === 'action') words.prepend(colored(name), ' ');
	if (kind === 'action' && isUpright(text)) words.classList.add('upright');
	return [make('span', 'who', ...(kind === 'action' ? [] : [colored(name)])), words, at];
}

function told(item) {
	if (item.kind !== 'gap') return make('span', 'text', ...happening(item));
	const n = item.last - item.first + 1;
	if (room.isTop(item)) return make('span', 'text', say('above', { n }), ' ', button(say('show'), () => on.fill(item)));
	return make('span', 'text', say('gap', { n }), ' ', button(say('show'), () => on.fill(item)));
}

/** Events other than lines. */
function happening(event) {
	if (event.kind === 'ruled') return [order(event.by ? event.about : `${event.about}-unkept`, event)];
	if (event.by) return [order(`left-${event.banned ? 'banned' : 'removed'}`, event)];
	if (!happenings.includes(event.kind)) return [event.text];
	const names = event.names?.join(', ');
	const key = event.words ? 'leftSaying' : event.topic === null ? 'topicCleared' : event.kind;
	return sentence(key, { ...event, names: event.others ? say('andOthers', { names, n: event.others }) : names });
}
