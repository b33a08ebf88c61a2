// One person's client: it wires the parts together, follows the address, and keeps the store true to the server.

import { Api, Refusal } from "./api.js";
import { Chrome } from "./chrome.js";
import { Composer } from "./composer.js";
import { EventStream } from "./events.js";
import { Interactions } from "./interactions.js";
import { Lightbox } from "./lightbox.js";
import { Menus } from "./menus.js";
import { Modal } from "./modal.js";
import { EPHEMERAL } from "./permissions.js";
import { People } from "./people.js";
import { Sidebar } from "./sidebar.js";
import { Store } from "./store.js";
import { Timeline } from "./timeline.js";
import { Toasts } from "./toast.js";
import { World } from "./world.js";

const RETRY_MS = 1500;
const RENEW_EVERY_MS = 5000;
const byId = (id) => document.getElementById(id);

export class App {
  constructor() {
    this.store = new Store();
    this.world = new World(this.store);
    this.api = new Api(null);
    this.toasts = new Toasts();
    this.lightbox = new Lightbox();
    this.menus = new Menus(this);
    this.interactions = new Interactions(this.store, () => this.api);
    this.composer = new Composer(this, byId("composer"));
    this.timeline = new Timeline(this, {
      scroller: byId("scroller"),
      list: byId("messages"),
      status: byId("announcer"),
      jump: byId("jump"),
    });
    this.sidebar = new Sidebar(this, { channels: byId("channels"), self: byId("self"), title: byId("guild-name") });
    this.people = new People(this, byId("people-list"));
    this.chrome = new Chrome(this);
    window.addEventListener("hashchange", () => this.followAddress());
  }

  everyone() {
    return this.world.everyone();
  }
  bot() {
    return this.world.bot();
  }
  botById(id) {
    return this.world.botById(id);
  }
  recipientOf(channel) {
    return this.world.recipientOf(channel);
  }
  channelTitle(channel) {
    return this.world.channelTitle(channel);
  }
  channelIcon(channel) {
    return this.world.channelIcon(channel);
  }
  roleClass(user) {
    return this.world.roleClass(user);
  }

  /** Begin as whom the address names, or as whom the server chooses. */
  async start() {
    await this.enter(this.address().as);
  }

  address() {
    const hash = new URLSearchParams(location.hash.slice(1));
    const search = new URLSearchParams(location.search);
    return { as: hash.get("as") ?? search.get("as"), channel: hash.get("channel") ?? search.get("channel") };
  }

  writeAddress() {
    const hash = `#${new URLSearchParams({ channel: this.store.channelId, as: this.store.me.id })}`;
    if (location.hash !== hash) history.pushState(null, "", hash);
  }

  async followAddress() {
    const { as, channel } = this.address();
    if (as && as !== this.store.me?.id) await this.enter(as);
    else if (this.store.channels.has(channel) && channel !== this.store.channelId) this.openChannel(channel);
  }

  /** @param {string} userId another person of the guild, from now on */
  async become(userId) {
    if (userId !== this.store.me.id) await this.enter(userId, this.store.channelId);
  }

  async enter(as, channelId = this.address().channel) {
    this.events?.close();
    this.api = new Api(as);
    const state = await this.firstState();
    this.api = new Api(state.me.id);
    Object.assign(this.store, {
      messages: new Map(),
      complete: new Set(),
      pending: new Map(),
      unread: new Set(),
      channelId: null,
    });
    this.store.applyState(state);
    this.events = new EventStream(state.me.id, {
      onEvent: (name, data) => this.receive(name, data),
      onOpen: (again) => this.connected(again),
      onLost: () => this.store.setConnected(false),
    });
    const wanted = [...this.store.channels.values()].find(
      (channel) => channel.id === channelId || channel.name === channelId,
    );
    this.openChannel((wanted ?? this.firstChannel()).id);
    byId("app").hidden = false;
    byId("splash").hidden = true;
    this.composer.text.focus();
  }

