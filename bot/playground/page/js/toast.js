// Short notices, mostly of what was refused and why.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 7000;

export class Toasts {
  constructor() {
    this.node = h("div", { class: "toasts", role: "status", "aria-live": "assertive" });
    document.body.append(this.node);
  }

  /** @param {string} sentence @param {"refusal"|"note"} [kind] */
  show(sentence, kind = "refusal") {
    const toast = h(
      "div",
      { class: `toast toast-${kind}` },
      icon(kind === "refusal" ? "warn" : "check"),
      h("p", {}, sentence),
      h(
        "button",
        { type: "button", class: "icon-button", "aria-label": "Close notice", on: { click: () => toast.remove() } },
        icon("close"),
      ),
    );
    const home = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
    if (this.node.parentElement !== home) home.append(this.node);
    this.node.append(toast);
    while (this.node.children.length > 3) this.node.firstElementChild.remove();
    setTimeout(() => toast.remove(), SHOWN_MS);
  }
}
