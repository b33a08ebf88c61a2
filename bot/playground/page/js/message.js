// One message: who, when, what; patched in place when it is edited.

import { h, syncChildren } from "./dom.js";
import { avatar } from "./avatar.js";
import { ComponentTree } from "./components.js";
import { embedCard } from "./embed.js";
import { excerpt } from "./excerpt.js";
import { icon } from "./icons.js";
import { Frame, fileCard, isImage, isSpoiler, mosaic } from "./media.js";
import { originLine } from "./origin.js";
import { EPHEMERAL, LOADING, COMPONENTS_V2 } from "./permissions.js";
import { prose } from "./prose.js";
import { clockText, fullText, stampText } from "./time.js";

export class MessageView {
  /** @param {any} app @param {any} message */
  constructor(app, message) {
    this.app = app;
    this.frames = new Map();
    this.revealed = new Set();
    this.sources = new Map();
    this.sections = new Map();
    this.message = message;
    this.tree = new ComponentTree(this);
    this.avatarSlot = h("div", { class: "message-avatar" });
    this.body = h("div", { class: "message-body" });
    this.actions = h(
      "button",
      {
        type: "button",
        class: "icon-button message-more",
        "aria-label": "Message actions",
        "aria-haspopup": "menu",
        on: { click: (event) => this.menuAt(event.currentTarget.getBoundingClientRect()) },
      },
      icon("dots"),
    );
    this.node = h(
      "li",
      {
        class: "message",
        tabIndex: -1,
        data: { messageId: message.id },
        on: { contextmenu: (event) => this.contextMenu(event), keydown: (event) => this.key(event) },
      },
      this.avatarSlot,
      this.body,
      h("div", { class: "message-actions" }, this.actions),
    );
  }

  /** The picture place named `key`, the same across edits. */
  frameAt(key, many) {
    if (!this.frames.has(key)) this.frames.set(key, new Frame(this.app, many));
    return this.frames.get(key);
  }

