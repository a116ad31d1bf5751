/** Who listens to which name. */
export class Listeners {
  #sets = new Map();

  /** @returns {() => void} Ends the listening. */
  add(name, listener) {
    if (!this.#sets.has(name)) this.#sets.set(name, new Set());
    this.#sets.get(name).add(listener);
    return () => this.#sets.get(name)?.delete(listener);
  }

  /** Tells them, each on its own: one listener's fault is not another's. */
  emit(name, value) {
    for (const listener of this.#sets.get(name) ?? []) queueMicrotask(() => listener(value));
  }
}
