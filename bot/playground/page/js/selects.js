// Select menus of messages and modals: a button that opens a list, with a search field where the list is long.

import { h, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { Listbox } from "./listbox.js";
import { KINDS_OF_SELECT, entityItems, filterItems } from "./entities.js";

const SEARCH_FROM = 8;

export class SelectControl {
  /**
   * @param {any} app
   * @param {any} component a select of any kind
   * @param {{label?: string, onCommit: (values: string[]) => void}} options
   */
  constructor(app, component, { label, onCommit }) {
    this.app = app;
    this.component = component;
    this.onCommit = onCommit;
    this.minimum = component.min_values ?? 1;
    this.maximum = component.max_values ?? 1;
    this.multiple = this.maximum > 1;
    this.items = this.makeItems();
    this.values = this.initialValues();
    const placeholder = component.placeholder ?? (this.multiple ? "Make your selections" : "Make a selection");
    this.placeholder = placeholder;
    this.shown = h("span", { class: "select-shown" });
    this.button = h(
      "button",
      {
        type: "button",
        class: "select",
        role: "combobox",
        id: uniqueId("select"),
        disabled: component.disabled,
        "aria-haspopup": "listbox",
        "aria-expanded": "false",
        "aria-label": label ?? placeholder,
        data: { key: `component:${component.custom_id}` },
        on: { click: () => this.toggle(), keydown: (event) => this.buttonKey(event) },
      },
      this.shown,
      icon("down"),
    );
    this.node = h("div", { class: "select-box" }, this.button);
    this.paint();
  }

  makeItems() {
    const { component } = this;
    if (component.type !== 3)
      return entityItems(this.app, KINDS_OF_SELECT[component.type] ?? [], component.channel_types);
    return (component.options ?? []).map((option) => ({
      value: option.value,
      label: option.label,
      description: option.description,
      lead: option.emoji?.id ? null : (option.emoji?.name ?? null),
      isDefault: option.default,
    }));
  }

  initialValues() {
    if (this.component.type === 3) return this.items.filter((item) => item.isDefault).map((item) => item.value);
    return (this.component.default_values ?? []).map((value) => value.id);
  }

  paint() {
    const chosen = this.items.filter((item) => this.values.includes(item.value));
    const labels = chosen.map((item) =>
      this.multiple ? h("span", { class: "select-tag" }, item.label) : h("span", {}, item.label),
    );
    this.shown.replaceChildren(
      ...(labels.length ? labels : [h("span", { class: "select-placeholder" }, this.placeholder)]),
    );
    this.button.setAttribute("aria-description", chosen.map((item) => item.label).join(", "));
  }

  toggle() {
    if (this.popup) this.close(true);
    else this.open();
  }

  buttonKey(event) {
    if (!this.popup && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      this.open();
    }
  }

  open() {
    this.draft = [...this.values];
    this.list = new Listbox({
      label: this.placeholder,
      multiple: this.multiple,
      className: this.multiple ? "listbox-multiple" : "",
      onChoose: (item) => this.choose(item),
    });
    this.search = h("input", {
      class: "select-search",
      type: "text",
      role: "combobox",
      "aria-expanded": "true",
      "aria-label": "Search",
      placeholder: "Search",
      autocomplete: "off",
      on: { input: () => this.fill() },
    });
    const searching = this.items.length >= SEARCH_FROM || this.component.type !== 3;
    this.popup = h(
      "div",
      { class: "popup select-popup", on: { keydown: (event) => this.key(event) } },
      searching && this.search,
      this.list.node,
      this.multiple &&
        h(
          "button",
          { type: "button", class: "button button-primary select-done", on: { click: () => this.close(true) } },
          "Done",
        ),
    );
    this.list.node.tabIndex = searching ? -1 : 0;
    this.node.append(this.popup);
    this.button.setAttribute("aria-expanded", "true");
    const focus = searching ? this.search : this.list.node;
    this.list.attach(focus);
    this.fill();
    this.place();
    focus.focus({ preventScroll: true });
    this.outside = (event) => !this.node.contains(event.target) && this.close(true);
    document.addEventListener("pointerdown", this.outside, true);
    this.node.addEventListener(
      "focusout",
      (this.left = (event) => event.relatedTarget && !this.node.contains(event.relatedTarget) && this.close(true)),
    );
  }

  /** Open upwards where there is more room above. */
  place() {
    const box = this.button.getBoundingClientRect();
    this.popup.classList.toggle("is-above", innerHeight - box.bottom < Math.min(320, box.top));
  }

  fill() {
    const items = filterItems(this.items, this.search.value).map((item) => ({
      ...item,
      selected: this.draft.includes(item.value),
    }));
    const chosen = items.findIndex((item) => item.selected);
    this.list.setItems(items, Math.max(0, chosen));
    this.list.node.classList.toggle("is-empty", !items.length);
  }

  choose(item) {
    if (!this.multiple) {
      this.draft = this.draft.includes(item.value) && this.minimum === 0 ? [] : [item.value];
      this.picked = true;
      this.close(true);
      return;
    }
    if (this.draft.includes(item.value)) this.draft = this.draft.filter((value) => value !== item.value);
    else if (this.draft.length < this.maximum) this.draft.push(item.value);
    const active = this.list.active;
    this.fill();
    this.list.setActive(active);
  }

  key(event) {
    if (this.list.key(event)) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close(false);
    } else if (event.key === "Enter" || (event.key === " " && event.target !== this.search)) {
      if (event.target.closest("button")) return;
      event.preventDefault();
      this.list.chooseActive();
    }
  }

  /** @param {boolean} commit whether what was chosen counts */
  close(commit) {
    if (!this.popup) return;
    document.removeEventListener("pointerdown", this.outside, true);
    this.node.removeEventListener("focusout", this.left);
    const inside = this.popup.contains(document.activeElement);
    this.popup.remove();
    this.popup = null;
    this.button.setAttribute("aria-expanded", "false");
    if (inside) this.button.focus({ preventScroll: true });
    const changed = this.draft.join("\n") !== this.values.join("\n") || this.picked;
    this.picked = false;
    if (!commit || !changed || this.draft.length < this.minimum) return;
    this.values = this.draft;
    this.paint();
    this.onCommit(this.values);
  }
}
