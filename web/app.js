/** The chat page: who I am, what I am in, what I say. The wire is sparq.js's, the drawing view.js's. */
import { Sparq, SparqError } from "./sparq.js";
import { Conversations } from "./conversations.js";
import { Drawing } from "./drawing.js";
import * as messages from "./messages.js";
import { Presences } from "./presences.js";
import * as view from "./view.js";
import { $ } from "./view.js";

/** The most rooms that the page shows and listens to: a connection has 512 topics, and people take some of them. */
const ROOMS = 400;

let sparq = null;
let me = null;
let conversations = new Conversations();
let presences = new Presences();
let current = null;
let pendingCount = 0;
const drawing = new Drawing(draw);

/** One message by HTTP: who we are is settled before there is a socket, and the cookie comes with the response. */
async function post(type, fields = {}) {
  // Beside the page, which may lie under a path of its own.
  const response = await fetch("v1/messages", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    credentials: "same-origin",
    body: JSON.stringify({ ...fields, type }),
  }).catch(() => {
    throw new SparqError("unavailable", "The server cannot be reached. Try again in a moment.");
  });
  const reply = await response.json().catch(() => ({}));
  if (reply.ok) return reply.data;
  const code = reply.error?.code ?? (response.status === 401 ? "unauthenticated" : "unavailable");
  throw new SparqError(code, reply.error?.message ?? "The server cannot answer right now. Try again in a moment.");
}

// MARK: Coming and going

async function start() {
  try {
    enter((await post("who")).user);
  } catch (error) {
    showLogin(error.code === "unauthenticated" ? "" : error.message);
  }
}

function showLogin(message = "") {
  sparq?.close();
  sparq = me = current = null;
  conversations = new Conversations();
  presences = new Presences();
  document.title = "Sparq";
  view.show("login");
  view.showError("auth-error", message);
  for (const id of ["login-password", "register-password"]) $(id).value = "";
  (($("login-form").hidden ? $("register-user") : $("login-user"))).focus();
}

function chooseTab(name, focus = false) {
  for (const each of ["login", "register"]) {
    const chosen = each === name;
    $(`tab-${each}`).setAttribute("aria-selected", String(chosen));
    $(`tab-${each}`).tabIndex = chosen ? 0 : -1;
    $(`${each}-form`).hidden = !chosen;
    if (chosen && focus) $(`tab-${each}`).focus();
  }
  view.showError("auth-error", "");
}

async function authenticate(event, type, prefix) {
  event.preventDefault();
  const button = $(`${prefix}-submit`);
  button.disabled = true;
  view.showError("auth-error", "");
  try {
    const { user } = await post(type, { user: nameIn(`${prefix}-user`), password: $(`${prefix}-password`).value });
    enter(user);
  } catch (error) {
    view.showError("auth-error", error.message);
  } finally {
    button.disabled = false;
  }
}

function enter(user) {
  me = user;
  for (const id of ["login-password", "register-password"]) $(id).value = "";
  view.showMe(me);
  view.show("chat");
  view.showStatus("connecting");
  sparq = new Sparq({ authorized: () => post("who").then(({ user }) => user === me, (error) => error.code !== "unauthenticated") });
  const mine = sparq;
  const ifMine = (run) => (value) => mine === sparq && run(value);
  sparq.on("status", ifMine(statusChanged));
  sparq.on("$truncated", ifMine(({ topic }) => startOver(topic, "Some of what was said while you were away is no longer kept.")));
  sparq.on("$reset", ifMine(({ topic }) => startOver(topic, "The server's history was set back. What was said last may be gone.")));
  sparq.on("refused", ifMine(({ topic }) => topic.startsWith("room:") && forgetRoom(topic)));
  sparq.on("presence.changed", ifMine(({ data }) => presenceIs([data])));
  sparq.on("user.joined", ifMine(({ data }) => joined(data.room)));
  sparq.on("user.left", ifMine(({ data }) => left(`room:${data.room}`)));
  sparq.on("*", ifMine(arrived));
  sparq.connect();
  open("everyone", { load: false });
  ifMine(populate)();
}

