/** What people say to each other, by conversation: `everyone`, `room:<name>`, `direct:<person>`. No DOM, no network. */

/** How many messages of a conversation the page keeps. */
const KEPT = 2000;

/** One conversation, its events in the order of their topic. */
export class Conversation {
  /** @type {object[]} Events as the server sends them, by rising `seq`, each once. */ events = [];
  /** @type {{id: number, text: string, failed: boolean}[]} My messages on their way. */ pending = [];
  unread = 0;
  /** Whether the log may hold more before the first event. */ hasEarlier = false;
  /** Whether the newest page of the log is here. */ isLoaded = false;
  /** What readers must know about the log, in a sentence. */ notice = "";

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
  history(limit) {
    const before = this.events.length ? { before: this.events[0].seq } : {};
    switch (this.kind) {
      case "everyone": return ["everyone.history", { limit, ...before }];
      case "room": return ["room.history", { room: this.name, limit, ...before }];
      default: return ["direct.history", { with: this.name, limit, ...before }];
    }
  }

  /** Forgets the events: the log is to be read anew. @param {string} notice Why. */
  startOver(notice) {
    Object.assign(this, { events: [], hasEarlier: false, isLoaded: false, notice });
  }

  /** Adds events, wherever they belong. @returns {object[]} Those that were new. */
  add(events) {
    const known = new Set(this.events.map((event) => event.seq));
    const added = events.filter((event) => !known.has(event.seq) && known.add(event.seq));
    if (!added.length) return added;
    const inOrder = added.every((event, index) => event.seq > ((index ? added[index - 1] : this.events.at(-1))?.seq ?? 0));
    this.events.push(...added);
    if (!inOrder) this.events.sort((a, b) => a.seq - b.seq);
    if (this.events.length > KEPT) {
      this.events.splice(0, this.events.length - KEPT);
      this.hasEarlier = true;
    }
    return added;
  }

  /** Takes away the message on its way that has just come back as an event. */
  settle(text) {
    const index = this.pending.findIndex((each) => each.text === text && !each.failed);
    if (index >= 0) this.pending.splice(index, 1);
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
