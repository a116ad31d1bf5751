/** Who of those that somebody watches is there. No DOM, no network. */

/** The most that one question names: the server's limit. */
const ASKED = 512;

export class Presences {
  /** @type {Map<string, {online: boolean, at: string}>} What is known of those that are watched. */ #known = new Map();

  /** @param {string} user @returns {boolean} Whether that is new. */
  watch(user) {
    if (this.#known.has(user)) return false;
    this.#known.set(user, { online: false, at: "" });
    return true;
  }

  /** @param {string} user */
  forget(user) {
    this.#known.delete(user);
  }

  /** Takes an answer or an event; of two the one with the later time counts. @returns {boolean} Whether anything changed. */
  note({ user, online, at }) {
    const known = this.#known.get(user);
    if (!known || at < known.at) return false;
    this.#known.set(user, { online, at });
    return known.online !== online;
  }

  isOnline(user) {
    return this.#known.get(user)?.online ?? false;
  }

  /** The messages that ask for all of them: after a connection was away, events may be missing. @returns {[string, object][]} */
  questions(users = [...this.#known.keys()]) {
    const questions = [];
    for (let start = 0; start < users.length; start += ASKED) questions.push(["presence.get", { users: users.slice(start, start + ASKED) }]);
    return questions;
  }
}
