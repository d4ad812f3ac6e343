/** The control API of the sandbox. */

import { notify } from "./notices.js";

/** Call it; a refusal is shown and comes back as null, so that no caller needs to care. */
export async function call(verb, path, body) {
  try {
    const answer = await fetch(`/sim${path}`, {
      method: verb,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
    const found = await answer.json();
    if (answer.ok) return found;
    notify(typeof found.detail === "string" ? found.detail : JSON.stringify(found.detail), "trouble");
  } catch (error) {
    notify(String(error.message || error), "trouble");
  }
  return null;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const remove = (path) => call("DELETE", path);

/** Who the bots are; the only thing the page needs that is not under /sim. */
export async function bots() {
  const answer = await fetch("/healthz");
  return (await answer.json()).bots;
}

const RETRY = 1000; // milliseconds

/** Follow the events for ever; `onlive(true)` after every (re)connection, when the state must be read again. */
export function follow({ onlive, onevent }) {
  const source = new EventSource("/sim/events");
  source.onopen = () => onlive(true);
  source.onmessage = (event) => onevent(JSON.parse(event.data));
  source.onerror = () => {
    onlive(false);
    // The browser's own pause is three seconds, and after some answers it gives up.
    source.close();
    setTimeout(() => follow({ onlive, onevent }), RETRY);
  };
}
