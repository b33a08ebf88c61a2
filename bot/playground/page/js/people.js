// Everyone of the server, by what they are.

import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { icon } from "./icons.js";

const ORDER = ["owner", "moderator"];

export class People {
  /** @param {any} app @param {HTMLElement} node */
  constructor(app, node) {
    this.app = app;
    this.node = node;
    app.store.on("state", () => this.render());
  }

  render() {
    const { store } = this.app;
    const groups = new Map([
      ["Owner", []],
      ["Moderators", []],
      ["Members", []],
    ]);
    for (const person of store.people.values()) {
      if (person.user.bot) continue;
      const rank = ORDER.indexOf(person.label);
      [...groups.values()][rank < 0 ? 2 : rank].push(person);
    }
    groups.set(
      "Apps",
      this.app.everyone().filter(({ user }) => user.bot),
    );
    this.node.replaceChildren(
      ...[...groups]
        .filter(([, list]) => list.length)
        .map(([name, list]) =>
          h(
            "section",
            { class: "people-group", "aria-label": name },
            h("h2", {}, `${name} — ${list.length}`),
            h(
              "ul",
              {},
              list.map((person) => h("li", {}, this.row(person))),
            ),
          ),
        ),
    );
  }

  row({ user, label }) {
    const { store } = this.app;
    const name = store.nameOf(user);
    const application = store.applications.find((one) => one.id === user.id);
    const offline = application && !application.online;
    const note = user.bot
      ? offline
        ? "offline"
        : "app"
      : user.id === store.me.id
        ? "you"
        : ["owner", "moderator", "member"].includes(label)
          ? ""
          : label;
    const open = (event) => this.app.menus.person(event, user);
    return h(
      "div",
      { class: `person ${offline ? "is-offline" : ""}`, on: { contextmenu: open } },
      avatar(user, name, "medium"),
      h(
        "span",
        { class: "person-text" },
        h("span", { class: `person-name ${this.app.roleClass(user)}` }, name),
        note && h("span", { class: "person-note" }, note),
      ),
      h(
        "button",
        {
          type: "button",
          class: "icon-button person-more",
          "aria-label": `Actions for ${name}`,
          "aria-haspopup": "menu",
          on: { click: open },
        },
        icon("dots"),
      ),
    );
  }
}
