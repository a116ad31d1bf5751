/**
 * @typedef {"idle"|"connecting"|"open"|"waiting"|"closed"|"unauthenticated"|"failed"} Status
 * `waiting` comes back by itself; `closed`, `unauthenticated` and `failed` need a new `connect()`.
 */

/** Milliseconds. */
const BACKOFF = { first: 1_000, most: 30_000 };
const FAULTS = [1002, 1003, 1007, 4003]; // Close codes without a way back.

/** What follows from a socket's end (docs/PROTOCOL.md, "Close codes"). No socket, no clock: times are milliseconds that the caller gives. */
export class Reconnection {
  /** Attempts since the last connection that lasted. */ attempt = 0;
  #moveAt = null;

  /** @returns {[status: string, code: string, reason: string]|null} How it ends for good; `null` where it does not. */
  static end(code, reason) {
    if (code === 4001) return ["unauthenticated", "unauthenticated", reason || "The session has ended."];
    if (FAULTS.includes(code)) return ["failed", "disconnected", reason || `The server ended the connection (${code}).`];
    return null;
  }

  /** The front goes away, and gave us a time of our own to come back. */
  moveAt(time) {
    this.#moveAt = time;
  }

  /** Nothing that an earlier front said counts any more. */
  forget() {
    this.#moveAt = null;
  }

  /** How long to wait for the next attempt, which this counts. @param {boolean} wasReady Whether the connection had been welcomed. */
  delay(code, wasReady, now) {
    const growing = this.#backoff();
    const soon = wasReady && code !== 1011 && code !== 1013;
    const delay = this.#moveAt !== null ? Math.max(0, this.#moveAt - now) : soon ? growing / 4 : growing;
    this.#moveAt = null;
    return delay;
  }

  /** A second, doubling, up to half a minute; of that between a half and the whole, so that clients do not come back all at once. */
  #backoff() {
    const most = Math.min(BACKOFF.most, BACKOFF.first * 2 ** Math.min(this.attempt++, 10));
    return most * (0.5 + Math.random() / 2);
  }
}
