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

/** Shows what `on.typed(word)` gives while one types, or what `on.submit(typed)` gives in the end: rows as [label, words,
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

function choice(label, words, choose) {
	const chosen = () => {
		dialog.close();
		choose();
	};
	const opener = button(make('b', '', label), chosen, 'open');
	const more = make('span', 'quiet', words);
	more.dir = 'auto';
	opener.append(more);
	return opener;
}
