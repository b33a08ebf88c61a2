// The open channel's messages: order, grouping, days, scrolling, and what is announced.

import { h, syncChildren } from "./dom.js";
import { avatar } from "./avatar.js";
import { OPTION, leavesHere } from "./commands.js";
import { excerpt } from "./excerpt.js";
import { icon } from "./icons.js";
import { MessageView } from "./message.js";
import { EPHEMERAL, LOADING } from "./permissions.js";
import { dayText, snowflakeTime } from "./time.js";

const GROUP_WITHIN_MS = 7 * 60_000;
const NEAR_BOTTOM_PX = 120;

export class Timeline {
  /** @param {any} app @param {{scroller: HTMLElement, list: HTMLElement, status: HTMLElement, jump: HTMLElement}} nodes */
  constructor(app, { scroller, list, status, jump }) {
    Object.assign(this, { app, scroller, list, status, jump });
    this.views = new Map();
    this.extras = new Map();
    this.pinned = true;
    const { store } = app;
    store.on("messages", ({ channelId, fresh }) => {
      if (channelId !== store.channelId) return;
      this.render();
      if (fresh) this.announce(fresh);
    });
    store.on("state", () => store.channelId && this.render());
    store.on("pending", ({ channelId }) => channelId === store.channelId && this.render());
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    list.addEventListener("keydown", (event) => this.key(event));
    jump.addEventListener("click", () => this.toBottom());
    new ResizeObserver(() => this.pinned && this.toBottom()).observe(list);
    new ResizeObserver(() => this.pinned && this.toBottom()).observe(scroller);
  }

  /** Another channel or another person: nothing of the old list remains. */
  reset() {
    this.views.clear();
    this.extras.clear();
    this.list.replaceChildren();
    this.pinned = true;
    this.render();
  }

  render() {
    const { store } = this.app;
    const messages = store.messagesOf(store.channelId);
    const nodes = [];
    let before = null;
    if (store.complete.has(store.channelId))
      nodes.push(this.extra(`start.${store.channelId}.${this.firstSteps()?.command.id}`, () => this.beginning()));
    for (const message of messages) {
      const day = dayText(snowflakeTime(message.id));
      if (!before || dayText(snowflakeTime(before.id)) !== day) {
        nodes.push(this.extra(`day.${day}`, () => h("li", { class: "day" }, h("span", {}, day))));
        before = null;
      }
      const view = this.viewOf(message);
      view.update(message, continues(before, message));
      nodes.push(view.node);
      before = message;
    }
    for (const pending of store.pending.values())
      if (pending.channelId === store.channelId && pending.kind === "command") nodes.push(this.placeholder(pending));
    const known = new Set(messages.map((message) => message.id));
    for (const id of this.views.keys()) if (!known.has(id)) this.views.delete(id);
    this.keepFocus(() => syncChildren(this.list, nodes));
    this.roveTo(this.list.querySelector(".message[tabindex='0']") ?? this.lastMessage());
    if (this.pinned) this.toBottom();
    this.jump.hidden = this.pinned;
  }

  /** A focused message that was deleted hands the focus to its neighbour. */
  keepFocus(change) {
    const row = document.activeElement?.closest?.(".message");
    const next = row && this.list.contains(row) ? (row.nextElementSibling ?? row.previousElementSibling) : null;
    change();
    if (row && !row.isConnected && next?.isConnected) next.focus({ preventScroll: true });
  }

  viewOf(message) {
    if (!this.views.has(message.id)) this.views.set(message.id, new MessageView(this.app, message));
    return this.views.get(message.id);
  }

  extra(key, build) {
    if (!this.extras.has(key)) this.extras.set(key, build());
    return this.extras.get(key);
  }

  beginning() {
    const { channel } = this.app.store;
    const title = this.app.channelTitle(channel);
    return h(
      "li",
      { class: "beginning" },
      h("span", { class: "beginning-mark" }, icon(this.app.channelIcon(channel))),
      h("h2", {}, channel.type === 1 ? title : `Welcome to ${title}`),
      h(
        "p",
        {},
        channel.topic ??
          (channel.type === 1
            ? `This is the start of your messages with ${title}.`
            : `This is the start of the ${title} channel.`),
      ),
      this.invitation(),
    );
  }

  /** A command that takes words, for someone who has never been here. */
  firstSteps() {
    return (
      leavesHere(this.app.store).find(
        (leaf) => leaf.options.some((option) => option.required && option.type === OPTION.STRING) && !leaf.path.length,
      ) ?? null
    );
  }

