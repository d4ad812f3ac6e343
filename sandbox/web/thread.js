/** The messages of one conversation: days, runs of one sender, scrolling, the menu of a message. */

import { erase, react } from "./actions.js";
import { avatar, h, icon, reconcile, walkWithArrows } from "./dom.js";
import { preview, serviceLine } from "./content.js";
import { day, dayKey } from "./format.js";
import { say } from "./labels.js";
import { makeBubble } from "./message.js";
import { openMenu } from "./menu.js";
import { messagesOf, now, place, state } from "./store.js";

const RUN = 300; // seconds two messages of one sender may be apart and still stick together
const SHOWN = 400; // messages; a load test may write many more than a browser likes
const NEAR = 80; // pixels from the end that still count as the end
const FACES = ["👍", "❤️", "🔥", "🎉", "😢", "🙏"];

/** Build the list inside `root`; the answer draws it for a place (see phone.js and group.js). */
export function makeThread(root, composer) {
  const list = h("div", { class: "messages", role: "log", "aria-live": "polite" });
  const pinned = h("button", { type: "button", class: "pinned-bar", hidden: true });
  const toEnd = h(
    "button",
    { type: "button", class: "plain round to-end", hidden: true, onclick: () => scrollToEnd("smooth") },
    icon("down"),
  );
  let here = null;
  let current = null; // the data-focus of the message that is the tab stop

  const scrollToEnd = (behavior = "instant") => list.scrollTo({ top: list.scrollHeight, behavior });
  const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
  const messageOf = (node) => state.messages.get(here.chatId)?.get(Number(node?.dataset.focus?.slice(1).split(":")[0]));

  const desk = {
    goTo(id) {
      const node = list.querySelector(`[data-focus="m${id}"]`);
      node?.scrollIntoView({ block: "center" });
      node?.focus({ preventScroll: true });
    },
    command: (words) => composer.say(words),
    menu(message, anchor) {
      const own = message.from.id === here.viewer;
      const words = message.text ?? message.caption;
      const faces = FACES.map((emoji) => ({
        emoji,
        chosen: mine(message, emoji),
        act: () => react(here, message, emoji),
      }));
      openMenu(anchor, say(here.language, "actions"), [
        { emoji: faces },
        { label: say(here.language, "reply"), drawing: "reply", act: () => composer.reply(message) },
        own && words && { label: say(here.language, "edit"), drawing: "edit", act: () => composer.edit(message) },
        words && {
          label: say(here.language, "copy"),
          drawing: "copy",
          act: () => navigator.clipboard.writeText(words),
        },
        own && { label: say(here.language, "erase"), drawing: "bin", danger: true, act: () => erase(here, message) },
      ]);
    },
  };
  const mine = (message, emoji) =>
    message.sandbox.reactions.some((r) => r.emoji === emoji && r.users.includes(here.viewer));

  list.addEventListener("contextmenu", (event) => {
    const node = event.target.closest("article");
    if (!node || event.target.closest("a")) return;
    event.preventDefault();
    desk.menu(messageOf(node), node.querySelector(".bubble"));
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("article")) return;
    event.preventDefault();
    desk.menu(messageOf(event.target), event.target.querySelector(".bubble"));
  });
  list.addEventListener("focusin", (event) => setCurrent(event.target.closest("article")?.dataset.focus ?? current));
  list.addEventListener("scroll", () => {
    toEnd.hidden = atEnd();
  });
  walkWithArrows(list, "article", { wrap: false });
  composer.onLast = () =>
    [...messagesOf(here.chatId, here.thread)].reverse().find((m) => m.from.id === here.viewer && (m.text ?? m.caption));

  /** One message is the tab stop, and after it its buttons. */
  function setCurrent(focus) {
    const articles = [...list.querySelectorAll("article")];
    const chosen = articles.find((node) => node.dataset.focus === focus) ?? articles.at(-1);
    current = chosen === articles.at(-1) ? null : focus;
    for (const node of articles) {
      const stop = node === chosen ? 0 : -1;
      node.tabIndex = stop;
      node.querySelectorAll("button, a").forEach((part) => {
        part.tabIndex = stop;
      });
    }
  }

  function draw(next) {
    const moved = !here || place(here.chatId, here.thread) !== place(next.chatId, next.thread);
    const stick = moved || atEnd();
    here = next;
    const messages = messagesOf(here.chatId, here.thread).slice(-SHOWN);
    list.setAttribute("aria-label", say(here.language, "messages"));
    reconcile(list, arrange(messages, here), (item) => item.make(desk));
    setCurrent(moved ? null : current);
    drawPinned(messages);
    if (stick) scrollToEnd();
    toEnd.hidden = atEnd();
    toEnd.setAttribute("aria-label", say(here.language, "toEnd"));
    if (!document.hidden) state.unread.delete(place(here.chatId, here.thread));
  }

  function drawPinned(messages) {
    const last = messages.filter((message) => message.sandbox.pinned).at(-1);
    pinned.hidden = !last;
    if (!last) return;
    pinned.onclick = () => desk.goTo(last.message_id);
    pinned.replaceChildren(
      icon("pin"),
      h("span", {}, h("b", {}, say(here.language, "pinned")), h("span", {}, preview(last, here.language))),
    );
  }

  root.append(pinned, list, toEnd);
  return draw;
}

/** Messages as items for `reconcile`, with days, service lines and the typing bubble. */
function arrange(messages, here) {
  const items = [];
  const answeredUpTo = messages.findLast((message) => message.from.id !== here.viewer)?.message_id ?? 0;
  messages.forEach((message, index) => {
    const before = messages[index - 1];
    const date = day(here.language, message.date, now());
    if (!before || dayKey(before.date) !== dayKey(message.date))
      items.push(line(`day ${dayKey(message.date)}`, date, "day"));
    const service = serviceLine(message, here.language);
    if (service) items.push(line(`m${message.message_id}`, service, "service"));
    else
      items.push(
        bubbleItem(message, here, {
          first: !together(before, message),
          last: !together(message, messages[index + 1]),
          answered: message.message_id < answeredUpTo,
        }),
      );
  });
  if (here.typing) items.push(typingItem(here));
  return items;
}

function together(one, other) {
  if (!one || !other || serviceLine(one, "zh") || serviceLine(other, "zh")) return false;
  return one.from.id === other.from.id && other.date - one.date < RUN && dayKey(one.date) === dayKey(other.date);
}

const line = (key, text, kind) => ({
  key,
  signature: text,
  make: () => h("div", { class: `line ${kind}` }, h("span", {}, text)),
});

function bubbleItem(message, here, look) {
  const waiting = here.waiting.filter((w) => w.chat_id === here.chatId && w.message_id === message.message_id);
  const context = { ...here, waiting };
  const signature = JSON.stringify([message, look, waiting, here.viewer, here.language]);
  return { key: `m${message.message_id}`, signature, make: (desk) => makeBubble(message, context, look, desk) };
}

function typingItem(here) {
  const dots = h(
    "div",
    { class: "bubble typing", role: "img", "aria-label": say(here.language, "typing") },
    h("i"),
    h("i"),
    h("i"),
  );
  const make = () =>
    h(
      "div",
      { class: "message other first last" },
      here.isGroup && h("span", { class: "side" }, avatar({ is_bot: true }, "small")),
      h("div", { class: "stack" }, dots),
    );
  return { key: "typing", signature: here.language, make };
}
