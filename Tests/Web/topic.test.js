import assert from "node:assert/strict";
import { test } from "node:test";
import { StoredCursors, Topic } from "./sparq-topic.js";

const seqs = (events) => events.map((event) => event.seq);
const take = (topic, ...numbers) => numbers.flatMap((seq) => seqs(topic.take({ seq })));

test("events come in order, each once", () => {
  const topic = new Topic();
  topic.cursor = 4;
  assert.deepEqual(take(topic, 5, 5, 8, 7, 3), [5]);
  assert.equal(topic.hasHole, true);
  assert.deepEqual(take(topic, 6, 8, 9), [6, 7, 8, 9]);
  assert.equal(topic.hasHole, false);
});

test("from now on begins where the server says", () => {
  const topic = new Topic();
  topic.base = 10;
  assert.equal(topic.resume, 10);
  assert.deepEqual(take(topic, 12), []);
  assert.deepEqual(take(topic, 11), [11, 12]);
  assert.equal(topic.resume, 12);
  const early = new Topic();
  assert.deepEqual(take(early, 7, 8), [7, 8]);
});

test("a truncated log and a hole that nobody fills", () => {
  const topic = new Topic();
  topic.cursor = 3;
  assert.deepEqual(take(topic, 20), []);
  assert.deepEqual(seqs(topic.truncate(20)), [20]);
  assert.deepEqual(take(topic, 23, 24), []);
  assert.deepEqual(seqs(topic.skip()), [23, 24]);
  assert.deepEqual(topic.skip(), []);
});

test("what came early is forgotten with the socket", () => {
  const topic = new Topic();
  topic.cursor = 1;
  take(topic, 3);
  topic.drop();
  assert.deepEqual(take(topic, 2), [2]);
});

test("what is held is bounded", () => {
  const topic = new Topic();
  topic.cursor = 0;
  for (let seq = 2; seq < 3000; seq += 1) take(topic, seq);
  assert.equal(take(topic, 1).length, 1025);
});

test("stored cursors that are none are left out", () => {
  const cursors = (text) => new StoredCursors({ getItem: () => text, setItem() {} }).load("alice");
  assert.deepEqual(cursors('{"a":3,"b":-1,"c":"x","d":1.5}'), [["a", 3]]);
  assert.deepEqual(cursors("no"), []);
  assert.deepEqual(cursors(null), []);
});
