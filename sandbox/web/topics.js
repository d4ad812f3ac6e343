/** The topics of the staff's group, as a list to choose from. */

import { colourOf, drawOnce, h, icon, nameOf, reconcile, walkWithArrows } from "./dom.js";
import { preview } from "./content.js";
import { moment } from "./format.js";
import { say } from "./labels.js";
import { drawNow, messagesOf, now, place, state, topicsOf } from "./store.js";

const words = (key, ...values) => say(state.language, key, ...values);
const list = document.getElementById("topic-list");
walkWithArrows(list, "[role=option]", { onmove: (node) => node.click() });

/** General first, then the topics, the one that moved last on top. */
export function drawTopics(chat, newGroup) {
  if (!chat) {
    return drawOnce(list, state.language, () => [
      h(
        "div",
        { class: "nothing" },
        h("p", {}, words("noGroupText")),
        h("button", { type: "button", class: "strong", onclick: newGroup }, words("addGroup")),
      ),
    ]);
  }
  if (list.querySelector(".nothing")) list.replaceChildren();
  list.signature = null;
  const general = { message_thread_id: 0, name: words("general"), general: true };
  const rows = topicsOf(chat)
    .map((topic) => row(chat, topic))
    .sort((a, b) => b.at - a.at);
  reconcile(list, [row(chat, general), ...rows], topicItem);
}

function row(chat, topic) {
  const thread = topic.message_thread_id;
  const last = messagesOf(chat.id, thread).at(-1);
  const chosen = state.topic === thread;
  const unread = chosen ? 0 : (state.unread.get(place(chat.id, thread)) ?? 0);
  const shown = last && {
    who: nameOf(last.from),
    text: preview(last, state.language),
    service: !last.text && !last.caption,
    at: moment(state.language, last.date, now()),
  };
  return {
    key: `t${thread}`,
    at: last?.message_id ?? thread,
    signature: JSON.stringify([topic, shown, unread, chosen, state.language]),
    topic,
    shown,
    unread,
    chosen,
  };
}

function topicItem({ topic, shown, unread, chosen }) {
  const thread = topic.message_thread_id;
  const label = [topic.name, unread && words("unread", unread), topic.closed && words("closed")]
    .filter(Boolean)
    .join(", ");
  const open = (event) => {
    event.currentTarget.focus();
    state.topic = thread;
    drawNow();
  };
  return h(
    "div",
    {
      class: "topic",
      role: "option",
      "aria-selected": String(chosen),
      "aria-label": label,
      tabindex: chosen ? 0 : -1,
      "data-focus": `t${thread}`,
      onclick: open,
    },
    topicIcon(topic),
    h(
      "span",
      { class: "lines" },
      h(
        "span",
        { class: "upper" },
        h("b", {}, topic.name),
        topic.closed && icon("lock"),
        h("time", {}, shown?.at ?? ""),
      ),
      h(
        "span",
        { class: "lower" },
        h("span", { class: "text" }, shown && !shown.service && h("i", {}, `${shown.who}: `), shown?.text ?? ""),
        unread > 0 && h("span", { class: "badge" }, String(unread)),
      ),
    ),
  );
}

const COLOURS = new Map([
  [7322096, 0],
  [16766590, 1],
  [13338331, 2],
  [9367192, 3],
  [16749490, 4],
  [16478047, 5],
]);

export function topicIcon(topic) {
  if (topic.general) return h("span", { class: "topic-icon general", "aria-hidden": "true" }, "#");
  const colour = COLOURS.get(topic.icon_color) ?? colourOf(topic.message_thread_id);
  return h("span", { class: `topic-icon hue${colour}`, "aria-hidden": "true" }, [...topic.name.trim()][0] ?? "");
}

/** Move to the next topic, those with something unread first. */
export function nextTopic() {
  const rows = [...list.querySelectorAll(".topic")];
  const at = rows.findIndex((node) => node.getAttribute("aria-selected") === "true");
  const after = [...rows.slice(at + 1), ...rows.slice(0, at + 1)];
  (after.find((node) => node.querySelector(".badge")) ?? after[0])?.click();
}
