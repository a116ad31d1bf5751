/** What people say to each other, by conversation: `everyone`, `room:<name>`, `direct:<person>`. No DOM, no network. */

/** How many messages of a conversation the page keeps, how many of these it shows, and by how many it goes on. */
export const KEPT = 2000;
export const SHOWN = 300;
export const PAGE = 50;

/**
 * One conversation: a piece of its log without gaps, and of that piece what is shown. It reaches to the newest event, but where somebody
 * reads so far above that the page cannot keep both.
 */
export class Conversation {
  /** @type {object[]} Events as the server sends them, by rising `seq`, each once. */ events = [];
  /** @type {{id: number, text: string, failed: boolean}[]} My messages on their way. */ pending = [];
  unread = 0;
  /** Whether the newest page of the log is here. */ isLoaded = false;
  /** What readers must know about the log, in a sentence. */ notice = "";
  /** Whether the log may hold more before the first event. */ #hasMore = false;
  /** Whether newer events were let go of, and are to be read again. */ #isBehind = false;
  /** @type {number|null} The `seq` of the first event shown; `null`: the newest ones are shown, whatever comes. */ #top = null;

  /** @param {string} key */
  constructor(key) {
    this.key = key;
    [this.kind] = key.split(":", 1);
    this.name = key.slice(this.kind.length + 1);
  }

  get title() {
    return this.kind === "everyone" ? "Everyone" : this.kind === "room" ? `# ${this.name}` : this.name;
  }

  get about() {
    return { everyone: "Everybody who is connected, on every node", room: "A room; its members read along", direct: "Between the two of you" }[this.kind];
  }

  /** The message that says something here: its type and fields. */
  message(text) {
    switch (this.kind) {
      case "everyone": return ["sendMessage", { text }];
      case "room": return ["room.send", { room: this.name, text }];
      default: return ["direct.send", { to: this.name, text }];
    }
  }

  /** The message that asks for a page of the log before the first event. */
  history(limit = PAGE) {
    const before = this.events.length ? { before: this.events[0].seq } : {};
    switch (this.kind) {
      case "everyone": return ["everyone.history", { limit, ...before }];
      case "room": return ["room.history", { room: this.name, limit, ...before }];
      default: return ["direct.history", { with: this.name, limit, ...before }];
    }
  }

  // MARK: What is here

  /** Takes an event that was heard live. @returns {boolean} Whether it is new. */
  take(event) {
    const last = this.events.at(-1)?.seq ?? 0;
    if (event.seq > last) {
      if (!this.#isBehind) this.events.push(event);
    } else if (!this.#insert([event])) {
      return false;
    }
    this.#trim();
    return true;
  }

  /** Takes a page of the log. @param {number} [before] What was asked for. @returns {boolean} Whether it belongs to what is here. */
  takePage({ events, more }, before) {
    // The log was begun anew meanwhile, or the events behind the page were let go of: it would leave a gap.
    if (before !== undefined && this.events[0]?.seq !== before) return false;
    this.#insert(events);
    this.isLoaded = true;
    this.#hasMore = more;
    // Somebody wants to read it: what goes is the other end.
    if (this.events.length > KEPT) this.#forgetNewer();
    return true;
  }

  /** Forgets the events: the log is to be read anew. @param {string} [notice] Why. */
  startOver(notice = "") {
    Object.assign(this, { events: [], isLoaded: false, notice });
    this.#hasMore = this.#isBehind = false;
    this.#top = null;
  }

  /** Takes away the message on its way that has just come back as an event. */
  settle(text) {
    const index = this.pending.findIndex((each) => each.text === text && !each.failed);
    if (index >= 0) this.pending.splice(index, 1);
  }

  // MARK: What is shown

  get shown() {
    const first = this.#first;
    return this.events.slice(first, first + SHOWN);
  }

  get hasEarlier() {
    return this.#first > 0 || this.#hasMore;
  }

  /** How many newer events are not shown; infinity where they are not even here. */
  get later() {
    return this.#isBehind ? Infinity : Math.max(0, this.events.length - this.#first - SHOWN);
  }

  /** Whether what comes is shown, however much that is. */
  get isFollowing() {
    return this.#top === null;
  }

  /** Shows from an event on, whatever comes: somebody reads there. @param {number} seq */
  stay(seq) {
    this.#top = seq;
  }

  /** Shows the newest events, and what comes. @returns {boolean} Whether that is possible: else the log is to be read anew. */
  follow() {
    if (this.#isBehind) return false;
    this.#top = null;
    return true;
  }

  /** Shows older events. @returns {boolean} Whether there are any here: else a page of the log is needed. */
  goUp() {
    const first = this.#first;
    if (first === 0) return false;
    this.#top = this.events[Math.max(0, first - PAGE)].seq;
    return true;
  }

  /** Shows newer events. @returns {boolean} Whether there are any here: else the log is to be read anew. */
  goDown() {
    const last = Math.max(0, this.events.length - SHOWN);
    const first = Math.min(this.#first + PAGE, last);
    if (first === last && !this.#isBehind) return this.follow();
    if (first === this.#first) return false;
    this.#top = this.events[first].seq;
    return true;
  }

  /** Where in the events those begin that are shown. */
  get #first() {
    if (this.#top === null) return Math.max(0, this.events.length - SHOWN);
    const index = this.events.findIndex(({ seq }) => seq >= this.#top);
    return index < 0 ? Math.max(0, this.events.length - SHOWN) : index;
  }

  /** @returns {number} How many of them were new. */
  #insert(events) {
    const known = new Set(this.events.map(({ seq }) => seq));
    const added = events.filter(({ seq }) => !known.has(seq) && known.add(seq));
    if (added.length) this.events = [...added, ...this.events].sort((a, b) => a.seq - b.seq);
    return added.length;
  }

  /** Lets go of what is too much: older than what is shown, and where there is not enough of that, newer. */
  #trim() {
    const excess = this.events.length - KEPT;
    if (excess <= 0) return;
    const older = Math.min(excess, this.#first);
    this.events.splice(0, older);
    if (older) this.#hasMore = true;
    if (older < excess) this.#forgetNewer();
  }

  #forgetNewer() {
    this.events.length = KEPT;
    this.#isBehind = true;
  }
}

/** All conversations of the page. */
export class Conversations {
  #all = new Map();

  /** @returns {Conversation} The conversation of that key, made where there is none. */
  get(key) {
    if (!this.#all.has(key)) this.#all.set(key, new Conversation(key));
    return this.#all.get(key);
  }

  has(key) {
    return this.#all.has(key);
  }

  remove(key) {
    this.#all.delete(key);
  }

  /** @param {"everyone"|"room"|"direct"} kind @returns {Conversation[]} By name. */
  of(kind) {
    return [...this.#all.values()].filter((each) => each.kind === kind).sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Those whose events are in a topic: all between two people are in my own. @param {string} topic @returns {Conversation[]} */
  ofTopic(topic) {
    if (topic.startsWith("user:")) return this.of("direct");
    return this.has(topic) ? [this.get(topic)] : [];
  }

  get unread() {
    return [...this.#all.values()].reduce((sum, each) => sum + each.unread, 0);
  }

  /** Which conversation an event belongs to, for this user; `null`: none of them. */
  static key(event, me) {
    switch (event.type) {
      case "message": return "everyone";
      case "room.message": case "room.joined": case "room.left": return event.topic;
      case "direct.message": return `direct:${event.data.from === me ? event.data.to : event.data.from}`;
      default: return null;
    }
  }
}
