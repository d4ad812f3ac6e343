/** Keys that work everywhere, and the list of them. */

import { focusClock } from "./clock.js";
import { focusFaults } from "./faults.js";
import { focusStaff } from "./group.js";
import { h } from "./dom.js";
import { say } from "./labels.js";
import { ask, choices } from "./notices.js";
import { focusPhone } from "./phone.js";
import { drawNow, residents, state } from "./store.js";
import { nextTopic } from "./topics.js";

/** By the place of the key, because Alt writes other letters on some keyboards. */
const ACTIONS = {
  KeyR: ["keyResident", focusPhone],
  KeyG: ["keyStaff", focusStaff],
  KeyP: ["keyNextResident", nextResident],
  KeyT: ["keyNextTopic", nextTopic],
  KeyX: ["keyFaults", focusFaults],
  KeyK: ["keyClock", focusClock],
  KeyL: ["keyLanguage", toggleLanguage],
};
const ELSEWHERE = [
  ["Enter", "keySend"],
  ["Shift + Enter", "keyNewline"],
  ["↑", "keyEditLast"],
  ["/", "keyCommands"],
  ["↑ ↓ ← →", "keyLists"],
  ["Enter", "keyMenu"],
  ["Esc", "keyLeave"],
  ["?", "keyHelp"],
];

export function toggleLanguage() {
  state.language = state.language === "zh" ? "en" : "zh";
  drawNow();
}

function nextResident() {
  const ids = residents().map((user) => user.id);
  state.resident = ids[(ids.indexOf(state.resident) + 1) % ids.length] ?? null;
  drawNow();
}

export function showHelp() {
  const words = (key) => say(state.language, key);
  const anywhere = Object.entries(ACTIONS).map(([code, [name]]) => [`Alt + ${code.slice(3)}`, name]);
  const lines = [...anywhere, ...ELSEWHERE].map(([keys, name]) =>
    h("div", {}, h("dt", {}, h("kbd", {}, keys)), h("dd", {}, words(name))),
  );
  return ask(words("help"), [h("dl", { class: "shortcuts" }, lines), choices(null, words("fine"))]);
}

addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  if (event.altKey && !event.ctrlKey && !event.metaKey && ACTIONS[event.code]) {
    event.preventDefault();
    ACTIONS[event.code][1]();
  } else if (event.key === "?" && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    showHelp();
  }
});
