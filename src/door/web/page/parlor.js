// The page: what follows from what is said, typed and clicked. It brings together the connection, the
// rooms and what is shown, and knows of none how it is done.

import { Compose } from './compose.js';
import { Connection } from './connection.js';
import { Lines } from './lines.js';
import { $, askPassword, door, drawRoom, drawRooms, finder, putWords, setUpDrawers } from './panels.js';
import { Room } from './rooms.js';
import { make, mentionOf, sentence } from './text.js';
import { does, isChinese, parts, say, why } from './words.js';

/** What a message may have, less what stands around the text. */
const MESSAGE_BYTES_MAX = 16_000;
/** So many older lines at once: more than a screen, and drawn without a pause. */
const HISTORY_LINES = 100;
/** What comes in a burst is drawn together. */
const DRAW_MS = 16;

/** By name, and private conversations by `@name`, which no room can be called. */
const rooms = new Map();
let current = null;
let lastRoom = null;
let me = '';
let identity = {};
let wantsIn = false;
let isIn = false;
let hello = { text: 4096, lines: 200 };
let commands = [];
let farewell = '';

// What is kept: in this tab how to come back, and for the next visit the name and how far one has read.
const tab = load(() => sessionStorage);
const visit = load(() => localStorage);

const connection = new Connection(
  new URL('/-/socket', location.href.replace(/^http/, 'ws')),
  { message: (message) => (on[message.kind] ?? on.answer)(message), down },
);
const lines = new Lines(
  { scroller: $('scroller'), list: $('lines'), outbox: $('outbox') },
  { older, gap: fillGap, scrolled: draw, again: (sent) => post(current, sent), discard },
);
const compose = new Compose(
  { form: $('compose'), input: $('input'), menu: $('menu'), question: $('question'), hint: $('hint') },
  {
    submit,
    commands: commandOptions,
    names: (typed) => options([...(current.isPrivate ? lastRoom : current).people].filter((name) => name !== me), typed),
    rooms: (typed) => options([...rooms.values()].filter((room) => !room.isPrivate).map((room) => room.name), typed),
    page: (direction) => lines.page(direction),
    linesMax: () => hello.lines,
  },
);

start();

function start() {
  document.documentElement.lang = isChinese ? 'zh-Hans' : 'en';
  putWords();
  setUpDrawers();
  door.onEnter((name, password) => {
    identity = password ? { name, password } : name ? { name } : {};
    tab.code = null;
    comeIn();
  });
  $('browse').onclick = browse;
  $('to-search').onclick = () => search('');
  $('me').onclick = () => begin('/name ');
  $('topic').onclick = () => begin('/topic ');
  $('newest').onclick = () => lines.toEnd();
  $('finder-close').onclick = () => finder.hide();
  $('secret-cancel').onclick = () => $('secret-dialog').close();
  $('state').querySelector('button').onclick = () => connection.retryNow();
  $('notify').onclick = () => Notification.requestPermission().then(draw);
  addEventListener('popstate', () => isIn && join(addressed(), { isPushed: false }));
  addEventListener('focus', draw);
  addEventListener('pagehide', save);
  document.addEventListener('visibilitychange', draw);
  document.addEventListener('keydown', shortcut);
  if (tab.code) {
    identity = tab.name ? { name: tab.name } : {};
    comeIn();
  } else {
    door.show(addressed(), { name: visit.name ?? '' });
  }
}

// Coming in, and coming back.

function comeIn() {
  wantsIn = true;
  if (connection.isOpen) enter();
  else connection.open();
}

async function enter() {
  const place = (current?.isPrivate ? lastRoom : current)?.name ?? addressed();
  let refusal;
  for (const who of tab.code ? [{ code: tab.code }, identity] : [identity]) {
    refusal = null;
    const request = { do: 'enter', ...who, ...seat(place) };
    const isDone = await connection.ask(request, (m) => m.kind === 'refused' && (refusal = m));
    if (!isDone) return;
    if (!refusal) break;
    tab.code = null;
  }
  if (refusal) turnedAway(refusal, place);
  else settle();
}

function turnedAway(refusal, place) {
  if (refusal.why === 'name-taken' && rooms.size) {
    connection.close({ isFinal: false });
    return;
  }
  wantsIn = false;
  const wantsPassword = ['name-owned', 'wrong-password'].includes(refusal.why);
  const words = refusal.why === 'name-owned' ? say('owned', identity) : why(refusal);
  door.show(place, { name: identity.name ?? '', words, wantsPassword });
}

