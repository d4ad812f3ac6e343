/** Short words that come and go, and alerts that wait. */

import { h } from "./dom.js";

const SHOWN_FOR = 4000; // milliseconds

export function notify(text, kind = "") {
  const line = h("div", { class: `notice ${kind}`, role: kind === "trouble" ? "alert" : null }, text);
  document.getElementById("notices").append(line);
  setTimeout(() => line.remove(), SHOWN_FOR);
}

/** Show a dialog of these children; resolves with its fields, or null when it was left. */
export function ask(name, children) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-label": name }, h("form", { method: "dialog" }, h("h2", {}, name), children));
    dialog.addEventListener("close", () => {
      const answers = Object.fromEntries(new FormData(dialog.firstElementChild));
      dialog.remove();
      resolve(dialog.returnValue ? answers : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** The buttons at the foot of a dialog; only one submits, so that Enter means it. */
export function choices(leave, go) {
  return h(
    "div",
    { class: "choices" },
    leave &&
      h(
        "button",
        { type: "button", class: "quiet", onclick: (event) => event.target.closest("dialog").close("") },
        leave,
      ),
    h("button", { class: "strong", value: "go" }, go),
  );
}

export const field = (label, control) => h("label", { class: "field" }, h("span", {}, label), control);
