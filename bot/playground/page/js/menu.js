// Menus that open at a point: keyboard, submenus, type-ahead.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** @typedef {{label: string, icon?: string, danger?: boolean, lead?: Node, checked?: boolean, detail?: string, run?: () => void, items?: MenuEntry[]}} MenuItem */
/** @typedef {MenuItem|"divider"} MenuEntry */

export class Menu {
  /**
   * @param {MenuEntry[]} entries
   * @param {{label: string, box: {left: number, right: number, top: number, bottom: number}, opener?: HTMLElement, above?: boolean}} options
   */
  constructor(entries, { label, box, opener, above = false }) {
    Menu.current?.close(false);
    Menu.current = this;
    this.opener = opener ?? document.activeElement;
    this.stack = [];
    this.root = h("div", { class: "menu-root", on: { contextmenu: (event) => event.preventDefault() } });
    document.body.append(this.root);
    this.openPanel(entries, label, box, above ? "above" : "below");
    this.outside = (event) => !this.root.contains(event.target) && this.close(false);
    this.away = () => this.close(false);
    document.addEventListener("pointerdown", this.outside, true);
    window.addEventListener("resize", this.away);
    window.addEventListener("blur", this.away);
  }

  openPanel(entries, label, box, side) {
    const panel = h(
      "div",
      { class: "menu", role: "menu", "aria-label": label, on: { keydown: (event) => this.key(event) } },
      entries.map((entry) =>
        entry === "divider" ? h("div", { class: "menu-divider", role: "separator" }) : this.itemNode(entry),
      ),
    );
    this.root.append(panel);
    this.stack.push(panel);
    place(panel, box, side);
    panel.querySelector(".menu-item")?.focus({ preventScroll: true });
  }

  itemNode(entry) {
    const node = h(
      "button",
      {
        type: "button",
        class: `menu-item ${entry.danger ? "is-danger" : ""}`,
        role: entry.checked === undefined ? "menuitem" : "menuitemradio",
        tabIndex: -1,
        "aria-checked": entry.checked === undefined ? null : String(entry.checked),
        "aria-haspopup": entry.items ? "menu" : null,
        on: { click: () => this.run(entry, node), pointerenter: () => this.hover(entry, node) },
      },
      entry.lead,
      h("span", { class: "menu-label" }, entry.label),
      entry.detail && h("span", { class: "menu-detail" }, entry.detail),
      entry.items ? icon("right") : entry.checked ? icon("check") : entry.icon && icon(entry.icon),
    );
    node.entry = entry;
    return node;
  }

  hover(entry, node) {
    node.focus({ preventScroll: true });
    const level = this.levelOf(node);
    while (this.stack.length > level + 1) this.stack.pop().remove();
    if (entry.items) {
      this.openSub(entry, node);
      node.focus({ preventScroll: true });
    }
  }

  levelOf(node) {
    return this.stack.findIndex((panel) => panel.contains(node));
  }

  openSub(entry, node) {
    while (this.stack.length > this.levelOf(node) + 1) this.stack.pop().remove();
    this.openPanel(entry.items, entry.label, node.getBoundingClientRect(), "beside");
  }

  run(entry, node) {
    if (entry.items) return this.openSub(entry, node);
    this.close(true);
    return entry.run?.();
  }

  key(event) {
    const panel = this.stack.at(-1);
    const items = [...panel.querySelectorAll(".menu-item")];
    const at = items.indexOf(document.activeElement);
    const jump = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (jump !== undefined) items.at(jump % items.length)?.focus();
    else if (event.key === "ArrowRight" && items[at]?.entry.items) this.openSub(items[at].entry, items[at]);
    else if (event.key === "ArrowLeft" || event.key === "Escape") this.back(event.key === "Escape");
    else if (event.key === "Tab") this.close(true);
    else if (event.key.length === 1 && event.key !== " ")
      items.find((item) => item.textContent.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  back(escape) {
    if (this.stack.length === 1) {
      if (escape) this.close(true);
      return;
    }
    const closed = this.stack.pop();
    closed.remove();
    const opener = [...this.stack.at(-1).querySelectorAll("[aria-haspopup]")].find((item) =>
      item.textContent.startsWith(closed.getAttribute("aria-label")),
    );
    (opener ?? this.stack.at(-1).querySelector(".menu-item"))?.focus();
  }

  /** @param {boolean} refocus whether the element that opened it takes the focus again */
  close(refocus) {
    document.removeEventListener("pointerdown", this.outside, true);
    window.removeEventListener("resize", this.away);
    window.removeEventListener("blur", this.away);
    this.root.remove();
    if (Menu.current === this) Menu.current = null;
    if (refocus && this.opener?.isConnected) this.opener.focus({ preventScroll: true });
  }
}

/** Beside or under its box, and always inside the window. */
function place(panel, box, side) {
  const { offsetWidth: width, offsetHeight: height } = panel;
  let left = side === "beside" ? box.right - 4 : box.left;
  let top = side === "beside" ? box.top - 6 : side === "above" ? box.top - height - 6 : box.bottom + 4;
  if (left + width > innerWidth - 8) left = side === "beside" ? box.left - width + 4 : box.right - width;
  if (top + height > innerHeight - 8) top = side === "beside" ? innerHeight - height - 8 : box.top - height - 4;
  panel.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  panel.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`;
}
