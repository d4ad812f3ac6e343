/** What people do: every line here is one request to the control API. */

import { get, post, remove } from "./api.js";
import { changed, reloadChats, state } from "./store.js";

const PATIENCE = 15_000; // milliseconds a tapped button waits for the bot
const withBot = (body) => ({ ...body, token: String(state.bot) });

export const send = (here, content) =>
  post("/messages", withBot({ from: here.viewer, chat_id: here.chatId, thread: here.thread || undefined, ...content }));

export const edit = (here, message, words) =>
  post("/edits", withBot({ from: here.viewer, chat_id: here.chatId, message_id: message.message_id, ...words }));

export const erase = (here, message) =>
  post("/deletions", withBot({ chat_id: here.chatId, message_ids: [message.message_id] }));

/** Put an emoji under a message, or take it away; one per person, as in Telegram. */
export function react(here, message, emoji) {
  const mine = message.sandbox.reactions.some((r) => r.emoji === emoji && r.users.includes(here.viewer));
  const chosen = { message_id: message.message_id, emoji: mine ? [] : [emoji] };
  return post("/reactions", withBot({ from: here.viewer, chat_id: here.chatId, ...chosen }));
}

/** Tap an inline button and show what the bot answers; `tell({text, show_alert})` is called at most once. */
export async function tap(here, message, { row, col }, tell) {
  const where = { chat_id: here.chatId, message_id: message.message_id, row, col };
  const made = await post("/taps", withBot({ from: here.viewer, ...where }));
  if (!made) return;
  const id = made.callback_query_id;
  state.waiting.set(id, where);
  changed();
  const answer = await answerTo(id);
  state.waiting.delete(id);
  state.answers.delete(id);
  changed();
  if (answer?.text) tell(answer);
}

/** The answer may come before the number of the tap, or never. */
async function answerTo(id) {
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    if (state.answers.has(id)) return state.answers.get(id);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const late = await get(`/taps/${id}`);
  return late?.answered ? late : null;
}

export const block = (user, blocked) => post("/blocks", withBot({ user, blocked }));

/** The same id again changes a person; every field must be said again. */
export const changeUser = ({ is_bot, ...user }, change) => post("/users", { ...user, ...change });

/** Known at once, not only with the next event, so that it can be chosen. */
export async function addResident(user) {
  const made = await post("/users", user);
  if (made) state.users.set(made.id, made);
  return made;
}

export async function addColleague(user) {
  const made = await addResident(user);
  if (!made) return null;
  await post(`/groups/${state.group}/members`, { user_id: made.id, status: "administrator" });
  await reloadChats();
  return made;
}

export async function addTopic(name) {
  const made = await post("/topics", { chat_id: state.group, name, from: state.colleague });
  await reloadChats();
  return made;
}

export const addGroup = (title, admins) => post("/groups", withBot({ title, members: [], admins, is_forum: true }));
export const removeTopic = (thread) => remove(`/topics/${state.group}/${thread}`);
export const openTopic = (thread, open) => post(`/topics/${state.group}/${thread}/${open ? "reopen" : "close"}`);

/** A small community to begin with: residents, colleagues and their group. */
export async function setScene({ residents, colleagues, title }) {
  for (const person of residents) await post("/users", person);
  const admins = [];
  for (const person of colleagues) admins.push(await post("/users", person));
  if (admins.every(Boolean))
    await addGroup(
      title,
      admins.map((user) => user.id),
    );
}
