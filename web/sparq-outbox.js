import { backoff } from "./sparq-backoff.js";

/** Why the server, or the library, refused something. `code` is stable; `message` is a sentence for people. */
export class SparqError extends Error {
  /** @param {string} code @param {string} [message] */
  constructor(code, message) {
    super(message || code);
    this.name = "SparqError";
    this.code = code;
  }
}

/** Answers after which the same message may be sent again under the same id. */
export const isPassing = (code) => code === "unavailable" || code === "rate_limited";

const MOST = { messages: 1000, tries: 10 };

/** The messages that have no answer yet, oldest first. No socket, no clock: times are milliseconds that the caller gives. */
export class Outbox {
  #messages = new Map();
  #onWire = 0;
  #prefix = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  #count = 0;
  #random;

  /** @param {() => number} [random] From 0 to 1. */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /** A message id that nobody else has. */
  nextID() {
    return `${this.#prefix}-${++this.#count}`;
  }

  /** @returns {boolean} Whether no further message finds room. */
  get isFull() {
    return this.#messages.size >= MOST.messages;
  }

  /** @param {string} id @param {string} json @param {number} bytes */
  add(id, json, bytes, resolve, reject) {
    this.#messages.set(id, { json, bytes, resolve, reject, sentAt: 0, notBefore: 0, tries: 0 });
  }

  /** What may be sent now, in order; no more than `window` are unanswered on the wire. Marks it as sent. @returns {string[]} */
  take(window, now) {
    const texts = [];
    for (const message of this.#messages.values()) {
      if (this.#onWire >= window) break;
      if (message.sentAt) continue;
      if (message.notBefore > now) break; // What comes behind it waits too: messages stay in order.
      message.sentAt = now;
      this.#onWire += 1;
      texts.push(message.json);
    }
    return texts;
  }

  /** Takes a reply. @returns {number} Milliseconds after which the message wants to be sent again; 0: it is settled. */
  answered(reply, now) {
    const message = this.#messages.get(reply.re);
    if (!message) return 0;
    this.#onWire -= message.sentAt ? 1 : 0;
    message.sentAt = 0;
    const code = reply.error?.code ?? "internal";
    if (!reply.ok && isPassing(code) && ++message.tries < MOST.tries) {
      const delay = backoff(message.tries, { floor: 500 }, this.#random);
      message.notBefore = now + delay;
      return delay;
    }
    this.#messages.delete(reply.re);
    reply.ok ? message.resolve(reply.data) : message.reject(new SparqError(code, reply.error?.message));
    return 0;
  }

  /** The connection is gone: everything is to be sent again. The pause before the next one counts for all. */
  rewind() {
    this.#onWire = 0;
    for (const message of this.#messages.values()) message.sentAt = message.notBefore = 0;
  }

  /** When the oldest message on the wire was sent; infinity where none is. */
  get oldest() {
    return Math.min(...[...this.#messages.values()].map((each) => each.sentAt || Infinity));
  }

  /** Gives up the largest message: the server closed because one was over its limit. */
  rejectLargest(error) {
    const [id, message] = [...this.#messages].sort(([, a], [, b]) => b.bytes - a.bytes)[0] ?? [];
    this.#messages.delete(id);
    message?.reject(error);
  }

  /** Gives up everything. */
  rejectAll(error) {
    const messages = [...this.#messages.values()];
    this.#messages.clear();
    this.#onWire = 0;
    for (const message of messages) message.reject(error);
  }
}
