// Where one writes: plain messages, and slash commands by way of the picker and the command line.

import { h } from "./dom.js";
import { Refusal } from "./api.js";
import { CommandLine } from "./commandline.js";
import { interactionData, leavesHere, matchLeaves, takeCommand } from "./commands.js";
import { entityItems, filterItems } from "./entities.js";
import { icon } from "./icons.js";
import { Listbox } from "./listbox.js";
import { allows } from "./permissions.js";
import { ReplyBar } from "./reply.js";
import { Tray } from "./tray.js";

export class Composer {
  /** @param {any} app @param {HTMLFormElement} form */
  constructor(app, form) {
    this.app = app;
    this.form = form;
    this.line = null;
    this.drafts = new Map();
    this.tray = new Tray(app);
    this.replyBar = new ReplyBar(app);
    this.text = h("textarea", { class: "composer-text", rows: 1, "aria-label": "Message", autocomplete: "off", enterkeyhint: "send", on: { input: () => this.typed(), keydown: (event) => this.key(event), blur: () => this.closePicker(), focus: () => this.updatePicker() } });
    this.picker = new Listbox({ label: "Commands", className: "command-picker", onChoose: (item) => (item.kind ? this.completeMention(item) : this.begin(item.value, "")) });
    this.panel = h("div", { class: "composer-panel", hidden: true });
    this.field = h("div", { class: "composer-field" }, this.text);
    this.fileInput = h("input", { type: "file", multiple: true, class: "visually-hidden", tabIndex: -1, "aria-label": "Files", on: { change: () => this.takeFiles(this.fileInput.files) } });
    this.attach = h("button", { type: "button", class: "icon-button composer-attach", "aria-label": "Attach files", on: { click: () => this.fileInput.click() } }, icon("plus"));
    this.sendButton = h("button", { type: "submit", class: "icon-button composer-send", "aria-label": "Send" }, icon("send"));
    form.append(this.panel, this.replyBar.node, this.tray.node, h("div", { class: "composer-row" }, this.attach, this.fileInput, this.field, this.sendButton));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    form.addEventListener("focusout", (event) => this.line && !form.contains(event.relatedTarget) && (this.panel.hidden = true));
    form.addEventListener("focusin", () => this.line && (this.panel.hidden = false));
    form.addEventListener("paste", (event) => this.pasted(event));
    this.acceptDrops();
  }

  /** Another channel or person: what was begun here waits for its channel to be opened again. */
  reset() {
    const { store } = this.app;
    const { channel } = store;
    if (this.line) this.endCommand("");
    const draft = `${store.me.id}.${channel?.id}`;
    if (this.draft) this.drafts.set(this.draft, this.text.value);
    if (draft !== this.draft) this.text.value = this.drafts.get(draft) ?? "";
    this.draft = draft;
    this.replyBar.clear();
    this.fit();
    const title = channel ? this.app.channelTitle(channel) : "";
    const allowed = channel && allows(channel.permissions, "SEND_MESSAGES");
    const name = channel?.type === 1 ? `Message @${title}` : `Message ${title}`;
    this.text.setAttribute("aria-label", name);
    this.text.placeholder = allowed ? name : "You may read here, but not write.";
    this.text.disabled = !allowed;
    this.attach.disabled = !allowed;
    this.closePicker();
  }

  typed() {
    this.fit();
    const taken = takeCommand(leavesHere(this.app.store), this.text.value);
    if (taken) this.begin(taken.leaf, taken.rest);
    else this.updatePicker();
  }

  fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
  }

  updatePicker() {
    const typed = this.text.value;
    const mention = this.line || document.activeElement !== this.text ? null : /(?:^|\s)@([\w.]{0,32})$/.exec(typed.slice(0, this.text.selectionStart));
    if (mention) return this.offerPeople(mention[1]);
    if (this.line || !/^\/[^\n]*$/.test(typed) || typed.length > 40) return this.closePicker();
    const leaves = leavesHere(this.app.store);
    const found = matchLeaves(leaves, typed.slice(1));
    const items = found.map((leaf) => ({ label: `/${leaf.name}`, description: leaf.description, detail: leaf.application.name, lead: icon("brush"), value: leaf }));
    return this.offer("Commands", found.length ? "Type to filter, Tab or Enter to choose" : this.whyNone(leaves), items, "command-picker");
  }

  offer(title, hint, items, className) {
    this.panel.replaceChildren(h("div", { class: "command-hint" }, h("strong", {}, title), h("span", {}, hint)), this.picker.node);
    this.picker.node.className = `listbox ${className}`;
    this.picker.node.setAttribute("aria-label", title);
    this.picker.setItems(items, 0);
    this.picker.attach(this.text);
    this.text.setAttribute("aria-haspopup", "listbox");
    this.panel.hidden = false;
  }

  offerPeople(typed) {
    const items = filterItems(entityItems(this.app, ["user"]), typed);
    if (items.length) this.offer("People", "Tab or Enter to mention", items, "");
    else this.closePicker();
  }

  completeMention(item) {
    const at = this.text.selectionStart;
    const before = this.text.value.slice(0, at).replace(/@[\w.]*$/, `${item.description} `);
    this.text.setRangeText(before, 0, at, "end");
    this.closePicker();
    this.fit();
  }

  whyNone(leaves) {
    if (leaves.length) return "No command is called that.";
    return this.app.store.applications.some((one) => one.online) ? "No commands here." : "The application is offline. Its commands come back with it.";
  }

  closePicker() {
    if (this.line) return;
    this.panel.hidden = true;
    this.picker.setItems([]);
    for (const name of ["aria-activedescendant", "aria-haspopup", "aria-controls"]) this.text.removeAttribute(name);
  }

  /** @param {import("./commands.js").Leaf} leaf @param {string} rest text that already stands behind its name */
  begin(leaf, rest) {
    this.panel.hidden = false;
    this.line = new CommandLine(this.app, leaf, { panel: this.panel, onSubmit: () => this.submit(), onCancel: (text) => this.endCommand(text, true) });
    this.text.value = "";
    this.field.replaceChildren(this.line.node);
    this.form.classList.add("is-command");
    this.line.start(rest);
    const [file] = this.tray.files;
    if (file && this.line.takeFile(file)) this.tray.take();
  }

  /** A command named by a mention in a message. @param {string} name @param {string} id */
  startCommand(name, id) {
    const leaf = leavesHere(this.app.store).find((one) => one.command.id === id && one.name === name) ?? leavesHere(this.app.store).find((one) => one.name === name);
    if (leaf) this.begin(leaf, "");
    else this.app.toasts.show(`/${name} cannot be used here.`);
  }

  endCommand(text, focus = false) {
    this.line = null;
    this.form.classList.remove("is-command");
    this.field.replaceChildren(this.text);
    this.text.value = text;
    this.panel.hidden = true;
    this.fit();
    if (focus) {
      this.text.focus();
      if (text) this.updatePicker();
    }
  }

  key(event) {
    if (event.isComposing) return;
    const picking = !this.panel.hidden && this.picker.items.length > 0;
    if (picking && this.picker.key(event)) return;
    if (picking && (event.key === "Tab" && !event.shiftKey || event.key === "Enter" && !event.shiftKey)) {
      event.preventDefault();
      this.picker.chooseActive();
    } else if (event.key === "Escape" && !this.panel.hidden) {
      event.preventDefault();
      this.closePicker();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape" && this.replyBar.target) {
      event.preventDefault();
      this.replyBar.clear();
    } else if (event.key === "ArrowUp" && !this.text.value) {
      this.app.timeline.lastMessage()?.focus();
      event.preventDefault();
    }
  }

  submit() {
    return this.line ? this.sendCommand() : this.sendText();
  }

  async sendText() {
    const { app } = this;
    const content = this.text.value.trim();
    if (!content && !this.tray.files.length) return;
    if (/^\/\w/.test(content) && !leavesHere(app.store).length) {
      app.toasts.show(this.whyNone([]));
      return;
    }
    const files = this.tray.take();
    this.text.value = "";
    this.fit();
    this.closePicker();
    try {
      app.store.applyMessage(await app.api.send(app.store.channelId, { content: this.withMentions(content), ...this.replyBar.take() }, files), true);
      app.timeline.toBottom();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!this.text.value) this.text.value = content;
      this.tray.add(files);
      app.toasts.show(error.message);
    }
  }

  /** `@username` as typed becomes the mark-up of a mention. */
  withMentions(content) {
    return content.replace(/@([\w.]+)/g, (typed, name) => {
      const found = this.app.everyone().find(({ user }) => [user.username, this.app.store.nameOf(user)].some((one) => one.toLowerCase() === name.toLowerCase()));
      return found ? `<@${found.user.id}>` : typed;
    });
  }

  async sendCommand() {
    const { app, line } = this;
    const options = line.values();
    if (!options) return;
    const channelId = app.store.channelId;
    this.endCommand("", true);
    app.timeline.toBottom();
    try {
      for (const option of options) if (option.value instanceof File) option.value = (await app.api.upload(option.value)).id;
      await app.interactions.send({ type: 2, channel_id: channelId, data: interactionData(line.leaf, options) }, { kind: "command", label: `/${line.leaf.name}` });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      app.toasts.show(error.message);
      if (!this.line && !this.text.value && app.store.channelId === channelId) this.restore(line);
    }
  }

  /** Give a refused command back to be mended. */
  restore(line) {
    this.begin(line.leaf, "");
    for (const old of line.pills) {
      const pill = this.line.pillFor(old.option.name);
      if (old.file) pill.setFile(old.file);
      else if (old.chosen) pill.choose(old.chosen);
      else pill.setText(old.text);
    }
    this.line.tail.focus();
  }

  /** @param {any} message to be answered */
  replyTo(message) {
    if (this.line) this.endCommand("");
    this.replyBar.set(message);
    this.text.focus();
  }

  /** @param {string} text */
  insert(text) {
    if (this.line || this.text.disabled) return;
    this.text.value += text;
    this.text.focus();
    this.typed();
  }

  takeFiles(list) {
    const files = [...list];
    this.fileInput.value = "";
    if (this.text.disabled || !files.length) return;
    if (this.line) {
      if (!this.line.takeFile(files[0])) this.app.toasts.show("This command takes no file.");
    } else this.tray.add(files);
  }

  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.takeFiles(files);
  }

  acceptDrops() {
    const zone = document.getElementById("conversation");
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    zone.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      zone.classList.add("is-dropping");
    });
    zone.addEventListener("dragleave", (event) => !zone.contains(event.relatedTarget) && zone.classList.remove("is-dropping"));
    zone.addEventListener("drop", (event) => {
      zone.classList.remove("is-dropping");
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.takeFiles(event.dataTransfer.files);
    });
  }
}
