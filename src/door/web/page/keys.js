// Keys that work wherever the focus is. Knows no room.

import { $ } from './text.js';

const PAGE = 0.9; // of the visible part, so that the reader does not lose the place

/** Calls `on.step(steps, isUnread)`, `on.goTo()`, `on.newest()` while `on.isIn()`. */
export function listen(on) {
	document.addEventListener('keydown', (event) => {
		if (event.defaultPrevented || event.isComposing || !on.isIn() || document.querySelector('dialog[open]')) return;
		const action = actionOf(event, on);
		if (!action) return;
		event.preventDefault();
		action();
	});
}

function actionOf({ key, altKey, ctrlKey, metaKey, shiftKey, target }, on) {
	const isTyping = target === $('input') || target === document.body;
	if ((ctrlKey || metaKey) && !altKey) return key.toLowerCase() === 'k' && !shiftKey ? on.goTo : null;
	if (altKey) return { ArrowUp: () => on.step(-1, shiftKey), ArrowDown: () => on.step(1, shiftKey) }[key];
	if (shiftKey) return null;
	if (key === 'Escape') return on.newest;
	const way = isTyping && { PageUp: -1, PageDown: 1 }[key];
	return way ? () => $('scroller').scrollBy(0, way * PAGE * $('scroller').clientHeight) : null;
}
