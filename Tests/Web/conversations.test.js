import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, Conversations, KEPT, PAGE, SHOWN } from "./conversations.js";

test("a topic that is read anew takes all of its conversations with it, and no others", () => {
  const conversations = new Conversations();
  for (const key of ["everyone", "room:a", "room:b", "direct:bob", "direct:eve"]) {
    const conversation = conversations.get(key);
    conversation.takePage({ events: [{ seq: 1 }], more: false });
  }
  const keys = (topic) => conversations.ofTopic(topic).map(({ key }) => key);
  assert.deepEqual(keys("room:a"), ["room:a"]);
  assert.deepEqual(keys("user:me"), ["direct:bob", "direct:eve"]);
  assert.deepEqual(keys("room:unknown"), []);
  const [room] = conversations.ofTopic("room:a");
  room.startOver("Why.");
  assert.deepEqual([room.events, room.isLoaded, room.notice], [[], false, "Why."]);
  assert.deepEqual(room.history(50), ["room.history", { room: "a", limit: 50 }]);
});

/** A log of so many events, and the conversation that has read its newest page. */
function reading(length) {
  const log = Array.from({ length }, (_, index) => ({ seq: index + 1 }));
  const conversation = new Conversation("everyone");
  return { log, conversation, load };
  function load() {
    const [, { limit, before = log.length + 1 }] = conversation.history();
    const events = log.slice(Math.max(0, before - 1 - limit), before - 1);
    const isTaken = conversation.takePage({ events, more: before - 1 > limit }, conversation.history()[1].before);
    checked(conversation);
    return isTaken;
  }
}

/** What must hold whatever happened: bounded, in order, without gaps. */
function checked(conversation) {
  for (const events of [conversation.events, conversation.shown]) {
    assert.ok(events.every(({ seq }, index) => !index || seq === events[index - 1].seq + 1), "a gap");
  }
  assert.ok(conversation.events.length <= KEPT, `${conversation.events.length} are kept`);
  assert.ok(conversation.shown.length <= SHOWN, `${conversation.shown.length} are shown`);
  return conversation.shown.map(({ seq }) => seq);
}

/** As the page does when somebody wants to see more. */
function up({ conversation, load }) {
  if (!conversation.goUp() && load()) conversation.goUp();
  return checked(conversation);
}

test("all of ten thousand messages can be gone back to, and what is kept and shown stays bounded", () => {
  const reader = reading(10_000);
  reader.load();
  let first = 10_000 - PAGE + 1;
  while (reader.conversation.hasEarlier) {
    const [top] = up(reader);
    assert.ok(top < first, `stuck at ${top}`);
    first = top;
  }
  assert.equal(first, 1);
  assert.equal(reader.conversation.later, Infinity);
  // Downwards through what is kept; then the log is read anew from its end.
  while (reader.conversation.goDown()) checked(reader.conversation);
  assert.equal(checked(reader.conversation).at(-1), KEPT);
  assert.equal(reader.conversation.follow(), false);
  reader.conversation.startOver();
  reader.load();
  assert.equal(checked(reader.conversation).at(-1), 10_000);
  assert.equal(reader.conversation.later, 0);
});

test("who follows sees the newest of ten thousand that come", () => {
  const { conversation } = reading(0);
  for (let seq = 1; seq <= 10_000; seq += 1) assert.ok(conversation.take({ seq }));
  assert.equal(checked(conversation).at(-1), 10_000);
  assert.deepEqual([conversation.shown.length, conversation.events.length, conversation.hasEarlier], [SHOWN, KEPT, true]);
});

test("who reads above is not moved by what comes, and finds it later", () => {
  const reader = reading(1_000);
  const { conversation, load } = reader;
  while (conversation.events.length < 500) load();
  conversation.stay(conversation.shown[0].seq);
  const before = checked(conversation);
  for (let seq = 1_001; seq <= 1_400; seq += 1) conversation.take({ seq });
  assert.deepEqual(checked(conversation), before);
  assert.equal(conversation.later, 400);
  while (conversation.later) {
    const last = checked(conversation).at(-1);
    assert.ok(conversation.goDown());
    assert.ok(checked(conversation).at(-1) > last);
  }
  assert.ok(conversation.isFollowing);
});

test("where too much comes for who reads above, it is read again from the log", () => {
  const reader = reading(1_000);
  const { conversation } = reader;
  reader.load();
  conversation.stay(up(reader)[0]);
  const before = checked(conversation);
  for (let seq = 1_001; seq <= 5_000; seq += 1) {
    reader.log.push({ seq });
    assert.ok(conversation.take({ seq }), "it is news all the same");
  }
  assert.deepEqual(checked(conversation).slice(0, before.length), before);
  assert.equal(conversation.later, Infinity);
  assert.equal(conversation.follow(), false);
  conversation.startOver();
  reader.load();
  assert.equal(checked(conversation).at(-1), 5_000);
});

test("a page of the log that does not fit what is here is left out", () => {
  const { conversation } = reading(0);
  conversation.takePage({ events: [{ seq: 50 }, { seq: 51 }], more: true });
  assert.equal(conversation.takePage({ events: [{ seq: 10 }], more: true }, 11), false);
  conversation.startOver();
  assert.equal(conversation.takePage({ events: [{ seq: 48 }, { seq: 49 }], more: true }, 50), false);
  assert.deepEqual(conversation.events, []);
  assert.ok(conversation.take({ seq: 52 }));
  assert.equal(conversation.takePage({ events: [{ seq: 51 }, { seq: 52 }], more: true }), true);
  assert.deepEqual(checked(conversation), [51, 52]);
  assert.equal(conversation.take({ seq: 52 }), false);
});