  invitation() {
    const leaf = this.firstSteps();
    if (!leaf) return null;
    return h(
      "p",
      { class: "invitation" },
      h(
        "button",
        {
          type: "button",
          class: "button button-primary",
          on: { click: () => this.app.composer.startCommand(leaf.name, leaf.command.id) },
        },
        `Try /${leaf.name}`,
      ),
      h("span", {}, leaf.description),
    );
  }

  /** The line shown from sending a command until the application answers. */
  placeholder(pending) {
    const { store } = this.app;
    const me = store.people.get(store.me.id)?.user ?? store.me;
    const bot = this.app.bot();
    const name = bot ? store.nameOf(bot) : "The application";
    return h(
      "li",
      { class: `message is-pending ${pending.failed ? "is-failed" : ""}`, data: { nonce: pending.nonce } },
      h("div", { class: "message-avatar" }, avatar(bot ?? { id: "0", bot: true }, name)),
      h(
        "div",
        { class: "message-body" },
        h(
          "div",
          { class: "message-context" },
          icon("bend"),
          avatar(me, store.nameOf(me), "tiny"),
          h("strong", { class: this.app.roleClass(me) }, store.nameOf(me)),
          " used ",
          h("span", { class: "mention" }, pending.label),
        ),
        h(
          "div",
          { class: "message-head" },
          h("span", { class: "message-author" }, name),
          h("span", { class: "app-tag" }, "App"),
        ),
        pending.failed
          ? h(
              "div",
              { class: "failure", role: "alert" },
              icon("warn"),
              h("span", {}, pending.failed),
              h(
                "button",
                { type: "button", class: "text-button", on: { click: () => store.dismissPending(pending.nonce) } },
                "Dismiss",
              ),
            )
          : h("div", { class: "thinking" }, "Sending command…"),
      ),
    );
  }

  lastMessage() {
    return [...this.list.querySelectorAll(".message[data-message-id]")].at(-1);
  }

  /** Only one message is a stop of the Tab key; the arrows go from one to the next. */
  roveTo(row) {
    for (const other of this.list.querySelectorAll(".message[tabindex='0']")) if (other !== row) other.tabIndex = -1;
    if (row) row.tabIndex = 0;
  }

  key(event) {
    const row = event.target.closest(".message[data-message-id]");
    if (event.target !== row || !["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
    const rows = [...this.list.querySelectorAll(".message[data-message-id]")];
    const at = rows.indexOf(row);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 }[event.key];
    if (!rows[to]) return;
    event.preventDefault();
    this.roveTo(rows[to]);
    rows[to].focus();
  }

  scrolled() {
    const { scroller, app } = this;
    this.pinned = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM_PX;
    this.jump.hidden = this.pinned;
    if (scroller.scrollTop < 200) this.loadOlder(app);
  }

  async loadOlder(app) {
    const { store } = app;
    const oldest = store.messagesOf(store.channelId)[0];
    if (this.loading || !oldest || store.complete.has(store.channelId)) return;
    this.loading = true;
    const height = this.scroller.scrollHeight;
    try {
      await app.loadHistory(store.channelId, oldest.id);
      if (!this.pinned) this.scroller.scrollTop += this.scroller.scrollHeight - height;
    } finally {
      this.loading = false;
    }
  }

  toBottom() {
    this.pinned = true;
    this.jump.hidden = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** @param {string} id */
  jumpTo(id) {
    const node = this.views.get(id)?.node;
    if (!node) return;
    node.scrollIntoView({ block: "center" });
    this.roveTo(node);
    node.focus({ preventScroll: true });
  }

  announce(message) {
    const { store } = this.app;
    if (message.author.id === store.me.id) return;
    const only = message.flags & EPHEMERAL ? " (only you can see this)" : "";
    this.status.textContent =
      message.flags & LOADING
        ? `${store.nameOf(message.author)} is thinking`
        : `${store.nameOf(message.author)}${only}: ${excerpt(message)}`;
  }
}

function continues(before, message) {
  if (!before || before.author.id !== message.author.id) return false;
  if (
    message.interaction_metadata?.type === 2 ||
    message.interaction ||
    message.referenced_message ||
    message.type === 19
  )
    return false;
  if ((before.flags & EPHEMERAL) !== (message.flags & EPHEMERAL)) return false;
  return new Date(message.timestamp) - new Date(before.timestamp) < GROUP_WITHIN_MS;
}
