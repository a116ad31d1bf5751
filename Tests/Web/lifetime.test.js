import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { FakeSocket, welcomed } from "./fake-socket.js";
import { Sparq } from "./sparq.js";

/** Something that can be listened to, and says who listens. */
class Target extends EventTarget {
  listeners = 0;
  addEventListener(...all) {
    this.listeners += 1;
    super.addEventListener(...all);
  }
  removeEventListener(...all) {
    this.listeners -= 1;
    super.removeEventListener(...all);
  }
}

let page;
let clients;
const client = (options = { url: "ws://front/ws" }) => {
  clients.push(new Sparq(options));
  return clients.at(-1);
};
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  clients = [];
  FakeSocket.all = [];
  page = new Target();
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  globalThis.document = Object.assign(new Target(), { visibilityState: "visible" });
});
afterEach(() => {
  for (const each of clients) each.close();
  mock.timers.reset();
  for (const name of ["addEventListener", "removeEventListener", "document"]) delete globalThis[name];
});

const settled = async (promise) => {
  const outcomes = [promise.then(() => "resolved", (error) => error.code)];
  return Promise.race([...outcomes, new Promise((resolve) => setImmediate(() => resolve("hangs")))]);
};

test("a closed client leaves no listener behind, and one that connects again has one of each", () => {
  const sparq = client();
  assert.deepEqual([page.listeners, document.listeners], [0, 0]);
  for (let round = 0; round < 3; round += 1) {
    sparq.connect();
    assert.deepEqual([page.listeners, document.listeners], [1, 1]);
    sparq.close();
    assert.deepEqual([page.listeners, document.listeners], [0, 0]);
  }
  sparq.connect();
  FakeSocket.last.onclose({ code: 4001, reason: "" });
  assert.deepEqual([page.listeners, document.listeners], [0, 0], "nor one whose session has ended");
});

test("whatever is asked of a client that is over settles", async () => {
  const sparq = client();
  sparq.connect();
  const waiting = [sparq.subscribe("a"), sparq.send("x")];
  sparq.close();
  for (const each of waiting) assert.equal(await settled(each), "closed");
  assert.equal(await settled(sparq.subscribe("a")), "closed");
  assert.equal(await settled(sparq.subscribe("a", 5)), "closed");
  assert.equal(await settled(sparq.send("x")), "closed");
  assert.equal(await settled(sparq.unsubscribe("a")), "resolved");
  assert.equal(sparq.cursor("a"), null);
  sparq.connect();
  FakeSocket.last.onclose({ code: 4003, reason: "" });
  assert.equal(await settled(sparq.subscribe("a")), "failed");
});

test("closing twice, and while a socket opens, is closing once", async () => {
  const sparq = client();
  const statuses = [];
  sparq.on("status", ({ status }) => statuses.push(status));
  sparq.connect();
  const socket = FakeSocket.last;
  sparq.close();
  sparq.close();
  assert.deepEqual(socket.closes, [1000]);
  socket.onopen();
  socket.onclose({ code: 1006, reason: "" });
  mock.timers.tick(120_000);
  await Promise.resolve();
  assert.deepEqual(statuses, ["connecting", "closed"]);
  assert.equal(FakeSocket.all.length, 1);
});

test("an answer on the session that comes after the end changes nothing", async () => {
  let answer;
  const sparq = client({ url: "ws://front/ws", authorized: () => new Promise((resolve) => (answer = resolve)) });
  sparq.connect();
  FakeSocket.last.onclose({ code: 1006, reason: "" });
  sparq.close();
  answer(false);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sparq.status, "closed");
});

test("a subscription whose reply does not name the topic is refused, and does not hang", async () => {
  const sparq = client();
  sparq.connect();
  const socket = welcomed(sparq, "alice");
  const asked = sparq.subscribe("a");
  await Promise.resolve();
  socket.says({ re: socket.sent.at(-1).id, ok: true, data: { topics: {} } });
  assert.equal(await settled(asked), "internal");
});

test("every attempt goes to the next front, after $reconnect too", () => {
  const sparq = client({ url: ["ws://a/ws", "ws://b/ws", "ws://c/ws"] });
  sparq.connect();
  const hosts = [];
  for (let moves = 0; moves < 5; moves += 1) {
    const socket = welcomed(sparq, "alice");
    hosts.push(new URL(socket.url).host);
    socket.says({ re: "none", ok: true });
    mock.timers.tick(10_000); // Long enough to be trusted.
    socket.says({ type: "$reconnect", after_ms: 200 });
    socket.onclose({ code: 1012, reason: "" });
    mock.timers.tick(200);
  }
  assert.deepEqual(hosts, ["a", "b", "c", "a", "b"]);
});

test("a path that died while nothing was to be said is noticed, and left", () => {
  const sparq = client();
  sparq.connect();
  const events = [];
  sparq.on("*", (event) => events.push(event));
  const socket = welcomed(sparq, "alice", { heartbeat_ms: 25_000 });
  events.length = 0;
  mock.timers.tick(24_000);
  assert.deepEqual(socket.sent, []);
  mock.timers.tick(6_000);
  assert.deepEqual(socket.sent, [{ type: "$ping" }]);
  socket.says({ type: "$pong" });
  assert.deepEqual(events, []);
  mock.timers.tick(20_000);
  assert.equal(sparq.status, "open");
  // From here on the path swallows everything.
  mock.timers.tick(10_000);
  assert.equal(socket.sent.length, 2);
  mock.timers.tick(15_000);
  assert.notEqual(sparq.status, "open");
  assert.deepEqual(socket.closes, [4000]);
  mock.timers.tick(1_000);
  assert.equal(FakeSocket.all.length, 2);
});

test("a front of the version before answers with an error, which is a sign of life too", () => {
  const sparq = client();
  sparq.connect();
  const socket = welcomed(sparq, "alice", { heartbeat_ms: 25_000 });
  for (let minutes = 0; minutes < 10; minutes += 1) {
    mock.timers.tick(30_000);
    socket.says({ ok: false, error: { code: "invalid_type", message: "" } });
  }
  assert.equal(sparq.status, "open");
  assert.equal(FakeSocket.all.length, 1);
});

test("what is on its way has a deadline of its own: nothing is asked beside it", () => {
  const sparq = client();
  sparq.connect();
  const socket = welcomed(sparq, "alice", { heartbeat_ms: 1_000 });
  sparq.send("slow").catch(() => {});
  mock.timers.tick(19_000);
  assert.deepEqual(socket.sent.map(({ type }) => type), ["slow"]);
  mock.timers.tick(7_000);
  assert.notEqual(sparq.status, "open");
});

test("who comes back to the page asks whether the path is alive", () => {
  const sparq = client();
  sparq.connect();
  const socket = welcomed(sparq, "alice", { heartbeat_ms: 25_000 });
  mock.timers.tick(3_000);
  document.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(socket.sent, [{ type: "$ping" }]);
});
