/** A socket whose other end is the test. */
export class FakeSocket {
  static all = [];
  static get last() {
    return FakeSocket.all.at(-1);
  }
  sent = [];
  closes = [];
  constructor(url) {
    this.url = String(url);
    FakeSocket.all.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code) {
    this.closes.push(code);
  }
  says(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
}
globalThis.WebSocket = FakeSocket;

/** The newest socket, open. */
export function welcomed(sparq, user, fields = {}) {
  const socket = FakeSocket.last;
  socket.onopen();
  socket.says({ type: "$welcome", user, node: "n", connection: "c", limits: {}, ...fields });
  return socket;
}
