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
  ["plusWeek", 7 * 86400],
];
const MORNING = 9 * 3600; // seconds after midnight
const EAST = 8 * 3600; // seconds the page's zone is ahead of UTC, all year
const STRIDE = 6 * 3600; // seconds; a longer way is walked, so that what is due on it happens in its order
const PAUSE = 1500; // milliseconds after each stride: the bot looks for what is due twice a second
const UNITS = [
  ["minutes", 60],
  ["hours", 3600],
  ["days", 86400],
];

const form = document.getElementById("clock-form");
const words = (key) => say(state.language, key);
let drawnIn = null;

const advance = (seconds) => post("/clock", { advance: seconds });
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Jump, or walk when it is far: a call-back, its reminder and the call after it follow each other. */
async function go(seconds) {
  const controls = form.querySelectorAll("button, input, select");
  controls.forEach((control) => (control.disabled = true));
  try {
    for (let left = seconds; left > 0; left -= STRIDE) {
      await advance(Math.min(left, STRIDE));
      if (left > STRIDE) await pause(PAUSE);
    }
    if (seconds < 0) await advance(seconds);
  } finally {
    controls.forEach((control) => (control.disabled = false));
  }
}

/** How long until the next morning. */
function untilMorning(moment) {
  return 86400 - ((moment + EAST) % 86400) + MORNING;
}

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
    h("button", { type: "button", class: "quiet", onclick: () => go(seconds) }, words(name)),
  );
  const morning = h(
    "button",
    { type: "button", class: "quiet", onclick: () => go(untilMorning(now())) },
    words("tomorrowMorning"),
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
  form.replaceChildren(...steps, morning, amount, units, h("button", { class: "strong" }, words("advance")), back);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { amount, unit } = Object.fromEntries(new FormData(form));
  go(Number(amount) * Number(unit));
});

setInterval(() => {
  if (drawnIn) drawClock();
}, 1000);
