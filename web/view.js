/** What is seen. Every text of people or of the server goes in by `textContent`. */

export const $ = (id) => document.getElementById(id);

const statusText = {
  idle: "", connecting: "Connecting…", open: "Connected", waiting: "Connection lost, coming back…", closed: "Disconnected",
  unauthenticated: "Logged out", failed: "Disconnected by the server",
};

export function element(tag, className, text) {
  const result = document.createElement(tag);
  if (className) result.className = className;
  if (text !== undefined) result.textContent = text;
  return result;
}

/** A circle with the person's initial, in a colour of their own. */
export function paintAvatar(avatar, name) {
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

/** What stands around a conversation's messages. */
export function showConversation(conversation) {
  $("conversation").dataset.key = conversation.key;
  $("conversation-title").textContent = conversation.title;
  $("conversation-about").textContent = conversation.about;
  $("leave-room").hidden = conversation.kind !== "room";
  $("message-input").placeholder = `Write to ${conversation.kind === "everyone" ? "everyone" : conversation.title}`;
}
