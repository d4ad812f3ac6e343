/** What a message carries beside words: pictures, sounds, files, places, people. */

import { avatar, h, icon, nameOf } from "./dom.js";
import { length, size } from "./format.js";
import { say } from "./labels.js";

const BARS = 32;
const QUOTED = 24; // characters of a message that a service line repeats

/** The elements for everything in the message that is no text. */
export function contents(message, language) {
  const file = message.sandbox.files[0];
  const found = Object.keys(kinds).find((kind) => message[kind]);
  if (!found) return message.text || serviceLine(message, language) ? null : unshown(message, language);
  return h("div", { class: `media ${found}` }, kinds[found](message[found], file, language));
}

/** A kind the sandbox has no picture of: its name, so that nobody sees an empty bubble. */
function unshown(message, language) {
  const title = preview(message, language);
  return title && h("div", { class: "card" }, title);
}

const kinds = {
  live_photo: (clip, file, language) => film(clip, file, language),
  photo: (sizes, file, language) => picture(file, say(language, "photo"), sizes.at(-1)),
  sticker: (sticker, file, language) =>
    h("img", { class: "sticker", src: file.url, alt: sticker.emoji || say(language, "sticker") }),
  animation: (clip, file, language) => film(clip, file, language),
  video: (clip, file, language) => film(clip, file, language),
  video_note: (clip, file, language) => film(clip, file, language),
  voice: (voice, file, language) => sound(voice, file, say(language, "voice")),
  audio: (audio, file) => sound(audio, file, audio.title || audio.file_name || ""),
  document: (paper, file) =>
    h(
      "a",
      { class: "file", href: file.url, download: file.name, tabindex: -1 },
      h("span", { class: "disc" }, icon("file")),
      h("span", {}, h("b", {}, file.name), h("small", {}, size(file.size))),
    ),
  venue: ({ title, address }, _, language) => map(`${title} · ${address}`, language),
  location: ({ latitude, longitude, live_period: live }, _, language) =>
    map(
      `${latitude.toFixed(4)}, ${longitude.toFixed(4)}${live ? ` · ${say(language, "live")}` : ""}`,
      language,
    ),
  contact: (person) =>
    h(
      "div",
      { class: "card" },
      avatar({ ...person, id: person.user_id }),
      h("span", {}, h("b", {}, nameOf(person)), h("small", {}, person.phone_number)),
    ),
  dice: ({ emoji, value }) => h("div", { class: "dice" }, emoji, h("small", {}, String(value))),
  poll: (poll) =>
    h(
      "div",
      { class: "poll" },
      h("b", {}, poll.question),
      poll.options.map((option) => h("div", {}, `○ ${option.text}`)),
    ),
};

function map(below, language) {
  return h(
    "div",
    { class: "map", role: "img", "aria-label": say(language, "location") },
    h("span", { class: "needle" }, icon("place")),
    h("small", {}, below),
  );
}

function picture(file, name, { width, height }) {
  return h(
    "a",
    { href: file.url, target: "_blank", rel: "noopener", tabindex: -1 },
    h("img", { src: file.url, alt: name, width, height, loading: "lazy" }),
  );
}

/** No pretence of playing: the sandbox makes up the bytes nobody gave. */
function film(clip, file, language) {
  return h(
    "a",
    {
      class: "film",
      href: file.url,
      target: "_blank",
      rel: "noopener",
      tabindex: -1,
      "aria-label": say(language, "video"),
    },
    h("span", { class: "disc" }, icon("play")),
    h("small", {}, length(clip.duration)),
  );
}

function sound(given, file, name) {
  const play = (event) => {
    const wave = event.currentTarget.parentElement;
    wave.style.setProperty("--seconds", `${given.duration || 1}s`);
    wave.classList.remove("playing");
    void wave.offsetWidth; // restarts the animation
    wave.classList.add("playing");
    if (file) new Audio(file.url).play().catch(() => {}); // bytes made up by the sandbox are no sound
  };
  const label = `${name} ${length(given.duration)}`;
  return h(
    "div",
    { class: "sound" },
    h("button", { type: "button", class: "disc", "aria-label": label, tabindex: -1, onclick: play }, icon("play")),
    h("span", { class: "wave", "aria-hidden": "true" }, bars(given.file_unique_id || name)),
    h("small", {}, length(given.duration)),
  );
}

/** The same sound always looks the same. */
function bars(seed) {
  let hash = 7;
  for (const letter of seed) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return Array.from({ length: BARS }, (_, index) => {
    hash = (hash * 1_103_515_245 + 12_345) >>> 0;
    const bar = h("i");
    bar.style.height = `${4 + ((hash >>> 16) % 15) * (0.6 + 0.4 * Math.sin(index / 3))}px`;
    return bar;
  });
}

/** One line about a message, for lists, quotes and the bar of pinned messages. */
export function preview(message, language) {
  if (!message) return "";
  if (message.text) return message.text;
  const kind = [
    "live_photo",
    "photo",
    "voice",
    "video",
    "video_note",
    "document",
    "audio",
    "animation",
    "sticker",
    "venue",
    "location",
    "contact",
    "poll",
    "dice",
    "story",
    "paid_media",
    "game",
    "checklist",
  ].find((name) => message[name]);
  const title = kind ? `[${say(language, kind)}]` : serviceLine(message, language);
  return [title, message.caption].filter(Boolean).join(" ");
}

const cut = (text) => (text.length > QUOTED ? `${[...text].slice(0, QUOTED).join("")}…` : text);

/** What a service message says, or null for a message of a person or bot. */
export function serviceLine(message, language) {
  const who = nameOf(message.from);
  const lines = {
    forum_topic_created: (it) => say(language, "topicCreated", who, it.name),
    forum_topic_edited: (it) => say(language, it.name ? "topicRenamed" : "topicChanged", who, it.name),
    forum_topic_closed: () => say(language, "topicClosed", who),
    forum_topic_reopened: () => say(language, "topicReopened", who),
    pinned_message: (it) => say(language, "pinnedLine", who, cut(preview(it, language))),
    new_chat_members: (it) => say(language, "joined", it.map(nameOf).join("、")),
    left_chat_member: (it) => say(language, "left", nameOf(it)),
    migrate_to_chat_id: () => say(language, "migrated"),
    migrate_from_chat_id: () => say(language, "migrated"),
  };
  const kind = Object.keys(lines).find((name) => message[name] !== undefined);
  return kind ? lines[kind](message[kind]) : null;
}
