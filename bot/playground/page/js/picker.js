// What is offered while a plain line is being written: commands after a slash, people after an at sign.

import { h } from "./dom.js";
import { leavesHere, matchLeaves } from "./commands.js";
import { entityItems, filterItems } from "./entities.js";
import { icon } from "./icons.js";
import { Listbox } from "./listbox.js";

const LONGEST_COMMAND = 40;

export class Picker {
  /**
   * @param {any} app
   * @param {HTMLTextAreaElement} text
   * @param {HTMLElement} panel
   * @param {{onCommand: (leaf: import("./commands.js").Leaf) => void, onMention: (username: string) => void}} hooks
   */
  constructor(app, text, panel, { onCommand, onMention }) {
    Object.assign(this, { app, text, panel });
    const onChoose = (item) => (item.kind ? onMention(item.description) : onCommand(item.value));
    this.list = new Listbox({ label: "Commands", onChoose });
  }

  get isOpen() {
    return !this.panel.hidden && this.list.items.length > 0;
  }

  /** Offer what fits the text so far. */
  update() {
    const typed = this.text.value;
    const isWriting = document.activeElement === this.text;
    const mention = isWriting && /(?:^|\s)@([\w.]{0,32})$/.exec(typed.slice(0, this.text.selectionStart));
    if (mention) this.offerPeople(mention[1]);
    else if (/^\/[^\n]*$/.test(typed) && typed.length <= LONGEST_COMMAND) this.offerCommands(typed.slice(1));
    else this.close();
  }

  offerCommands(typed) {
    const leaves = leavesHere(this.app.store);
    const items = matchLeaves(leaves, typed).map((leaf) => ({
      label: `/${leaf.name}`,
      description: leaf.description,
      detail: leaf.application.name,
      lead: icon("brush"),
      value: leaf,
    }));
    const hint = items.length ? "Type to filter, Tab or Enter to choose" : this.whyNone(leaves);
    this.offer("Commands", hint, items, "command-picker");
  }

  offerPeople(typed) {
    const items = filterItems(entityItems(this.app, ["user"]), typed);
    if (items.length) this.offer("People", "Tab or Enter to mention", items, "");
    else this.close();
  }

  offer(title, hint, items, className) {
    const head = h("div", { class: "command-hint" }, h("strong", {}, title), h("span", {}, hint));
    this.panel.replaceChildren(head, this.list.node);
    this.list.node.className = `listbox ${className}`;
    this.list.node.setAttribute("aria-label", title);
    this.list.setItems(items, 0);
    this.list.attach(this.text);
    this.text.setAttribute("aria-haspopup", "listbox");
    this.panel.hidden = false;
  }

  /** @param {any[]} leaves every command that could be used here @returns {string} why none is offered */
  whyNone(leaves) {
    if (leaves.length) return "No command is called that.";
    const online = this.app.store.applications.some((one) => one.online);
    return online ? "No commands here." : "The application is offline. Its commands come back with it.";
  }

  close() {
    this.panel.hidden = true;
    this.list.setItems([]);
    for (const name of ["aria-activedescendant", "aria-haspopup", "aria-controls"]) this.text.removeAttribute(name);
  }
}
