/** One message as its bubble. */

import { react, tap } from "./actions.js";
import { avatar, h, icon, inkOf, nameOf } from "./dom.js";
import { contents, preview } from "./content.js";
import { fullTime, time } from "./format.js";
import { say } from "./labels.js";
import { ask, choices, notify } from "./notices.js";
import { rich, safeLink } from "./rich.js";

/** The bubble. `look`: first, last (of a run by one sender), answered (own, and something came after). */
export function makeBubble(message, here, look, desk) {
  const own = message.from.id === here.viewer;
  const classes = [
    "message",
    own ? "own" : "other",
    look.first && "first",
    look.last && "last",
    bare(message) && "bare",
  ];
  const label = say(here.language, "messageBy", nameOf(message.from), time(message.date));
  return h(
    "article",
    {
      class: classes.filter(Boolean).join(" "),
      tabindex: -1,
      "aria-label": label,
      "data-focus": `m${message.message_id}`,
    },
    here.isGroup && !own && h("span", { class: "side" }, look.last && avatar(message.from, "small")),
    h("div", { class: "stack" }, bubble(message, here, look, own, desk), keys(message, here), chips(message, here)),
    h(
      "button",
      {
        type: "button",
        class: "plain round more",
        tabindex: -1,
        "aria-label": say(here.language, "actions"),
        onclick: (event) => desk.menu(message, event.currentTarget),
      },
      icon("down"),
    ),
  );
}

const bare = (message) => Boolean(message.sticker || message.dice);

function bubble(message, here, look, own, desk) {
  const words = message.text ?? message.caption;
  const entities = message.entities ?? message.caption_entities;
  return h(
    "div",
    { class: words ? "bubble" : "bubble wordless" },
    here.isGroup &&
      !own &&
      look.first &&
      h(
        "div",
        { class: `who ${inkOf(message.from)}` },
        nameOf(message.from),
        message.from.is_bot && h("small", {}, say(here.language, "bot")),
      ),
    message.forward_origin &&
      h("div", { class: "forwarded" }, say(here.language, "forwarded", origin(message.forward_origin))),
    quote(message, here, desk),
    contents(message, here.language),
    h(
      "div",
      { class: "words", dir: "auto" },
      words && rich(words, entities, desk.command),
      stamp(message, here, look, own),
    ),
  );
}

const origin = (from) => nameOf(from.sender_user ?? { first_name: from.sender_user_name ?? from.chat?.title });

function quote(message, here, desk) {
  const quoted = message.reply_to_message;
  if (!quoted || quoted.forum_topic_created) return null; // in a topic everything replies to its creation
  const look = `quote ${inkOf(quoted.from)}`;
  return h(
    "button",
    { type: "button", class: look, tabindex: -1, onclick: () => desk.goTo(quoted.message_id) },
    h("b", {}, nameOf(quoted.from)),
    h("span", {}, preview(quoted, here.language)),
  );
}

function stamp(message, here, look, own) {
  const marks =
    own &&
    h(
      "span",
      { role: "img", "aria-label": say(here.language, look.answered ? "answered" : "sent") },
      icon(look.answered ? "checks" : "check"),
    );
  const pinned =
    message.sandbox.pinned && h("span", { role: "img", "aria-label": say(here.language, "pinned") }, icon("pin"));
  const edited = message.edit_date && h("span", {}, say(here.language, "edited"));
  return h(
    "span",
    { class: "stamp" },
    pinned,
    edited,
    h("time", { title: fullTime(here.language, message.date) }, time(message.date)),
    marks,
  );
}

function keys(message, here) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  const drawn = rows.map((cells, row) =>
    h(
      "div",
      { class: "row" },
      cells.map((cell, col) => inlineKey(message, here, cell, { row, col })),
    ),
  );
  return h("div", { class: "keys", role: "group", "aria-label": say(here.language, "buttons") }, drawn);
}

function inlineKey(message, here, cell, at) {
  const focus = `m${message.message_id}:${at.row}:${at.col}`;
  const href = cell.url && safeLink(cell.url);
  if (href)
    return h(
      "a",
      { class: "key", href, target: "_blank", rel: "noopener noreferrer", tabindex: -1, "data-focus": focus },
      cell.text,
      icon("link"),
    );
  const act = async () => {
    if (cell.copy_text) return navigator.clipboard.writeText(cell.copy_text.text);
    if (cell.callback_data) return tap(here, message, at, (answer) => tell(answer, here.language));
    return notify(say(here.language, "noSuchKey"));
  };
  const busy = here.waiting.some((w) => w.message_id === message.message_id && w.row === at.row && w.col === at.col);
  return h(
    "button",
    {
      type: "button",
      class: "key",
      tabindex: -1,
      "aria-busy": busy ? "true" : null,
      "data-focus": focus,
      onclick: act,
    },
    cell.text,
  );
}

function tell({ text, show_alert }, language) {
  if (!show_alert) return notify(text, "answer");
  return ask(say(language, "botSays"), [h("p", {}, text), choices(null, say(language, "fine"))]);
}

function chips(message, here) {
  if (!message.sandbox.reactions.length) return null;
  const made = message.sandbox.reactions.map(({ emoji, count, users }) => {
    const mine = String(users.includes(here.viewer));
    return h(
      "button",
      { type: "button", class: "chip", tabindex: -1, "aria-pressed": mine, onclick: () => react(here, message, emoji) },
      emoji,
      h("span", {}, String(count)),
    );
  });
  return h("div", { class: "chips" }, made);
}
