import assert from "node:assert/strict";
import { test } from "node:test";
import { Offers } from "./sparq-offers.js";

test("what the page let go of is passed over until it is wanted again", () => {
  const offers = new Offers();
  offers.decline("room:a");
  assert.deepEqual(offers.take({ "room:a": 4, "room:b": 5 }, true), [["room:b", 5]]);
  offers.want("room:a");
  assert.deepEqual(offers.take({ "room:a": 4 }, true), [["room:a", 4]]);
});

test("a subscription of the server's own that is older than the letting go does not undo it; a newer one does", () => {
  const offers = new Offers();
  offers.decline("room:a");
  assert.deepEqual(offers.take({ "room:a": 4 }, false), []);
  offers.left("room:a");
  assert.equal(offers.declines("room:a"), true);
  assert.deepEqual(offers.take({ "room:a": 4 }, true), []);
  assert.deepEqual(offers.take({ "room:a": 6 }, false), [["room:a", 6]]);
  assert.equal(offers.declines("room:a"), false);
});

test("what the server begins with does not undo a letting go that it cannot have heard of", () => {
  const offers = new Offers();
  offers.decline("room:a");
  offers.left("room:a"); // Its socket was lost before the server had said anything.
  assert.deepEqual(offers.take({ "room:a": 4, "room:b": 5 }, false, true), [["room:b", 5]]);
  assert.equal(offers.declines("room:a"), true);
});

test("what was let go of first is forgotten first", () => {
  const offers = new Offers();
  for (let index = 0; index < 1024; index += 1) offers.decline(`room:${index}`);
  offers.left("room:1");
  offers.decline("room:0");
  offers.decline("room:new");
  const names = ["room:0", "room:1", "room:2", "room:new"];
  assert.deepEqual(offers.take(Object.fromEntries(names.map((name) => [name, 1])), true), [["room:1", 1]]);
});
