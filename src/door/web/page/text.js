// What people typed, as nodes of the page: links, and one's own name. Everything in it is hostile
// until it is text. Knows no line and no room.

/** Up to a blank, or to a sign that ends a phrase in Chinese and Japanese, where no blank follows. */
const LINK = /https?:\/\/[^\s<>"“”‘’「」『』【】《》（），。、；：！？]+/gi;
/** These scripts set no blanks between words, so that a name may stand in the middle of others. */
const UNSPACED = '[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}]';
const IN_WORD = `(?!${UNSPACED})[\\p{L}\\p{N}_-]`;

/** An element with a class and children; strings among them become text, and never markup. */
export function make(tag, className = '', ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function button(words, onClick, className = '') {
  const element = make('button', className, words);
  element.type = 'button';
  element.onclick = onClick;
  return element;
}

/** A sentence from words.js, with what others typed kept apart from its reading direction. */
export const sentence = (parts) =>
  parts.map((part) => (part.name === undefined ? part : make('bdi', '', part.name)));

/** What finds this name where it is called; an address is nobody's call. */
export function mentionOf(name) {
  if (!name || name.includes(':')) return null;
  const escaped = name.replace(/[\\^$.*+?()[\]{}|-]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16)}`);
  if (new RegExp(UNSPACED, 'u').test(name)) return new RegExp(escaped, 'giu');
  return new RegExp(`(?<!${IN_WORD})${escaped}(?!${IN_WORD})`, 'giu');
}

/** The nodes of a line. */
export function rich(text, mention) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = withoutStop(match[0]);
    const url = parsed(shown);
    if (!url) continue;
    nodes.push(...marked(text.slice(from, match.index), mention), link(shown, url));
    from = match.index + shown.length;
  }
  nodes.push(...marked(text.slice(from), mention));
  return nodes;
}

/** A stop behind an address ends the sentence; a bracket does unless it was opened in the address. */
function withoutStop(address) {
  for (;;) {
    const last = address.at(-1);
    const isStop = ".,;:!?'*_~".includes(last);
    const isClosing = last === ')' && !address.includes('(');
    if (!isStop && !isClosing && last !== ']') return address;
    address = address.slice(0, -1);
  }
}

function parsed(address) {
  try {
    const url = new URL(address);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : null;
  } catch {
    return null;
  }
}

function link(shown, url) {
  const anchor = make('a', '', shown);
  anchor.href = url.href;
  anchor.target = '_blank';
  anchor.rel = 'noopener noreferrer';
  // Shows letters that only look like others, which the address as typed does not.
  anchor.title = url.href;
  return anchor;
}

function marked(text, mention) {
  if (!mention) return text ? [text] : [];
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(mention)) {
    nodes.push(text.slice(from, match.index), make('mark', '', match[0]));
    from = match.index + match[0].length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== '');
}
