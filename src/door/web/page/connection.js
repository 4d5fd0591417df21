// The connection: one socket that comes back by itself, and requests with their answers. Knows no room, no
// name and nothing of the page.

/** Doubled with every failure, so that a server that has just come back is not stormed. */
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 30_000;
/** A network can forget a connection without a word, so it is asked whether it lives. */
const PING_EVERY_MS = 30_000;
const PING_WAIT_MS = 15_000;
/** After these, trying again would change nothing: left, removed, no name given, banned. */
const FINAL_CODES = [1000, 4001, 4002, 4003];

export class Connection {
	#socket = null;
	#requests = []; // in the order in which the server does them
	#lastId = 0;
	#failures = 0;
	#retry = 0;
	#deadline = 0;

	/** Calls `hear(message)`, and `down(code, pauseMs)`, where no pause means that it stays down. */
	constructor(address, hear, down) {
		Object.assign(this, { address, hear, down });
		setInterval(() => this.#probe(), PING_EVERY_MS);
		const wake = () => {
			this.retryNow();
			this.#probe();
		};
		addEventListener('online', wake);
		document.addEventListener('visibilitychange', () => document.hidden || wake());
	}

	get isOpen() {
		return this.#socket?.readyState === WebSocket.OPEN;
	}

	open() {
		if (this.#socket) return;
		clearTimeout(this.#retry);
		this.#retry = 0;
		this.#socket = new WebSocket(this.address);
		this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
		this.#socket.onclose = ({ code }) => this.lose(code);
	}

	retryNow() {
		if (this.#retry) this.open();
	}

	/** All is well: the next failure is a first one again. */
	settle() {
		this.#failures = 0;
	}

	/** Sends a request. `take` sees what comes until it is done, and says what it keeps to itself. Resolves
		to whether it was done; if not, nobody knows whether the server has read it. */
	async ask(request, take = () => false) {
		if (!this.isOpen) return false;
		const id = ++this.#lastId;
		this.#socket.send(JSON.stringify({ ...request, id }));
		return new Promise((resolve) => this.#requests.push({ id, take, resolve }));
	}

	/** The socket has ended, or is given up. */
	lose(code = 4000) {
		if (!this.#socket) return;
		this.#socket.onmessage = this.#socket.onclose = null;
		this.#socket.close();
		this.#socket = null;
		clearTimeout(this.#deadline);
		for (const { resolve } of this.#requests.splice(0)) resolve(false);
		this.down(code, FINAL_CODES.includes(code) ? null : this.#comeBack());
	}

	#comeBack() {
		const longest = Math.min(PAUSE_FIRST_MS * 2 ** this.#failures++, PAUSE_MAX_MS);
		// Half of it by chance: many who lost the same server do not come back in the same moment.
		const pauseMs = (longest / 2) * (1 + Math.random());
		this.#retry = setTimeout(() => this.open(), pauseMs);
		return pauseMs;
	}

	#probe() {
		if (!this.isOpen) return;
		this.#socket.send('{"do":"ping"}');
		clearTimeout(this.#deadline);
		this.#deadline = setTimeout(() => this.lose(), PING_WAIT_MS);
	}

	#take(message) {
		clearTimeout(this.#deadline);
		if (message.kind === 'done') {
			while (this.#requests[0]?.id <= message.id) this.#requests.shift().resolve(true);
		} else if (message.kind !== 'pong' && !this.#requests[0]?.take(message)) {
			this.hear(message);
		}
	}
}
