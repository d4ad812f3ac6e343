/** The fault panel: order trouble between the bot and its Telegram, see what is in force, lift it. */

import { get, post, remove } from "./api.js";
import { h, iconButton, reconcile } from "./dom.js";
import { span } from "./format.js";
import { say } from "./labels.js";
import { state } from "./store.js";

const FIELDS = { latency: ["seconds"], error_429: ["retry_after"], error_5xx: ["code"], hang: ["seconds"] };
const KINDS = [
  "latency",
  "error_429",
  "error_403",
  "error_5xx",
  "reset_before",
  "reset_after",
  "hang",
  "duplicate_updates",
  "reorder_updates",
];
const ON_UPDATES = ["duplicate_updates", "reorder_updates"];
const METHODS = [
  "*",
  "sendMessage",
  "editMessageText",
  "answerCallbackQuery",
  "copyMessage",
  "createForumTopic",
  "sendPhoto",
  "send*",
  "getUpdates",
];
const DEFAULTS = { seconds: 3, retry_after: 5, code: 502, count: 1, chance: 100 };
const LIMITS = { code: { min: 500, max: 599 }, chance: { min: 1, max: 100 }, count: { min: 1 } };
const POLLED_EVERY = 2000; // milliseconds; faults and their hits are no events

const form = document.getElementById("fault-form");
const list = document.getElementById("fault-list");
const words = (key, ...values) => say(state.language, key, ...values);
let active = [];
let drawnIn = null;

export const focusFaults = () => form.elements.kind.focus();

/** Draw the form once per language, keeping what was chosen. */
export function drawFaults() {
  if (drawnIn === state.language) return;
  drawnIn = state.language;
  const kept = Object.fromEntries(new FormData(form));
  const methods = h(
    "datalist",
    { id: "methods" },
    METHODS.map((name) => h("option", { value: name })),
  );
  form.replaceChildren(
    part(
      "kind",
      h(
        "select",
        { name: "kind" },
        KINDS.map((kind) => h("option", { value: kind }, words(kind))),
      ),
    ),
    part("method", h("input", { name: "method", value: "*", list: "methods", required: true, spellcheck: "false" })),
    ...["seconds", "retry_after", "code"].map((name) => part(name, number(name))),
    part("count", number("count", { placeholder: "∞", required: false })),
    part("chance", number("chance")),
    methods,
    h("button", { class: "strong" }, words("inject")),
    h("button", { type: "button", class: "quiet", onclick: clear }, words("clear")),
  );
  for (const [name, value] of Object.entries(kept)) if (form.elements[name]) form.elements[name].value = value;
  showFields();
  drawList();
}

const part = (name, control) => h("label", { class: "field", "data-field": name }, h("span", {}, words(name)), control);
const number = (name, more = {}) =>
  h("input", {
    type: "number",
    name,
    value: DEFAULTS[name],
    min: 0,
    step: name === "seconds" ? "any" : 1,
    required: true,
    ...LIMITS[name],
    ...more,
  });

/** Only what this kind of trouble has a use for. */
function showFields() {
  const kind = form.elements.kind.value;
  const wanted = ["kind", "count", "chance", ...(FIELDS[kind] ?? []), ...(ON_UPDATES.includes(kind) ? [] : ["method"])];
  for (const label of form.querySelectorAll("[data-field]")) {
    label.hidden = !wanted.includes(label.dataset.field);
    label.querySelector("input, select").disabled = label.hidden;
  }
}

form.addEventListener("input", showFields);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { kind, method, count, chance, ...numbers } = Object.fromEntries(new FormData(form));
  const fault = { kind, ...(method && { method }), ...(count && { count: Number(count) }) };
  if (Number(chance) < 100) fault.probability = Number(chance) / 100;
  for (const [name, value] of Object.entries(numbers)) fault[name] = Number(value);
  await post("/faults", fault);
  await readFaults();
});

async function clear() {
  await remove("/faults");
  await readFaults();
}

async function lift(fault) {
  await remove(`/faults/${fault.id}`);
  await readFaults();
  form.elements.kind.focus();
}

export async function readFaults() {
  const found = await get("/faults");
  if (!found) return;
  active = found.active;
  drawList();
}

function drawList() {
  if (!active.length) {
    const none = { key: "none", signature: state.language };
    return reconcile(list, [none], () => h("li", { class: "none" }, words("noFaults")));
  }
  const items = active.map((fault) => ({
    key: `f${fault.id}`,
    signature: JSON.stringify([fault, state.language]),
    fault,
  }));
  reconcile(list, items, ({ fault }) =>
    h(
      "li",
      {},
      h("span", { class: "pulse" }),
      h("span", {}, describe(fault)),
      iconButton(`${words("lift")}: ${words(fault.kind)}`, "close", () => lift(fault), {
        "data-focus": `f${fault.id}`,
      }),
    ),
  );
}

function describe(fault) {
  const details = (FIELDS[fault.kind] ?? []).map(
    (name) =>
      fault[name] !== null &&
      (name === "seconds" ? span(state.language, fault.seconds) : `${words(name)} ${fault[name]}`),
  );
  const times = fault.count === null ? words("hits", fault.hits) : words("hitsOf", fault.hits, fault.count);
  const chance = fault.probability !== null && `${Math.round(fault.probability * 100)}%`;
  const method = !ON_UPDATES.includes(fault.kind) && fault.method;
  return [words(fault.kind), method, ...details, chance, times].filter(Boolean).join(" · ");
}

setInterval(() => state.live && !document.hidden && readFaults(), POLLED_EVERY);
