/** What is seen. Every text of people or of the server goes in by `textContent`. */

export const $ = (id) => document.getElementById(id);

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
/** Messages of one person within this time stand together. */
const TOGETHER_MS = 5 * 60_000;

const statusText = {
  idle: "", connecting: "Connecting…", open: "Connected", waiting: "Connection lost, coming back…", closed: "Disconnected",
  unauthenticated: "Logged out", failed: "Disconnected by the server",
};

function element(tag, className, text) {
  const result = document.createElement(tag);
  if (className) result.className = className;
  if (text !== undefined) result.textContent = text;
  return result;
}

/** A circle with the person's initial, in a colour of their own. */
function paintAvatar(avatar, name) {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 360;
  avatar.style.setProperty("--hue", hash);
  avatar.textContent = name.slice(0, 1).toUpperCase();
  avatar.setAttribute("aria-hidden", "true");
  return avatar;
}

export function show(view) {
  document.body.dataset.view = view;
}

export function showMe(user) {
  $("me").textContent = user;
  paintAvatar($("me-avatar"), user);
}

export function showStatus(status, node) {
  document.body.dataset.status = status;
  $("status").textContent = statusText[status] ?? status;
  $("node").textContent = status === "open" ? node : "offline";
}

export function showError(id, text) {
  $(id).textContent = text;
  $(id).hidden = !text;
}

let noticeTimer;
export function showNotice(text) {
  clearTimeout(noticeTimer);
  $("notice-text").textContent = text ?? "";
  $("notice").hidden = !text;
  if (text) noticeTimer = setTimeout(() => ($("notice").hidden = true), 12_000);
}

export function showMenu(open) {
  document.body.dataset.menu = open ? "open" : "";
  $("menu").setAttribute("aria-expanded", String(open));
}

/** The lists of the sidebar. */
export function showConversations(conversations, currentKey, presences) {
  const everyone = $("conversations-everyone");
  markItem(everyone, conversations.get("everyone"), currentKey);
  for (const [id, kind] of [["rooms", "room"], ["directs", "direct"]]) {
    $(id).replaceChildren(...conversations.of(kind).map((conversation) => {
      const row = element("li");
      const item = element("button", "item");
      item.type = "button";
      item.dataset.key = conversation.key;
      const glyph = kind === "room" ? element("span", "glyph", "#") : paintAvatar(element("span", "avatar"), conversation.name);
      glyph.setAttribute("aria-hidden", "true");
      item.append(glyph, element("span", "label", conversation.name), element("span", "unread"));
      if (kind === "direct") markPresence(item, conversation.name, presences.isOnline(conversation.name));
      markItem(item, conversation, currentKey);
      row.append(item);
      return row;
    }));
  }
  const unread = conversations.unread;
  document.title = unread ? `(${unread}) Sparq` : "Sparq";
}

function markPresence(item, name, online) {
  item.dataset.online = String(online);
  item.title = `${name} is ${online ? "here" : "away"}`;
}

function markItem(item, conversation, currentKey) {
  item.setAttribute("aria-current", String(conversation.key === currentKey));
  const unread = item.querySelector(".unread");
  unread.textContent = conversation.unread > 99 ? "99+" : conversation.unread;
  unread.setAttribute("aria-label", `${conversation.unread} unread`);
  unread.hidden = !conversation.unread;
}

/** Draws a conversation anew. */
export function showConversation(conversation, me) {
  $("conversation").dataset.key = conversation.key;
  $("conversation-title").textContent = conversation.title;
  $("conversation-about").textContent = conversation.about;
  $("leave-room").hidden = conversation.kind !== "room";
  $("message-input").placeholder = `Write to ${conversation.kind === "everyone" ? "everyone" : conversation.title}`;
  const list = $("messages");
  list.setAttribute("aria-busy", "true"); // Not read aloud: only what is new is.
  list.replaceChildren();
  if (conversation.notice) list.append(element("li", "line notice", conversation.notice));
  appendEvents(conversation, conversation.events, me);
  list.removeAttribute("aria-busy");
}

/** Draws what came at the end of a conversation, and its messages on their way. */
export function appendEvents(conversation, events, me) {
  const list = $("messages");
  for (const row of list.querySelectorAll(".pending")) row.remove();
  for (const event of events) {
    const at = new Date(event.at);
    const last = list.lastElementChild;
    if (last?.dataset.day !== at.toDateString()) list.append(rowOf("line day", day.format(at), at));
    list.append(isLine(event) ? lineOf(event, me, at) : messageOf(event.data.from, event.data.text, me, at, list.lastElementChild));
    list.lastElementChild.dataset.seq = event.seq;
  }
  for (const each of conversation.pending) {
    const row = messageOf(me, each.text, me, new Date(), list.lastElementChild);
    row.classList.add("pending");
    row.classList.toggle("failed", each.failed);
    row.querySelector(".text").title = each.failed ? "Not sent" : "On its way";
    list.append(row);
  }
  $("earlier").hidden = !conversation.hasEarlier;
  $("empty").hidden = list.childElementCount > 0;
  $("empty").textContent = conversation.isLoaded ? "Nothing here yet. Say the first word." : "Loading…";
}

const isLine = (event) => event.type === "room.joined" || event.type === "room.left";

function lineOf(event, me, at) {
  const who = event.data.user === me ? "You" : event.data.user;
  return rowOf("line", `${who} ${event.type === "room.joined" ? "joined" : "left"} · ${time.format(at)}`, at);
}

function rowOf(className, text, at) {
  const row = element("li", className, text);
  row.dataset.day = at.toDateString();
  return row;
}

function messageOf(from, text, me, at, before) {
  const row = rowOf("message", undefined, at);
  row.dataset.from = from;
  row.dataset.own = String(from === me);
  row.dataset.at = at.getTime();
  row.dataset.follows = String(before?.dataset.from === from && at - Number(before.dataset.at) < TOGETHER_MS);
  const stamp = element("time", "", time.format(at));
  stamp.dateTime = at.toISOString();
  const meta = element("div", "meta");
  meta.append(element("span", "author", from), stamp);
  row.append(paintAvatar(element("span", "avatar"), from), meta, element("div", "text", text));
  row.title = at.toLocaleString();
  return row;
}

/** Whether the reader is at the end, and wants to stay there. */
export const isAtEnd = () => $("scroll").scrollHeight - $("scroll").scrollTop - $("scroll").clientHeight < 120;

export function scrollToEnd() {
  $("scroll").scrollTop = $("scroll").scrollHeight;
}

/** Draws above without moving what is being read. */
export function keepingPlace(draw) {
  const fromEnd = $("scroll").scrollHeight - $("scroll").scrollTop;
  draw();
  $("scroll").scrollTop = $("scroll").scrollHeight - fromEnd;
}
