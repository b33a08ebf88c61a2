// One option of the command being typed: its name, its field, what it suggests.

import { h, formatBytes } from "./dom.js";
import { icon } from "./icons.js";
import { OPTION, readValue } from "./commands.js";
import { KINDS_OF_OPTION, entityItems, filterItems } from "./entities.js";

const AUTOCOMPLETE_DELAY_MS = 180;

export class Pill {
  /**
   * @param {any} app
   * @param {any} option
   * @param {{onChange: (pill: Pill) => void, onFocus: (pill: Pill) => void, onKey: (event: KeyboardEvent, pill: Pill) => void, autocomplete: (pill: Pill) => Promise<any[]>}} line
   */
  constructor(app, option, line) {
    this.app = app;
    this.option = option;
    this.line = line;
    this.chosen = null;
    this.file = null;
    this.problem = null;
    this.isFile = option.type === OPTION.ATTACHMENT;
    this.field = this.isFile ? this.fileField() : this.textField();
    this.node = h(
      "div",
      { class: "pill", data: { option: option.name } },
      h("span", { class: "pill-name", on: { click: () => this.field.focus() } }, option.name),
      this.field,
    );
  }

  /** @returns {boolean} whether it offers a list while it is being filled */
  get suggests() {
    const { option } = this;
    return Boolean(
      option.choices?.length || option.autocomplete || option.type === OPTION.BOOLEAN || KINDS_OF_OPTION[option.type],
    );
  }

  textField() {
    const { option } = this;
    return h("textarea", {
      class: "pill-field",
      rows: 1,
      spellcheck: option.type === OPTION.STRING,
      "aria-label": option.name,
      "aria-description": option.description,
      "aria-required": Boolean(option.required) || null,
      role: this.suggests ? "combobox" : null,
      "aria-expanded": this.suggests ? "false" : null,
      autocomplete: "off",
      inputmode: { 4: "numeric", 10: "decimal" }[option.type],
      enterkeyhint: "send",
      on: {
        input: () => this.typed(),
        focus: () => this.line.onFocus(this),
        keydown: (event) => this.line.onKey(event, this),
      },
    });
  }

  fileField() {
    const { option } = this;
    this.input = h("input", {
      type: "file",
      class: "visually-hidden",
      tabIndex: -1,
      "aria-label": `File for ${option.name}`,
      on: { change: () => this.input.files[0] && this.setFile(this.input.files[0]) },
    });
    this.fileName = h("span", {}, "Choose a file");
    const button = h(
      "button",
      {
        type: "button",
        class: "pill-file",
        "aria-label": option.name,
        "aria-description": option.description,
        on: {
          click: () => this.input.click(),
          focus: () => this.line.onFocus(this),
          keydown: (event) => this.line.onKey(event, this),
        },
      },
      icon("image"),
      this.fileName,
    );
    const box = h("span", { class: "pill-file-box" }, button, this.input);
    box.focus = () => button.focus();
    return box;
  }

  /** @param {File} file */
  setFile(file) {
    this.file = file;
    this.fileName.textContent = `${file.name} · ${formatBytes(file.size)}`;
    this.setProblem(null);
    this.line.onChange(this);
  }

  get text() {
    return this.isFile ? "" : this.field.value;
  }

  /** @param {string} text */
  setText(text) {
    if (this.isFile) return;
    this.field.value = text;
    this.chosen = null;
    this.fit();
  }

  get empty() {
    return this.isFile ? !this.file : !this.field.value;
  }

  typed() {
    this.chosen = null;
    this.setProblem(null);
    this.fit();
    this.line.onChange(this);
  }

  /** As wide as its text and as high as its lines, where the style sheet alone cannot do it. */
  fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.field.cols = Math.max(2, Math.min(60, this.field.value.length + 1));
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  focus() {
    this.field.focus();
    if (!this.isFile) this.field.setSelectionRange(this.field.value.length, this.field.value.length);
  }

  /** @param {import("./listbox.js").Item} item */
  choose(item) {
    this.setText(item.label);
    this.chosen = item;
    this.setProblem(null);
  }

  /** @returns {Promise<import("./listbox.js").Item[]>} what to offer for the text so far; null when newer text has overtaken it */
  async suggestions() {
    const { option } = this;
    const typed = this.chosen ? "" : this.text;
    if (option.choices?.length)
      return filterItems(
        option.choices.map((choice) => ({ label: choice.name, value: choice.value })),
        typed,
      );
    if (option.type === OPTION.BOOLEAN)
      return filterItems(
        [
          { label: "True", value: true },
          { label: "False", value: false },
        ],
        typed,
      );
    if (KINDS_OF_OPTION[option.type])
      return filterItems(entityItems(this.app, KINDS_OF_OPTION[option.type], option.channel_types), typed);
    if (!option.autocomplete || this.chosen) return [];
    const asked = (this.asked ?? 0) + 1;
    this.asked = asked;
    await new Promise((resolve) => setTimeout(resolve, AUTOCOMPLETE_DELAY_MS));
    if (this.asked !== asked) return null;
    const choices = await this.line.autocomplete(this);
    return this.asked === asked ? choices.map((choice) => ({ label: String(choice.name), value: choice.value })) : null;
  }

  /** @returns {{value?: any, problem?: string, skip?: boolean}} */
  read() {
    const { option } = this;
    if (this.empty) return option.required ? { problem: "This option is required. Give it a value." } : { skip: true };
    if (this.isFile) return { value: this.file };
    if (this.chosen) return { value: this.chosen.value };
    if (KINDS_OF_OPTION[option.type]) {
      const items = entityItems(this.app, KINDS_OF_OPTION[option.type], option.channel_types);
      const exact = items.find(
        (item) => item.label.replace(/^@/, "").toLowerCase() === this.text.trim().replace(/^[@#]/, "").toLowerCase(),
      );
      return exact ? { value: exact.value } : { problem: "Choose one from the list." };
    }
    return readValue(option, this.text);
  }

  /** @param {string|null} problem */
  setProblem(problem) {
    this.problem = problem;
    this.node.classList.toggle("is-wrong", Boolean(problem));
    if (!this.isFile) {
      if (problem) this.field.setAttribute("aria-invalid", "true");
      else this.field.removeAttribute("aria-invalid");
    }
  }
}
