/** The staff's side: the group with its topics, and one of them open. */

import { addColleague, addGroup, addResident, addTopic, openTopic, removeTopic } from "./actions.js";
import { makeComposer } from "./composer.js";
import { drawOnce, h, iconButton } from "./dom.js";
import { say } from "./labels.js";
import { openMenu } from "./menu.js";
import { ask, choices, field } from "./notices.js";
import { askPerson, makePeople } from "./people.js";
import { chatsOf, colleagues, drawNow, place, state, topicsOf } from "./store.js";
import { makeThread } from "./thread.js";
import { drawTopics, topicIcon } from "./topics.js";

const $ = (id) => document.getElementById(id);
const words = (key, ...values) => say(state.language, key, ...values);
const footer = h("div", { class: "footer" });
const composer = makeComposer(footer);
const drawThread = makeThread($("staff-talk"), composer);
$("staff-talk").append(footer);

const drawPeople = makePeople($("colleagues"), "colleague");
$("add-colleague").addEventListener("click", add);

export const focusStaff = () => composer.focus();

async function add() {
  const person = await askPerson(words("addColleague"));
  const made = person && (await addColleague(person));
  if (!made) return;
  state.colleague = made.id;
  drawNow();
}

export function drawGroup() {
  const chat = state.chats.get(state.group);
  $("staff").classList.toggle("none", !chat);
  $("staff").classList.toggle("plain-group", Boolean(chat) && !chat.is_forum);
  drawPeople(colleagues());
  $("add-colleague").disabled = !chat;
  drawGroupBar(chat);
  drawTopics(chat, newGroup);
  drawTopicBar(chat);
  const here = {
    chatId: state.group,
    thread: state.topic,
    viewer: state.colleague,
    language: state.language,
    isGroup: true,
    commands: commands(),
    typing: state.typing.has(place(state.group, state.topic)),
    waiting: [...state.waiting.values()],
  };
  drawThread(here);
  composer.draw(here);
  composer.form.hidden = !chat || !state.colleague;
}

/** What the bot set for groups, this one or its administrators; /done is known to all. */
function commands() {
  const scopes = ["all_group_chats", "all_chat_administrators", "chat", "chat_administrators"];
  const ours = state.commands.filter(({ scope, language_code }) => {
    const here = scope?.chat_id === undefined || String(scope.chat_id) === String(state.group);
    return scopes.includes(scope?.type) && here && (!language_code || language_code === state.language);
  });
  const found = new Map([["done", words("doneCommand")]]);
  for (const set of ours) for (const one of set.commands) found.set(one.command, one.description);
  return [...found].map(([command, description]) => ({ command, description }));
}

function drawGroupBar(chat) {
  const groups = chatsOf("group").filter((one) => !one.migrated_to);
  const signature = JSON.stringify([
    state.language,
    state.group,
    chat?.members.length,
    groups.map((one) => [one.id, one.title]),
  ]);
  drawOnce($("group-bar"), signature, () => {
    if (!chat) return [h("b", {}, words("noGroup"))];
    const pick = h(
      "select",
      {
        "aria-label": words("group"),
        onchange: (event) => {
          state.group = Number(event.target.value);
          drawNow();
        },
      },
      groups.map((one) => h("option", { value: one.id, selected: one.id === state.group }, one.title)),
    );
    const title = groups.length > 1 ? pick : h("b", {}, chat.title);
    const plus = iconButton(words("addTopic"), "plus", newTopic);
    return [
      h("div", { class: "title" }, title, h("small", {}, words("members", chat.members.length))),
      chat.is_forum ? plus : "",
    ];
  });
}

async function newTopic() {
  const name = h("input", { name: "name", required: true, maxlength: 128, autocomplete: "off", autofocus: true });
  const answer = await ask(words("addTopic"), [
    field(words("topicName"), name),
    choices(words("cancel"), words("add")),
  ]);
  const made = answer && (await addTopic(answer.name));
  if (!made) return;
  state.topic = made.message_thread_id;
  drawNow();
}

function drawTopicBar(chat) {
  const topic = topicsOf(chat).find((one) => one.message_thread_id === state.topic) ?? {
    general: true,
    name: chat?.is_forum ? words("general") : (chat?.title ?? ""),
  };
  const typing = state.typing.has(place(state.group, state.topic));
  drawOnce($("topic-bar"), JSON.stringify([topic, typing, state.language, state.group]), () => {
    if (!chat) return [];
    const status = typing ? words("typing") : topic.closed ? words("closed") : chat.is_forum ? chat.title : "";
    const more = iconButton(words("menu"), "more", (event) => openTopicMenu(event.currentTarget, topic), {
      "aria-haspopup": "menu",
    });
    return [
      topicIcon(topic),
      h("div", { class: "title" }, h("b", {}, topic.name), h("small", { class: typing ? "live" : "" }, status)),
      topic.general ? "" : more,
    ];
  });
}

function openTopicMenu(anchor, topic) {
  const thread = topic.message_thread_id;
  openMenu(anchor, words("menu"), [
    {
      label: words(topic.closed ? "reopenTopic" : "closeTopic"),
      drawing: topic.closed ? "open" : "lock",
      act: () => openTopic(thread, topic.closed),
    },
    { label: words("removeTopic"), drawing: "bin", danger: true, act: () => removeTopic(thread) },
  ]);
}

async function newGroup() {
  const title = h("input", { name: "title", required: true, maxlength: 128, autocomplete: "off", autofocus: true });
  const first = h("input", { name: "first_name", required: true, maxlength: 64, autocomplete: "off" });
  const answer = await ask(words("addGroup"), [
    field(words("groupTitle"), title),
    field(words("firstColleague"), first),
    choices(words("cancel"), words("add")),
  ]);
  if (!answer) return;
  const person = await addResident({ first_name: answer.first_name });
  if (person) await addGroup(answer.title, [person.id]);
}
