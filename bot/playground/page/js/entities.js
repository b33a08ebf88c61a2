// People, roles and channels as items to choose from.

import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { icon } from "./icons.js";

/** Kinds of entity by the type of a select component, and by the type of a command option. */
export const KINDS_OF_SELECT = { 5: ["user"], 6: ["role"], 7: ["user", "role"], 8: ["channel"] };
export const KINDS_OF_OPTION = { 6: ["user"], 7: ["channel"], 8: ["role"], 9: ["user", "role"] };

/**
 * @param {any} app
 * @param {string[]} kinds
 * @param {number[]} [channelTypes] only these, when given
 * @returns {import("./listbox.js").Item[]} value is the id
 */
export function entityItems(app, kinds, channelTypes) {
  const { store } = app;
  const items = [];
  if (kinds.includes("user")) {
    for (const { user } of app.everyone()) {
      const name = store.nameOf(user);
      items.push({
        value: user.id,
        label: name,
        description: `@${user.username}`,
        lead: avatar(user, name, "small"),
        kind: "user",
      });
    }
  }
  if (kinds.includes("role")) {
    for (const role of store.roles.values())
      items.push({
        value: role.id,
        label: role.name.startsWith("@") ? role.name : `@${role.name}`,
        lead: roleDot(role),
        kind: "role",
      });
  }
  if (kinds.includes("channel")) {
    for (const channel of store.channels.values()) {
      if (channel.type === 1 || (channelTypes?.length && !channelTypes.includes(channel.type))) continue;
      items.push({ value: channel.id, label: channel.name, lead: icon("hash"), kind: "channel" });
    }
  }
  return items;
}

/** @param {import("./listbox.js").Item[]} items @param {string} text @returns {import("./listbox.js").Item[]} those that contain it, best first */
export function filterItems(items, text) {
  const wanted = text.trim().replace(/^[@#]/, "").toLowerCase();
  if (!wanted) return items;
  const rank = (item) => {
    const label = item.label.replace(/^@/, "").toLowerCase();
    if (label.startsWith(wanted)) return 0;
    if (label.includes(wanted)) return 1;
    return item.description?.toLowerCase().includes(wanted) ? 2 : 3;
  };
  return items.filter((item) => rank(item) < 3).sort((a, b) => rank(a) - rank(b));
}

function roleDot(role) {
  const dot = h("span", { class: "role-dot" });
  if (role.color) dot.style.setProperty("--role-colour", `#${role.color.toString(16).padStart(6, "0")}`);
  return dot;
}
