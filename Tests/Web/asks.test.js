import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Asks } from "./sparq-asks.js";
import { Subscription } from "./sparq-topic.js";

function asking(names) {
  const topics = new Map(names.map((name) => [name, new Subscription()]));
  const written = [];
  const asks = new Asks(topics, (type, topics) => written.push([type, topics]), () => true, () => false);
  return { topics, written, asks };
}

test("many topics are asked for in parts", () => {
  const names = Array.from({ length: 250 }, (_, number) => `t${number}`);
  const { written, asks } = asking(names);
  asks.send(names);
  assert.deepEqual(written.map(([, topics]) => Object.keys(topics).length), [100, 100, 50]);
  assert.deepEqual(asks.answered({ re: 3, ok: true }), names.slice(200));
  assert.equal(asks.answered({ re: 3, ok: true }), null);
});

test("a passing refusal is asked again later and later, without what is wanted no more", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { topics, written, asks } = asking(["a", "b"]);
    asks.send(["a", "b"]);
    const waits = [];
    for (let tries = 0; tries < 12; tries += 1) {
      const count = written.length;
      assert.deepEqual(asks.answered({ re: count, ok: false, error: { code: "unavailable" } }), []);
      let waited = 0;
      for (; written.length === count; waited += 100) mock.timers.tick(100);
      waits.push(waited);
      assert.deepEqual(written.at(-1)[1], tries ? { a: null } : { a: null, b: null });
      topics.delete("b");
    }
    assert.ok(waits.every((each) => each >= 1_000 && each <= 31_100), String(waits));
    assert.ok(Math.max(...waits.slice(0, 3)) <= 2_100, String(waits));
    assert.ok(waits.slice(7).some((each) => each > 3_000), String(waits));
    const count = written.length;
    asks.answered({ re: count, ok: false, error: { code: "unavailable" } });
    asks.end();
    mock.timers.tick(60_000);
    assert.equal(written.length, count, "nothing is asked for on behalf of a socket that is gone");
  } finally {
    mock.timers.reset();
  }
});
