/**
 * @typedef {object} SparqOptions
 * @property {string|string[]} [url] One front's socket address or several: every attempt takes the next one. Relative ones count from the page.
 *   Default: `ws` beside the page, so that a page under `/chat/` goes to `/chat/ws`.
 * @property {string|(() => string)} [token] A session token for the query; default: the session cookie.
 * @property {Pick<Storage, "getItem"|"setItem">} [storage] Where to keep cursors, such as `localStorage`. Written a little behind, so
 *   that a page that starts anew may see the newest events again.
 * @property {() => Promise<boolean>} [authorized] Asked when a socket could not be opened, because a browser does not show a page
 *   the 401: `false` ends in `unauthenticated` instead of another attempt.
 */

/** Where the sockets go. */
export class Fronts {
  #urls;
  #token;
  #attempts = 0;

  /** @param {SparqOptions} options */
  constructor({ url, token }) {
    this.#urls = [url ?? "ws"].flat();
    this.#token = token;
  }

  /** The address of the next attempt: another front's, where there are several. @param {boolean} resumes The client brings its cursors. @returns {URL} */
  next(resumes) {
    const url = new URL(this.#urls[this.#attempts++ % this.#urls.length], globalThis.document?.baseURI ?? globalThis.location?.href);
    url.protocol = url.protocol.replace(/^http/, "ws");
    const token = typeof this.#token === "function" ? this.#token() : this.#token;
    if (token) url.searchParams.set("token", token);
    if (resumes) url.searchParams.set("resume", "true");
    return url;
  }
}
