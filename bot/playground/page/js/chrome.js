// The frame around the conversation: title bar, drawers, theme, age gate, connection bar, typing line.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const TYPING_MS = 9000;
const byId = (id) => document.getElementById(id);

export class Chrome {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.typing = new Map();
    const { store } = app;
    store.on("channel", () => this.render());
    store.on("state", () => this.render());
    store.on("connection", () => (byId("connection").hidden = store.connected));
    this.drawers();
    this.themeButton();
    byId("skip").addEventListener("click", (event) => {
      event.preventDefault();
      app.composer.text.focus();
    });
  }

  render() {
    const { app } = this;
    const { channel } = app.store;
    if (!channel) return;
    byId("channel-icon").replaceChildren(icon(app.world.channelIcon(channel)));
    byId("channel-title").textContent = channel.type === 1 ? app.channelTitle(channel) : channel.name;
    byId("channel-topic").textContent = channel.topic ?? "";
    byId("messages").setAttribute("aria-label", `Messages in ${app.channelTitle(channel)}`);
    this.gate(channel);
    this.offlineNote();
  }

  /** Before the first look into an age-restricted channel one says that one is of age. */
  gate(channel) {
    const { app } = this;
    const shut = app.gateShut(channel);
    const gate = byId("gate");
    const wasShut = !gate.hidden;
    gate.hidden = !shut;
    for (const id of ["scroller", "composer"]) byId(id).hidden = shut;
    if (!shut || (wasShut && gate.dataset.channel === channel.id)) return;
    gate.dataset.channel = channel.id;
    const title = h("h2", { tabIndex: -1 }, "Age-restricted channel");
    gate.replaceChildren(
      h("span", { class: "gate-mark" }, icon("warn")),
      title,
      h(
        "p",
        {},
        `${app.channelTitle(channel)} may hold pictures that are not suitable for minors. Enter only if you are 18 or older.`,
      ),
      h(
        "div",
        { class: "gate-buttons" },
        h(
          "button",
          { type: "button", class: "button button-secondary", on: { click: () => app.openFirst() } },
          "Take me back",
        ),
        h(
          "button",
          { type: "button", class: "button button-danger", on: { click: () => app.passGate(channel.id) } },
          "I am 18 or older",
        ),
      ),
    );
    title.focus();
  }

  offlineNote() {
    const offline = this.app.store.applications.filter((one) => !one.online);
    const note = byId("offline");
    note.hidden = !offline.length;
    note.textContent = offline.length
      ? `${offline.map((one) => one.name).join(", ")} is offline. Commands work again when it is back.`
      : "";
  }

  drawers() {
    const { classList } = document.body;
    const wide = matchMedia("(min-width: 1101px)");
    const peopleButton = byId("toggle-people");
    const set = (name, open) => {
      classList.toggle(name, open);
      byId("open-channels").setAttribute("aria-expanded", String(classList.contains("is-channels-open")));
      peopleButton.setAttribute("aria-expanded", String(classList.contains("is-people-open")));
    };
    const toWidth = () => {
      set("is-people-open", wide.matches);
      set("is-channels-open", false);
    };
    toWidth();
    wide.addEventListener("change", toWidth);
    byId("open-channels").addEventListener("click", () => {
      set("is-channels-open", true);
      byId("close-channels").focus();
    });
    peopleButton.addEventListener("click", () => set("is-people-open", !classList.contains("is-people-open")));
    const closeAll = () => {
      if (!wide.matches) set("is-people-open", false);
      const inside = byId("sidebar").contains(document.activeElement);
      set("is-channels-open", false);
      if (inside) byId("open-channels").focus();
    };
    for (const id of ["scrim", "close-channels"]) byId(id).addEventListener("click", closeAll);
    document.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && closeAll());
    this.closeDrawers = closeAll;
  }

  themeButton() {
    const button = byId("theme");
    const paint = () => {
      const dark = document.documentElement.dataset.theme === "dark";
      button.replaceChildren(icon(dark ? "sun" : "moon"));
      button.setAttribute("aria-label", dark ? "Use the light theme" : "Use the dark theme");
    };
    button.addEventListener("click", () => {
      const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      localStorage.setItem("atelier.theme", theme);
      document.documentElement.dataset.theme = theme;
      paint();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(paint));
    paint();
  }

  /** @param {string} channelId @param {string} userId */
  startTyping(channelId, userId) {
    if (channelId !== this.app.store.channelId || userId === this.app.store.me.id) return;
    clearTimeout(this.typing.get(userId));
    this.typing.set(
      userId,
      setTimeout(() => this.stopTyping(userId), TYPING_MS),
    );
    this.paintTyping();
  }

  /** @param {string} [userId] everyone, when left out */
  stopTyping(userId) {
    for (const id of userId ? [userId] : [...this.typing.keys()]) {
      clearTimeout(this.typing.get(id));
      this.typing.delete(id);
    }
    this.paintTyping();
  }

  paintTyping() {
    const names = [...this.typing.keys()]
      .map((id) => this.app.world.botById(id))
      .filter(Boolean)
      .map(({ user }) => this.app.store.nameOf(user));
    byId("typing").textContent = names.length ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} typing…` : "";
  }
}
