// A picture large, above everything: arrows leaf through the message's pictures, Escape closes.

import { h, fileUrl } from "./dom.js";
import { icon } from "./icons.js";

export class Lightbox {
  constructor() {
    this.image = h("img", { class: "lightbox-image", alt: "" });
    this.caption = h("p", { class: "lightbox-caption" });
    this.count = h("p", { class: "lightbox-count", "aria-live": "polite" });
    this.original = h(
      "a",
      { class: "lightbox-link", target: "_blank", rel: "noopener noreferrer" },
      icon("external"),
      "Open original",
    );
    this.previous = this.button("Previous picture", "left", "lightbox-previous", () => this.step(-1));
    this.next = this.button("Next picture", "right", "lightbox-next", () => this.step(1));
    this.closing = this.button("Close", "close", "lightbox-close", () => this.dialog.close());
    this.dialog = h(
      "dialog",
      {
        class: "lightbox",
        "aria-label": "Picture",
        on: { click: (event) => this.clicked(event), keydown: (event) => this.key(event), close: () => this.closed() },
      },
      this.previous,
      h(
        "figure",
        { class: "lightbox-figure" },
        this.image,
        h("figcaption", {}, this.caption, h("div", { class: "lightbox-foot" }, this.count, this.original)),
      ),
      this.next,
      this.closing,
    );
    document.body.append(this.dialog);
  }

  button(label, name, className, click) {
    return h(
      "button",
      { type: "button", class: `icon-button ${className}`, "aria-label": label, on: { click } },
      icon(name),
    );
  }

  /** @param {import("./media.js").Frame} frame the picture that was chosen */
  open(frame) {
    const all = frame.node.closest("[data-message-id]")?.querySelectorAll(".frame:not(.is-hidden, .is-broken)") ?? [
      frame.node,
    ];
    this.nodes = [...all].filter((node) => node.querySelector("img"));
    this.index = Math.max(0, this.nodes.indexOf(frame.node));
    this.opener = frame.open;
    this.show();
    if (!this.dialog.open) this.dialog.showModal();
    this.closing.focus();
  }

  show() {
    const link = this.nodes[this.index]?.querySelector(".frame-open");
    const image = link?.querySelector("img:last-of-type");
    if (!image) return;
    this.image.src = fileUrl(image.src)?.href ?? "";
    this.image.alt = image.alt;
    this.caption.textContent = image.alt;
    this.original.href = link.href;
    const many = this.nodes.length > 1;
    this.count.textContent = many ? `${this.index + 1} of ${this.nodes.length}` : "";
    this.previous.hidden = this.next.hidden = !many;
  }

  step(by) {
    this.index = (this.index + by + this.nodes.length) % this.nodes.length;
    this.show();
  }

  key(event) {
    if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "ArrowRight") this.step(1);
    else return;
    event.preventDefault();
  }

  clicked(event) {
    if (!event.target.closest("button, a, img, p")) this.dialog.close();
  }

  closed() {
    this.image.removeAttribute("src");
    if (this.opener?.isConnected) this.opener.focus({ preventScroll: true });
  }
}
