// One key settles a card: the next one shows at once, what was said is sent behind it, in order. Without this every card
// is a form. Keys count only while the deck has the focus (WCAG 2.1.4), so nobody labels by accident.
"use strict";

(() => {
  const deck = document.getElementById("deck");
  const toasts = document.getElementById("toasts");
  const cards = [...deck.querySelectorAll("[data-card]")];
  if (!cards.length) return;
  const SETTLED = new Set([404, 409]); // forgotten since, or settled by somebody else: said, and not asked again
  const left = new Set(cards);
  let place = 0;
  let sending = Promise.resolve();

  const show = () => {
    cards.forEach((card, number) => { card.hidden = number !== place; });
    deck.focus({ preventScroll: true });
  };
  const next = (from) => {
    const wanted = [...cards.slice(from), ...cards].find((card) => left.has(card));
    if (wanted) {
      place = cards.indexOf(wanted);
      show();
    } else {
      sending.then(() => { if (!left.size) location.assign(deck.dataset.again); });
    }
  };
  const tell = (text) => {
    const toast = document.createElement("p");
    toast.className = "toast wrong";
    toast.textContent = text;
    toasts.append(toast);
  };
  const said = async (answer) => {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const line = page.querySelector(".toast");
    if (line) tell(line.textContent.trim());
  };

  // A card that could not be saved comes back; one that somebody else has settled does not.
  const send = async (card, url, body) => {
    try {
      const answer = await fetch(url, { method: "POST", body, headers: { "HX-Request": "true" } });
      if (answer.status === 401) location.reload();
      else if (answer.status !== 204) await said(answer);
      if (answer.ok || SETTLED.has(answer.status)) return;
    } catch {
      tell(deck.dataset.lost);
    }
    left.add(card);
    next(cards.indexOf(card));
  };
  const settle = (card, form, button) => {
    const body = new URLSearchParams(new FormData(form, button));
    const url = button.getAttribute("formaction") || form.action; // button.formAction would be the page's own
    const version = form.elements.namedItem("version");
    if (version) version.value = button.dataset.then || "labelled"; // what a second thought will have seen
    left.delete(card);
    sending = sending.then(() => send(card, url, body));
    next(place + 1);
  };

  deck.addEventListener("submit", (event) => {
    event.preventDefault();
    settle(event.target.closest("[data-card]"), event.target, event.submitter);
  });
  const moves = { s: () => next(place + 1), z: () => { place = Math.max(place - 1, 0); show(); } };
  deck.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === "Enter" && event.target !== deck) return; // a button that has the focus does what it says
    const wanted = event.key === "Enter" ? "[data-accept]" : `[data-key="${CSS.escape(event.key.toLowerCase())}"]`;
    const button = cards[place].querySelector(wanted);
    const move = moves[event.key];
    if (!button && !move) return;
    event.preventDefault();
    if (button) button.form.requestSubmit(button);
    else move();
  });
  show();
})();
