import assert from "node:assert/strict";
import { test } from "node:test";
import { Pulse } from "./sparq-pulse.js";

test("a silent path is asked after a heartbeat, and is dead without an answer", () => {
  const pulse = new Pulse(25_000, 0);
  assert.equal(pulse.check(24_999), null);
  assert.equal(pulse.check(25_000), "ask");
  assert.equal(pulse.check(30_000), null, "not twice");
  assert.equal(pulse.check(34_999), null);
  assert.equal(pulse.check(35_000), "dead");
});

test("any frame is a sign of life", () => {
  const pulse = new Pulse(25_000, 0);
  pulse.heard(20_000);
  assert.equal(pulse.check(40_000), null);
  assert.equal(pulse.check(45_000), "ask");
  pulse.heard(46_000);
  assert.equal(pulse.check(70_000), null);
  assert.equal(pulse.check(71_000), "ask");
});

test("with a reason to doubt it is asked at once, but not right behind a frame", () => {
  const pulse = new Pulse(25_000, 0);
  assert.equal(pulse.check(999, true), null);
  assert.equal(pulse.check(1_000, true), "ask");
  assert.equal(pulse.check(1_001, true), null);
});

test("a page that slept asks first", () => {
  const pulse = new Pulse(25_000, 0);
  assert.equal(pulse.check(3_600_000), "ask");
  assert.equal(pulse.check(3_605_000), null);
});

test("it is looked at often enough, whatever the heartbeat", () => {
  assert.equal(new Pulse(25_000, 0).interval, 5_000);
  assert.equal(new Pulse(1_000, 0).interval, 250);
  assert.equal(new Pulse(1, 0).interval, 100);
});
