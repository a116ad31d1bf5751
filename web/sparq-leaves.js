import { backoff } from "./sparq-backoff.js";
import { isPassing } from "./sparq-outbox.js";

/** The server takes no message that names too many. */
const TOPICS_PER_REQUEST = 100;

/**
 * Unsubscriptions on their way. They are no messages to be sent again: with its socket the server forgets the topics anyway, and one that
 * came late would undo what the page has asked for since.
 */
export class Leaves {
  /** Message id → { topics, over, tries, timer }. */ #asked = new Map();
  #write;
  #isUnwanted;
  #left;

  /**
   * @param {(topics: string[]) => string} write Sends the message; returns its id.
   * @param {(topic: string) => boolean} isUnwanted Whether nobody has asked for the topic since.
   * @param {(topic: string) => void} left The server sends no more of it.
   */
  constructor(write, isUnwanted, left) {
    this.#write = write;
    this.#isUnwanted = isUnwanted;
    this.#left = left;
  }

  /** Tells the server that topics are not wanted. @param {string[]} topics @returns {Promise<void>} When it sends no more of them. */
  async send(topics) {
    const parts = [];
    for (let start = 0; start < topics.length; start += TOPICS_PER_REQUEST) parts.push(topics.slice(start, start + TOPICS_PER_REQUEST));
    await Promise.all(parts.map((part) => new Promise((over) => this.#send(part, over))));
  }

  /** Whether the server is being told so. @param {string} topic @returns {boolean} */
  has(topic) {
    return [...this.#asked.values()].some(({ topics }) => topics.includes(topic));
  }

  /** Takes a reply. @returns {boolean} Whether it was one to an unsubscription. */
  answered({ re, ok, error }) {
    const leave = this.#asked.get(re);
    if (!leave) return false;
    if (ok || !isPassing(error?.code)) this.#end(re, leave);
    else leave.timer ??= setTimeout(() => this.#again(re, leave), backoff(leave.tries, { floor: 1_000 }));
    return true;
  }

  /** The socket is gone. */
  end() {
    for (const [id, leave] of this.#asked) this.#end(id, leave);
  }

  #send(topics, over, tries = 0) {
    this.#asked.set(this.#write(topics), { topics, over, tries, timer: null });
  }

  /** Refused in passing: once more, but for what is wanted meanwhile. */
  #again(id, { topics, over, tries }) {
    this.#asked.delete(id);
    const unwanted = topics.filter(this.#isUnwanted);
    unwanted.length ? this.#send(unwanted, over, tries + 1) : over();
  }

  #end(id, { topics, over, timer }) {
    clearTimeout(timer);
    this.#asked.delete(id);
    for (const topic of topics) this.#left(topic);
    over();
  }
}