  /** @param {any} message @param {boolean} continues whether it goes on from the message above by the same author */
  update(message, continues) {
    const { changes } = this.app.store;
    if (this.drawn?.message === message && this.drawn.continues === continues && this.drawn.changes === changes) return;
    this.drawn = { message, continues, changes };
    this.message = message;
    const focused = this.node.contains(document.activeElement) ? document.activeElement : null;
    const { store } = this.app;
    const mine = message.mentions?.some((user) => user.id === store.me.id) || message.mention_everyone;
    this.node.classList.toggle("is-continued", continues);
    this.node.classList.toggle("is-ephemeral", Boolean(message.flags & EPHEMERAL));
    this.node.classList.toggle("is-mention", Boolean(mine) && !(message.flags & EPHEMERAL));
    this.node.setAttribute(
      "aria-label",
      `${store.nameOf(message.author)}, ${stampText(new Date(message.timestamp))}: ${excerpt(message)}`,
    );
    syncChildren(this.avatarSlot, [
      this.section("avatar", [message.author.id, continues], () => this.avatarOrClock(continues)),
    ]);
    syncChildren(this.body, this.parts(continues).filter(Boolean));
    if (focused && !focused.isConnected) this.refocus(focused.dataset.key);
    else if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  parts(continues) {
    const { message } = this;
    const images = message.flags & COMPONENTS_V2 ? [] : (message.attachments ?? []).filter(isImage);
    const files = message.flags & COMPONENTS_V2 ? [] : (message.attachments ?? []).filter((file) => !isImage(file));
    return [
      this.section(
        "context",
        [
          message.interaction_metadata,
          message.interaction,
          message.referenced_message?.content,
          message.referenced_message?.id,
        ],
        () => originLine(message, this.app),
      ),
      !continues && this.section("head", [message.author, message.timestamp], () => this.head()),
      this.section(
        "content",
        [message.content, message.flags & LOADING, message.edited_timestamp, this.namesVersion()],
        () => this.content(),
      ),
      this.section(
        "images",
        images,
        () =>
          images.length > 0 &&
          mosaic(images.map(pictureOf), (index, many) => this.frameAt(`${many ? "m" : "s"}${index}`, many)),
      ),
      this.section("files", files, () => files.length > 0 && h("div", { class: "files" }, files.map(fileCard))),
      this.section(
        "embeds",
        message.embeds,
        () =>
          message.embeds?.length > 0 &&
          h(
            "div",
            { class: "embeds" },
            message.embeds.map((embed, index) =>
              embedCard(embed, this.app, (key) => this.frameAt(`embed${index}.${key}`, false)),
            ),
          ),
      ),
      this.componentSection(),
      this.section("reactions", message.reactions, () => this.reactions()),
      this.section("failure", [this.app.store.pending.size, this.failed()?.nonce], () => this.failureLine()),
      message.flags & EPHEMERAL ? this.section("ephemeral", true, () => this.ephemeralLine()) : null,
    ];
  }

  componentSection() {
    this.tree.update(this.message.components);
    return this.message.components?.length ? this.tree.node : null;
  }

  /** Build a part of the message again only when its source has changed. */
  section(name, source, build) {
    const text = JSON.stringify(source) ?? "";
    if (this.sources.get(name) !== text) {
      this.sources.set(name, text);
      this.sections.set(name, build() || null);
    }
    return this.sections.get(name);
  }

  namesVersion() {
    return `${this.app.store.people.size}.${this.app.store.channels.size}`;
  }

  avatarOrClock(continues) {
    const { message } = this;
    const when = new Date(message.timestamp);
    if (continues)
      return h("time", { class: "message-clock", dateTime: message.timestamp, title: fullText(when) }, clockText(when));
    const name = this.app.store.nameOf(message.author);
    return h(
      "span",
      {
        class: "message-face",
        on: {
          contextmenu: (event) => this.app.menus.person(event, message.author),
          click: (event) => this.app.menus.person(event, message.author),
        },
      },
      avatar(message.author, name),
    );
  }

  head() {
    const { message, app } = this;
    const name = app.store.nameOf(message.author);
    return h(
      "div",
      { class: "message-head" },
      h(
        "button",
        {
          type: "button",
          class: `message-author ${app.roleClass(message.author)}`,
          "aria-haspopup": "menu",
          on: {
            click: (event) => app.menus.person(event, message.author),
            contextmenu: (event) => app.menus.person(event, message.author),
          },
        },
        name,
      ),
      message.author.bot && h("span", { class: "app-tag" }, "App"),
      h(
        "time",
        { dateTime: message.timestamp, title: fullText(new Date(message.timestamp)) },
        stampText(new Date(message.timestamp)),
      ),
    );
  }

  content() {
    const { message, app } = this;
    if (message.flags & LOADING) {
      return h(
        "div",
        { class: "thinking" },
        h("span", { class: "thinking-dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
        `${app.store.nameOf(message.author)} is thinking…`,
      );
    }
    if (!message.content) return null;
    if (message.gave_up) return h("div", { class: "failure" }, icon("warn"), h("span", {}, message.content));
    const edited =
      message.edited_timestamp &&
      !message.author.bot &&
      h("span", { class: "edited", title: fullText(new Date(message.edited_timestamp)) }, "(edited)");
    return h("div", { class: "prose message-content" }, prose(message.content, app), edited);
  }

  reactions() {
    const { reactions } = this.message;
    if (!reactions?.length) return null;
    return h(
      "div",
      { class: "reactions", "aria-label": "Reactions" },
      reactions.map((reaction) =>
        h(
          "span",
          { class: reaction.me ? "reaction is-mine" : "reaction" },
          reaction.emoji?.name ?? "?",
          " ",
          String(reaction.count),
        ),
      ),
    );
  }

  failed() {
    return [...this.app.store.pending.values()].find(
      (pending) => pending.messageId === this.message.id && pending.failed,
    );
  }

  failureLine() {
    const failed = this.failed();
    if (!failed) return null;
    return h(
      "div",
      { class: "failure", role: "alert" },
      icon("warn"),
      h("span", {}, failed.failed),
      h(
        "button",
        { type: "button", class: "text-button", on: { click: () => this.app.store.dismissPending(failed.nonce) } },
        "Dismiss",
      ),
    );
  }

  ephemeralLine() {
    return h(
      "div",
      { class: "ephemeral-line" },
      icon("eye"),
      "Only you can see this",
      h("span", { "aria-hidden": "true" }, "·"),
      h(
        "button",
        {
          type: "button",
          class: "text-button",
          data: { key: "dismiss" },
          on: { click: () => this.app.removeMessage(this.message) },
        },
        "Dismiss message",
      ),
    );
  }

  contextMenu(event) {
    if (event.target.closest("a, input, textarea, .message-author, .message-face") || String(getSelection())) return;
    event.preventDefault();
    this.menuAt({ left: event.clientX, right: event.clientX, top: event.clientY, bottom: event.clientY });
  }

  key(event) {
    if (event.target !== this.node) return;
    if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      event.preventDefault();
      this.menuAt(this.actions.getBoundingClientRect());
    }
  }

  menuAt(box) {
    this.app.menus.message(box, this.message, this.node);
  }

  refocus(key) {
    const again =
      key && [...this.node.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key && !node.disabled);
    (again ?? this.node).focus({ preventScroll: true });
  }
}

function pictureOf(file) {
  return {
    url: file.url,
    width: file.width,
    height: file.height,
    description: file.description,
    name: file.filename,
    spoiler: isSpoiler(file),
  };
}
