import test from "node:test";
import assert from "node:assert/strict";
import { Presences } from "./presences.js";

test("the later word on a person counts, in whatever order they come", () => {
  const presences = new Presences();
  assert.equal(presences.watch("bob"), true);
  assert.equal(presences.watch("bob"), false);
  assert.equal(presences.isOnline("bob"), false);
  assert.equal(presences.note({ user: "bob", online: true, at: "2026-01-31T12:00:00.000002Z" }), true);
  assert.equal(presences.note({ user: "bob", online: false, at: "2026-01-31T12:00:00.000001Z" }), false);
  assert.equal(presences.isOnline("bob"), true);
  assert.equal(presences.note({ user: "bob", online: true, at: "2026-01-31T12:00:00.000003Z" }), false);
  assert.equal(presences.note({ user: "bob", online: false, at: "2026-01-31T12:00:00.000004Z" }), true);
  assert.equal(presences.isOnline("bob"), false);
});

test("of those that nobody watches nothing is kept", () => {
  const presences = new Presences();
  assert.equal(presences.note({ user: "eve", online: true, at: "2026" }), false);
  assert.equal(presences.isOnline("eve"), false);
  presences.watch("eve");
  presences.note({ user: "eve", online: true, at: "2026" });
  presences.forget("eve");
  assert.equal(presences.isOnline("eve"), false);
  assert.deepEqual(presences.questions(), []);
});

test("a question names as many as the server takes", () => {
  const presences = new Presences();
  for (let number = 0; number < 600; number += 1) presences.watch(`u${number}`);
  assert.deepEqual(presences.questions().map(([type, { users }]) => [type, users.length]), [["presence.get", 512], ["presence.get", 88]]);
  assert.deepEqual(new Presences().questions(), []);
});
