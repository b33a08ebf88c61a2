// Where one writes: plain messages, and slash commands by way of the picker and the command line.

import { h } from "./dom.js";
import { Refusal } from "./api.js";
import { CommandLine } from "./commandline.js";
import { interactionData, leavesHere, takeCommand } from "./commands.js";
import { takeFilesFrom } from "./drops.js";
import { icon } from "./icons.js";
import { allows } from "./permissions.js";
import { Picker } from "./picker.js";
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
    this.text = h("textarea", {
      class: "composer-text",
      rows: 1,
      "aria-label": "Message",
      autocomplete: "off",
      enterkeyhint: "send",
      on: {
        input: () => this.typed(),
        keydown: (event) => this.key(event),
        blur: () => this.closePicker(),
        focus: () => this.updatePicker(),
      },
    });
    this.panel = h("div", { class: "composer-panel", hidden: true });
    this.picker = new Picker(app, this.text, this.panel, {
      onCommand: (leaf) => this.begin(leaf, ""),
      onMention: (username) => this.completeMention(username),
    });
    this.field = h("div", { class: "composer-field" }, this.text);
    this.fileInput = h("input", {
      type: "file",
      multiple: true,
      class: "visually-hidden",
      tabIndex: -1,
      "aria-label": "Files",
      on: { change: () => this.takeFiles(this.fileInput.files) },
    });
    this.attach = h(
      "button",
      {
        type: "button",
        class: "icon-button composer-attach",
        "aria-label": "Attach files",
        on: { click: () => this.fileInput.click() },
      },
      icon("plus"),
    );
    this.sendButton = h(
      "button",
      { type: "submit", class: "icon-button composer-send", "aria-label": "Send" },
      icon("send"),
    );
    form.append(
      this.panel,
      this.replyBar.node,
      this.tray.node,
      h("div", { class: "composer-row" }, this.attach, this.fileInput, this.field, this.sendButton),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    form.addEventListener(
      "focusout",
      (event) => this.line && !form.contains(event.relatedTarget) && (this.panel.hidden = true),
    );
    form.addEventListener("focusin", () => this.line && (this.panel.hidden = false));
    takeFilesFrom(form, document.getElementById("conversation"), (files) => this.takeFiles(files));
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

  /** While a command is being filled in, the panel is its own. */
  updatePicker() {
    if (!this.line) this.picker.update();
  }

  closePicker() {
    if (!this.line) this.picker.close();
  }

  completeMention(username) {
    const at = this.text.selectionStart;
    const before = this.text.value.slice(0, at).replace(/@[\w.]*$/, `${username} `);
    this.text.setRangeText(before, 0, at, "end");
    this.closePicker();
    this.fit();
  }

  /** @param {import("./commands.js").Leaf} leaf @param {string} rest text that already stands behind its name */
  begin(leaf, rest) {
    this.panel.hidden = false;
    this.line = new CommandLine(this.app, leaf, {
      panel: this.panel,
      onSubmit: () => this.submit(),
      onCancel: (text) => this.endCommand(text, true),
    });
    this.text.value = "";
    this.field.replaceChildren(this.line.node);
    this.form.classList.add("is-command");
    this.line.start(rest);
    const [file] = this.tray.files;
    if (file && this.line.takeFile(file)) this.tray.take();
  }

  /** A command named by a mention in a message. @param {string} name @param {string} id */
  startCommand(name, id) {
    const leaf =
      leavesHere(this.app.store).find((one) => one.command.id === id && one.name === name) ??
      leavesHere(this.app.store).find((one) => one.name === name);
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
    const { isOpen, list } = this.picker;
    if (isOpen && list.key(event)) return;
    if (isOpen && ["Tab", "Enter"].includes(event.key) && !event.shiftKey) {
      event.preventDefault();
      list.chooseActive();
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
      app.toasts.show(this.picker.whyNone([]));
      return;
    }
    const files = this.tray.take();
    this.text.value = "";
    this.fit();
    this.closePicker();
    try {
      app.store.applyMessage(
        await app.api.send(
          app.store.channelId,
          { content: this.withMentions(content), ...this.replyBar.take() },
          files,
        ),
        true,
      );
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
      const found = this.app
        .everyone()
        .find(({ user }) =>
          [user.username, this.app.store.nameOf(user)].some((one) => one.toLowerCase() === name.toLowerCase()),
        );
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
      for (const option of options)
        if (option.value instanceof File) option.value = (await app.api.upload(option.value)).id;
      await app.interactions.send(
        { type: 2, channel_id: channelId, data: interactionData(line.leaf, options) },
        { kind: "command", label: `/${line.leaf.name}` },
      );
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
}