/** In: take the other seats again, say what waits, and ask for what is good to have. */
async function settle() {
  connection.settled();
  isIn = true;
  showState('');
  door.open();
  if (!current) open(rooms.values().next().value, { isPushed: false });
  visit.name = identity.name;
  connection.ask({ do: 'code' }, (m) => {
    if (m.kind === 'code') tab.code = m.code;
    return m.kind === 'code' || m.kind === 'refused';
  });
  connection.ask({ do: 'help' }, (m) => m.kind === 'help' && (commands = m.commands));
  const known = new Set([...rooms.values()].filter((room) => !room.isPrivate).map(({ name }) => name));
  for (const name of new Set([...known, ...(tab.rooms ?? [])])) {
    if (rooms.get(name)?.isSeated) continue;
    await connection.ask({ do: 'join', ...seat(name) }, (m) => m.kind === 'refused' && remove(rooms.get(name)));
    if (!isIn) return;
  }
  for (const room of rooms.values()) {
    room.caughtUp();
    for (const sent of room.outbox) {
      if (sent.state === 'waiting') post(room, sent);
      else if (sent.state === 'unsure') sent.state = 'lost';
    }
  }
  save();
  draw();
}

/** A room, and from where on its lines are wanted. */
function seat(name) {
  const after = rooms.get(name)?.last ?? visit.read[name];
  return after > 0 ? { room: name, log: hello.log, after } : { room: name };
}

function down({ code, pauseMs }) {
  isIn = false;
  for (const room of rooms.values()) {
    room.isSeated = false;
    for (const sent of room.outbox) if (sent.state === 'sending') sent.state = 'unsure';
  }
  if (pauseMs !== null) {
    countDown(Date.now() + pauseMs);
  } else if (current) {
    rooms.clear();
    current = lastRoom = null;
    Object.assign(tab, { code: null, rooms: [] });
    wantsIn = false;
    save();
    door.show(addressed(), { name: identity.name ?? '', words: farewell || say(code === 4003 ? 'banned' : 'youLeft') });
    farewell = '';
  } else {
    door.wait(false);
  }
  draw();
}

function countDown(until) {
  if (connection.isOpen || isIn) return;
  const n = Math.ceil((until - Date.now()) / 1000);
  showState(say(n > 0 ? 'broken' : 'connecting', { n }));
  if (n > 0) setTimeout(countDown, 1000, until);
}

function showState(words) {
  $('state').hidden = !words;
  $('state').firstChild.textContent = words;
  $('door-words').textContent = words;
}

// What the server says.

const on = {
  hello(message) {
    if (hello.log && hello.log !== message.log) for (const room of rooms.values()) if (!room.isPrivate) room.renew(say('anew'));
    if (visit.log !== message.log) Object.assign(visit, { log: message.log, read: {} });
    hello = message;
    if (wantsIn) enter();
  },
  entered(message) {
    me = message.name;
    let room = rooms.get(message.room);
    if (!room) {
      room = new Room(message.room, { read: visit.read[message.room] });
      rooms.set(room.name, room);
      room.note(keeping());
    }
    room.isSeated = true;
    room.enter(message, me);
    if (message.keeps) room.note(say('keeper'));
    if (message.others) connection.ask({ do: 'who', room: room.name }, (m) => m.kind === 'who' && seen(m));
    draw();
  },
  departed: ({ room }) => remove(rooms.get(room)),
  skipped({ room, first, last }) {
    rooms.get(room)?.skip(first, last);
    draw();
  },
  line: said,
  action: said,
  arrived: (event) => happened(event, (room) => room.arrive([event.name])),
  left: (event) => happened(event, (room) => room.depart([event.name])),
  arrived_together: (event) => happened(event, (room) => room.arrive(event.names, event.others)),
  left_together: (event) => happened(event, (room) => room.depart(event.names, event.others)),
  renamed: (event) => happened(event, (room) => room.rename(event.from, event.name)),
  topic: (event) => happened(event, (room) => (room.topic = event.topic)),
  took_back: (event) => happened(event, (room) => room.takeBack(event.name)),
  ruled: (event) => happened(event, () => {}),
  you({ name }) {
    for (const room of rooms.values()) room.rename(me, name);
    me = name;
    visit.name = identity.name = name;
    draw();
  },
  private: whispered,
  letter: whispered,
  who(message) {
    seen(message);
    on.answer(message);
  },
  async password(message) {
    connection.ask({ do: 'password', text: await askPassword(message) });
  },
  help: () => note(commandOptions('').map(({ label, words }) => `${label}  ${words}`).join('\n')),
  refused: (message) => note(why(message)),
  removed(message) {
    if (!message.room) farewell = message.text;
    on.answer(message);
  },
  answer: ({ text }) => text && note(text),
};

