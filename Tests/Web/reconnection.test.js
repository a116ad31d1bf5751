import assert from "node:assert/strict";
import { test } from "node:test";
import { Reconnection } from "./sparq-reconnection.js";
import { seeded } from "./seeded.js";

test("only some codes are the end", () => {
  assert.equal(Reconnection.end(4001, "")[0], "unauthenticated");
  for (const code of [1002, 1003, 1007, 4003]) assert.equal(Reconnection.end(code, "why")[0], "failed");
  for (const code of [1000, 1001, 1006, 1009, 1011, 1012, 1013, 4008, 4009]) assert.equal(Reconnection.end(code, ""), null);
});

/** Time goes on without an attempt's doing: only the number of attempts bounds the delay. */
const LONG = 10_000_000;

test("delays grow to a bound, and are spread over all of it", () => {
  const largest = [];
  for (let seed = 0; seed < 200; seed += 1) {
    const reconnection = new Reconnection(seeded(seed));
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const delay = reconnection.delay(1006, attempt * LONG);
      assert.ok(delay >= 0 && delay <= Math.min(250 * 2 ** attempt, 30_000), `${delay} at ${attempt}`);
      largest[attempt] = Math.max(largest[attempt] ?? 0, delay);
    }
  }
  assert.ok(largest[0] > 200 && largest[5] > 7_000 && largest[9] > 28_000, String(largest));
});

test("a server that is not ready gets a second at least, and more and more", () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const reconnection = new Reconnection(seeded(seed));
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const delay = reconnection.delay(attempt % 2 ? 1011 : 1013, attempt * LONG);
      assert.ok(delay >= 1_000 && delay <= 1_000 + Math.max(1_000, Math.min(250 * 2 ** attempt, 30_000)));
    }
  }
});

/** The bounds that the delays have after so many attempts: random is its largest. */
function after(attempts, random = () => 1) {
  const reconnection = new Reconnection(random);
  for (let each = 0; each < attempts; each += 1) reconnection.delay(1006, -LONG);
  return reconnection;
}

test("a welcome is no end of an outage; an answer from a worker on a connection that lasts is", () => {
  let reconnection = after(6);
  reconnection.welcomed(0);
  assert.equal(reconnection.delay(1006, 20_000), 16_000, "welcomed, and not a word more");
  reconnection = after(6);
  reconnection.welcomed(0);
  reconnection.answered();
  assert.equal(reconnection.delay(1006, 4_000), 16_000, "answered, and gone");
  reconnection.welcomed(10_000);
  assert.equal(reconnection.delay(1006, 20_000), 30_000, "the answer on the socket before counts for that one");
  reconnection.welcomed(30_000);
  reconnection.answered();
  assert.equal(reconnection.delay(1006, 35_000), 250);
  reconnection = after(6);
  reconnection.welcomed(0);
  assert.equal(reconnection.delay(1006, 30_000), 250, "nothing was asked, and it lasted");
});

test("service that is back is found in half the time that it was away, and a long outage is left in peace", () => {
  for (let seed = 0; seed < 200; seed += 1) {
    for (const code of [1006, 1013]) {
      const reconnection = new Reconnection(seeded(seed));
      let now = 0;
      while (now < 5_000) now += reconnection.delay(code, now);
      assert.ok(now < 5_000 + (code === 1013 ? 3_500 : 2_500), `back at ${now}`);
      let attempts = 0;
      for (; now < 600_000; attempts += 1) now += reconnection.delay(code, now);
      assert.ok(attempts < 90, `${attempts} attempts in ten minutes`);
    }
  }
});

test("the front's own time counts once", () => {
  const reconnection = new Reconnection(() => 1);
  reconnection.moveAt(1500);
  assert.equal(reconnection.delay(1012, 1000), 500);
  assert.ok(reconnection.delay(1012, 1000) > 0);
  reconnection.moveAt(0);
  assert.equal(reconnection.delay(1012, 1000), 0);
});
