// The command being filled in: its name, its options as pills, and the end of the line where more options are added.

import { h, syncChildren } from "./dom.js";
import { icon } from "./icons.js";
import { limitsText, interactionData, splitRest } from "./commands.js";
import { Listbox } from "./listbox.js";
import { Pill } from "./pill.js";

export class CommandLine {
  /**
   * @param {any} app
   * @param {import("./commands.js").Leaf} leaf
   * @param {{panel: HTMLElement, onSubmit: () => void, onCancel: (text: string) => void}} composer
   */
  constructor(app, leaf, composer) {
    this.app = app;
    this.leaf = leaf;
    this.composer = composer;
    this.pills = [];
    this.tail = h("input", {
      class: "command-tail",
      type: "text",
      role: "combobox",
      "aria-expanded": "true",
      "aria-label": "More options",
      autocomplete: "off",
      spellcheck: false,
      enterkeyhint: "send",
      on: { input: () => this.showMore(), focus: () => this.showMore(), keydown: (event) => this.tailKey(event) },
    });
    this.badge = h("span", { class: "command-badge" }, `/${leaf.name}`);
    this.node = h("div", {
      class: "command-line",
      role: "group",
      "aria-label": `Command /${leaf.name}`,
      on: { click: (event) => event.target === this.node && this.tail.focus() },
    });
    this.suggestions = new Listbox({ label: "Values", onChoose: (item) => this.choose(item) });
    this.more = new Listbox({
      label: "More options",
      className: "chips",
      onChoose: (item) => this.add(item.value).focus(),
      onActive: (item) => this.describe(item?.value ?? null),
    });
    this.hint = h("div", { class: "command-hint", "aria-live": "polite" });
    composer.panel.replaceChildren(this.hint, this.suggestions.node, this.more.node);
    for (const option of leaf.options) if (option.required) this.add(option);
    this.paint();
  }

  /** @param {string} rest text typed behind the command's name */
  start(rest) {
    const given = splitRest(this.leaf, rest);
    for (const [name, text] of Object.entries(given)) this.pillFor(name).setText(text);
    const first = this.pills.find((pill) => pill.empty && pill.option.required) ?? this.pills.at(-1);
    if (first) first.focus();
    else this.tail.focus();
  }

  pillFor(name) {
    return (
      this.pills.find((pill) => pill.option.name === name) ??
      this.add(this.leaf.options.find((option) => option.name === name))
    );
  }

  /** @param {any} option @returns {Pill} */
  add(option) {
    const pill = new Pill(this.app, option, {
      onChange: (changed) => this.showPill(changed),
      onFocus: (focused) => this.showPill(focused),
      onKey: (event, focused) => this.pillKey(event, focused),
      autocomplete: (asking) => this.autocomplete(asking),
    });
    this.pills.push(pill);
    this.tail.value = "";
    this.paint();
    return pill;
  }

  /** @param {Pill} pill */
  remove(pill) {
    const at = this.pills.indexOf(pill);
    this.pills.splice(at, 1);
    this.paint();
    if (this.pills[at - 1]) this.pills[at - 1].focus();
    else this.tail.focus();
  }

  paint() {
    syncChildren(this.node, [this.badge, ...this.pills.map((pill) => pill.node), this.tail]);
    this.tail.placeholder = this.remaining().length ? `+${this.remaining().length} more` : "";
  }

  remaining() {
    return this.leaf.options.filter((option) => !this.pills.some((pill) => pill.option === option));
  }

  async showPill(pill) {
    this.current = pill;
    this.describe(pill.option, pill.problem);
    this.fillMore("");
    this.more.setActive(-1);
    this.more.attach(null);
    const items = pill.suggests ? await pill.suggestions() : [];
    if (items === null || this.current !== pill) return;
    this.suggestions.setItems(items, 0);
    this.suggestions.node.hidden = !items.length || Boolean(pill.chosen);
    if (pill.suggests && !pill.isFile) {
      this.suggestions.attach(pill.field);
      pill.field.setAttribute("aria-expanded", String(!this.suggestions.node.hidden));
    }
    if (pill.suggests && !items.length && pill.text && !pill.option.autocomplete)
      this.describe(pill.option, "Nothing in the list matches.");
  }

  showMore() {
    this.current = null;
    this.suggestions.node.hidden = true;
    const typed = this.tail.value.trim().toLowerCase();
    const named = this.remaining().find((option) => `${option.name}:` === typed);
    if (named) return this.add(named).focus();
    this.fillMore(typed);
    this.more.attach(this.tail);
    if (typed) this.more.setActive(this.more.items.length ? 0 : -1);
    if (this.more.active < 0) this.describe(null);
    return undefined;
  }

  fillMore(typed) {
    const items = this.remaining()
      .filter((option) => option.name.includes(typed))
      .map((option) => ({ label: option.name, lead: icon("plus"), value: option }));
    this.more.setItems(items, -1);
    this.more.node.hidden = !items.length;
  }

  describe(option, problem = null) {
    if (!option) {
      this.hint.replaceChildren(
        h("strong", {}, `/${this.leaf.name}`),
        h("span", {}, this.leaf.description),
        h("span", { class: "command-keys" }, "Enter sends"),
      );
      return;
    }
    const limits = limitsText(option);
    this.hint.replaceChildren(
      h("strong", {}, option.name),
      problem ? h("span", { class: "problem" }, problem) : h("span", {}, option.description),
      limits && !problem ? h("span", { class: "command-keys" }, limits) : "",
    );
  }

