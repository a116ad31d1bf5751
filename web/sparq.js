/**
 * The browser's side of the client protocol (docs/PROTOCOL.md): reconnect, resume, resend. No dependencies.
 *
 * ```js
 * import { Sparq } from "./sparq.js";
 * const sparq = new Sparq();                       // same origin, who is who by cookie
 * sparq.on("room.message", (event) => console.log(event.seq, event.data.text));
 * sparq.connect();
 * await sparq.subscribe("room:lobby");             // from now on; a number resumes behind that seq
 * await sparq.send("room.send", { room: "lobby", text: "hi" });
 * ```
 *
 * Every message has an id and is sent again, in order, until it is answered; every topic has a cursor and is resumed behind it; an event
 * that came twice is dropped, one that came early is held until the hole before it is filled.
 */
import { Asks } from "./sparq-asks.js";
import { Fronts } from "./sparq-fronts.js";
import { Leaves } from "./sparq-leaves.js";
import { Listeners } from "./sparq-listeners.js";
import { Offers } from "./sparq-offers.js";
import { Outbox, SparqError } from "./sparq-outbox.js";
import { Pulse } from "./sparq-pulse.js";
import { Reconnection } from "./sparq-reconnection.js";
import { StoredCursors, Subscription, Topic } from "./sparq-topic.js";
import { Wakes } from "./sparq-wakes.js";

export { SparqError };

/** Milliseconds. `heartbeat` is for a server that names none. */
const TIMES = { welcome: 10_000, answer: 20_000, hole: 5_000, grace: 3_000, heartbeat: 25_000 };

/** Nothing happens before a new `connect()`. */
const OVER = ["closed", "unauthenticated", "failed"];

/** One client: one socket at a time, to any front. */
export class Sparq {
  /** @type {import("./sparq-reconnection.js").Status} */ status = "idle";
  /** @type {string|null} Who I am, from `$welcome`. */ user = null;
  /** @type {string|null} The front's node id, from `$welcome`. */ node = null;
  /** @type {string|null} The connection's id, from `$welcome`. */ connection = null;
  /** The server's limits, from `$welcome`. */ limits = { message_bytes: 65_536, topics: 512, in_flight: 64 };

  #options;
  #fronts;
  #socket = null;
  #listeners = new Listeners();
  #outbox = new Outbox();
  /** @type {Map<string, Subscription>} */ #topics = new Map();
  #asks = new Asks(this.#topics, (type, topics) => this.#write(type, topics), () => this.status === "open", () => !this.#resumed);
  /** The server told where its own subscriptions began. */ #told = false;
  /** This socket began with `resume`: the server has subscribed us to nothing. */ #resumed = false;
  #offers = new Offers();
  #leaves = new Leaves((topics) => this.#write("unsubscribe", topics), (name) => this.#isUnwanted(name), (name) => this.#offers.left(name));
  #reconnection = new Reconnection();
  #wakes = new Wakes(() => this.#hurry());
  /** @type {Pulse|null} */ #pulse = null;
  #timers = {};
  #stored = null;
  /** Whose topics these are. */ #owner = null;
  /** Counts beginnings and ends. */ #life = 0;

  /** @param {import("./sparq-fronts.js").SparqOptions} [options] */
  constructor(options = {}) {
    this.#options = options;
    if (options.storage) this.#stored = new StoredCursors(options.storage);
    this.#fronts = new Fronts(options);
  }

  /** Opens the socket, and keeps it open until `close()` or a final status. */
  connect() {
    if (this.status !== "idle" && !OVER.includes(this.status)) return;
    this.user = null;
    this.#told = false; // Perhaps for somebody else: the server shall subscribe us anew.
    this.#offers = new Offers();
    this.#wakes.begin();
    this.#life += 1;
    this.#open();
  }

  /** Closes the socket for good. What was not answered is rejected with `closed`; topics and cursors are forgotten. */
  close() {
    if (this.status === "closed") return;
    this.#end("closed", "closed", "The client was closed.");
    this.#topics.clear();
  }

