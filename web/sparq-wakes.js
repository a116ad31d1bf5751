/** The moments at which a page should look after its connection: the network is back, or somebody looks at the page. */
export class Wakes {
  #wake;
  #visible = () => document.visibilityState === "visible" && this.#wake();

  /** @param {() => void} wake */
  constructor(wake) {
    this.#wake = wake;
  }

  /** Listens, until `end()`; once, however often it is called. */
  begin() {
    globalThis.addEventListener?.("online", this.#wake);
    globalThis.document?.addEventListener("visibilitychange", this.#visible);
  }

  /** Leaves nothing of the client behind with the page. */
  end() {
    globalThis.removeEventListener?.("online", this.#wake);
    globalThis.document?.removeEventListener("visibilitychange", this.#visible);
  }
}
