import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Drawing } from "./drawing.js";

let frames;
let count;
let drawing;
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  frames = [];
  count = 0;
  globalThis.document = Object.assign(new EventTarget(), { hidden: false });
  globalThis.requestAnimationFrame = (run) => frames.push(run);
  drawing = new Drawing(() => (count += 1));
});
afterEach(() => {
  mock.timers.reset();
  delete globalThis.document;
  delete globalThis.requestAnimationFrame;
});
const frame = () => {
  for (const run of frames.splice(0)) run();
};

test("a burst of a thousand makes one drawing", () => {
  for (let each = 0; each < 1_000; each += 1) drawing.soon();
  assert.deepEqual([count, frames.length], [0, 1]);
  frame();
  assert.equal(count, 1);
  frame();
  assert.equal(count, 1);
  drawing.soon();
  frame();
  assert.equal(count, 2);
});

test("a page that is hidden has no frames, and draws all the same", () => {
  document.hidden = true;
  for (let each = 0; each < 1_000; each += 1) drawing.soon();
  mock.timers.tick(500);
  assert.deepEqual([count, frames.length], [1, 0]);
});

test("a page that is hidden before its frame comes draws once", () => {
  drawing.soon();
  document.hidden = true;
  document.dispatchEvent(new Event("visibilitychange"));
  mock.timers.tick(500);
  assert.equal(count, 1);
  frame();
  assert.equal(count, 1);
});
