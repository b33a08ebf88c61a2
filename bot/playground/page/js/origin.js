// The small line above a message: who asked for it with which command, or what it replies to.

import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { excerpt } from "./excerpt.js";
import { icon } from "./icons.js";

/**
 * @param {any} message
 * @param {any} app
 * @returns {HTMLElement|null}
 */
export function originLine(message, app) {
  const asked = message.interaction_metadata ?? message.interaction;
  if (asked && (asked.type === 2 || message.interaction)) {
    const who = asked.user ?? message.interaction?.user;
    const name = message.interaction?.name ?? asked.name ?? asked.command_name;
    return h(
      "div",
      { class: "message-context" },
      icon("bend"),
      avatar(who, app.store.nameOf(who), "tiny"),
      h("strong", { class: app.roleClass(who) }, app.store.nameOf(who)),
      " used ",
      h("span", { class: "mention" }, name ? commandName(asked, name) : "a command"),
    );
  }
  const origin = message.referenced_message;
  if (!origin) return null;
  return h(
    "button",
    { type: "button", class: "message-context", on: { click: () => app.timeline.jumpTo(origin.id) } },
    icon("bend"),
    avatar(origin.author, app.store.nameOf(origin.author), "tiny"),
    h("strong", { class: app.roleClass(origin.author) }, app.store.nameOf(origin.author)),
    h("span", { class: "message-excerpt" }, excerpt(origin)),
  );
}

function commandName(asked, name) {
  return asked.type === 2 && !name.startsWith("/") && /^[-_'\p{Ll}\p{N} ]+$/u.test(name) ? `/${name}` : name;
}
