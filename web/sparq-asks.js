import { backoff } from "./sparq-backoff.js";
import { isPassing } from "./sparq-outbox.js";

const TOPICS_PER_REQUEST = 100;

/** Subscriptions on their way. Never sent again as they are: their cursors age. */
export class Asks {
  /** Message id → { names, sentAt, tries }. */ #asked = new Map();
  #timers = new Set();
  #wanted = new Set();
  #topics;
  #write;
  #isOpen;
  #keeps;

  /**
   * @param {Map<string, import("./sparq-topic.js").Subscription>} topics
   * @param {(type: string, topics: object) => string} write Sends a message; returns its id.
   * @param {() => boolean} isOpen Whether it can be sent.
   * @param {() => boolean} keeps Whether the server may have subscribed this socket on its own.
   */
  constructor(topics, write, isOpen, keeps) {
    this.#topics = topics;
    this.#write = write;
    this.#isOpen = isOpen;
    this.#keeps = keeps;
  }

  /** Asks for a topic in a moment: several in a row share one message. Where nothing is open, the next socket asks for all. @param {string} name */
  soon(name) {
    if (this.#wanted.add(name).size > 1) return;
    queueMicrotask(() => {
      const names = [...this.#wanted].filter((each) => this.#topics.has(each));
      this.#wanted.clear();
      if (this.#isOpen()) this.send(names);
    });
  }

  /** Asks for topics, each behind its cursor. @param {string[]} names @param {boolean} [again] They are subscribed already. */
  send(names, again = false, tries = 0) {
    for (let start = 0; start < names.length; start += TOPICS_PER_REQUEST) {
      const part = names.slice(start, start + TOPICS_PER_REQUEST);
      const cursors = part.map((name) => [name, this.#topics.get(name).topic.resume]);
      // The server keeps the place of a topic that it has subscribed us to: give it up to take ours.
      const gives = (name, cursor) => this.#topics.get(name).rewinds || (cursor !== null && this.#keeps() && !again);
      const given = cursors.filter(([name, cursor]) => gives(name, cursor)).map(([name]) => name);
      for (const name of given) this.#topics.get(name).rewinds = false;
      if (given.length) this.#write("unsubscribe", given);
      this.#asked.set(this.#write("subscribe", Object.fromEntries(cursors)), { names: part, sentAt: Date.now(), tries });
    }
  }

  /**
   * Takes a reply. One that refuses in passing is asked again by itself, later and later.
   * @returns {string[]|null} The topics that it settles; `null`: it is none to a subscription.
   */
  answered({ re, ok, error }) {
    const asked = this.#asked.get(re);
    if (!asked) return null;
    this.#asked.delete(re);
    if (ok || !isPassing(error?.code)) return asked.names;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.send(asked.names.filter((name) => this.#topics.has(name)), false, asked.tries + 1);
    }, backoff(asked.tries, { floor: 1_000 }));
    this.#timers.add(timer);
    return [];
  }

  /** When the oldest was sent; infinity where none is on its way. */
  get oldest() {
    return Math.min(...[...this.#asked.values()].map((each) => each.sentAt));
  }

  /** The socket is gone. */
  end() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#asked.clear();
  }
}
