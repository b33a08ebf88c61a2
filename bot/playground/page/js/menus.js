// What the context menus of messages and people offer.

import { Refusal } from "./api.js";
import { Menu } from "./menu.js";
import { commandsHere } from "./commands.js";
import { EPHEMERAL, allows } from "./permissions.js";

const USER_COMMAND = 2;
const MESSAGE_COMMAND = 3;

export class Menus {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
  }

  /** @param {DOMRect} box @param {any} message @param {HTMLElement} opener */
  message(box, message, opener) {
    const { app } = this;
    const entries = [];
    const ephemeral = Boolean(message.flags & EPHEMERAL);
    if (!ephemeral && allows(app.store.channel?.permissions, "SEND_MESSAGES"))
      entries.push({ label: "Reply", icon: "reply", run: () => app.composer.replyTo(message) });
    if (message.content) entries.push({ label: "Copy text", icon: "copy", run: () => this.copy(message.content) });
    entries.push({ label: "Copy message ID", icon: "copy", run: () => this.copy(message.id) });
    const apps = ephemeral ? [] : this.appEntries(MESSAGE_COMMAND, message.id);
    if (apps.length) entries.unshift({ label: "Apps", items: apps }, "divider");
    if (ephemeral)
      entries.push("divider", { label: "Dismiss message", icon: "close", run: () => app.removeMessage(message) });
    else if (message.author.id === app.store.me.id || allows(app.store.channel?.permissions, "MANAGE_MESSAGES")) {
      entries.push("divider", {
        label: "Delete message",
        icon: "trash",
        danger: true,
        run: () => app.removeMessage(message),
      });
    }
    new Menu(entries, { label: "Message actions", box, opener });
  }

  /** @param {MouseEvent} event @param {any} user */
  person(event, user) {
    event.preventDefault();
    event.stopPropagation();
    const { app } = this;
    const box = event.currentTarget.getBoundingClientRect();
    const entries = [];
    const apps = this.appEntries(USER_COMMAND, user.id);
    if (apps.length) entries.push({ label: "Apps", items: apps }, "divider");
    if (app.store.people.has(user.id) && user.id !== app.store.me.id)
      entries.push({ label: `Become ${app.store.nameOf(user)}`, icon: "swap", run: () => app.become(user.id) });
    if (user.bot) entries.push({ label: "Message", icon: "chat", run: () => app.openDirect(user.id) });
    entries.push(
      { label: "Mention", icon: "user", run: () => app.composer.insert(`@${user.username} `) },
      { label: "Copy user ID", icon: "copy", run: () => this.copy(user.id) },
    );
    new Menu(entries, {
      label: `Actions for ${app.store.nameOf(user)}`,
      box,
      opener: event.currentTarget.closest("button") ?? event.currentTarget,
    });
  }

  appEntries(type, targetId) {
    const { app } = this;
    return commandsHere(app.store, type).map(({ application, command }) => ({
      label: command.name,
      icon: "spark",
      detail: application.name,
      run: () => this.invoke(command, targetId),
    }));
  }

  async invoke(command, targetId) {
    const { app } = this;
    const data = { id: command.id, name: command.name, type: command.type, target_id: targetId, options: [] };
    try {
      await app.interactions.send(
        { type: 2, channel_id: app.store.channelId, data },
        { kind: "command", label: command.name },
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      app.toasts.show(error.message);
    }
  }

  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.app.toasts.show("Copied.", "note");
    } catch {
      this.app.toasts.show("The browser does not let this page copy.");
    }
  }
}
