// Files waiting to be sent with a plain message.

import { h, formatBytes } from "./dom.js";
import { icon } from "./icons.js";

const MOST_FILES = 10;

export class Tray {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.files = [];
    this.node = h("ul", { class: "tray", "aria-label": "Files to send", hidden: true });
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      if (this.files.length >= MOST_FILES) {
        this.app.toasts.show(`A message holds at most ${MOST_FILES} files.`);
        break;
      }
      this.files.push(file);
    }
    this.paint();
  }

  /** @returns {File[]} the files, which leave the tray */
  take() {
    const { files } = this;
    this.files = [];
    this.paint();
    return files;
  }

  paint() {
    this.node.hidden = !this.files.length;
    for (const image of this.node.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    this.node.replaceChildren(...this.files.map((file, index) => this.card(file, index)));
  }

  card(file, index) {
    const preview = /^image\/(png|jpeg|webp|gif)$/.test(file.type)
      ? h("img", { src: URL.createObjectURL(file), alt: "" })
      : icon("file");
    return h(
      "li",
      { class: "tray-card" },
      h("span", { class: "tray-preview" }, preview),
      h("span", { class: "tray-name" }, file.name),
      h("span", { class: "file-size" }, formatBytes(file.size)),
      h(
        "button",
        {
          type: "button",
          class: "icon-button",
          "aria-label": `Remove ${file.name}`,
          on: {
            click: () => {
              this.files.splice(index, 1);
              this.paint();
            },
          },
        },
        icon("close"),
      ),
    );
  }
}