  /**
   * Sends a message; takes effect exactly once, however often the connection breaks before the answer.
   * @param {string} type The message's type, such as `room.send`.
   * @param {object} [fields] The handler's fields; `type` and `id` are reserved.
   * @returns {Promise<any>} The reply's `data`; rejects with a {@link SparqError}.
   */
  send(type, fields = {}) {
    const id = this.#outbox.nextID();
    const json = JSON.stringify({ ...fields, type, id });
    const bytes = new TextEncoder().encode(json).length;
    return new Promise((resolve, reject) => {
      if (bytes > this.limits.message_bytes) return reject(new SparqError("too_large", "The message is too long."));
      if (this.#outbox.isFull) return reject(new SparqError("unavailable", "Too many messages are waiting."));
      if (OVER.includes(this.status)) return reject(new SparqError(this.status));
      this.#outbox.add(id, json, bytes, resolve, reject);
      this.#flush();
    });
  }

  /**
   * Subscribes to a topic, and to it again after every reconnect, behind the last event seen.
   * @param {string} topic Such as `room:lobby`.
   * @param {number|null} [cursor] The last `seq` seen; `null`: from now on.
   * @returns {Promise<{seq: number}>} The topic's last `seq`; rejects with a {@link SparqError} where the topic is refused, and at
   *   once where the client is closed.
   */
  subscribe(topic, cursor = null) {
    if (OVER.includes(this.status)) return Promise.reject(new SparqError(this.status));
    const state = this.#topic(topic);
    if (cursor !== null) {
      state.rewinds ||= this.status === "open" && (cursor < state.topic.resume || this.#leaves.has(topic));
      state.topic.cursor = cursor;
    }
    this.#offers.want(topic);
    this.#asks.soon(topic);
    return state.wait();
  }

  /** Ends a subscription, and forgets the topic's cursor: what still comes is dropped. @param {string} topic */
  async unsubscribe(topic) {
    this.#offers.decline(topic);
    this.#forget(topic, new SparqError("closed"));
    if (this.status === "open") return this.#leaves.send([topic]);
    this.#offers.left(topic); // The next socket begins without it.
  }

  /** The last `seq` seen of a topic, `null` where none was. @param {string} topic @returns {number|null} */
  cursor(topic) {
    return this.#topics.get(topic)?.topic.cursor ?? null;
  }

  /**
   * Listens. Names: an event's type (`room.message`) or topic (`room:lobby`), `*` for all events, `status`, `$welcome`,
   * `$truncated` (`{topic, after, first}`: the log no longer reaches back to the cursor), `$reset` (`{topic}`: the log was set back; it goes
   * on from now), `refused` (`{topic, error}`: a topic that could not be resumed).
   * @param {string} name @param {(value: any) => void} listener
   * @returns {() => void} Ends the listening.
   */
  on(name, listener) {
    return this.#listeners.add(name, listener);
  }

  // MARK: The socket

  #open() {
    this.#clearTimers();
    // Once the server has told where its own subscriptions began, we bring the cursors of all our topics.
    this.#resumed = this.#told;
    const socket = new WebSocket(this.#fronts.next(this.#resumed));
    let opened = false;
    this.#socket = socket;
    this.#setStatus("connecting");
    socket.onopen = () => (opened = true);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#closed(code, reason, opened);
    this.#timers.welcome = setTimeout(() => this.#abandon("no welcome"), TIMES.welcome);
  }

  /** Leaves a socket that shows no sign of life; its close handshake may take minutes, so nobody waits for it. */
  #abandon(reason) {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(4000, reason);
    this.#closed(1006, reason, true);
  }

  async #closed(code, reason, opened) {
    this.#socket = null;
    this.#clearTimers();
    this.#forgetWritten();
    this.#outbox.rewind();
    const end = Reconnection.end(code, reason);
    if (end) return this.#end(...end);
    if (code === 1009) this.#outbox.rejectLargest(new SparqError("too_large", "The message is too long."));
    const delay = this.#reconnection.delay(code, Date.now());
    this.#setStatus("waiting", { code, reason, delay });
    this.#timers.open = setTimeout(() => this.#open(), delay);
    if (opened || !this.#options.authorized) return;
    const life = this.#life;
    const isOut = !(await this.#options.authorized().catch(() => true));
    if (isOut && life === this.#life && this.status !== "open") this.#end("unauthenticated", "unauthenticated", "The session has ended.");
  }

  #hurry() {
    if (this.status === "waiting") this.#open();
    else this.#watch(true);
  }

  /** The end, until the next `connect()`. */
  #end(status, code, reason) {
    const socket = this.#socket;
    this.#socket = null;
    this.#clearTimers();
    this.#wakes.end();
    this.#life += 1;
    socket?.close(1000);
    this.#reconnection.forget();
    this.#forgetWritten();
    this.#setStatus(status, { reason });
    const error = new SparqError(code, reason);
    this.#outbox.rejectAll(error);
    for (const state of this.#topics.values()) state.lose(error);
  }

  /** What counts for one socket alone is over with it. */
  #forgetWritten() {
    this.#asks.end();
    this.#leaves.end();
    for (const state of this.#topics.values()) state.lose();
  }

  #setStatus(status, detail = {}) {
    this.#listeners.emit("status", { ...detail, status: (this.status = status) });
  }

  #clearTimers() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
  }

