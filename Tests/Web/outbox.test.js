import assert from "node:assert/strict";
import { test } from "node:test";
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

test("the largest is given up, or all", () => {
  const { outbox, results } = filled("a", "long", "b");
  outbox.rejectLargest(new SparqError("too_large"));
  outbox.rejectAll(new SparqError("closed"));
  assert.deepEqual(results, { long: "too_large", a: "closed", b: "closed" });
  assert.deepEqual(outbox.take(9, 0), []);
});