  async firstState() {
    for (;;) {
      try {
        return await this.api.state();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.status >= 400 && error.status < 500 && this.api.as) this.api = new Api(null);
        else {
          byId("splash-text").textContent = error.message;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    }
  }

  firstChannel() {
    return [...this.store.channels.values()]
      .filter((channel) => channel.type !== 1)
      .sort((a, b) => (a.position ?? 0) - (b.position ?? 0))[0];
  }

  openFirst() {
    this.openChannel(this.firstChannel().id);
  }

  /** @param {string} botId */
  openDirect(botId) {
    const channel = [...this.store.channels.values()].find(
      (one) => one.type === 1 && this.recipientOf(one)?.id === botId,
    );
    if (channel) this.openChannel(channel.id);
    else this.toasts.show("There is no direct message with this one.");
  }

  /** @param {string} channelId */
  openChannel(channelId) {
    this.store.openChannel(channelId);
    this.writeAddress();
    this.chrome.stopTyping();
    this.chrome.closeDrawers();
    this.composer.reset();
    this.timeline.reset();
    if (!this.gateShut(this.store.channel)) this.showChannel();
  }

  showChannel() {
    if (!this.store.messages.has(this.store.channelId)) this.loadHistory(this.store.channelId);
    if (matchMedia("(hover: hover)").matches) this.composer.text.focus();
  }

  /** @param {any} channel @returns {boolean} */
  gateShut(channel) {
    return Boolean(channel.nsfw) && !this.store.gatePassed(channel.id);
  }

  /** @param {string} channelId */
  passGate(channelId) {
    this.store.passGate(channelId);
    this.showChannel();
  }

  /** @param {string} channelId @param {string} [before] older than this message; without it the newest ones, instead of what was known */
  async loadHistory(channelId, before) {
    const { store, api } = this;
    // Of two fetches under way only the later one counts: the earlier one knows less than what was told since.
    const fetch = before ? null : store.expectHistory(channelId);
    try {
      const list = await api.messages(channelId, before);
      if (api === this.api && store.isNewest(channelId, fetch)) store.applyHistory(channelId, list, !before);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (api === this.api) this.toasts.show(error.message);
    }
  }

  async reloadState() {
    const { api, store } = this;
    clearTimeout(this.reloading);
    try {
      const state = await api.state();
      if (api !== this.api) return;
      store.applyState(state);
      if (!store.channels.has(store.channelId)) this.openFirst();
      else this.composer.updatePicker();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.reloading = setTimeout(() => this.reloadState(), RETRY_MS);
    }
  }

  /** What happened before the line stood was not told: it is fetched. After a gap nothing that was known can be trusted. */
  connected(again) {
    const { store } = this;
    store.setConnected(true);
    if (again) {
      for (const id of [...store.messages.keys()]) if (id !== store.channelId) store.messages.delete(id);
      store.settle(() => true);
      this.reloadState();
    }
    if (!this.gateShut(store.channel)) this.loadHistory(store.channelId);
  }

  receive(name, data) {
    switch (name) {
      case "MESSAGE_CREATE":
        this.chrome.stopTyping(data.author.id);
        return this.store.applyMessage(data, true);
      case "MESSAGE_UPDATE":
        return this.store.applyMessage(data, false);
      case "MESSAGE_DELETE":
        return this.store.dropMessage(data.channel_id, data.id);
      case "MODAL_OPEN":
        return this.openModal(data);
      case "TYPING_START":
        return this.chrome.startTyping(data.channel_id, data.user_id);
      case "COMMANDS_UPDATE":
      case "APPLICATION_STATUS":
        clearTimeout(this.reloading);
        this.reloading = setTimeout(() => this.reloadState(), 80);
        return undefined;
      default:
        return name.startsWith("INTERACTION_") ? this.interactions.receive(name, data) : undefined;
    }
  }

  openModal(data) {
    const asked = this.store.pending.get(data.nonce);
    this.interactions.finish(data.nonce, { ok: true });
    new Modal(this, data, data.channel_id ?? asked?.channelId ?? this.store.channelId);
  }

  /** Delete a message, or put an ephemeral one away. @param {any} message */
  async removeMessage(message) {
    try {
      await this.api.remove(message.channel_id, message.id);
      this.store.dropMessage(message.channel_id, message.id);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (message.flags & EPHEMERAL) this.store.dropMessage(message.channel_id, message.id);
      else this.toasts.show(error.message);
    }
  }

  /** Picture addresses run out: fetching the messages again renews them. */
  renewAddresses() {
    if (Date.now() - (this.renewedAt ?? 0) < RENEW_EVERY_MS) return;
    this.renewedAt = Date.now();
    this.loadHistory(this.store.channelId);
  }
}
