/** What the page knows of the sandbox, kept true by its events. */

import { bots, follow, get } from "./api.js";

const TYPING_FOR = 5000; // milliseconds, as in Telegram
const REMEMBERED = ["language", "bot", "resident", "colleague", "group", "topic"];
const SAVED_AS = "guanjia-sandbox";

export const state = {
  language: "zh",
  bots: [],
  bot: null, // the id of the bot whose chats are shown
  resident: null,
  colleague: null,
  group: null,
  topic: 0, // 0 is General
  live: false,
  offset: 0, // seconds the simulated clock is ahead
  users: new Map(),
  chats: new Map(),
  messages: new Map(), // chat id → (message id → message); a private chat is there once it was looked at
  unread: new Map(), // conversation → count
  typing: new Map(), // conversation → timer
  waiting: new Map(), // callback query id → the button tapped
  answers: new Map(), // callback query id → the bot's answer
  commands: [], // {scope, language_code, commands} as the bot set them
  ...JSON.parse(localStorage.getItem(SAVED_AS) || "{}"),
};

export const place = (chatId, thread) => `${chatId}:${thread || 0}`;
export const now = () => Date.now() / 1000 + state.offset;
export const chatsOf = (kind) => [...state.chats.values()].filter((chat) => (kind === "private") === chat.id > 0);
export const topicsOf = (chat) => (chat?.is_forum ? chat.topics : []);

const watchers = [];
let drawing = null;

export const onChange = (draw) => watchers.push(draw);

/** Draw everything once, soon; safe to call often. */
export function changed() {
  drawing ??= setTimeout(drawNow);
}

/** Draw at once, and remember: somebody turned to another conversation, and the next key is meant for that one. */
export function drawNow() {
  clearTimeout(drawing);
  drawing = null;
  const kept = Object.fromEntries(REMEMBERED.map((name) => [name, state[name]]));
  localStorage.setItem(SAVED_AS, JSON.stringify(kept));
  settle();
  watchers.forEach((draw) => draw());
}

/** Everybody in a group is staff; everybody else lives here. */
export function colleagues(chat = state.chats.get(state.group)) {
  const present = (chat?.members ?? []).filter((member) => !["left", "kicked"].includes(member.status));
  return present.map((member) => state.users.get(member.user_id)).filter(Boolean);
}

export function residents() {
  const staff = new Set(chatsOf("group").flatMap((chat) => chat.members.map((member) => member.user_id)));
  return [...state.users.values()].filter((user) => !staff.has(user.id));
}

/** Never point at somebody or something that is gone. */
function settle() {
  const groups = chatsOf("group").filter((chat) => !chat.migrated_to);
  const among = (wanted, ids) => (ids.includes(wanted) ? wanted : (ids[0] ?? null));
  state.bot = among(
    state.bot,
    state.bots.map((bot) => bot.id),
  );
  state.group = among(
    state.group,
    groups.map((chat) => chat.id),
  );
  state.resident = among(
    state.resident,
    residents().map((user) => user.id),
  );
  state.colleague = among(
    state.colleague,
    colleagues().map((user) => user.id),
  );
  state.topic = among(state.topic, [
    0,
    ...topicsOf(state.chats.get(state.group)).map((topic) => topic.message_thread_id),
  ]);
  for (const id of [state.resident, state.group]) if (id && !state.messages.has(id)) load(id);
}

/** The messages of a conversation, oldest first; a group without topics is one conversation. */
export function messagesOf(chatId, thread) {
  const all = [...(state.messages.get(chatId)?.values() ?? [])];
  if (!state.chats.get(chatId)?.is_forum) return all;
  return all.filter((message) => (message.message_thread_id || 0) === thread);
}

const readings = new Set(); // {chatId, since}: a conversation being read, and what happened in it meanwhile

async function load(chatId) {
  state.messages.set(chatId, state.messages.get(chatId) ?? new Map());
  if (!state.chats.has(chatId)) return; // nobody has written here yet
  const reading = { chatId, since: [] };
  readings.add(reading);
  const found = await get(`/chats/${chatId}/messages?token=${state.bot}`);
  readings.delete(reading);
  if (!found) return; // the page has said why; what it knew stays
  const messages = new Map(found.map((message) => [message.message_id, message]));
  reading.since.forEach((change) => change(messages));
  state.messages.set(chatId, messages);
  changed();
}

