import assert from "node:assert/strict";
import { test } from "node:test";
import { Fronts } from "./sparq-fronts.js";

/** Runs with a page at an address. */
function at(page, run) {
  globalThis.document = { baseURI: page };
  try {
    run();
  } finally {
    delete globalThis.document;
  }
}

test("by default the socket lies beside the page, whatever path that has", () => {
  for (const [page, socket] of [
    ["http://host:8080/", "ws://host:8080/ws"], ["https://host/", "wss://host/ws"], ["https://host/index.html#room:a", "wss://host/ws"],
    ["https://host/chat/", "wss://host/chat/ws"], ["https://host/chat/index.html?x=1", "wss://host/chat/ws"],
  ]) {
    at(page, () => assert.equal(new Fronts({}).next(false).href, socket));
  }
});

test("addresses of one's own are taken in turn, relative ones from the page", () => {
  at("https://host/chat/", () => {
    const fronts = new Fronts({ url: ["wss://a/ws", "/ws", "../b/ws", "https://c/ws"], token: "t" });
    const urls = [1, 2, 3, 4, 5].map(() => fronts.next(true).href);
    const query = "?token=t&resume=true";
    assert.deepEqual(urls, ["wss://a/ws", "wss://host/ws", "wss://host/b/ws", "wss://c/ws", "wss://a/ws"].map((url) => url + query));
  });
});
