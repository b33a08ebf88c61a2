// The channels on one side, and who one is at its foot.

import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { icon } from "./icons.js";
import { Menu } from "./menu.js";

export class Sidebar {
  /** @param {any} app @param {{channels: HTMLElement, self: HTMLElement, title: HTMLElement}} nodes */
  constructor(app, { channels, self, title }) {
    Object.assign(this, { app, channels, self, title });
    const { store } = app;
    for (const name of ["state", "channel", "unread"]) store.on(name, () => this.render());
  }

  render() {
    const { store } = this.app;
    if (!store.guild) return;
    this.title.textContent = store.guild.name;
    const all = [...store.channels.values()];
    const groups = [
      ["Channels", all.filter((channel) => channel.type !== 1)],
      ["Direct messages", all.filter((channel) => channel.type === 1)],
    ];
    const before = document.activeElement?.dataset?.channelId;
    this.channels.replaceChildren(
      ...groups.filter(([, list]) => list.length).map(([name, list]) => this.group(name, list)),
    );
    if (before) this.channels.querySelector(`[data-channel-id="${CSS.escape(before)}"]`)?.focus();
    this.renderSelf();
    const waiting = store.unread.size;
    document.title = `${waiting ? `(${waiting}) ` : ""}${store.channel ? `${this.app.channelTitle(store.channel)} · ` : ""}${store.guild.name}`;
  }

  group(name, list) {
    const sorted = list.sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
    return h(
      "section",
      { class: "channel-group", "aria-label": name },
      h("h2", {}, name),
      h(
        "ul",
        {},
        sorted.map((channel) => h("li", {}, this.row(channel))),
      ),
    );
  }

  row(channel) {
    const { app } = this;
    const open = channel.id === app.store.channelId;
    const unread = app.store.unread.has(channel.id);
    const direct = channel.type === 1;
    const other = direct ? app.recipientOf(channel) : null;
    const marks = [channel.nsfw && "age-restricted", unread && "unread"].filter(Boolean);
    return h(
      "button",
      {
        type: "button",
        class: `channel ${open ? "is-open" : ""} ${unread ? "is-unread" : ""}`,
        "aria-current": open ? "page" : null,
        "aria-label": [app.channelTitle(channel), ...marks].join(", "),
        data: { channelId: channel.id },
        on: { click: () => app.openChannel(channel.id) },
      },
      direct ? avatar(other, app.channelTitle(channel), "small") : icon(app.channelIcon(channel)),
      h("span", { class: "channel-name" }, direct ? app.channelTitle(channel) : channel.name),
      channel.nsfw && h("span", { class: "age-tag" }, "18+"),
    );
  }

  renderSelf() {
    const { app } = this;
    const { store } = app;
    const me = store.me;
    const name = store.nameOf(me);
    const label = store.people.get(me.id)?.label ?? "member";
    this.self.replaceChildren(
      h(
        "button",
        {
          type: "button",
          class: "self",
          "aria-haspopup": "menu",
          "aria-label": `You are ${name}, ${label}. Switch person`,
          on: { click: (event) => this.choosePerson(event.currentTarget) },
        },
        avatar(me, name),
        h(
          "span",
          { class: "self-text" },
          h("span", { class: "self-name" }, name),
          h("span", { class: "self-label" }, label),
        ),
        h("span", { class: "self-swap" }, icon("swap")),
      ),
    );
  }

  choosePerson(opener) {
    const { app } = this;
    const entries = [...app.store.people.values()]
      .filter(({ user }) => !user.bot)
      .map(({ user, label }) => {
        const name = app.store.nameOf(user);
        return {
          label: name,
          detail: label,
          lead: avatar(user, name, "small"),
          checked: user.id === app.store.me.id,
          run: () => app.become(user.id),
        };
      });
    new Menu(entries, { label: "Be someone else", box: opener.getBoundingClientRect(), opener, above: true });
  }
}
