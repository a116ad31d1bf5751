import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Leaves } from "./sparq-leaves.js";

function leaves(isUnwanted = () => true) {
  const written = [];
  const left = [];
  const write = (topics) => `id${written.push(topics)}`;
  return { written, left, leaves: new Leaves(write, isUnwanted, (name) => left.push(name)) };
}
const refused = (re, code) => ({ re, ok: false, error: { code } });

test("an unsubscription is over with its reply, whatever that says for good", async () => {
  const { written, left, leaves: all } = leaves();
  const over = [all.send(["a", "b"]), all.send(["c"])];
  assert.deepEqual(written, [["a", "b"], ["c"]]);
  assert.equal(all.has("b"), true);
  assert.equal(all.answered({ re: "other", ok: true }), false);
  assert.equal(all.answered({ re: "id1", ok: true }), true);
  assert.equal(all.answered(refused("id2", "invalid_fields")), true);
  await Promise.all(over);
  assert.deepEqual(left, ["a", "b", "c"]);
  assert.equal(all.has("a"), false);
});

test("what one message cannot name is left in several", async () => {
  const { written, left, leaves: all } = leaves();
  const topics = Array.from({ length: 250 }, (_, index) => `t${index}`);
  const over = all.send(topics);
  assert.deepEqual(written.map(({ length }) => length), [100, 100, 50]);
  assert.deepEqual(written.flat(), topics);
  for (const id of ["id1", "id2", "id3"]) all.answered({ re: id, ok: true });
  await over;
  assert.deepEqual(left, topics);
});

test("refused in passing it is written again, but for what is wanted meanwhile", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const wanted = new Set();
    const { written, left, leaves: all } = leaves((name) => !wanted.has(name));
    const over = [all.send(["a", "b"]), all.send(["c"])];
    all.answered(refused("id1", "rate_limited"));
    all.answered(refused("id2", "unavailable"));
    wanted.add("a").add("c");
    assert.equal(all.has("a"), true);
    mock.timers.tick(2_000);
    assert.deepEqual(written.slice(2), [["b"]]);
    await over[1];
    all.answered({ re: "id3", ok: true });
    await over[0];
    assert.deepEqual(left, ["b"]);
  } finally {
    mock.timers.reset();
  }
});

test("with the socket it is over, and nothing is written any more", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { written, left, leaves: all } = leaves();
    const over = [all.send(["a"]), all.send(["b"])];
    all.answered(refused("id1", "rate_limited"));
    all.end();
    await Promise.all(over);
    mock.timers.tick(10_000);
    assert.deepEqual([written.length, left], [2, ["a", "b"]]);
  } finally {
    mock.timers.reset();
  }
});
