// The line above the field that says which message is being answered.

import { h } from "./dom.js";
import { icon } from "./icons.js";

export class ReplyBar {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.target = null;
    this.node = h("div", { class: "reply-bar", hidden: true });
  }

  /** @param {any} message */
  set(message) {
    this.target = message;
    this.node.hidden = false;
    this.node.replaceChildren(
      h(
        "span",
        {},
        "Replying to ",
        h("strong", { class: this.app.roleClass(message.author) }, this.app.store.nameOf(message.author)),
      ),
      h(
        "button",
        { type: "button", class: "icon-button", "aria-label": "Cancel reply", on: { click: () => this.clear() } },
        icon("close"),
      ),
    );
  }

  clear() {
    this.target = null;
    this.node.hidden = true;
  }

  /** @returns {Object} what the reply adds to the message that is sent; nothing where none is being answered */
  take() {
    const { target } = this;
    this.clear();
    return target ? { message_reference: { message_id: target.id, channel_id: target.channel_id } } : {};
  }
}
