import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "./seeded.js";
import { Outbox, SparqError } from "./sparq-outbox.js";

function filled(...ids) {
  const outbox = new Outbox();
  const results = {};
  for (const id of ids) {
    outbox.add(id, `text of ${id}`, id.length, (data) => (results[id] = data), (error) => (results[id] = error.code));
  }
  return { outbox, results };
}

test("a window of messages is on the wire, in order", () => {
  const { outbox, results } = filled("a", "b", "c");
  assert.deepEqual(outbox.take(2, 5), ["text of a", "text of b"]);
  assert.deepEqual(outbox.take(2, 6), []);
  assert.equal(outbox.oldest, 5);
  assert.equal(outbox.answered({ re: "a", ok: true, data: 1 }, 7), 0);
  assert.deepEqual(outbox.take(2, 7), ["text of c"]);
  outbox.answered({ re: "b", ok: false, error: { code: "forbidden" } }, 8);
  assert.deepEqual(results, { a: 1, b: "forbidden" });
});

test("everything unanswered is sent again, in order, on the next socket", () => {
  const { outbox } = filled("a", "b", "c");
  outbox.take(3, 1);
  outbox.answered({ re: "b", ok: true }, 2);
  outbox.rewind();
  assert.equal(outbox.oldest, Infinity);
  assert.deepEqual(outbox.take(3, 3), ["text of a", "text of c"]);
});

test("a new connection has had its pause", () => {
  const { outbox } = filled("a");
  outbox.take(1, 1);
  assert.ok(outbox.answered({ re: "a", ok: false, error: { code: "unavailable" } }, 1) > 0);
  outbox.rewind();
  assert.deepEqual(outbox.take(1, 2), ["text of a"]);
});

test("a passing refusal is tried again, and holds up what comes behind it", () => {
  const { outbox, results } = filled("a", "b");
  outbox.take(1, 1);
  const delay = outbox.answered({ re: "a", ok: false, error: { code: "unavailable" } }, 1);
  assert.ok(delay > 0);
  assert.deepEqual(outbox.take(2, delay), []);
  assert.deepEqual(outbox.take(2, delay + 1), ["text of a", "text of b"]);
  for (let tries = 0; tries < 10 && !results.a; tries += 1) outbox.answered({ re: "a", ok: false, error: { code: "unavailable" } }, 1);
  assert.equal(results.a, "unavailable");
});

test("what is refused in passing is sent again later and later", () => {
  const largest = [];
  for (let seed = 0; seed < 100; seed += 1) {
    const outbox = new Outbox(seeded(seed));
    let code = null;
    outbox.add("a", "text", 1, () => {}, (error) => (code = error.code));
    let now = 1;
    for (let tries = 0; code === null; tries += 1) {
      assert.equal(outbox.take(1, now).length, 1);
      const delay = outbox.answered({ re: "a", ok: false, error: { code: "unavailable" } }, now);
      assert.ok(code !== null || (delay >= 500 && delay <= 500 + Math.min(500 * 2 ** tries, 30_000)), `${delay} at ${tries}`);
      largest[tries] = Math.max(largest[tries] ?? 0, delay);
      now += delay;
    }
    assert.ok(now < 200_000);
  }
  assert.ok(largest[0] < 1_100 && largest[8] > 25_000, String(largest));
});

test("the largest is given up, or all", () => {
  const { outbox, results } = filled("a", "long", "b");
  outbox.rejectLargest(new SparqError("too_large"));
  outbox.rejectAll(new SparqError("closed"));
  assert.deepEqual(results, { long: "too_large", a: "closed", b: "closed" });
  assert.deepEqual(outbox.take(9, 0), []);
});
