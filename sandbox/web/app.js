/** The page: two sides of one conversation, and a panel to break things. */

import { post } from "./api.js";
import { drawClock } from "./clock.js";
import { h, icon, nameOf } from "./dom.js";
import { drawFaults, readFaults } from "./faults.js";
import { drawGroup } from "./group.js";
import { say } from "./labels.js";
import { ask, choices } from "./notices.js";
import { drawPhone } from "./phone.js";
import { showHelp, toggleLanguage } from "./shortcuts.js";
import { changed, onChange, resync, start, state } from "./store.js";

const $ = (id) => document.getElementById(id);
const words = (key) => say(state.language, key);

/** The labels that stand in index.html: `data-label` is shown, `data-name` is read out. */
function drawLabels() {
  if (document.documentElement.dataset.drawn === state.language) return;
  document.documentElement.dataset.drawn = state.language;
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  document.title = `${words("brand")} · ${words("sandbox")}`;
  for (const node of document.querySelectorAll("[data-label]")) node.textContent = words(node.dataset.label);
  for (const node of document.querySelectorAll("[data-name]"))
    node.setAttribute("aria-label", words(node.dataset.name));
  $("language").textContent = state.language === "zh" ? "English" : "中文";
  $("language").lang = state.language === "zh" ? "en" : "zh-CN";
  $("help").title = words("help");
}

function drawLink() {
  $("link").textContent = words(state.live ? "live" : "offline");
  $("link").classList.toggle("on", state.live);
}

function drawBots() {
  const signature = JSON.stringify([state.bots, state.bot]);
  $("bot").hidden = state.bots.length < 2;
  if ($("bot").signature === signature) return;
  $("bot").signature = signature;
  $("bot").replaceChildren(
    ...state.bots.map((bot) =>
      h("option", { value: bot.id, selected: bot.id === state.bot }, `${nameOf(bot)} @${bot.username}`),
    ),
  );
}

async function wipe() {
  const sure = await ask(words("reset"), [h("p", {}, words("resetText")), choices(words("cancel"), words("reset"))]);
  if (sure) await post("/reset", {});
}

for (const id of ["add-resident", "add-colleague"]) $(id).append(icon("plus"));
$("language").addEventListener("click", toggleLanguage);
$("help").addEventListener("click", showHelp);
$("reset").addEventListener("click", wipe);
$("bot").addEventListener("change", (event) => {
  state.bot = Number(event.target.value);
  for (const map of [state.messages, state.unread]) map.clear();
  resync();
});
document.addEventListener("visibilitychange", changed);

onChange(() => [drawLabels, drawLink, drawBots, drawPhone, drawGroup, drawFaults, drawClock].forEach((draw) => draw()));
changed();
start();
readFaults();