function said(event) {
  const room = rooms.get(event.room);
  if (!room) return;
  hear(room, event, isNaming(event));
}

function whispered({ from, to, words, time = new Date().toISOString() }) {
  const isOwn = from === me;
  const room = conversation(isOwn ? to : from);
  hear(room, { kind: 'private', name: from, text: words, time }, !isOwn);
}

/** Something was said: in its place, counted, and told to who is elsewhere. */
function hear(room, event, isCalling) {
  const isOwn = event.name === me;
  const isAttended = attends(room);
  if (!room.add(event, { isAttended, isOwn, isNaming: isCalling })) return;
  if (isOwn) room.confirm(event);
  else if (isCalling && !event.old && !isAttended) notify(room, event);
  draw();
}

const isNaming = ({ name, text }) => name !== me && Boolean(mentionOf(me)?.test(text));

function happened(event, change) {
  const room = rooms.get(event.room);
  if (!room) return;
  change(room);
  room.add(event, {});
  draw();
}

function seen({ room, people, others }) {
  const known = rooms.get(room);
  if (known) Object.assign(known, { people: people.map(({ name }) => name), others });
  draw();
  return true;
}

/** A word to this person alone, where they are looking. */
function note(text) {
  current?.note(text);
  draw();
}

function keeping() {
  if (hello.keeps !== 'disk') return say('notKept');
  return hello.retain ? say('keptFor', { n: Math.ceil(hello.retain / 86_400) }) : say('kept');
}

function notify(room, { name, text }) {
  if (window.Notification?.permission !== 'granted') return;
  try {
    const title = room.isPrivate ? name : `${name} · ${room.name}`;
    const notification = new Notification(title, { body: text, tag: room.name, icon: '/-/icon.svg' });
    notification.onclick = () => {
      focus();
      open(room);
      notification.close();
    };
  } catch {
    // Phones have it for other kinds of pages only; the count in the title remains.
  }
}

// What the person does.

