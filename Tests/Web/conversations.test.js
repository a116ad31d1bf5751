import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversations } from "./conversations.js";

test("a topic that is read anew takes all of its conversations with it, and no others", () => {
  const conversations = new Conversations();
  for (const key of ["everyone", "room:a", "room:b", "direct:bob", "direct:eve"]) {
    const conversation = conversations.get(key);
    conversation.add([{ seq: 1 }]);
    conversation.isLoaded = true;
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
