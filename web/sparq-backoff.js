/** The first bound and the last, in milliseconds. */
const FIRST = 250;
const MOST = 30_000;

/**
 * How long to wait before another attempt: a random time below a bound that doubles ("full jitter"), so that clients that lost the same
 * server do not come back together. The first attempts are quick, those of a long outage rare. Pure: no clock.
 *
 * @param {number} attempt How many there were, from 0.
 * @param {object} [limits]
 * @param {number} [limits.floor] Milliseconds that are waited in any case; the random time comes on top, and its bound is no smaller.
 * @param {number} [limits.lasted] Milliseconds since the trouble began: the random time is no more than half of that, so that who comes back
 *   after a short outage is found soon.
 * @param {() => number} [random] From 0 to 1.
 * @returns {number} Milliseconds.
 */
export function backoff(attempt, { floor = 0, lasted = Infinity } = {}, random = Math.random) {
  const bound = Math.min(MOST, FIRST * 2 ** Math.min(attempt, 20), Math.max(FIRST, lasted / 2));
  return floor + random() * Math.max(floor, bound);
}