/** Whether what was typed is taken, and may go from the field. */
function submit(text) {
  const command = !text.includes('\n') && /^\/([^\s/]\S*)\s*(.*)$/.exec(text);
  if (command) return isIn ? run(command[1].toLowerCase(), command[2].trim()) : refuse('notNow');
  const plain = text.includes('\n') ? text : text.replace(/^\/\//, '/');
  const typed = plain.split('\n').filter((line) => line.trim());
  const bytes = typed.map((line) => new TextEncoder().encode(JSON.stringify(line)).length);
  if (typed.length > hello.lines) return refuse('tooMany', hello.lines);
  if (Math.max(...bytes) > hello.text + 2) return refuse('tooLong', hello.text);
  if (bytes.reduce((sum, count) => sum + count, 0) > MESSAGE_BYTES_MAX) return refuse('tooMuch');
  const all = current.isPrivate ? typed.map((line) => [line]) : [typed];
  for (const several of all) utter(current, current.isPrivate ? 'msg' : 'say', several);
  return true;
}

function refuse(key, n) {
  compose.say(say(key, { n }));
  return false;
}

function run(verb, rest) {
  const known = rooms.get(rest.toLowerCase());
  switch (verb) {
    case 'join':
      if (rest) join(rest);
      return Boolean(rest);
    case 'leave':
      return leave(rest ? known : current);
    case 'rooms':
    case 'list':
      browse();
      return true;
    case 'search':
      search(rest);
      return true;
    case 'me':
      if (!rest) break;
      // What is done in private is done there, and not before everybody.
      if (current.isPrivate) utter(current, 'msg', [`* ${me} ${rest}`]);
      else utter(current, 'me', [rest]);
      return true;
    case 'msg': {
      const [, name, words] = /^(\S+)\s+(.+)$/.exec(rest) ?? [];
      if (!words) break;
      open(conversation(name));
      utter(current, 'msg', [words]);
      return true;
    }
  }
  connection.ask({ do: verb, room: lastRoom.name, args: rest ? [rest] : [] });
  return true;
}

function utter(room, verb, typed) {
  const sent = { verb, lines: typed, after: room.last, state: 'waiting' };
  room.outbox.push(sent);
  room.unmark();
  lines.toEnd();
  post(room, sent);
}

/** Sends it, and knows afterwards whether it was said, was refused, or is in doubt. */
async function post(room, sent) {
  sent.why = null;
  sent.state = isIn ? 'sending' : 'waiting';
  draw();
  if (!isIn) return;
  const text = sent.lines.join('\n');
  const request = {
    say: { do: 'say', room: room.name, text },
    me: { do: 'me', room: room.name, args: [text] },
    msg: { do: 'msg', args: [room.name, text] },
  }[sent.verb];
  let refusal;
  const isDone = await connection.ask(request, (m) => m.kind === 'refused' && (refusal = m));
  if (refusal) Object.assign(sent, { state: 'refused', why: why(refusal) });
  else if (isDone) room.settle(sent);
  else sent.state = 'unsure';
  draw();
}

function discard(sent) {
  current.settle(sent);
  draw();
}

/** Takes a seat, or goes where one has it. */
async function join(name, { isPushed = true } = {}) {
  let room = rooms.get(name) ?? rooms.get(name.toLowerCase());
  if (!room) {
    await connection.ask({ do: 'join', ...seat(name.toLowerCase()) }, (m) => {
      if (m.kind === 'entered') room = m.room;
    });
    room = rooms.get(room);
    room?.caughtUp();
  }
  if (room) open(room, { isPushed });
  return room;
}

function leave(room = current) {
  const seats = [...rooms.values()].filter(({ isPrivate }) => !isPrivate);
  if (room.isPrivate) remove(room);
  else if (seats.length < 2) return refuse('lastRoom');
  else connection.ask({ do: 'leave', room: room.name });
  return true;
}

function remove(room) {
  if (!room) return;
  for (const [key, value] of rooms) if (value === room) rooms.delete(key);
  if (lastRoom === room) lastRoom = [...rooms.values()].find(({ isPrivate }) => !isPrivate);
  if (current === room && lastRoom) open(lastRoom);
  save();
  draw();
}

function conversation(name) {
  const key = `@${name.toLowerCase()}`;
  if (!rooms.has(key)) rooms.set(key, new Room(name, { isPrivate: true }));
  return rooms.get(key);
}

function open(room, { isPushed = true } = {}) {
  if (current && current !== room) {
    current.draft = compose.text;
    if (!current.unread) current.unmark();
  }
  current = room;
  if (!room.isPrivate) {
    lastRoom = room;
    const address = `/${encodeURIComponent(room.name)}`;
    if (address !== location.pathname) history[isPushed ? 'pushState' : 'replaceState'](null, '', address);
  }
  compose.text = room.draft;
  $('input').placeholder = say(room.isPrivate ? 'write' : 'say', { room: room.name, name: room.name });
  $('input').ariaLabel = $('input').placeholder;
  // On a phone that would bring the keyboard up before anything is to be typed.
  if (matchMedia('(pointer: fine)').matches) $('input').focus();
  drawNow();
}

function begin(text) {
  compose.text = text;
  $('input').focus();
}

function shortcut(event) {
  if (!event.altKey || !isIn || !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
  event.preventDefault();
  const all = [...rooms.values()];
  const step = event.key === 'ArrowUp' ? all.length - 1 : 1;
  open(all[(all.indexOf(current) + step) % all.length]);
}

// Older lines, and finding.

async function fetchLines(room, query) {
  const events = [];
  const request = { do: 'history', room: room.name, limit: HISTORY_LINES, ...query };
  const isDone = await connection.ask(request, (m) => m.old && m.room === room.name && events.push(m));
  for (const event of events) if (event.name === me) room.confirm(event);
  return isDone ? events : null;
}

async function older() {
  const room = current;
  if (!isIn || room.isWhole || room.isLoading || room.first === Infinity) return;
  room.isLoading = true;
  const events = room.first > 1 ? await fetchLines(room, { before: room.first }) : [];
  room.isLoading = false;
  if (events?.length) room.fill(events[0].seq, room.first - 1, events);
  else if (events) room.isWhole = true;
  room.trimNewest();
  draw();
}

async function fillGap({ first, last }) {
  const room = current;
  const events = await fetchLines(room, { after: first - 1 });
  if (!events) return;
  const inside = events.filter(({ seq }) => seq <= last);
  // Where fewer came than are missing, the server has no more than these.
  const high = inside.length < HISTORY_LINES ? last : inside.at(-1).seq;
  room.fill(first, high, inside);
  draw();
}

async function reveal(name, seq) {
  finder.hide();
  const room = await join(name);
  if (!room) return;
  if (!room.has(seq)) {
    const events = await fetchLines(room, { after: Math.max(0, seq - HISTORY_LINES / 2) });
    if (events?.length) room.fill(events[0].seq, events.at(-1).seq, events);
  }
  drawNow();
  lines.reveal(seq);
}

function search(text) {
  const find = async (typed) => {
    const rows = [];
    await connection.ask({ do: 'search', args: [typed] }, (m) => {
      if (m.kind === 'found') rows.push(foundRow(m));
      else if (m.kind === 'refused') rows.push(why(m));
      else if (m.kind === 'answer') rows.push(m.text);
      else return false;
      return true;
    });
    finder.list(rows);
  };
  finder.show({ title: say('search'), label: say('searchFor'), verb: say('search'), text, onSubmit: find });
  if (text) find(text);
}

function foundRow({ room, seq, time, name, words }) {
  const at = new Date(time).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' });
  const about = make('span', 'about', make('bdi', '', room), ` · ${at} · `, make('bdi', '', name));
  return { nodes: [about, make('bdi', 'text', words)], choose: () => reveal(room, seq) };
}

async function browse() {
  const choose = (name) => {
    finder.hide();
    join(name);
  };
  finder.show({ title: say('browse'), label: say('roomName'), verb: say('join'), onSubmit: choose });
  await connection.ask({ do: 'rooms' }, (m) => {
    if (m.kind !== 'rooms') return false;
    finder.list(m.rooms.map(({ room, people, topic }) => {
      const about = make('span', 'about', ...sentence(parts('peopleHere', { n: people })));
      return { nodes: [make('bdi', 'text', room), about, make('bdi', 'topic', topic ?? '')], choose: () => choose(room) };
    }));
    return true;
  });
}

function commandOptions(typed) {
  const leaving = { name: 'leave', aliases: [], arguments: '[ROOM]', does: say('doesLeave') };
  return [...commands, leaving]
    .filter(({ name, aliases }) => name !== 'resume' && [name, ...aliases].some((word) => word.startsWith(typed)))
    .map((command) => ({
      label: `/${command.name} ${command.arguments}`,
      words: does(command),
      insert: `/${command.name}${command.arguments ? ' ' : ''}`,
      also: command.aliases.map((word) => `/${word}`),
    }));
}

const options = (names, typed) =>
  names
    .filter((name) => name.toLowerCase().startsWith(typed.toLowerCase()))
    .sort()
    .map((name) => ({ label: name, insert: `${name} ` }));

// What is shown.

let drawing = 0;

function draw() {
  drawing ||= setTimeout(drawNow, DRAW_MS);
}

function drawNow() {
  clearTimeout(drawing);
  drawing = 0;
  if (!current) {
    document.title = 'Parlor';
    return;
  }
  for (const room of rooms.values()) room.trim(room !== current || lines.isAtEnd);
  lines.draw(current, me);
  if (attends(current)) current.attend();
  drawRooms([...rooms.values()], current, { open, leave });
  drawRoom(current, me, { write: (name) => open(conversation(name)) });
  $('me').textContent = me;
  $('notify').hidden = window.Notification?.permission !== 'default';
  $('newest').hidden = lines.isAtEnd;
  $('newest').textContent = `↓ ${current.unread || ''} ${say('newest')}`;
  const unread = [...rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  document.title = `${unread ? `(${unread}) ` : ''}${current.name} · Parlor`;
}

/** Whether somebody is looking at the end of this room. */
function attends(room) {
  return room === current && lines.isAtEnd && document.hasFocus() && !document.hidden;
}

// What is kept between visits.

function addressed() {
  try {
    return decodeURIComponent(location.pathname.slice(1)).toLowerCase() || 'lobby';
  } catch {
    return 'lobby';
  }
}

function load(store) {
  try {
    return { read: {}, ...JSON.parse(store().parlor) };
  } catch {
    return { read: {} };
  }
}

function save() {
  const seats = [...rooms.values()].filter((room) => !room.isPrivate);
  for (const room of seats) visit.read[room.name] = room.read;
  if (seats.length) Object.assign(tab, { name: identity.name, rooms: seats.map(({ name }) => name) });
  try {
    sessionStorage.parlor = JSON.stringify(tab);
    localStorage.parlor = JSON.stringify(visit);
  } catch {
    // A browser that keeps nothing: then one is asked for the name again.
  }
}
