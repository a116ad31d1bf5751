/** The messages of a conversation, as far as they are shown, and where one reads in them. */
import { $, element, paintAvatar } from "./view.js";

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
/** Messages of one person within this time stand together. */
const TOGETHER_MS = 5 * 60_000;

/** What the rows stand for. @type {{conversation: object|null, notice: string, events: object[]}} */
let drawn = { conversation: null, notice: "", events: [] };

/** Brings the rows up to date: those that are right already stay as they are. */
export function showMessages(conversation, me) {
  const list = $("messages");
  const events = conversation.shown;
  for (const row of list.querySelectorAll(".pending")) row.remove();
  const isSame = drawn.conversation === conversation && drawn.notice === conversation.notice;
  const gone = isSame ? gapBetween(drawn.events, events) : -1;
  if (gone < 0) {
    list.setAttribute("aria-busy", "true"); // Not read aloud: only what is new is.
    list.replaceChildren();
    if (conversation.notice) list.append(element("li", "line notice", conversation.notice));
    append(events, me);
    list.removeAttribute("aria-busy");
  } else {
    if (gone > 0) cutBefore(events[0]);
    append(events.slice(drawn.events.length - gone), me);
  }
  drawn = { conversation, notice: conversation.notice, events };
  if (!conversation.later) for (const each of conversation.pending) list.append(pendingRow(each, me));
  $("earlier").hidden = !conversation.hasEarlier;
  $("newer").hidden = !conversation.later;
  $("empty").hidden = list.childElementCount > 0;
  $("empty").textContent = conversation.isLoaded ? "Nothing here yet. Say the first word." : "Loading…";
}

/** How many of the old events are gone at the beginning, where what is left begins the new ones; -1 where it does not. */
function gapBetween(old, events) {
  const gone = old.findIndex((each) => each === events[0]);
  if (gone < 0) return -1;
  return old.length - gone <= events.length && old.every((each, index) => index < gone || each === events[index - gone]) ? gone : -1;
}

/** Takes away the rows before an event; its own then says who and when. */
function cutBefore(event) {
  const list = $("messages");
  const first = list.querySelector(`[data-seq="${event.seq}"]`);
  for (const row of [...list.children]) {
    if (row === first) break;
    if (!row.classList.contains("notice")) row.remove();
  }
  const at = new Date(event.at);
  if (first.dataset.follows) first.dataset.follows = "false";
  first.before(rowOf("line day", day.format(at), at));
}

function append(events, me) {
  const list = $("messages");
  for (const event of events) {
    const at = new Date(event.at);
    if (list.lastElementChild?.dataset.day !== at.toDateString()) list.append(rowOf("line day", day.format(at), at));
    const row = isLine(event) ? lineOf(event, me, at) : messageOf(event.data.from, event.data.text, me, at, list.lastElementChild);
    row.dataset.seq = event.seq;
    list.append(row);
  }
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
  row.title = moment.format(at);
  return row;
}

function pendingRow({ text, failed }, me) {
  const row = messageOf(me, text, me, new Date(), $("messages").lastElementChild);
  row.classList.add("pending");
  row.classList.toggle("failed", failed);
  row.querySelector(".text").title = failed ? "Not sent" : "On its way";
  return row;
}

// MARK: Where one reads

/** The `seq` of the first event that is drawn. @returns {number|undefined} */
export const firstDrawn = () => drawn.events[0]?.seq;

/** Whether the reader is at the end of what is drawn, and wants to stay there. */
export const isAtEnd = () => $("scroll").scrollHeight - $("scroll").scrollTop - $("scroll").clientHeight < 120;

export function scrollToEnd() {
  $("scroll").scrollTop = $("scroll").scrollHeight;
}

/** Draws around what is being read without moving it. */
export function keepingPlace(draw) {
  const top = $("scroll").getBoundingClientRect().top;
  const rows = [...$("messages").querySelectorAll("[data-seq]")];
  const read = rows.find((row) => row.getBoundingClientRect().bottom > top);
  const before = read?.getBoundingClientRect().top;
  draw();
  const row = read && $("messages").querySelector(`[data-seq="${read.dataset.seq}"]`);
  if (row) $("scroll").scrollTop += row.getBoundingClientRect().top - before;
  else scrollToEnd();
}
