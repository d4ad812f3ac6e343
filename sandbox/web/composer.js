/** Where one writes: Enter sends, Shift+Enter breaks the line, "/" offers commands, ↑ mends the last message. */

import { edit, send } from "./actions.js";
import { openAttachments, sendFile } from "./attach.js";
import { h, icon, iconButton, nameOf } from "./dom.js";
import { preview } from "./content.js";
import { say } from "./labels.js";
import { place } from "./store.js";

const TALLEST = 120; // pixels the box grows to
let count = 0;

export function makeComposer(root, { extra = [] } = {}) {
  const listId = `commands-${(count += 1)}`;
  const area = h("textarea", { rows: 1, "aria-autocomplete": "list", "aria-controls": listId, enterkeyhint: "send" });
  const about = h("div", { class: "about", hidden: true });
  const offers = h("ul", { class: "offers", id: listId, role: "listbox", hidden: true });
  const attach = iconButton("", "clip", () => openAttachments(attach, here), { "aria-haspopup": "menu" });
  const go = h("button", { class: "go" }, icon("send"));
  const form = h("form", { class: "composer" }, about, offers, h("div", { class: "entry" }, attach, area, extra, go));
  const drafts = new Map();
  let here = null;
  let mode = null; // {kind: "reply" | "edit", message}
  let offered = [];
  let chosen = 0;

  const composer = {
    form,
    area,
    draw,
    reply: (message) => setMode("reply", message),
    edit: (message) => setMode("edit", message),
    say: (text) => send(here, { text }),
    focus: () => area.focus(),
    onLast: () => null,
  };

  function setMode(kind, message) {
    mode = kind && { kind, message };
    if (kind === "edit") area.value = message.text ?? message.caption;
    drawMode();
    fit();
    area.focus();
  }

  function drawMode() {
    about.hidden = !mode;
    if (!mode) return;
    const title = mode.kind === "edit" ? say(here.language, "editing") : nameOf(mode.message.from);
    about.replaceChildren(
      icon(mode.kind),
      h("span", {}, h("b", {}, title), h("span", {}, preview(mode.message, here.language))),
      iconButton(say(here.language, "cancel"), "close", leaveMode),
    );
  }

  function leaveMode() {
    if (mode?.kind === "edit") area.value = "";
    setMode(null);
  }

  function submit() {
    const text = area.value.trim();
    if (!text) return;
    const was = mode;
    area.value = "";
    setMode(null);
    offer();
    if (was?.kind === "edit") edit(here, was.message, was.message.text === undefined ? { caption: text } : { text });
    else send(here, { text, reply_to: was?.message.message_id });
  }

  function offer() {
    const typed = /^\/(\w*)$/.exec(area.value)?.[1];
    offered = typed === undefined ? [] : here.commands.filter((one) => one.command.startsWith(typed));
    chosen = 0;
    drawOffers();
  }

  function drawOffers() {
    offers.hidden = !offered.length;
    offers.replaceChildren(
      ...offered.map((one, index) =>
        h(
          "li",
          {
            role: "option",
            id: `${listId}-${index}`,
            "aria-selected": String(index === chosen),
            onclick: () => take(one),
          },
          h("b", {}, `/${one.command}`),
          h("span", {}, one.description),
        ),
      ),
    );
    if (offered.length) area.setAttribute("aria-activedescendant", `${listId}-${chosen}`);
    else area.removeAttribute("aria-activedescendant");
  }

  function take(one) {
    area.value = `/${one.command}`;
    submit();
    area.focus();
  }

  function fit() {
    if (!area.offsetParent) return; // not shown: it has no height to measure
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, TALLEST)}px`;
    form.classList.toggle("filled", Boolean(area.value.trim()));
  }

  const offerKeys = {
    ArrowDown: () => {
      chosen = (chosen + 1) % offered.length;
      drawOffers();
    },
    ArrowUp: () => {
      chosen = (chosen - 1 + offered.length) % offered.length;
      drawOffers();
    },
    Enter: () => take(offered[chosen]),
    Tab: () => take(offered[chosen]),
    Escape: () => {
      offered = [];
      drawOffers();
    },
  };
  const keys = {
    Enter: (event) => !event.shiftKey && (submit(), true),
    Escape: () => Boolean(mode) && (leaveMode(), true),
    ArrowUp: () => {
      const last = area.value ? null : composer.onLast();
      return Boolean(last) && (setMode("edit", last), true);
    },
  };
  area.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return; // an input method has the keys
    const handler = (offered.length && !event.shiftKey ? offerKeys : keys)[event.key];
    if (handler && handler(event) !== false) event.preventDefault();
  });
  area.addEventListener("input", () => {
    offer();
    fit();
  });
  area.addEventListener("paste", (event) => {
    const file = event.clipboardData.files[0];
    if (!file) return;
    event.preventDefault();
    sendFile(here, file);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    area.focus();
  });

  /** Each conversation keeps its draft. */
  function draw(next) {
    const [was, is] = [here, next].map((it) => it && place(it.chatId, it.thread));
    if (was !== is) {
      if (was) drafts.set(was, mode?.kind === "edit" ? "" : area.value);
      mode = null;
      area.value = drafts.get(is) ?? "";
      setTimeout(fit);
    }
    here = next;
    const words = {
      area: say(here.language, "write"),
      go: say(here.language, "send"),
      attach: say(here.language, "attach"),
    };
    area.placeholder = here.placeholder || words.area;
    area.setAttribute("aria-label", words.area);
    go.setAttribute("aria-label", words.go);
    attach.setAttribute("aria-label", words.attach);
    attach.title = words.attach;
    drawMode();
    if (was !== is) offer();
  }

  root.append(form);
  new ResizeObserver(fit).observe(form);
  return composer;
}
