/** The simulated clock: what it shows, and moving it. */

import { post } from "./api.js";
import { h } from "./dom.js";
import { fullTime, span } from "./format.js";
import { say } from "./labels.js";
import { now, state } from "./store.js";

const STEPS = [
  ["plusMinute", 60],
  ["plusHour", 3600],
  ["plusDay", 86400],
];
const UNITS = [
  ["minutes", 60],
  ["hours", 3600],
  ["days", 86400],
];

const form = document.getElementById("clock-form");
const words = (key) => say(state.language, key);
let drawnIn = null;

const advance = (seconds) => post("/clock", { advance: seconds });

export const focusClock = () => form.querySelector("button").focus();

export function drawClock() {
  document.getElementById("now").textContent = fullTime(state.language, now());
  document.getElementById("now").dateTime = new Date(now() * 1000).toISOString();
  const ahead = state.offset;
  const distance = `${ahead < 0 ? "−" : "+"}${span(state.language, ahead)}`;
  document.getElementById("offset").textContent = Math.abs(ahead) < 1 ? words("realTime") : distance;
  if (drawnIn === state.language) return;
  drawnIn = state.language;
  const steps = STEPS.map(([name, seconds]) =>
    h("button", { type: "button", class: "quiet", onclick: () => advance(seconds) }, words(name)),
  );
  const units = h(
    "select",
    { name: "unit", "aria-label": words("unit") },
    UNITS.map(([name, seconds]) => h("option", { value: seconds, selected: name === "hours" }, words(name))),
  );
  const amount = h("input", {
    type: "number",
    name: "amount",
    value: 3,
    step: "any",
    required: true,
    "aria-label": words("amount"),
  });
  const back = h(
    "button",
    { type: "button", class: "quiet", onclick: () => advance(-state.offset) },
    words("backToNow"),
  );
  form.replaceChildren(...steps, amount, units, h("button", { class: "strong" }, words("advance")), back);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { amount, unit } = Object.fromEntries(new FormData(form));
  advance(Number(amount) * Number(unit));
});

setInterval(() => {
  if (drawnIn) drawClock();
}, 1000);