/** Change the messages of a conversation, also those that are just being read. */
function alter(chatId, change) {
  const known = state.messages.get(chatId);
  if (known) change(known);
  for (const reading of readings) if (reading.chatId === chatId) reading.since.push(change);
}

/** Read the whole state again: at the start, after a lost connection, after a reset, for another bot. */
export async function resync() {
  const [who, users, chats, clock, requests] = await Promise.all([
    bots(),
    get("/users"),
    get("/chats"),
    get("/clock"),
    get("/requests?method=setMyCommands"),
  ]);
  if (!users || !chats || !clock) throw new Error("not everything was read");
  state.bots = who;
  state.bot = who.some((bot) => bot.id === state.bot) ? state.bot : who[0].id;
  state.users = new Map(users.map((user) => [user.id, user]));
  state.commands = (requests ?? []).filter((line) => line.ok !== false).map((line) => line.params);
  setClock(clock);
  setChats(chats);
  await Promise.all(
    [...state.messages.keys()].map((id) => (state.chats.has(id) ? load(id) : state.messages.delete(id))),
  );
  changed();
}

function setClock(reading) {
  if (reading) state.offset = reading.offset;
}

function setChats(cards) {
  const ours = (cards ?? []).filter((card) => card.bots.includes(state.bot) || (card.id < 0 && !card.bots.length));
  state.chats = new Map(ours.map((card) => [card.id, card]));
}

export async function reloadChats() {
  setChats(await get("/chats"));
  changed();
}

const handlers = {
  message: (event) => arrive(event),
  edit: (event) => keep(event),
  pin: (event) => keep(event),
  delete: ({ chat_id, message_id }) => alter(chat_id, (messages) => messages.delete(message_id)),
  reaction: ({ chat_id, message_id, reactions }) =>
    alter(chat_id, (messages) => {
      const message = messages.get(message_id);
      if (message) messages.set(message_id, { ...message, sandbox: { ...message.sandbox, reactions } });
    }),
  topic: () => reloadChats(),
  chat: () => reloadChats(),
  user: ({ user }) => state.users.set(user.id, user),
  clock: setClock,
  answer: (event) => state.answers.set(event.callback_query_id, event),
  action: ({ chat_id, thread }) => setTyping(place(chat_id, thread), true),
  reset: () => {
    for (const map of Object.values(state)) if (map instanceof Map) map.clear();
    return resync();
  },
};

function keep({ chat_id, message }) {
  alter(chat_id, (messages) => messages.set(message.message_id, message));
}

/** A new message: with several bots only the server knows whose private chat it is in. */
async function arrive({ chat_id, message }) {
  const known = state.chats.get(chat_id);
  if (chat_id > 0 && state.bots.length > 1 && state.messages.has(chat_id)) await load(chat_id);
  else keep({ chat_id, message });
  const where = place(chat_id, message.message_thread_id);
  if (message.sandbox.from_bot) setTyping(where, false);
  if (chat_id > 0 ? message.sandbox.from_bot : message.from.id !== state.colleague) {
    state.unread.set(where, (state.unread.get(where) ?? 0) + 1);
  }
  if (!known || (chat_id > 0 && !known.started)) return reloadChats();
  Object.assign(known, { last_message: message, keyboard: message.sandbox.keyboard ?? known.keyboard });
}

function setTyping(where, active) {
  clearTimeout(state.typing.get(where));
  state.typing.delete(where);
  if (active)
    state.typing.set(
      where,
      setTimeout(() => {
        state.typing.delete(where);
        changed();
      }, TYPING_FOR),
    );
}

/** Connect; what happens while the state is being read is applied after it. */
export function start() {
  let queued = [];
  let reading = false;
  const apply = async (event) => {
    await handlers[event.type]?.(event);
    changed();
  };
  const read = async () => {
    reading = true;
    try {
      await resync();
    } catch {
      return; // the line broke again; the next connection reads anew
    } finally {
      reading = false;
    }
    state.live = true;
    queued.splice(0).forEach(apply);
    changed();
  };
  follow({
    onlive: (live) => {
      if (live) return read();
      state.live = false;
      return changed();
    },
    onevent: (event) => (reading ? queued.push(event) : apply(event)),
  });
}
