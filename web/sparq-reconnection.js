import { backoff } from "./sparq-backoff.js";

/**
 * @typedef {"idle"|"connecting"|"open"|"waiting"|"closed"|"unauthenticated"|"failed"} Status
 * `waiting` comes back by itself; `closed`, `unauthenticated` and `failed` need a new `connect()`.
 */

const FAULTS = [1002, 1003, 1007, 4003]; // Close codes without a way back.
const FAILURES = [1011, 1013]; // The server has failed, or is not ready.
/** A connection that lasted so long has proven itself: with an answer, or without one. Milliseconds. */
const PROOF = { answered: 5_000, unasked: 30_000 };

/** What follows from a socket's end (docs/PROTOCOL.md, "Close codes"). No socket, no clock: times are milliseconds that the caller gives. */
export class Reconnection {
  /** Attempts since the last connection that proved itself. */ #attempt = 0;
  /** @type {number|null} When the first of them failed. */ #since = null;
  /** @type {number|null} */ #moveAt = null;
  /** @type {number|null} When the connection was welcomed. */ #welcomedAt = null;
  #isAnswered = false;
  #random;

  /** @param {() => number} [random] From 0 to 1. */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /** @returns {[status: string, code: string, reason: string]|null} How it ends for good; `null` where it does not. */
  static end(code, reason) {
    if (code === 4001) return ["unauthenticated", "unauthenticated", reason || "The session has ended."];
    if (FAULTS.includes(code)) return ["failed", "disconnected", reason || `The server ended the connection (${code}).`];
    return null;
  }

  /** The connection is open. */
  welcomed(now) {
    this.#welcomedAt = now;
  }

  /** A message was answered on this connection, and well: it works as far as the workers. */
  answered() {
    this.#isAnswered = true;
  }

  /** The front goes away, and gave us a time of our own to come back. */
  moveAt(time) {
    this.#moveAt = time;
  }

  /** Nothing that an earlier front said counts any more. */
  forget() {
    this.#recover();
    this.#leave();
  }

  /** How long to wait for the next attempt, which this counts. */
  delay(code, now) {
    const [moveAt, welcomedAt] = [this.#moveAt, this.#welcomedAt];
    // A socket that is welcomed and fails again is no end of an outage.
    if (welcomedAt !== null && now - welcomedAt >= (this.#isAnswered ? PROOF.answered : PROOF.unasked)) this.#recover();
    this.#leave();
    const attempt = this.#attempt++;
    this.#since ??= now;
    if (moveAt !== null) return Math.max(0, moveAt - now);
    return backoff(attempt, { floor: FAILURES.includes(code) ? 1_000 : 0, lasted: now - this.#since }, this.#random);
  }

  #recover() {
    this.#attempt = 0;
    this.#since = null;
  }

  #leave() {
    this.#moveAt = this.#welcomedAt = null;
    this.#isAnswered = false;
  }
}