/** Topics first, then the log: what is said between the two comes both ways and counts once. */
async function populate() {
  const mine = sparq;
  try {
    const topics = Promise.all(["everyone", `user:${me}`].map((topic) => mine.subscribe(topic)));
    const [{ rooms, next }, { events }] = await Promise.all([
      mine.send("room.list", { limit: ROOMS }), mine.send("direct.history", { limit: 100 }), topics,
    ]);
    if (mine !== sparq) return;
    if (next) view.showNotice(`You are in more rooms than the ${ROOMS} that are shown.`);
    for (const event of events) takeDirect(Conversations.key(event, me));
    await Promise.all(rooms.map(({ room }) => takeRoom(room)));
    if (mine !== sparq) return;
    const wanted = decodeURIComponent(location.hash.slice(1));
    open(wanted.startsWith("direct:") || conversations.has(wanted) ? wanted : "everyone");
  } catch (error) {
    if (mine === sparq) view.showNotice(error.message);
  }
}

function statusChanged({ status, reason }) {
  view.showStatus(status, sparq.node);
  if (status === "unauthenticated") showLogin(reason || "Your session has ended. Log in again.");
  // Whatever is answered behind the subscriptions tells that they stand.
  if (status === "open" && presences.questions().length) sparq.send("who").then(() => askForPresence(presences.questions()), () => {});
  if (status === "failed") view.showNotice(reason || "The server ended the connection. Reload the page to come back.");
}

// MARK: Conversations

function open(key, { load = true } = {}) {
  if (key.startsWith("direct:")) takeDirect(key);
  current = conversations.get(key);
  current.unread = 0;
  if (!current.follow()) current.startOver();
  history.replaceState(null, "", `#${encodeURIComponent(key)}`);
  view.showMenu(false);
  view.showConversation(current);
  show();
  messages.scrollToEnd();
  if (load && !current.isLoaded) loadHistory(current);
  if (matchMedia("(hover: hover)").matches) $("message-input").focus();
}

function show() {
  view.showConversations(conversations, current.key, presences);
  messages.showMessages(current, me);
}

/** What has come since the last frame. Who reads at the end goes on there; who reads above is not disturbed. */
function draw() {
  if (!current) return;
  const isAtEnd = messages.isAtEnd();
  if (isAtEnd && !current.later) current.follow();
  else if (!isAtEnd && current.isFollowing && messages.firstDrawn()) current.stay(messages.firstDrawn());
  show();
  if (isAtEnd && current.isFollowing) messages.scrollToEnd();
}

async function loadHistory(conversation) {
  const [type, fields] = conversation.history();
  $("earlier").disabled = true;
  try {
    const page = await sparq.send(type, fields);
    if (!conversation.takePage(page, fields.before)) return;
    if (fields.before !== undefined) conversation.goUp();
    if (conversation === current) messages.keepingPlace(show);
  } catch (error) {
    if (conversation === current) view.showNotice(error.message);
  } finally {
    $("earlier").disabled = false;
  }
}

function showEarlier() {
  current.goUp() ? messages.keepingPlace(show) : loadHistory(current);
}

function showLater() {
  current.goDown() ? messages.keepingPlace(show) : showNewest();
}

function showNewest() {
  if (!current.follow()) current.startOver();
  show();
  messages.scrollToEnd();
  if (!current.isLoaded) loadHistory(current);
}

function arrived(event) {
  if (!event.data) return; // Omitted: it could not be delivered.
  const key = Conversations.key(event, me);
  if (!key) return;
  if (event.topic.startsWith("room:") && !conversations.has(key)) return; // Was on its way when I left.
  if (key.startsWith("direct:")) takeDirect(key);
  const conversation = conversations.get(key);
  if (event.data.from === me) conversation.settle(event.data.text);
  if (!conversation.take(event)) return;
  if ((conversation !== current || document.hidden) && event.data.text !== undefined && event.data.from !== me) conversation.unread += 1;
  drawing.soon();
}

/** What is shown of a topic no longer goes together with its log: say so, and read the log's end anew. */
function startOver(topic, notice) {
  for (const conversation of conversations.ofTopic(topic)) conversation.startOver(notice);
  if (current.isLoaded) return;
  show();
  loadHistory(current);
}

async function takeRoom(room) {
  conversations.get(`room:${room}`);
  await sparq.subscribe(`room:${room}`).catch((error) => {
    forgetRoom(`room:${room}`);
    throw error;
  });
}

/** A conversation with a person: whether they are there is shown beside it. */
function takeDirect(key) {
  const { name } = conversations.get(key);
  if (!presences.watch(name)) return;
  const [mine, watched] = [sparq, presences];
  // Listening first: who comes or goes before the answer is heard of, or in it.
  mine.subscribe(`presence:${name}`).then(() => mine === sparq && askForPresence(presences.questions([name])), () => watched.forget(name));
}

