// Draws the lines of one room, and keeps the reader's place. Knows no socket, and of a room only
// what is to be shown.

import { button, make, mentionOf, rich, sentence } from './text.js';
import { locale, parts, say } from './words.js';

/** Nearer to the end than this, one stands at the end, and follows what comes. */
const AT_END_PX = 48;
/** Older lines are asked for before one gets there. */
const NEAR_TOP_PX = 400;
/** Somebody who speaks on within this time has the name shown once. */
const SAME_BREATH_MS = 5 * 60_000;
/** So many colours are told apart, and each has contrast enough in both schemes. */
const HUES = 18;
const SAID = ['line', 'action', 'private'];

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(locale, { weekday: 'long', month: 'long', day: 'numeric' });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' });

/** A name in its colour, the same one everywhere and on every visit. */
export function colored(name) {
  let hash = 0;
  for (const sign of name.toLowerCase()) hash = (hash * 31 + sign.codePointAt(0)) >>> 0;
  const element = make('bdi', 'name', name);
  element.style.setProperty('--hue', Math.round(((hash % HUES) * 360) / HUES));
  return element;
}

export class Lines {
  #room = null;
  #version = -1;
  #drawn = 0;
  #nodes = new WeakMap();
  #mention = null;
  #me = '';
  #isFollowing = true;

