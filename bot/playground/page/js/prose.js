// The markdown tree as elements of the page.

import { h, safeUrl } from "./dom.js";
import { parse } from "./markdown.js";
import { timeElement } from "./time.js";

const MESSAGE_ADDRESS = /^https:\/\/discord\.com\/channels\/(?:\d+|@me)\/(\d+)\/(\d+)$/;
const SIMPLE = { bold: "strong", italic: "em", underline: "u", strike: "s" };

/**
 * @param {string} source markdown
 * @param {any} app gives names to mentions and opens what is clicked
 * @returns {Node[]}
 */
export function prose(source, app) {
  return renderAll(parse(source), app);
}

function renderAll(nodes, app) {
  return nodes.flatMap((node) => render(node, app));
}

function render(node, app) {
  const inside = () => renderAll(node.children, app);
  if (SIMPLE[node.type]) return h(SIMPLE[node.type], {}, inside());
  switch (node.type) {
    case "text":
      return withBreaks(node.text);
    case "paragraph":
      return h("p", {}, inside());
    case "heading":
      return h(
        "p",
        { class: `heading heading-${node.level}`, role: "heading", "aria-level": node.level + 3 },
        inside(),
      );
    case "subtext":
      return h("p", { class: "subtext" }, inside());
    case "quote":
      return h("blockquote", {}, inside());
    case "list":
      return h(
        node.ordered ? "ol" : "ul",
        {},
        node.items.map((item) => h("li", {}, renderAll(item, app))),
      );
    case "code":
      return h("code", {}, node.text);
    case "codeblock":
      return h(
        "pre",
        {},
        h("code", { class: "codeblock", data: node.language ? { language: node.language } : {} }, node.text),
      );
    case "spoiler":
      return spoiler(inside());
    case "link":
      return messageLink(node.url, app) ?? link(node.url, inside());
    case "time":
      return timeElement(node.unix, node.style) ?? `<t:${node.unix}>`;
    default:
      return mention(node, app);
  }
}

function withBreaks(text) {
  return text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));
}

/** Discord's address of a message here leads to that message, as it does there, and not to discord.com. */
function messageLink(address, app) {
  const [, channelId, messageId] = address.match(MESSAGE_ADDRESS) ?? [];
  const channel = app.store.channels.get(channelId);
  if (!channel) return null;
  const show = () => {
    if (channelId !== app.store.channelId) app.openChannel(channelId);
    app.timeline.jumpTo(messageId);
  };
  return h("button", { type: "button", class: "mention", on: { click: show } }, `${app.channelTitle(channel)} › message`);
}

/**
 * @param {string} address
 * @param {Array<Node|string>} children
 * @returns {Node|Array<Node|string>} a link to http(s), or just the text
 */
export function link(address, children) {
  const url = safeUrl(address);
  if (!url || !/^https?:/i.test(address)) return children;
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow", title: url.href }, children);
}

function spoiler(children) {
  const cover = h("span", {
    class: "spoiler",
    role: "button",
    tabIndex: 0,
    "aria-label": "Spoiler, hidden. Show it",
    "aria-expanded": "false",
  });
  const content = h("span", { class: "spoiler-content", "aria-hidden": "true", inert: true }, children);
  const show = (event) => {
    if (cover.classList.contains("is-shown") || (event.type === "keydown" && ![" ", "Enter"].includes(event.key)))
      return;
    event.preventDefault();
    event.stopPropagation();
    cover.classList.add("is-shown");
    for (const name of ["role", "aria-label", "aria-expanded", "tabindex"]) cover.removeAttribute(name);
    content.removeAttribute("aria-hidden");
    content.inert = false;
  };
  cover.addEventListener("click", show);
  cover.addEventListener("keydown", show);
  cover.append(content);
  return cover;
}

function mention(node, app) {
  const { store } = app;
  if (node.type === "everyone") return h("span", { class: "mention" }, `@${node.name}`);
  if (node.type === "command") {
    return h(
      "button",
      { type: "button", class: "mention", on: { click: () => app.composer.startCommand(node.name, node.id) } },
      `/${node.name}`,
    );
  }
  if (node.type === "channel") {
    const channel = store.channels.get(node.id);
    if (!channel) return h("span", { class: "mention" }, "#unknown");
    return h(
      "button",
      { type: "button", class: "mention", on: { click: () => app.openChannel(node.id) } },
      `#${channel.name ?? "direct message"}`,
    );
  }
  if (node.type === "role")
    return h("span", { class: "mention" }, `@${store.roles.get(node.id)?.name ?? "unknown-role"}`);
  const person = store.people.get(node.id) ?? app.botById(node.id);
  const me = node.id === store.me?.id;
  return h(
    "span",
    { class: me ? "mention mention-me" : "mention" },
    `@${person ? store.nameOf(person.user) : "unknown-user"}`,
  );
}
