/**
 * Draws at most once a frame, however often that is asked for; where nobody looks there are no frames, and once in a while is enough.
 */
export class Drawing {
  #draw;
  #isDue = false;
  #run = () => this.now();

  /** @param {() => void} draw */
  constructor(draw) {
    this.#draw = draw;
    document.addEventListener("visibilitychange", () => this.#isDue && this.#schedule());
  }

  /** With the next frame. */
  soon() {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#schedule();
  }

  /** At once, what was asked for included. */
  now() {
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#draw();
  }

  #schedule() {
    document.hidden ? setTimeout(this.#run, 500) : requestAnimationFrame(this.#run);
  }
}
