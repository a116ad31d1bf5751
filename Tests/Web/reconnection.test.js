import assert from "node:assert/strict";
import { test } from "node:test";
import { Reconnection } from "./sparq-reconnection.js";

test("only some codes are the end", () => {
  assert.equal(Reconnection.end(4001, "")[0], "unauthenticated");
  for (const code of [1002, 1003, 1007, 4003]) assert.equal(Reconnection.end(code, "why")[0], "failed");
  for (const code of [1000, 1001, 1006, 1009, 1011, 1012, 1013, 4008, 4009]) assert.equal(Reconnection.end(code, ""), null);
});

test("delays grow to a bound", () => {
  const reconnection = new Reconnection();
  for (let most = 1000; most < 100_000; most *= 2) {
    const bound = Math.min(most, 30_000);
    const delay = reconnection.delay(1013, true, 0);
    assert.ok(delay >= bound / 2 && delay <= bound, `${delay} of ${bound}`);
  }
  reconnection.attempt = 0;
  assert.ok(reconnection.delay(1006, true, 0) <= 250);
});

test("the front's own time counts once", () => {
  const reconnection = new Reconnection();
  reconnection.moveAt(1500);
  assert.equal(reconnection.delay(1012, true, 1000), 500);
  assert.ok(reconnection.delay(1012, true, 1000) > 0);
  reconnection.moveAt(0);
  assert.equal(reconnection.delay(1012, true, 1000), 0);
});