  /** `on.older()`, `on.gap(item)`, `on.scrolled()`, `on.again(sent)`, `on.discard(sent)`. */
  constructor({ scroller, list, outbox }, on) {
    Object.assign(this, { scroller, list, outbox, on });
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    // The keyboard of a phone takes half of the room away, and the last line must not go with it.
    new ResizeObserver(() => this.#isFollowing && this.toEnd()).observe(scroller);
  }

  get isAtEnd() {
    return this.#isFollowing;
  }

  /** Draws what has changed since the last time. */
  draw(room, me) {
    const isOther = room !== this.#room;
    if (me !== this.#me) {
      this.#me = me;
      this.#mention = mentionOf(me);
    }
    if (isOther || room.version !== this.#version) this.#drawAll(room, isOther);
    else this.#drawNew(room);
    this.#drawOutbox(room);
    this.#drawn = room.items.length;
    if (isOther) this.#open(room);
    else if (this.#isFollowing) this.toEnd();
    this.#askOlder();
  }

  toEnd() {
    this.#isFollowing = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  page(direction) {
    this.scroller.scrollBy(0, direction * this.scroller.clientHeight * 0.9);
  }

  /** Shows a line that is here, and where it is. */
  reveal(seq) {
    const node = this.list.querySelector(`[data-seq="${Number(seq)}"]`);
    this.#isFollowing = false;
    node?.scrollIntoView({ block: 'center' });
    for (const old of this.list.querySelectorAll('.found')) old.classList.remove('found');
    node?.classList.add('found');
  }

  /** Where one stopped reading, or else at the end. */
  #open(room) {
    this.toEnd();
    const mark = room.mark !== null && this.list.querySelector('.news');
    if (!mark) return;
    mark.scrollIntoView({ block: 'start' });
    this.#scrolled();
  }

  #drawNew(room) {
    let previous = room.items[this.#drawn - 1];
    const nodes = [];
    for (const item of room.items.slice(this.#drawn)) {
      nodes.push(this.#dressed(item, previous, room));
      previous = item;
    }
    this.list.append(...nodes);
  }

  /** Puts everything in its place, and touches only what is not there. */
  #drawAll(room, isOther) {
    // What was there before is nothing to be read out.
    this.list.setAttribute('aria-live', 'off');
    this.#room = room;
    this.#version = room.version;
    const anchor = isOther ? null : this.#topmost();
    const before = anchor?.getBoundingClientRect().top;
    const nodes = room.items.map((item, place) => this.#dressed(item, room.items[place - 1], room));
    const wanted = new Set(nodes);
    for (const node of [...this.list.children]) if (!wanted.has(node)) node.remove();
    let next = this.list.firstChild;
    for (const node of nodes) {
      if (node === next) next = next.nextSibling;
      else this.list.insertBefore(node, next);
    }
    if (anchor?.isConnected) this.scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    setTimeout(() => this.list.setAttribute('aria-live', 'polite'));
  }

  #topmost() {
    const { left, top, width } = this.scroller.getBoundingClientRect();
    return document.elementFromPoint(left + width / 2, top + 4)?.closest('.item');
  }

  /** The node of an item, with what depends on the one before it. */
  #dressed(item, previous, room) {
    let node = this.#nodes.get(item);
    if (!node) {
      node = this.#build(item);
      this.#nodes.set(item, node);
    }
    const at = new Date(item.time ?? previous?.time ?? Date.now());
    const before = new Date(previous?.time ?? at);
    const isNewDay = at.toDateString() !== before.toDateString() || (!previous && room.isWhole);
    const isNews = room.mark !== null && item.seq > room.mark && !(previous?.seq > room.mark);
    const isInOneBreath =
      previous?.kind === item.kind && previous.name === item.name && at - before < SAME_BREATH_MS;
    node.classList.toggle('same', isInOneBreath && !isNewDay && !isNews);
    rule(node, 'news', isNews && say('newFrom'));
    rule(node, 'day', isNewDay && calendar.format(at));
    return node;
  }

  #build(item) {
    const isSaid = SAID.includes(item.kind);
    const body = make('div', 'body', ...(isSaid ? this.#said(item) : this.#told(item)));
    const node = make('div', `item ${isSaid ? 'said' : 'told'} ${item.kind}`, body);
    if (!isSaid) return node;
    node.dataset.seq = item.seq;
    node.classList.toggle('own', item.name === this.#me);
    node.classList.toggle('named', item.name !== this.#me && body.querySelector('mark') !== null);
    return node;
  }

  #said({ kind, name, text, time }) {
    const who = make('span', 'who', colored(name));
    const at = make('time', '', clock.format(new Date(time)));
    at.dateTime = time;
    at.title = moment.format(new Date(time));
    const words = make('span', 'text', ...rich(text, this.#mention));
    words.dir = 'auto';
    if (kind === 'action') words.prepend(make('bdi', '', name), ' ');
    return [who, words, at];
  }

  #told(item) {
    if (item.kind !== 'gap') {
      const words = item.kind === 'note' ? [item.text] : sentence(happening(item));
      const text = make('div', 'text', ...words);
      text.title = moment.format(new Date(item.time));
      return [text];
    }
    const n = item.last - item.first + 1;
    return [make('span', 'text', say('gap', { n })), button(say('showGap'), () => this.on.gap(item))];
  }

  #drawOutbox(room) {
    this.outbox.replaceChildren(
      ...room.outbox.map((sent) => {
        const node = make('div', `sent ${sent.state}`, make('div', 'text', sent.lines.join('\n')));
        const state = make('span', 'state', sent.why ?? say(sent.state));
        node.append(make('div', 'about', state));
        if (sent.state === 'lost' || sent.state === 'refused') {
          node.lastChild.append(
            button(say('again'), () => this.on.again(sent)),
            button(say('discard'), () => this.on.discard(sent)),
          );
        }
        return node;
      }),
    );
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.#isFollowing = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    this.#askOlder();
    this.on.scrolled();
  }

  #askOlder() {
    if (this.scroller.scrollTop < NEAR_TOP_PX) this.on.older();
  }
}

/** What happened in a room, beside what was said. */
function happening(event) {
  switch (event.kind) {
    case 'arrived_together':
    case 'left_together': {
      const names = event.names.join(', ');
      const all = event.others ? say('andOthers', { names, n: event.others }) : names;
      return parts(event.kind, { names: all });
    }
    case 'left':
      if (event.by) return [event.text];
      return parts(event.words ? 'leftSaying' : 'left', event);
    case 'topic':
      return parts(event.topic === null ? 'topicCleared' : 'topicSet', event);
    case 'arrived':
    case 'renamed':
    case 'took_back':
      return parts(event.kind, event);
    default:
      return [event.text];
  }
}

/** A line across, above an item: a new day, or where one stopped reading. */
function rule(node, kind, words) {
  const old = node.querySelector(`:scope > .${kind}`);
  if (words && old?.textContent === words) return;
  old?.remove();
  if (words) node.prepend(make('div', `rule ${kind}`, make('span', '', words)));
}
