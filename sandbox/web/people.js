/** A row of people of whom one is played; arrow keys choose. */

import { avatar, h, nameOf, reconcile, walkWithArrows } from "./dom.js";
import { say } from "./labels.js";
import { ask, choices, field } from "./notices.js";
import { drawNow, place, state } from "./store.js";

/** `chosen` is the name of the field of `state` that says who. */
export function makePeople(root, chosen) {
  walkWithArrows(root, "[role=radio]", { onmove: (node) => node.click() });
  return (people, { unread = false } = {}) => {
    const items = people.map((person) => {
      const look = {
        checked: state[chosen] === person.id,
        count: unread ? (state.unread.get(place(person.id)) ?? 0) : 0,
      };
      return { key: String(person.id), signature: JSON.stringify([person, look, state.language]), person, look };
    });
    reconcile(root, items, ({ person, look }) => radio(person, look, () => choose(root, chosen, person)));
  };
}

function choose(root, chosen, person) {
  state[chosen] = person.id;
  drawNow();
  setTimeout(
    () => root.querySelector(`[data-focus="p${person.id}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" }),
    50,
  );
}

function radio(person, { checked, count }, onclick) {
  const name = nameOf(person);
  const label = count ? `${name}, ${say(state.language, "unread", count)}` : name;
  const attributes = {
    role: "radio",
    "aria-checked": String(checked),
    "aria-label": label,
    title: name,
    tabindex: checked ? 0 : -1,
    "data-focus": `p${person.id}`,
  };
  return h(
    "button",
    {
      type: "button",
      class: "person",
      onclick: (event) => {
        onclick();
        event.currentTarget.focus();
      },
      ...attributes,
    },
    avatar(person, "small"),
    h("span", { class: "name" }, name),
    count > 0 && h("span", { class: "badge" }, String(count)),
  );
}

/** Ask who is to be added; null when nobody is. */
export async function askPerson(title) {
  const words = (key) => say(state.language, key);
  const language = h(
    "select",
    { name: "language_code" },
    h("option", { value: "zh-hans" }, "中文"),
    h("option", { value: "en" }, "English"),
  );
  const answer = await ask(title, [
    field(
      words("firstName"),
      h("input", { name: "first_name", required: true, autocomplete: "off", autofocus: true, maxlength: 64 }),
    ),
    field(words("lastName"), h("input", { name: "last_name", autocomplete: "off", maxlength: 64 })),
    field(words("phoneLanguage"), language),
    choices(words("cancel"), words("add")),
  ]);
  if (!answer) return null;
  const { first_name, last_name, language_code } = answer;
  return { first_name, language_code, ...(last_name && { last_name }) };
}
