// A list to choose from, with a field that asks for it: a room to go to, or a line that was said. Knows neither.

import { $, button, make } from './text.js';

const [dialog, field, list] = [$('finder'), $('wanted'), $('found')];
let on = {};

field.oninput = () => on.typed && show(on.typed(field.value.trim().toLowerCase()));
$('look').onclick = async (event) => {
	event.preventDefault();
	const typed = field.value.trim();
	if (typed) show((await on.submit(typed)) ?? []);
};

dialog.onkeydown = (event) => {
	const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
	if (!way) return;
	event.preventDefault();
	const stops = [field, ...list.querySelectorAll('button')];
	stops.at((stops.indexOf(document.activeElement) + way) % stops.length).focus();
};

/** Shows what `on.typed(word)` gives while one types, or what `on.submit(typed)` gives in the end: rows as [nodes, words,
	what happens when it is chosen], and strings to be read only. */
export function find(title, action, typed, listener) {
	on = listener;
	$('finding').textContent = title;
	$('look').textContent = action;
	field.value = typed;
	show([]);
	if (!dialog.open) dialog.showModal();
	if (typed) $('look').click();
	else field.oninput();
}

function show(rows) {
	list.replaceChildren(...rows.map((row) => make('li', '', typeof row === 'string' ? row : choice(...row))));
}

function choice(nodes, words, choose) {
	const chosen = () => {
		dialog.close();
		choose();
	};
	const label = make('span', '', ...nodes);
	label.dir = 'auto';
	const opener = button(label, chosen, 'open');
	const more = make('span', 'quiet', words);
	more.dir = 'auto';
	opener.append(more);
	return opener;
}
