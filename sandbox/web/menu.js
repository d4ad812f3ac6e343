/** A small menu at a button or message: arrow keys, Escape, focus goes back where it came from. */

import { h, icon, walkWithArrows } from "./dom.js";

let close = () => {};

/** Open it. Items: {label, drawing, act, danger} or {emoji: [{emoji, chosen, act}]}; falsy ones are left out. */
export function openMenu(anchor, name, items) {
  close();
  const back = document.activeElement;
  const menu = h(
    "div",
    { class: "menu", role: "menu", "aria-label": name },
    items.filter(Boolean).map((item) => entry(item)),
  );
  close = (restore = true) => {
    menu.remove();
    removeEventListener("pointerdown", outside, true);
    if (restore) back?.focus({ preventScroll: true });
    close = () => {};
  };
  const outside = (event) => menu.contains(event.target) || close(false);
  menu.addEventListener("keydown", (event) => {
    if (!["Escape", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  walkWithArrows(menu, "button");
  document.body.append(menu);
  setBeside(menu, anchor);
  addEventListener("pointerdown", outside, true);
  menu.querySelector("button")?.focus();
}

function entry(item) {
  if (item.emoji)
    return h(
      "div",
      { class: "faces", role: "group" },
      item.emoji.map((face) => choice(face, [face.emoji], "face")),
    );
  return choice(item, [icon(item.drawing), item.label], item.danger ? "danger" : "");
}

function choice({ act, chosen, label, emoji }, children, kind) {
  const run = () => {
    close();
    act();
  };
  const role = chosen === undefined ? "menuitem" : "menuitemcheckbox";
  const checked = chosen === undefined ? null : String(chosen);
  return h(
    "button",
    {
      type: "button",
      role,
      class: kind,
      "aria-checked": checked,
      "aria-label": emoji ?? label,
      tabindex: -1,
      onclick: run,
    },
    children,
  );
}

/** Under the anchor, or above it where there is no room. */
function setBeside(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.min(at.left, innerWidth - width - 8);
  const below = at.bottom + 4;
  menu.style.left = `${Math.max(8, left)}px`;
  menu.style.top = `${below + height < innerHeight ? below : Math.max(8, at.top - height - 4)}px`;
}
