/** How many topics that the page let go of are remembered: twice what a server lets one connection have, and so what it offers. */
const DECLINED = 1024;

/**
 * What of the topics that the server names on its own the page wants: all but those that it let go of, whoever had subscribed to them.
 * Pure: no socket, no clock.
 */
export class Offers {
  /** Topics that the page let go of, the latest last; whether the server has heard of it. @type {Map<string, boolean>} */
  #declined = new Map();

  /**
   * The server named topics: it offers them, or has subscribed us to them; anew, where it had heard that the page let go of one.
   * @param {Record<string, number>} [topics] With the `seq` from which on.
   * @param {boolean} isOffer
   * @param {boolean} [isFirst] What the server begins with, whatever the page let go of before.
   * @returns {[string, number][]} Those that the page wants.
   */
  take(topics = {}, isOffer, isFirst = false) {
    if (!isOffer && !isFirst) for (const name of Object.keys(topics)) if (this.#declined.get(name)) this.#declined.delete(name);
    return Object.entries(topics).filter(([name]) => !this.#declined.has(name));
  }

  /** The page lets go of a topic. Where those are too many, the first is forgotten: an offer brings it back. @param {string} name */
  decline(name) {
    this.#declined.delete(name);
    this.#declined.set(name, false);
    if (this.#declined.size > DECLINED) this.#declined.delete(this.#declined.keys().next().value);
  }

  /** Whether the page let go of a topic. @param {string} name @returns {boolean} */
  declines(name) {
    return this.#declined.has(name);
  }

  /** The server has heard that the page let go of a topic, or has lost sight of it. @param {string} name */
  left(name) {
    if (this.#declined.has(name)) this.#declined.set(name, true);
  }

  /** The page wants a topic. @param {string} name */
  want(name) {
    this.#declined.delete(name);
  }
}
