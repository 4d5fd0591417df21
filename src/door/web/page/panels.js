// What stands around the lines: the door, the rooms, the people, and the dialogs. Knows no socket; what
// is wanted goes to the functions it is given.

import { colored } from './lines.js';
import { button, make, sentence } from './text.js';
import { parts, say } from './words.js';

export const $ = (id) => document.getElementById(id);

/** Puts the words of the page's language where the HTML names them. */
export function putWords() {
  for (const element of document.querySelectorAll('[data-say]')) {
    element.textContent = say(element.dataset.say);
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    element.ariaLabel = element.title = say(element.dataset.label);
  }
}

/** The door, where one gives a name. */
export const door = {
  show(room, { name, words = '', wantsPassword = false }) {
    $('chat').hidden = true;
    $('door').hidden = false;
    $('place').replaceChildren(...sentence(parts('place', { room })));
    $('door-words').textContent = words;
    $('name').value = name;
    $('password').value = '';
    $('password-row').hidden = !wantsPassword;
    this.wait(false);
    const field = wantsPassword ? $('password') : $('name');
    field.focus();
    field.select();
  },

  /** Between a name given and the answer. */
  wait(isWaiting) {
    $('door-enter').disabled = isWaiting;
    $('door-enter').textContent = say(isWaiting ? 'entering' : 'enter');
  },

  open() {
    $('door').hidden = true;
    $('chat').hidden = false;
  },

  onEnter(enter) {
    $('door-form').onsubmit = (event) => {
      event.preventDefault();
      this.wait(true);
      $('door-words').textContent = '';
      enter($('name').value.trim(), $('password-row').hidden ? '' : $('password').value);
    };
    // Another name has another password, or none.
    $('name').oninput = () => ($('password-row').hidden = true);
  },
};

/** The list of rooms and of private conversations. */
export function drawRooms(rooms, current, on) {
  const row = (room) => {
    const name = make('span', 'label', room.isPrivate ? colored(room.name) : make('bdi', '', room.name));
    const open = button(name, () => on.open(room), 'open');
    if (room === current) open.ariaCurrent = 'page';
    if (room.unread) open.append(make('span', 'count', String(room.unread)));
    const leave = button('×', () => on.leave(room), 'leave');
    leave.ariaLabel = leave.title = say('leave', { room: room.name });
    const item = make('li', '', open, leave);
    item.classList.toggle('unread', room.unread > 0);
    item.classList.toggle('named', room.isNamed);
    return item;
  };
  const [open, conversations] = [[], []];
  for (const room of rooms) (room.isPrivate ? conversations : open).push(row(room));
  replaceRows($('room-list'), open);
  replaceRows($('private-list'), conversations);
  $('private').hidden = conversations.length === 0;
  const elsewhere = rooms.reduce((sum, room) => sum + (room === current ? 0 : room.unread), 0);
  $('elsewhere').textContent = elsewhere || '';
}

/** What stands above the lines, and who is here. */
export function drawRoom(room, me, on) {
  const names = [...room.people].sort((a, b) => a.localeCompare(b));
  $('title').replaceChildren(make('bdi', '', room.name));
  $('topic').textContent = room.topic ?? (room.isPrivate ? '' : say('noTopic'));
  $('topic').classList.toggle('none', !room.topic);
  $('topic').hidden = room.isPrivate;
  $('to-people').hidden = $('people').hidden = room.isPrivate;
  $('people-count').textContent = names.length + room.others;
  const rows = names.map((name) => {
    if (name === me) return make('li', 'me', colored(name));
    const open = button(colored(name), () => on.write(name), 'open');
    open.title = say('write', { name });
    return make('li', '', open);
  });
  if (room.others) rows.push(make('li', 'others', say('others', { n: room.others })));
  replaceRows($('people-list'), rows);
}

/** New rows, with the focus where it was. */
function replaceRows(list, rows) {
  const place = [...list.querySelectorAll('button')].indexOf(document.activeElement);
  list.replaceChildren(...rows);
  if (place >= 0) list.querySelectorAll('button')[place]?.focus();
}

/** On a phone, rooms and people come from the side, and go when one has chosen. */
export function setUpDrawers() {
  const pairs = [
    [$('to-rooms'), $('rooms')],
    [$('to-people'), $('people')],
  ];
  const show = (drawer) => {
    for (const [opener, panel] of pairs) {
      panel.classList.toggle('shown', panel === drawer);
      opener.ariaExpanded = String(panel === drawer);
    }
    $('veil').hidden = !drawer;
    drawer?.querySelector('button')?.focus();
  };
  const hide = () => !$('veil').hidden && show(null);
  for (const [opener, panel] of pairs) {
    opener.onclick = () => show(panel.classList.contains('shown') ? null : panel);
    panel.addEventListener('click', ({ target }) => target.closest('.open') && hide());
    panel.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape') return;
      hide();
      opener.focus();
    });
  }
  $('veil').onclick = hide;
}

/** One dialog with a field and a list: for rooms, and for lines that are searched for. */
export const finder = {
  show({ title, label, verb, text = '', onSubmit }) {
    $('finder-title').textContent = title;
    $('finder-text').placeholder = $('finder-text').ariaLabel = label;
    $('finder-text').value = text;
    $('finder-go').textContent = verb;
    $('finder-form').onsubmit = (event) => {
      event.preventDefault();
      const typed = $('finder-text').value.trim();
      if (typed) onSubmit(typed);
    };
    this.list([]);
    if (!$('finder').open) $('finder').showModal();
    $('finder-text').focus();
  },

  /** Rows, each a button with its nodes; a string is a word of the server's. */
  list(rows) {
    $('finder-list').replaceChildren(
      ...rows.map((row) =>
        make('li', '', typeof row === 'string' ? make('p', '', row) : button('', row.choose))),
    );
    for (const [place, row] of rows.entries()) {
      if (typeof row !== 'string') $('finder-list').children[place].firstChild.append(...row.nodes);
    }
  },

  hide() {
    $('finder').close();
  },
};

/** Asks for a password, in a field that shows none. Resolves to it; to nothing where it is not given. */
export function askPassword({ for: use, name }) {
  $('secret-title').replaceChildren(...sentence(parts(`${use}Password`, { name })));
  $('secret').value = '';
  $('secret').autocomplete = use === 'own' ? 'current-password' : 'new-password';
  $('secret-dialog').showModal();
  return new Promise((resolve) => {
    let typed = '';
    $('secret-form').onsubmit = (event) => {
      event.preventDefault();
      typed = $('secret').value;
      $('secret-dialog').close();
    };
    $('secret-dialog').onclose = () => {
      $('secret').value = '';
      resolve(typed);
    };
  });
}
