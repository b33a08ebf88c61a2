// A list to choose from, driven by whatever element holds the focus (through aria-activedescendant).

import { h, uniqueId } from "./dom.js";

/** @typedef {{label: string, description?: string, detail?: string, lead?: Node|string|null, group?: string, selected?: boolean, value: any}} Item */

export class Listbox {
  /** @param {{label: string, className?: string, multiple?: boolean, onChoose: (item: Item) => void, onActive?: (item: Item|null) => void}} options */
  constructor({ label, className = "", multiple = false, onChoose, onActive }) {
    this.onChoose = onChoose;
    this.onActive = onActive;
    this.items = [];
    this.nodes = [];
    this.active = -1;
    this.node = h("div", {
      id: uniqueId("list"),
      class: `listbox ${className}`,
      role: "listbox",
      "aria-label": label,
      "aria-multiselectable": multiple || null,
    });
    this.node.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  /** @param {Item[]} items @param {number} [active] index lit at first; -1 for none */
  setItems(items, active = 0) {
    this.items = items;
    this.nodes = [];
    const content = [];
    let group;
    items.forEach((item, index) => {
      if (item.group && item.group !== group)
        content.push(h("div", { class: "listbox-group", role: "presentation" }, item.group));
      group = item.group;
      const node = h(
        "div",
        {
          id: uniqueId("option"),
          class: "listbox-item",
          role: "option",
          "aria-selected": String(Boolean(item.selected)),
          on: { click: () => this.onChoose(item), pointermove: () => this.setActive(index) },
        },
        item.lead && h("span", { class: "listbox-lead" }, item.lead),
        h(
          "span",
          { class: "listbox-text" },
          h("span", { class: "listbox-label" }, item.label),
          item.description && h("span", { class: "listbox-description" }, item.description),
        ),
        item.detail && h("span", { class: "listbox-detail" }, item.detail),
      );
      this.nodes.push(node);
      content.push(node);
    });
    this.node.replaceChildren(...content);
    this.active = -1;
    this.setActive(Math.min(active, items.length - 1));
  }

  /** @param {number} index */
  setActive(index) {
    if (index === this.active) return;
    this.nodes[this.active]?.classList.remove("is-active");
    this.active = index;
    const node = this.nodes[index];
    node?.classList.add("is-active");
    node?.scrollIntoView?.({ block: "nearest" });
    this.describe();
    this.onActive?.(this.items[index] ?? null);
  }

  /** @param {HTMLElement} input the focused element that shall name the lit item */
  attach(input) {
    this.input?.removeAttribute("aria-activedescendant");
    this.input = input;
    input?.setAttribute("aria-controls", this.node.id);
    this.describe();
  }

  describe() {
    const node = this.nodes[this.active];
    if (node) this.input?.setAttribute("aria-activedescendant", node.id);
    else this.input?.removeAttribute("aria-activedescendant");
  }

  /** @param {number} by */
  move(by) {
    if (!this.items.length) return;
    const from = this.active < 0 && by < 0 ? 0 : this.active;
    this.setActive((from + by + this.items.length) % this.items.length);
  }

  /** @returns {boolean} whether there was a lit item to choose */
  chooseActive() {
    const item = this.items[this.active];
    if (item) this.onChoose(item);
    return Boolean(item);
  }

  /** Arrow keys, Home and End. @param {KeyboardEvent} event @returns {boolean} whether it was one of them */
  key(event) {
    if (event.key === "ArrowDown") this.move(1);
    else if (event.key === "ArrowUp") this.move(-1);
    else return false;
    event.preventDefault();
    return true;
  }
}
