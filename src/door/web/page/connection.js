// The connection: a socket that reconnects by itself, and requests with their answers. Knows no room and no name.

/** Doubled with every failure, to spare a server that has just restarted. */
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 30_000;
/** A connection can break unnoticed, so the page pings the server. */
const PING_EVERY_MS = 30_000;
const PING_WAIT_MS = 15_000;
/** A server on this machine answers even without a network. */
const OFFLINE_WAIT_MS = 2_000;
/** Reconnecting is useless: left, removed, no name, banned. */
const FINAL_CODES = [1000, 4001, 4002, 4003];

const address = new URL('-/socket', location.href.replace(/^http/, 'ws'));
let socket = null;
let requests = []; // in the order in which the server handles them
let lastId = 0;
let failures = 0;
let retry = 0;
let deadline = 0;
let on = {};

/** Calls `on.hear(message)`, and `on.down(pauseMs)`; without a pause, it does not reconnect. */
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

/** Sets the pause back to the first one. */
export function settle() {
	failures = 0;
}

/** `take` sees messages until the request is done, and returns those it keeps. If it is not done, the connection was lost,
	and nobody knows whether the server has read it. */
export async function ask(request, take = () => false) {
	if (!isOpen()) return { isDone: false };
	const id = ++lastId;
	socket.send(JSON.stringify({ ...request, id }));
	return new Promise((resolve) => requests.push({ id, take, resolve }));
}

/** The socket is closed. */
export function lose(code = 4000) {
	if (!socket) return;
	socket.onmessage = socket.onclose = null;
	socket.close();
	socket = null;
	clearTimeout(deadline);
	for (const { resolve } of requests) resolve({ isDone: false });
	requests = [];
	if (FINAL_CODES.includes(code)) return on.down();
	// Half of the pause is random, so that not all clients come back at once.
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
		// The server refused only the password, and asks again.
		const { refusal } = request;
		delete request.refusal;
		on.hear({ ...message, refusal });
	} else if (message.kind !== 'pong' && !request?.take(message)) {
		on.hear(message);
	}
}
