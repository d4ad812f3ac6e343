/** Elements, built so that what people write can only ever become text. */

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: `on…` are listeners, the rest attributes; absent values and children are left out. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return node;
}

/** A line drawing from icons.svg; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows an icon and is called `name`. */
export function iconButton(name, drawing, onclick, attributes = {}) {
  const { class: more = "", ...rest } = attributes;
  return h(
    "button",
    { type: "button", class: `plain round ${more}`, "aria-label": name, title: name, onclick, ...rest },
    icon(drawing),
  );
}

export function avatar(person, size = "") {
  if (person?.is_bot) return h("img", { class: `avatar ${size}`, src: "/static/icon.svg", alt: "" });
  const initials = CHINESE.test(nameOf(person))
    ? [...nameOf(person)][0]
    : [person?.first_name, person?.last_name].map((name) => [...(name || "")][0] ?? "").join("");
  return h(
    "span",
    { class: `avatar ${size} colour${colourOf(person?.id || 0)}`, "aria-hidden": "true" },
    initials.toUpperCase(),
  );
}

export const colourOf = (id) => Math.abs(id) % 7;

/** The class that colours a name; bots wear the colour of the house. */
export const inkOf = (person) => (person.is_bot ? "ink-bot" : `ink${colourOf(person.id)}`);

const CHINESE = /^\p{Script=Han}+$/u;

/** A person's full name; Chinese names have the family name first and no space. */
export function nameOf(person) {
  const parts = [person?.first_name, person?.last_name].filter(Boolean);
  return (parts.every((part) => CHINESE.test(part)) ? parts.reverse().join("") : parts.join(" ")) || "?";
}

/**
 * Make the children of `parent` show `items` ({key, signature}); a node whose signature is unchanged stays.
 * What has `data-focus` keeps the focus although its node is made anew or moved.
 */
export function reconcile(parent, items, build) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  const before = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => {
    const node = before.get(item.key);
    if (node?.signature === item.signature) return node;
    const made = build(item);
    made.dataset.key = item.key;
    made.signature = item.signature;
    return made;
  });
  const kept = new Set(wanted);
  for (const node of [...parent.children]) if (!kept.has(node)) node.remove();
  wanted.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
  if (focused && document.activeElement?.dataset.focus !== focused) {
    parent.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

/** Arrow keys walk a list; only its current item is a tab stop. */
export function walkWithArrows(list, selector, { wrap = true, onmove = (node) => node.focus() } = {}) {
  list.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    const nodes = [...list.querySelectorAll(selector)];
    const at = nodes.indexOf(event.target.closest(selector));
    if (!(event.key in steps) || at < 0 || event.target.closest("textarea, input")) return;
    const aim = at + steps[event.key];
    const last = nodes.length - 1;
    const next = wrap && Number.isFinite(aim) ? (aim + nodes.length) % nodes.length : Math.max(0, Math.min(last, aim));
    event.preventDefault();
    onmove(nodes[next]);
  });
}

/** Draw a bar anew only when it would look different, so that its buttons keep the focus. */
export function drawOnce(root, signature, make) {
  if (root.signature === signature) return;
  root.signature = signature;
  root.replaceChildren(...make());
}
