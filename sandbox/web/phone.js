/** The resident's side: a phone that shows the chat with the bot, in the resident's language. */

import { addResident, block, changeUser, send, setScene } from "./actions.js";
import { shareLocation, sharePhone } from "./attach.js";
import { makeComposer } from "./composer.js";
import { avatar, h, icon, iconButton, nameOf } from "./dom.js";
import { time } from "./format.js";
import { SCENE, say } from "./labels.js";
import { openMenu } from "./menu.js";
import { askPerson, makePeople } from "./people.js";
import { changed, drawNow, now, place, residents, state } from "./store.js";
import { makeThread } from "./thread.js";

const $ = (id) => document.getElementById(id);
const phoneLanguage = (user) => (user?.language_code?.startsWith("en") ? "en" : "zh");
const hiddenKeys = new Set(); // chats whose reply keyboard is folded away
let here = null;
let passOn = false; // the main key was pressed: the composer that comes gets the focus

const toggle = iconButton("", "keys", () => fold(!hiddenKeys.has(here.chatId)), { class: "toggle" });
const talk = $("phone-talk");
const footer = h("div", { class: "footer" });
const composer = makeComposer(footer, { extra: [toggle] });
const drawThread = makeThread(talk, composer);
const replyKeys = h("div", { class: "reply-keys", role: "group" });
const main = h("button", { type: "button", class: "main-key" });
const empty = h("div", { class: "empty" });
footer.append(replyKeys, main);
talk.append(empty, footer);

const drawPeople = makePeople($("residents"), "resident");
$("add-resident").addEventListener("click", add);

export const focusPhone = () => (main.hidden ? composer.focus() : main.focus());

async function add() {
  const person = await askPerson(say(state.language, "addResident"));
  const made = person && (await addResident(person));
  if (!made) return;
  state.resident = made.id;
  drawNow();
}

export function drawPhone() {
  const user = state.users.get(state.resident);
  drawPeople(residents(), { unread: true });
  $("phone-time").textContent = time(now());
  const chat = state.chats.get(state.resident);
  const language = user ? phoneLanguage(user) : state.language;
  $("phone").lang = language === "en" ? "en" : "zh-CN";
  here = {
    chatId: state.resident,
    thread: 0,
    viewer: state.resident,
    language,
    isGroup: false,
    commands: commands(language),
    typing: state.typing.has(place(state.resident)),
    waiting: [...state.waiting.values()],
    placeholder: keyboardOf(chat)?.input_field_placeholder,
  };
  drawBar(user, chat);
  drawThread(here);
  composer.draw(here);
  drawFoot(user, chat);
}

/** What the bot set with setMyCommands for private chats, the more special list first. */
function commands(language) {
  const fitting = state.commands.filter((set) => {
    const scope = set.scope?.type ?? "default";
    return ["default", "all_private_chats"].includes(scope) && (!set.language_code || set.language_code === language);
  });
  const rank = (set) => (set.scope?.type === "all_private_chats" ? 2 : 0) + (set.language_code ? 1 : 0);
  const best = fitting.reduce((found, set) => (!found || rank(set) >= rank(found) ? set : found), null);
  return best?.commands ?? [{ command: "start", description: say(language, "start") }];
}

function drawBar(user, chat) {
  const bot = state.bots.find((one) => one.id === state.bot);
  if (!bot) return;
  const state_ = here.typing ? say(here.language, "typing") : say(here.language, chat?.blocked ? "blocked" : "bot");
  const more = iconButton(say(here.language, "menu"), "more", (event) => openBarMenu(event.currentTarget, user, chat), {
    "aria-haspopup": "menu",
    "data-focus": "bar",
  });
  const kept = document.activeElement?.dataset.focus === "bar" && $("phone-bar").contains(document.activeElement);
  $("phone-bar").replaceChildren(
    avatar(bot),
    h("div", { class: "title" }, h("b", {}, nameOf(bot)), h("small", { class: here.typing ? "live" : "" }, state_)),
    user ? more : "",
  );
  if (kept) more.focus();
}