  /** @returns {boolean} whether a listed value was waiting to be taken */
  takeSuggestion() {
    if (this.suggestions.node.hidden || this.current?.chosen) return false;
    return this.suggestions.chooseActive();
  }

  choose(item) {
    const pill = this.current;
    if (!pill) return;
    pill.choose(item);
    this.suggestions.node.hidden = true;
    this.next(pill);
  }

  next(pill) {
    const after = this.pills[this.pills.indexOf(pill) + 1];
    if (after) after.focus();
    else this.tail.focus();
  }

  pillKey(event, pill) {
    if (event.isComposing) return;
    const at = this.pills.indexOf(pill);
    const { selectionStart: from, selectionEnd: to } = pill.isFile
      ? { selectionStart: 0, selectionEnd: 0 }
      : pill.field;
    if (!this.suggestions.node.hidden && this.suggestions.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !(pill.isFile && pill.empty)) {
      event.preventDefault();
      if (!this.takeSuggestion()) this.composer.onSubmit();
    } else if (event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      if (pill.empty || !this.takeSuggestion()) this.next(pill);
    } else if (event.key === "Tab" && at > 0) {
      event.preventDefault();
      this.pills[at - 1].focus();
    } else if (event.key === "Backspace" && pill.isFile && !pill.empty) {
      this.remove(pill);
      if (pill.option.required) this.add(pill.option).focus();
    } else if (event.key === "Backspace" && pill.chosen) {
      event.preventDefault();
      pill.setText("");
      this.showPill(pill);
    } else if (event.key === "Backspace" && pill.empty) {
      event.preventDefault();
      this.backspace(pill, at);
    } else if (event.key === "ArrowLeft" && from === 0 && to === 0 && at > 0) {
      event.preventDefault();
      this.pills[at - 1].focus();
    } else if (event.key === "ArrowRight" && from === pill.text.length && to === from) {
      event.preventDefault();
      this.next(pill);
    } else if (event.key === "Escape") this.escape(event);
  }

  backspace(pill, at) {
    if (!pill.option.required) this.remove(pill);
    else if (at > 0) this.pills[at - 1].focus();
    else if (this.pills.every((one) => one.empty)) this.composer.onCancel(`/${this.leaf.name}`);
  }

  /** First the list closes, then the command. */
  escape(event) {
    event.preventDefault();
    if (this.current?.suggests && !this.suggestions.node.hidden) {
      this.suggestions.node.hidden = true;
      return;
    }
    this.composer.onCancel("");
  }

  tailKey(event) {
    if (event.isComposing) return;
    const last = this.pills.at(-1);
    const lit = this.more.active >= 0;
    const empty = !this.tail.value;
    if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey && lit)) {
      event.preventDefault();
      if (!this.more.chooseActive()) this.composer.onSubmit();
    } else if (["ArrowDown", "ArrowRight"].includes(event.key) && (empty || event.key === "ArrowDown")) {
      event.preventDefault();
      this.more.move(1);
    } else if (["ArrowUp", "ArrowLeft"].includes(event.key) && (lit || event.key === "ArrowUp")) {
      event.preventDefault();
      if (this.more.active === 0) this.more.setActive(-1);
      else this.more.move(-1);
    } else if (["ArrowLeft", "Backspace"].includes(event.key) && empty) {
      event.preventDefault();
      if (last) last.focus();
      else if (event.key === "Backspace") this.composer.onCancel(`/${this.leaf.name}`);
    } else if (event.key === "Tab" && event.shiftKey && last) {
      event.preventDefault();
      last.focus();
    } else if (event.key === "Escape") this.escape(event);
  }

  /** A pasted or dropped file goes to the first option that takes one. @param {File} file @returns {boolean} */
  takeFile(file) {
    const pill = this.pills.find((one) => one.isFile && one.empty);
    const option = this.remaining().find((one) => one.type === 11);
    const target = pill ?? (option && this.add(option));
    target?.setFile(file);
    target?.focus();
    return Boolean(target);
  }

  /** @returns {{name: string, type: number, value: any}[]|null} null when something is missing or wrong; it is then shown */
  values() {
    if (this.tail.value.trim()) {
      this.describe({ name: `/${this.leaf.name}` }, `has no option called “${this.tail.value.trim()}”.`);
      return null;
    }
    const read = this.pills.map((pill) => [pill, pill.read()]);
    for (const [pill, answer] of read) pill.setProblem(answer.problem ?? null);
    const wrong = read.find(([, answer]) => answer.problem);
    if (wrong) {
      wrong[0].focus();
      this.showPill(wrong[0]);
      return null;
    }
    return read
      .filter(([, answer]) => !answer.skip)
      .map(([pill, answer]) => ({ name: pill.option.name, type: pill.option.type, value: answer.value }));
  }

  autocomplete(asking) {
    const options = this.pills
      .filter((pill) => pill === asking || (!pill.empty && !pill.isFile))
      .map((pill) => ({
        name: pill.option.name,
        type: pill.option.type,
        value: pill === asking ? pill.text : (pill.read().value ?? pill.text),
        ...(pill === asking && { focused: true }),
      }));
    return this.app.interactions.complete({
      type: 4,
      channel_id: this.app.store.channelId,
      data: interactionData(this.leaf, options),
    });
  }
}