  // MARK: What comes in

  #receive(data) {
    this.#pulse?.heard(Date.now());
    const frame = JSON.parse(data);
    if ("ok" in frame) return this.#answered(frame);
    if (frame.type === "$welcome") return this.#welcomed(frame);
    if (frame.type === "$subscribed" || frame.type === "$offered") return this.#toldByServer(frame);
    if (frame.type === "$reconnect") return this.#askedToMove(frame);
    if (frame.type === "$truncated") return this.#truncated(frame);
    if (frame.type === "$pong") return;
    if (typeof frame.seq === "number") return this.#durable(frame);
    this.#deliver(frame);
  }

  #welcomed(frame) {
    if (this.user !== null && this.user !== frame.user) {
      return this.#end("unauthenticated", "unauthenticated", "Somebody else has logged in meanwhile.");
    }
    if (this.#owner !== null && this.#owner !== frame.user) {
      for (const [name, { isAwaited }] of this.#topics) if (!isAwaited) this.#topics.delete(name); // Another's.
    }
    this.#owner = frame.user;
    Object.assign(this, { user: frame.user, node: frame.node, connection: frame.connection });
    Object.assign(this.limits, frame.limits);
    clearTimeout(this.#timers.welcome);
    this.#reconnection.welcomed(Date.now());
    this.#pulse = new Pulse(frame.heartbeat_ms ?? TIMES.heartbeat, Date.now());
    this.#timers.watch = setInterval(() => this.#watch(), this.#pulse.interval);
    for (const [name, cursor] of this.#stored?.load(this.user) ?? []) this.#topic(name).topic.cursor ??= cursor;
    this.#setStatus("open");
    this.#listeners.emit("$welcome", frame);
    this.#asks.send([...this.#topics.keys()]);
    this.#flush();
  }

  /** What the server subscribed us to; or, where we came back, would have: what we do not have of that we take. */
  #toldByServer({ type, topics }) {
    const isOffer = type === "$offered";
    const isFirst = !isOffer && !this.#told;
    this.#told = true;
    // What the page let go of before it could know that the server would begin with it.
    const unwanted = (name) => isFirst && this.#isUnwanted(name) && !this.#leaves.has(name);
    this.#leaves.send(Object.keys(topics ?? {}).filter(unwanted));
    const named = this.#offers.take(topics, isOffer, isFirst).filter(([name]) => !isOffer || !this.#topics.has(name));
    for (const [name, seq] of named) this.#topic(name).topic.base ??= seq;
    if (isOffer) this.#asks.send(named.map(([name]) => name));
  }

  /** The front goes away: it closes when our own moment has come and what is on its way is answered. Where it does not, we go. */
  #askedToMove({ after_ms: after }) {
    this.#reconnection.moveAt(Date.now() + Math.max(0, Number(after) || 0));
    this.#timers.move = setTimeout(() => this.#abandon("moved"), Math.max(0, Number(after) || 0) + TIMES.grace);
  }

  #answered(frame) {
    if (frame.ok) this.#reconnection.answered();
    const topics = this.#asks.answered(frame);
    if (topics) return this.#subscribed(frame, topics);
    if (this.#leaves.answered(frame)) return;
    const delay = this.#outbox.answered(frame, Date.now());
    if (delay) setTimeout(() => this.#flush(), delay + 1);
    this.#flush();
  }

  #durable(event) {
    if (this.#isUnwanted(event.topic)) return;
    const state = this.#topic(event.topic);
    this.#advance(event.topic, state, state.topic.take(event));
  }

  #advance(name, state, events) {
    if (events.length) state.tries = 0;
    for (const event of events) this.#deliver(event);
    if (events.length) this.#stored?.saveSoon(this.user, new Map([...this.#topics].map(([name, each]) => [name, each.topic])));
    if (state.topic.hasHole) {
      state.timer ??= setTimeout(() => this.#fillHole(name, state), TIMES.hole);
    } else {
      state.dropHeld();
    }
  }

  #deliver(event) {
    if (event.topic) this.#listeners.emit(event.topic, event);
    this.#listeners.emit(event.type, event);
    this.#listeners.emit("*", event);
  }

  // MARK: What goes out

  #flush() {
    if (this.status !== "open") return;
    for (const json of this.#outbox.take(this.limits.in_flight, Date.now())) this.#socket.send(json);
  }

  /**
   * The server answers within its deadline, if only with `unavailable`: silence beyond that means a dead connection. Where nothing is to be
   * answered, `$ping` is.
   */
  #watch(soon = false) {
    if (this.status !== "open") return;
    const now = Date.now();
    const oldest = Math.min(this.#outbox.oldest, this.#asks.oldest);
    if (now - oldest > TIMES.answer) return this.#abandon("no answer");
    if (oldest !== Infinity) return;
    const step = this.#pulse.check(now, soon);
    if (step === "ask") this.#socket.send('{"type":"$ping"}');
    if (step === "dead") this.#abandon("no sign of life");
  }

  // MARK: Topics

  #topic(name) {
    if (!this.#topics.has(name)) this.#topics.set(name, new Subscription());
    return this.#topics.get(name);
  }

  /** Let go of, and not named by the server since: what still comes was on its way. */
  #isUnwanted(name) {
    return !this.#topics.has(name) && this.#offers.declines(name);
  }

  #write(type, topics) {
    const id = this.#outbox.nextID();
    this.#socket.send(JSON.stringify({ type, id, topics }));
    return id;
  }

  #subscribed(frame, names) {
    for (const name of names) {
      const state = this.#topics.get(name);
      const answer = frame.ok ? frame.data?.topics?.[name] : frame;
      if (!state) continue;
      if (answer?.ok) {
        state.topic.base ??= answer.seq;
        state.resolve({ seq: answer.seq });
      } else if (answer?.error?.code === "invalid_cursor" && !state.isAwaited) {
        state.topic = new Topic(); // The log was set back, by a restored database for example: from now on.
        this.#listeners.emit("$reset", { topic: name });
        this.#asks.soon(name);
      } else {
        const error = new SparqError(answer?.error?.code ?? "internal", answer?.error?.message);
        this.#forget(name, error);
        this.#listeners.emit("refused", { topic: name, error });
      }
    }
  }

  #forget(name, error) {
    const state = this.#topics.get(name);
    this.#topics.delete(name);
    state?.lose(error);
  }

  /** Durable events have no gaps, so what is missing comes yet; where it does not, it is asked for again. */
  #fillHole(name, state) {
    state.timer = null;
    if (this.status !== "open" || !state.topic.hasHole) return;
    if (++state.tries > 3) return this.#advance(name, state, state.topic.skip()); // Better a hole than silence.
    this.#asks.send([name], true);
    state.timer = setTimeout(() => this.#fillHole(name, state), TIMES.hole);
  }

  #truncated(frame) {
    if (this.#isUnwanted(frame.topic)) return;
    const state = this.#topic(frame.topic);
    this.#listeners.emit("$truncated", frame);
    this.#advance(frame.topic, state, state.topic.truncate(frame.first));
  }
}
