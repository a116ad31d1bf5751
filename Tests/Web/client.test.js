import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import { FakeSocket, welcomed } from "./fake-socket.js";
import { Sparq } from "./sparq.js";

const clients = [];
function client() {
  clients.push(new Sparq({ url: "ws://front/ws" }));
  return clients.at(-1);
}
// Also where the test failed: their timers would keep node from ending.
afterEach(() => {
  for (const each of clients.splice(0)) each.close();
  FakeSocket.all = [];
});

test("a client that comes back brings its cursors; one that starts anew is subscribed by the server", () => {
  const sparq = client();
  sparq.connect();
  let socket = welcomed(sparq, "alice");
  socket.says({ type: "$subscribed", topics: { "user:alice": 9 } });
  socket.says({ type: "note", topic: "user:alice", seq: 10, data: {} });
  socket.onclose({ code: 1006, reason: "" });
  globalThis.dispatchEvent?.(new Event("online"));
  sparq.close();
  sparq.connect();
  assert.doesNotMatch(FakeSocket.all.at(-1).url, /resume/);
  socket = welcomed(sparq, "bob");
  assert.deepEqual(socket.sent, []);
});

test("a client that comes back takes what is new from the server's offer", async () => {
  const sparq = client();
  sparq.connect();
  let socket = welcomed(sparq, "alice");
  socket.says({ type: "$subscribed", topics: { "user:alice": 9, everyone: 5 } });
  sparq.unsubscribe("everyone").catch(() => {});
  socket.onclose({ code: 1006, reason: "" });
  while (FakeSocket.all.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(FakeSocket.all.at(-1).url, /resume=true/);
  socket = welcomed(sparq, "alice");
  const asked = () => socket.sent.filter(({ type }) => type === "subscribe").map(({ topics }) => topics);
  assert.deepEqual(asked(), [{ "user:alice": 9 }]);
  socket.says({ type: "$offered", topics: { "user:alice": 12, everyone: 6, "room:new": 4 } });
  assert.deepEqual(asked().slice(1), [{ "room:new": 4 }]);
});

test("a topic that the page subscribed and let go of itself is not taken from an offer", async () => {
  const sparq = client();
  sparq.connect();
  let socket = welcomed(sparq, "alice");
  socket.says({ type: "$subscribed", topics: { "user:alice": 9 } });
  sparq.subscribe("room:own").catch(() => {});
  await Promise.resolve();
  const own = socket.sent.at(-1);
  socket.says({ re: own.id, ok: true, data: { topics: { "room:own": { ok: true, seq: 3 } } } });
  sparq.unsubscribe("room:own").catch(() => {});
  socket.says({ re: socket.sent.at(-1).id, ok: true });
  const comeBack = async () => {
    const before = FakeSocket.all.length;
    socket.onclose({ code: 1006, reason: "" });
    while (FakeSocket.all.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    socket = welcomed(sparq, "alice");
    socket.says({ type: "$offered", topics: { "user:alice": 12, "room:own": 4 } });
    return socket.sent.filter(({ type }) => type === "subscribe").map(({ topics }) => topics);
  };
  assert.deepEqual(await comeBack(), [{ "user:alice": 9 }]);
  sparq.subscribe("room:own").catch(() => {});
  await Promise.resolve();
  assert.deepEqual(socket.sent.at(-1).topics, { "room:own": null });
});

test("a topic that is wanted again before its end is answered stays", async () => {
  const sparq = client();
  sparq.connect();
  const socket = welcomed(sparq, "alice");
  const ended = sparq.unsubscribe("room:a");
  const again = sparq.subscribe("room:a");
  await Promise.resolve();
  const [end, begin] = socket.sent;
  assert.deepEqual([end.type, begin.type], ["unsubscribe", "subscribe"]);
  socket.says({ re: end.id, ok: true });
  await ended;
  socket.says({ re: begin.id, ok: true, data: { topics: { "room:a": { ok: true, seq: 3 } } } });
  assert.deepEqual(await again, { seq: 3 });
});

test("a log that was set back is told, and goes on from now", async () => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  try {
    const sparq = client();
    const reset = [];
    sparq.on("$reset", ({ topic }) => reset.push(topic));
    sparq.connect();
    let socket = welcomed(sparq, "alice");
    socket.says({ type: "$subscribed", topics: { "user:alice": 9 } });
    socket.says({ type: "note", topic: "user:alice", seq: 10, data: {} });
    socket.onclose({ code: 1011, reason: "the log was set back" });
    mock.timers.tick(60_000);
    socket = welcomed(sparq, "alice");
    const { id, topics } = socket.sent.at(-1);
    assert.deepEqual(topics, { "user:alice": 10 });
    const error = { code: "invalid_cursor", message: "" };
    socket.says({ re: id, ok: true, data: { topics: { "user:alice": { ok: false, error } } } });
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual(reset, ["user:alice"]);
    assert.deepEqual(socket.sent.at(-1).topics, { "user:alice": null });
  } finally {
    mock.timers.reset();
  }
});

test("another user does not get the topics of the one before", () => {
  const sparq = client();
  sparq.connect();
  let socket = welcomed(sparq, "alice");
  socket.says({ type: "$subscribed", topics: { "user:alice": 9 } });
  socket.onclose({ code: 4001, reason: "" });
  assert.equal(sparq.status, "unauthenticated");
  sparq.connect();
  socket = welcomed(sparq, "bob");
  assert.deepEqual(socket.sent, []);
  assert.equal(sparq.cursor("user:alice"), null);
});

const answered = (socket, type) => {
  for (const { id, topics } of socket.sent.filter((each) => each.type === type)) {
    const outcomes = Object.fromEntries(Object.keys(topics).map((name) => [name, { ok: true, seq: 20 }]));
    socket.says({ re: id, ok: true, data: { topics: outcomes } });
  }
};

/** A client that is back on a new socket. */
async function comeBack(sparq) {
  const before = FakeSocket.all.length;
  FakeSocket.all.at(-1).onclose({ code: 1006, reason: "" });
  while (FakeSocket.all.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
  return welcomed(sparq, "alice");
}

test("an unsubscription that was not answered does not end what is wanted since", async () => {
  const sparq = client();
  sparq.connect();
  let socket = welcomed(sparq, "alice");
  socket.says({ type: "$subscribed", topics: { "user:alice": 9 } });
  const ended = sparq.unsubscribe("room:a");
  sparq.subscribe("room:a", 4).catch(() => {});
  await Promise.resolve();
  assert.deepEqual([socket.sent[0].type, socket.sent.at(-1).type], ["unsubscribe", "subscribe"]);
  socket = await comeBack(sparq);
  await ended;
  // The new socket begins without the topic: there is nothing to end.
  assert.deepEqual(socket.sent.map(({ type, topics }) => [type, topics]), [["subscribe", { "user:alice": 9, "room:a": 4 }]]);
});

test("what is let go of without a socket is not asked for on the next one", async () => {
  const sparq = client();
  sparq.connect();
  let socket = welcomed(sparq, "alice");
  socket.says({ type: "$subscribed", topics: { "user:alice": 9, everyone: 5 } });
  FakeSocket.all.at(-1).onclose({ code: 1006, reason: "" });
  await sparq.unsubscribe("everyone");
  while (FakeSocket.all.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  socket = welcomed(sparq, "alice");
  assert.deepEqual(socket.sent.map(({ type, topics }) => [type, topics]), [["subscribe", { "user:alice": 9 }]]);
  // Subscribed anew by the server: from another device, say.
  socket.says({ type: "$subscribed", topics: { everyone: 7 } });
  const seen = [];
  sparq.on("everyone", ({ seq }) => seen.push(seq));
  socket.says({ type: "note", topic: "everyone", seq: 8, data: {} });
  await Promise.resolve();
  assert.deepEqual(seen, [8]);
});

test("what is let go of before the server tells of it is left then, and none of it is delivered", async () => {
  const sparq = client();
  const seen = [];
  sparq.on("*", ({ topic }) => seen.push(topic));
  sparq.connect();
  await sparq.unsubscribe("everyone");
  const socket = welcomed(sparq, "alice");
  socket.says({ type: "$subscribed", topics: { "user:alice": 9, everyone: 5 } });
  assert.deepEqual(socket.sent.map(({ type, topics }) => [type, topics]), [["unsubscribe", ["everyone"]]]);
  socket.says({ type: "note", topic: "everyone", seq: 6, data: {} });
  socket.says({ type: "note", topic: "user:alice", seq: 10, data: {} });
  await Promise.resolve();
  assert.deepEqual(seen, ["user:alice"]);
  assert.equal(sparq.cursor("everyone"), null);
});

test("a cursor that is set back gives up the place that the server keeps", async () => {
  const sparq = client();
  sparq.connect();
  let socket = welcomed(sparq, "alice");
  socket.says({ type: "$subscribed", topics: { "user:alice": 9 } });
  socket = await comeBack(sparq);
  answered(socket, "subscribe");
  for (const seq of [10, 11]) socket.says({ type: "note", topic: "user:alice", seq, data: {} });
  const seen = [];
  sparq.on("user:alice", ({ seq }) => seen.push(seq));
  const before = socket.sent.length;
  sparq.subscribe("user:alice", 9).catch(() => {});
  await Promise.resolve();
  const asked = socket.sent.slice(before).map(({ type, topics }) => [type, topics]);
  assert.deepEqual(asked, [["unsubscribe", ["user:alice"]], ["subscribe", { "user:alice": 9 }]]);
  // The last is live still; then it comes again behind the others.
  for (const seq of [12, 10, 11, 12]) socket.says({ type: "note", topic: "user:alice", seq, data: {} });
  await Promise.resolve();
  assert.deepEqual(seen, [10, 11, 12]);
  sparq.subscribe("user:alice", 12).catch(() => {});
  await Promise.resolve();
  assert.equal(socket.sent.at(-2).type, "subscribe", "nothing to give up");
});
