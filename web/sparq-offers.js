/** What the server subscribes a new client to, and so offers to one that comes back. Pure: no socket, no clock. */
export class Offers {
  #names = new Set();
  /** What of it the page does not want. */ #declined = new Set();

  /**
   * The server named topics, as its own subscriptions or as an offer.
   * @param {Record<string, number>} [topics] With the `seq` from which on.
   * @returns {[string, number][]} Those that were not declined.
   */
  take(topics = {}) {
    for (const name of Object.keys(topics)) this.#names.add(name);
    return Object.entries(topics).filter(([name]) => !this.#declined.has(name));
  }

  /** The page lets go of a topic. @param {string} name */
  decline(name) {
    if (this.#names.has(name)) this.#declined.add(name);
  }

  /** The page wants a topic. @param {string} name */
  want(name) {
    this.#declined.delete(name);
  }
}
