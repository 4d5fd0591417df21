// The connection: a socket that comes back by itself, and requests with their answers. Knows no room and no name.

/** Doubled with every failure, so that a server that has just come back is not stormed. */
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 30_000;
/** A network can forget a connection without a word, so it is asked whether it lives. */
const PING_EVERY_MS = 30_000;
const PING_WAIT_MS = 15_000;
/** Also without a network, a server on this machine answers at once. */
const OFFLINE_WAIT_MS = 2_000;
/** Trying again would change nothing: left, removed, no name given, banned. */
const FINAL_CODES = [1000, 4001, 4002, 4003];

const address = new URL('-/socket', location.href.replace(/^http/, 'ws'));
let socket = null;
let requests = []; // in the order in which the server does them
let lastId = 0;
let failures = 0;
let retry = 0;
let deadline = 0;
let on = {};

/** Calls `on.hear(message)`, and `on.down(pauseMs)`: without a pause it stays down. */
export function listen(listener) {
	on = listener;
	setInterval(() => probe(), PING_EVERY_MS);
	addEventListener('online', retryNow);
	addEventListener('offline', () => probe(OFFLINE_WAIT_MS));
	document.addEventListener('visibilitychange', () => document.hidden || retryNow() || probe());
}

export const isOpen = () => socket?.readyState === WebSocket.OPEN;

export function open() {
	if (socket) return;
	clearTimeout(retry);
	retry = 0;
	socket = new WebSocket(address);
	socket.onmessage = ({ data }) => take(JSON.parse(data));
	socket.onclose = ({ code }) => lose(code);
}

export function retryNow() {
	if (retry) open();
}

/** The next failure is a first one again. */
export function settle() {
	failures = 0;
}

/** `take` sees what comes until the request is done, and says what it keeps. If it is not done, the connection was lost,
	and nobody knows whether the server has read it. */
export async function ask(request, take = () => false) {
	if (!isOpen()) return { isDone: false };
	const id = ++lastId;
	socket.send(JSON.stringify({ ...request, id }));
	return new Promise((resolve) => requests.push({ id, take, resolve }));
}

/** The socket has ended, or is given up. */
export function lose(code = 4000) {
	if (!socket) return;
	socket.onmessage = socket.onclose = null;
	socket.close();
	socket = null;
	clearTimeout(deadline);
	for (const { resolve } of requests) resolve({ isDone: false });
	requests = [];
	if (FINAL_CODES.includes(code)) return on.down();
	// Half of the pause by chance: many who lost a server do not all come back at once.
	const pauseMs = (Math.min(PAUSE_FIRST_MS * 2 ** failures++, PAUSE_MAX_MS) * (1 + Math.random())) / 2;
	retry = setTimeout(open, pauseMs);
	on.down(pauseMs);
}

function probe(waitMs = PING_WAIT_MS) {
	if (!isOpen()) return;
	socket.send('{"do":"ping"}');
	clearTimeout(deadline);
	deadline = setTimeout(lose, waitMs);
}

function take(message) {
	clearTimeout(deadline);
	const [request] = requests;
	if (message.kind === 'done') {
		while (requests[0]?.id <= message.id) {
			const { resolve, refusal } = requests.shift();
			resolve({ isDone: true, refusal });
		}
	} else if (message.kind === 'refused' && request) {
		request.refusal = message;
	} else if (message.kind === 'password' && request) {
		// The server refused the last password, not the request: it asks again.
		const { refusal } = request;
		delete request.refusal;
		on.hear({ ...message, refusal });
	} else if (message.kind !== 'pong' && !request?.take(message)) {
		on.hear(message);
	}
}