/** What is not answered is asked again when the connection is back. */
function askForPresence(questions) {
  const mine = sparq;
  for (const [type, fields] of questions) mine.send(type, fields).then(({ presence }) => mine === sparq && presenceIs(presence), () => {});
}

function presenceIs(list) {
  if (list.filter((each) => presences.note(each)).length) drawing.soon();
}

function forgetRoom(key) {
  conversations.remove(key);
  current?.key === key ? open("everyone") : drawing.soon();
}

/** I am in a room from now on, by this page or another device of mine. */
function joined(room) {
  if (conversations.has(`room:${room}`)) return;
  if (conversations.of("room").length >= ROOMS) return view.showNotice(`You are in more rooms than the ${ROOMS} that are shown.`);
  takeRoom(room).catch(() => {}); // Left again since: the word on that comes next.
  drawing.soon();
}

function left(key) {
  if (!conversations.has(key)) return;
  sparq.unsubscribe(key).catch(() => {});
  forgetRoom(key);
}

async function say(text) {
  const conversation = current;
  const pending = { id: ++pendingCount, text, failed: false };
  conversation.pending.push(pending);
  showNewest();
  try {
    await sparq.send(...conversation.message(text));
    // The event may still be on its way; it takes the place of the pending one, which goes by itself otherwise.
    setTimeout(() => removePending(conversation, pending), 3000);
  } catch (error) {
    removePending(conversation, pending);
    if (conversation === current && !$("message-input").value) $("message-input").value = text;
    view.showNotice(error.message);
  }
}

function removePending(conversation, pending) {
  conversation.pending = conversation.pending.filter((each) => each !== pending);
  drawing.soon();
}

// MARK: Wiring

const nameIn = (id) => $(id).value.trim().toLowerCase();

/** Runs what a form asks for; shows what went wrong, politely. */
function onSubmit(id, run) {
  $(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await run(event.submitter?.value);
      event.target.reset();
    } catch (error) {
      view.showNotice(error.message);
    }
  });
}

onSubmit("room-form", async (action) => {
  const room = nameIn("room-name");
  await sparq.send(action === "create" ? "room.create" : "room.join", { room });
  await takeRoom(room);
  open(`room:${room}`);
});
onSubmit("direct-form", async () => open(`direct:${nameIn("direct-name")}`));

$("room-name").addEventListener("focus", async () => {
  const { rooms } = await sparq.send("room.list", { all: true }).catch(() => ({ rooms: [] }));
  $("room-names").replaceChildren(...rooms.map(({ room }) => Object.assign(document.createElement("option"), { value: room })));
});
$("leave-room").addEventListener("click", async () => {
  const { key, name } = current;
  try {
    await sparq.send("room.leave", { room: name });
    left(key);
  } catch (error) {
    view.showNotice(error.message);
  }
});

for (const name of ["login", "register"]) {
  $(`tab-${name}`).addEventListener("click", () => chooseTab(name));
  $(`tab-${name}`).addEventListener("keydown", ({ key }) => key.startsWith("Arrow") && chooseTab(name === "login" ? "register" : "login", true));
}
$("login-form").addEventListener("submit", (event) => authenticate(event, "auth.login", "login"));
$("register-form").addEventListener("submit", (event) => authenticate(event, "auth.register", "register"));
$("logout").addEventListener("click", async () => {
  try {
    await post("auth.logout");
    showLogin();
  } catch (error) {
    view.showNotice(error.message);
  }
});

$("sidebar").addEventListener("click", ({ target }) => {
  const key = target.closest("[data-key]")?.dataset.key;
  if (key) open(key);
});
$("menu").addEventListener("click", () => view.showMenu($("menu").getAttribute("aria-expanded") !== "true"));
$("scrim").addEventListener("click", () => view.showMenu(false));
document.addEventListener("keydown", ({ key }) => key === "Escape" && view.showMenu(false));
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !current) return;
  current.unread = 0;
  drawing.soon();
});
$("earlier").addEventListener("click", showEarlier);
$("later").addEventListener("click", showLater);
$("newest").addEventListener("click", showNewest);
$("notice-close").addEventListener("click", () => view.showNotice());

const input = $("message-input");
const fit = () => {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight + 2}px`;
};
input.addEventListener("input", fit);
input.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("message-form").requestSubmit();
});
$("message-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  fit();
  say(text);
});

start();
