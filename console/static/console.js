// What pages do by themselves. Without it every page still works: forms are sent, links are followed.
"use strict";

(() => {
  const address = document.querySelector("[data-live]").dataset.live;
  let stream = null;

  // One stream a visible page: the server says that something happened, also what happened since the page was made and
  // before the stream was open; the live parts ask for themselves anew.
  const attend = () => {
    if (document.hidden && stream) {
      stream.close();
      stream = null;
    } else if (!document.hidden && !stream) {
      stream = new EventSource(address);
      stream.onmessage = () => htmx.trigger(document.body, "news");
    }
  };
  document.addEventListener("visibilitychange", attend);
  attend();

  // `/` goes to the filter.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const first = document.querySelector("form.filters input, form.filters select");
    if (first) {
      event.preventDefault();
      first.focus();
    }
  });

  // Arrows go from row to row of a table, once something in a row has the focus.
  document.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const cell = event.target.closest("td");
    if (!step || !cell || event.target.matches("input, select, textarea")) return;
    const next = cell.parentElement[step]?.cells[cell.cellIndex].querySelector("a, button");
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });

  // A part that renews itself leaves the focus where it was: on the same link, or on the button of the same form.
  let focused = null;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const on = document.activeElement;
    const link = on.getAttribute("href");
    const form = on.form?.getAttribute("action");
    const inside = event.detail.target.contains(on);
    focused = inside && (link ? `a[href="${CSS.escape(link)}"]` : form && `form[action="${CSS.escape(form)}"] ${on.localName}`);
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (focused) document.querySelector(`#${event.detail.elt.id} ${focused}`)?.focus();
    focused = null;
  });

  // A toast stays until it is closed, so that nobody has to be quick to read it.
  const toasts = document.getElementById("toasts");
  const closable = (toast) => {
    if (toast.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "×";
    button.setAttribute("aria-label", toasts.dataset.close);
    button.addEventListener("click", () => toast.remove());
    toast.append(button);
  };
  const tend = () => toasts.querySelectorAll(".toast").forEach(closable);
  new MutationObserver(tend).observe(toasts, { childList: true });
  tend();
})();
