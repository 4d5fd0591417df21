// The connection: one socket that comes back by itself, and requests with their answers. Knows no
// room, no name and nothing of the page.

/** Doubled with every failure, so that a server that has just come back is not stormed. */
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 30_000;
/** A network can forget a connection without a word, so a silent one is asked whether it lives. */
const PING_EVERY_MS = 30_000;
const PING_WAIT_MS = 15_000;
/** Closed for a reason that trying again does not change: left, removed, no name given, banned. */
const FINAL_CODES = [1000, 4001, 4002, 4003];

export class Connection {
  #socket = null;
  #requests = []; // in the order in which the server does them
  #lastId = 0;
  #failures = 0;
  #retry = 0;
  #deadline = 0;

  /** `on.message(message)`; `on.down({ code, pauseMs })`, where no pause means that it stays down. */
  constructor(address, on) {
    this.address = address;
    this.on = on;
    setInterval(() => this.probe(), PING_EVERY_MS);
    addEventListener('online', () => this.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      this.retryNow();
      this.probe();
    });
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    if (this.#socket) return;
    clearTimeout(this.#retry);
    this.#retry = 0;
    const socket = new WebSocket(this.address);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code }) => this.#end(code);
  }

  /** Entered: the next failure is a first one again. */
  settled() {
    this.#failures = 0;
  }

  /** Closes for good, or so that it comes back after a pause. */
  close({ isFinal = true } = {}) {
    this.#end(isFinal ? 1000 : 4000);
  }

  retryNow() {
    if (this.#retry) this.open();
  }

  /** Sends a request. `take` is shown what comes until it is done, and says what it keeps to itself.
      Resolves to whether it was done; if not, nobody knows whether the server has read it. */
  ask(request, take = () => false) {
    if (!this.isOpen) return Promise.resolve(false);
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ ...request, id }));
    return new Promise((resolve) => this.#requests.push({ id, take, resolve }));
  }

  probe() {
    if (!this.isOpen || this.#deadline) return;
    this.#socket.send('{"do":"ping"}');
    this.#deadline = setTimeout(() => this.#end(4000), PING_WAIT_MS);
  }

  #hear(message) {
    clearTimeout(this.#deadline);
    this.#deadline = 0;
    if (message.kind === 'pong') return;
    if (message.kind === 'done') {
      while (this.#requests[0]?.id <= message.id) this.#requests.shift().resolve(true);
    } else if (!this.#requests[0]?.take(message)) {
      this.on.message(message);
    }
  }

  #end(code) {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = socket.onmessage = socket.onclose = null;
    socket.close();
    clearTimeout(this.#deadline);
    this.#deadline = 0;
    for (const { resolve } of this.#requests.splice(0)) resolve(false);
    this.on.down({ code, pauseMs: FINAL_CODES.includes(code) ? null : this.#schedule() });
  }

  #schedule() {
    const longest = Math.min(PAUSE_FIRST_MS * 2 ** this.#failures, PAUSE_MAX_MS);
    this.#failures += 1;
    // Half of it by chance: many who lost the same server do not come back in the same moment.
    const pauseMs = longest / 2 + (Math.random() * longest) / 2;
    this.#retry = setTimeout(() => this.open(), pauseMs);
    return pauseMs;
  }
}
