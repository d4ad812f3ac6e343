/** Entities of a text as elements. Offsets count UTF-16 units, as JavaScript's strings do. */

import { h } from "./dom.js";

const TAGS = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};

/** The address if it is one a person may be sent to; never `javascript:` and the like. */
export function safeLink(address) {
  try {
    const link = new URL(/^[\w-]+:/.test(address) ? address : `https://${address}`);
    return ["http:", "https:", "mailto:", "tel:", "tg:"].includes(link.protocol) ? link.href : null;
  } catch {
    return null;
  }
}

function link(address, children) {
  const href = safeLink(address);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, children) : children;
}

function wrap(entity, words, children, oncommand) {
  switch (entity.type) {
    case "url":
      return link(words, children);
    case "email":
      return link(`mailto:${words}`, children);
    case "phone_number":
      return link(`tel:${words}`, children);
    case "text_link":
      return link(entity.url, children);
    case "bot_command":
      return h("button", { type: "button", class: "command", tabindex: -1, onclick: () => oncommand(words) }, children);
    case "spoiler":
      return h("span", { class: "spoiler", onclick: (event) => event.currentTarget.classList.add("seen") }, children);
    case "mention":
    case "text_mention":
    case "hashtag":
    case "cashtag":
      return h("span", { class: "marked" }, children);
    default:
      return TAGS[entity.type] ? h(TAGS[entity.type], {}, children) : children;
  }
}

/** Nodes for `text`; entities may nest but, as Telegram promises, never overlap partly. */
export function rich(text, entities = [], oncommand = () => {}) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return build(text, 0, text.length, sorted, oncommand);
}

function build(text, start, end, entities, oncommand) {
  const nodes = [];
  let at = start;
  while (entities.length && entities[0].offset < end) {
    const entity = entities.shift();
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset < at) continue;
    nodes.push(text.slice(at, entity.offset));
    const words = text.slice(entity.offset, stop);
    nodes.push(wrap(entity, words, build(text, entity.offset, stop, entities, oncommand), oncommand));
    at = stop;
  }
  nodes.push(text.slice(at, end));
  return nodes;
}