function openBarMenu(anchor, user, chat) {
  const other = here.language === "en" ? "zh-hans" : "en";
  openMenu(anchor, say(here.language, "menu"), [
    {
      label: say(here.language, "switchLanguage"),
      drawing: "globe",
      act: () => changeUser(user, { language_code: other }),
    },
    ...here.commands.map((one) => ({
      label: `/${one.command}  ${one.description}`,
      drawing: "slash",
      act: () => composer.say(`/${one.command}`),
    })),
    chat &&
      !chat.blocked && {
        label: say(here.language, "block"),
        drawing: "block",
        danger: true,
        act: () => block(user.id, true),
      },
    chat?.blocked && { label: say(here.language, "unblock"), drawing: "open", act: () => block(user.id, false) },
  ]);
}

/** At the foot: nothing to play yet, the start key, the way back after a block, or the composer with its keys. */
function drawFoot(user, chat) {
  const begun = Boolean(chat?.started);
  const action = !user ? null : chat?.blocked ? "unblock" : begun ? null : "start";
  main.hidden = !action;
  composer.form.hidden = Boolean(action) || !user;
  if (action) {
    main.textContent = say(here.language, action === "start" ? "startKey" : "unblock");
    main.onclick = () => {
      passOn = true;
      if (action === "start") send(here, { text: "/start" });
      else block(user.id, false);
    };
  } else if (passOn) {
    passOn = false;
    composer.focus();
  }
  drawEmpty(user, begun);
  drawKeys(action ? null : keyboardOf(chat));
}

function drawEmpty(user, begun) {
  empty.hidden = begun;
  const signature = `${here.language}${state.language}${Boolean(user)}`;
  if (begun || empty.signature === signature) return;
  empty.signature = signature;
  const words = (key) => say(user ? here.language : state.language, key);
  const hello = [h("b", {}, words("emptyTitle")), h("p", {}, words("emptyText"))];
  const nobody = [
    h("b", {}, words("nobodyTitle")),
    h("p", {}, words("nobodyText")),
    h("button", { type: "button", class: "strong", onclick: () => setScene(SCENE) }, words("setScene")),
  ];
  empty.replaceChildren(
    h("img", { src: "/static/icon.svg", alt: "", width: 64, height: 64 }),
    ...(user ? hello : nobody),
  );
}

const keyboardOf = (chat) => (chat?.keyboard?.keyboard ? chat.keyboard : null);

function drawKeys(markup) {
  const folded = hiddenKeys.has(here.chatId);
  toggle.hidden = !markup;
  toggle.setAttribute("aria-label", say(here.language, "keyboard"));
  toggle.setAttribute("aria-expanded", String(!folded));
  replyKeys.setAttribute("aria-label", say(here.language, "keyboard"));
  replyKeys.hidden = !markup || folded;
  const signature = JSON.stringify([markup, here.chatId, here.language]);
  if (replyKeys.signature === signature) return;
  if (replyKeys.signature && replyKeys.chatId === here.chatId) hiddenKeys.delete(here.chatId); // a new one is shown
  Object.assign(replyKeys, { signature, chatId: here.chatId });
  replyKeys.replaceChildren(
    ...(markup?.keyboard ?? []).map((row) =>
      h(
        "div",
        { class: "row" },
        row.map((key) => bigKey(key, markup)),
      ),
    ),
  );
  replyKeys.hidden = !markup || hiddenKeys.has(here.chatId);
}

function bigKey(key, markup) {
  const drawing = key.request_contact ? "person" : key.request_location ? "place" : null;
  const press = () => {
    if (markup.one_time_keyboard) fold(true);
    if (key.request_contact) return sharePhone(here);
    return key.request_location ? shareLocation(here) : send(here, { text: key.text });
  };
  return h("button", { type: "button", class: "big", onclick: press }, drawing && icon(drawing), key.text);
}

function fold(folded) {
  hiddenKeys[folded ? "add" : "delete"](here.chatId);
  changed();
}
