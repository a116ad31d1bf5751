/** How long a front may take for its answer to `$ping`, in milliseconds: as long as it waits for a pong itself. */
const ANSWER = 10_000;

/**
 * Whether the other end of a socket is still there. A browser answers the server's pings without telling the page, so a page that hears
 * nothing cannot tell a quiet server from a dead path: after a heartbeat's time of silence it asks. Pure: no socket, no clock.
 */
export class Pulse {
  #heartbeat;
  #heardAt;
  /** @type {number|null} */ #askedAt = null;

  /** @param {number} heartbeat The server's, in milliseconds. @param {number} now */
  constructor(heartbeat, now) {
    this.#heartbeat = heartbeat;
    this.#heardAt = now;
  }

  /** Milliseconds between two checks. */
  get interval() {
    return Math.max(100, Math.min(5_000, this.#heartbeat / 4));
  }

  /** Any frame came. */
  heard(now) {
    this.#heardAt = now;
    this.#askedAt = null;
  }

  /**
   * Looks at the time.
   * @param {boolean} [soon] There is a reason to doubt: after a second of silence already.
   * @returns {"ask"|"dead"|null} What is to be done.
   */
  check(now, soon = false) {
    if (this.#askedAt !== null) return now - this.#askedAt >= ANSWER ? "dead" : null;
    if (now - this.#heardAt < (soon ? 1_000 : this.#heartbeat)) return null;
    this.#askedAt = now;
    return "ask";
  }
}
