/** How many events that came early are held; what is beyond is asked for again. */
const HELD = 1024;

/**
 * What a client knows of one topic: which event it saw last, and which came early. Durable events are numbered without gaps, so both
 * are simple arithmetic. Pure: no socket, no clock.
 */
export class Topic {
  /** @type {number|null} The last `seq` delivered. */ cursor = null;
  /** @type {number|null} Where "from now on" was: the topic's last `seq` when the subscription was answered. */ base = null;
  #held = new Map();

  /** The cursor to resume behind; `null`: from now on. */
  get resume() {
    return this.cursor ?? this.base;
  }

  /** Whether something is missing before an event that is here. */
  get hasHole() {
    return this.#held.size > 0;
  }

  /**
   * Takes an event with a `seq`. An event that was answered "from now on" and still comes with an older number was on its way: it counts.
   * @returns {object[]} What can be delivered now, in order: none for a repeated event and for one that came early.
   */
  take(event) {
    const last = this.cursor ?? (this.base !== null && event.seq > this.base ? this.base : event.seq - 1);
    if (event.seq <= last) return [];
    this.cursor = last;
    if (event.seq > last + 1 && this.#held.size >= HELD) return [];
    this.#held.set(event.seq, event);
    return this.#release();
  }

  /** The log begins at `first` only. @returns {object[]} What can be delivered now. */
  truncate(first) {
    this.cursor = Math.max(this.cursor ?? 0, first - 1);
    return this.#release();
  }

  /** Goes on behind a hole that nobody fills. @returns {object[]} What can be delivered now. */
  skip() {
    return this.hasHole ? this.truncate(Math.min(...this.#held.keys())) : [];
  }

  /** Forgets what came early: a new connection resumes at the cursor. */
  drop() {
    this.#held.clear();
  }

  #release() {
    const events = [];
    for (let event; (event = this.#held.get(this.cursor + 1)); this.cursor += 1) {
      this.#held.delete(event.seq);
      events.push(event);
    }
    for (const seq of this.#held.keys()) if (seq <= this.cursor) this.#held.delete(seq);
    return events;
  }
}

/** One of a client's topics: where it stands in it, and who waits for the subscription. */
export class Subscription {
  topic = new Topic();
  /** Asks for what is missing before what came early. */ timer = null;
  /** How often that was in vain. */ tries = 0;
  /** The cursor was set back, or an end is on its way that may never be heard: the server must give up its place first. */
  rewinds = false;
  #waiters = [];

  get isAwaited() {
    return this.#waiters.length > 0;
  }

  /** @returns {Promise<{seq: number}>} */
  wait() {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  resolve(value) {
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(value);
  }

  /** The socket is gone; with an error, the topic is. @param {Error} [error] */
  lose(error) {
    this.rewinds = false;
    this.dropHeld();
    if (error) for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  dropHeld() {
    clearTimeout(this.timer);
    this.timer = null;
    this.topic.drop();
  }
}

/** Cursors that outlive the page, in something like `localStorage`; written a little behind. */
export class StoredCursors {
  #storage;
  #timer = null;

  /** @param {Pick<Storage, "getItem"|"setItem">} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @param {string} user @returns {[string, number][]} Topics with their cursors. */
  load(user) {
    try {
      const stored = Object.entries(JSON.parse(this.#storage.getItem(`sparq:${user}`) ?? "{}"));
      return stored.filter(([, cursor]) => Number.isSafeInteger(cursor) && cursor >= 0);
    } catch {
      return []; // Unreadable cursors are no cursors.
    }
  }

  /** @param {string} user @param {Map<string, Topic>} topics */
  saveSoon(user, topics) {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      const cursors = [...topics].filter(([, topic]) => topic.cursor !== null).map(([name, topic]) => [name, topic.cursor]);
      try {
        this.#storage.setItem(`sparq:${user}`, JSON.stringify(Object.fromEntries(cursors)));
      } catch {
        // A full store costs a few repeated events, no more.
      }
    }, 250);
  }
}
