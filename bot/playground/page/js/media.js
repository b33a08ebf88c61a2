// Pictures and files in messages. A picture that changes by an edit is swapped only once the new one has loaded, and then gently.

import { h, fileUrl, formatBytes } from "./dom.js";
import { icon } from "./icons.js";

const WIDEST = 544;
const TALLEST = 432;
const FADE_MS = 450;
const SPOILER_FLAG = 1 << 3;

/** @param {any} file attachment @returns {boolean} */
export function isImage(file) {
  return (
    (file.content_type ?? "").startsWith("image/") ||
    (!file.content_type && /\.(png|jpe?g|webp|gif)$/i.test(file.filename ?? ""))
  );
}

/** @param {any} file attachment @returns {boolean} */
export function isSpoiler(file) {
  return (
    Boolean((file.flags ?? 0) & SPOILER_FLAG) || Boolean(file.spoiler) || (file.filename ?? "").startsWith("SPOILER_")
  );
}

/** The path without its signature: the same file has the same path however often its address is renewed. */
function identity(address) {
  return fileUrl(address)?.pathname ?? "";
}

/** One picture at one place of one message; it lives across the message's edits. */
export class Frame {
  /** @param {any} app @param {boolean} mosaic whether it fills a cell beside others */
  constructor(app, mosaic = false) {
    this.app = app;
    this.mosaic = mosaic;
    this.shown = null;
    this.wanted = null;
    this.revealed = false;
    this.stack = h("span", { class: "frame-stack" });
    this.open = h("a", { class: "frame-open", on: { click: (event) => this.clicked(event) } }, this.stack);
    this.cover = h(
      "button",
      { type: "button", class: "frame-cover", on: { click: () => this.reveal() } },
      h("span", { class: "frame-cover-label" }, "Spoiler"),
    );
    this.node = h("div", { class: mosaic ? "frame frame-mosaic" : "frame" }, this.open);
  }

  /** @param {{url: string, width?: number, height?: number, description?: string, name?: string, spoiler?: boolean}} picture */
  update(picture) {
    this.picture = picture;
    this.open.href = fileUrl(picture.url)?.href ?? "#";
    this.open.setAttribute(
      "aria-label",
      picture.description ? `Picture: ${picture.description}` : `Picture ${picture.name ?? ""}`.trim(),
    );
    this.open.title = picture.description ?? "";
    this.cover.setAttribute("aria-label", `Show the hidden picture ${picture.name ?? ""}`.trim());
    this.measure(picture.width, picture.height);
    this.applySpoiler();
    const same = identity(picture.url) === identity(this.wanted ?? "");
    if (same && !this.broken) {
      const image = this.stack.lastElementChild;
      if (image) image.alt = picture.description ?? "";
      return;
    }
    this.wanted = picture.url;
    this.load(picture);
  }

  /** A better picture of the same shape never makes its place smaller, so that a growing preview stands still. */
  measure(width, height) {
    if (!width || !height) return;
    const scale = Math.min(1, WIDEST / width, TALLEST / height);
    const [w, hgt] = [width * scale, height * scale];
    const sameShape = this.size && Math.abs(this.size.w / this.size.h - w / hgt) < 0.04;
    if (!(sameShape && this.size.w >= w)) this.size = { w, h: hgt };
    this.node.style.setProperty("--frame-width", `${Math.round(this.size.w)}px`);
    this.node.style.setProperty("--frame-ratio", `${this.size.w} / ${this.size.h}`);
    this.node.classList.add("is-measured");
  }

  applySpoiler() {
    const hidden = Boolean(this.picture.spoiler) && !this.revealed;
    this.node.classList.toggle("is-hidden", hidden);
    this.open.inert = hidden;
    if (hidden) this.node.append(this.cover);
    else this.cover.remove();
  }

  reveal() {
    this.revealed = true;
    this.applySpoiler();
    this.open.focus({ preventScroll: true });
  }

  async load(picture) {
    const image = new Image();
    image.alt = picture.description ?? "";
    image.decoding = "async";
    image.draggable = false;
    image.className = "frame-image";
    image.src = fileUrl(picture.url)?.href ?? "";
    this.node.classList.toggle("is-empty", !this.shown);
    try {
      await image.decode();
    } catch {
      if (this.wanted === picture.url) this.failed();
      return;
    }
    if (this.wanted !== picture.url) return;
    this.broken = false;
    this.measure(picture.width ?? image.naturalWidth, picture.height ?? image.naturalHeight);
    this.swap(image);
  }

  swap(image) {
    const before = [...this.stack.children];
    const first = !before.length;
    image.classList.add(first ? "is-first" : "is-arriving");
    this.stack.append(image);
    this.node.classList.remove("is-empty", "is-broken");
    this.shown = image;
    setTimeout(() => {
      image.classList.remove("is-first", "is-arriving");
      for (const old of before) old.remove();
    }, FADE_MS);
  }

  /** The picture's address may have run out: ask once for a new one, and keep what is on the screen. */
  failed() {
    this.node.classList.remove("is-empty");
    if (!this.shown) this.node.classList.add("is-broken");
    if (!this.broken) this.app.renewAddresses();
    this.broken = true;
  }

  clicked(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.app.lightbox.open(this);
  }
}

/**
 * A row of pictures: one as large as it is, several as a mosaic.
 * @param {any[]} pictures
 * @param {(index: number, mosaic: boolean) => Frame} frameAt keeps the frames of earlier edits
 * @returns {HTMLElement}
 */
export function mosaic(pictures, frameAt) {
  const many = pictures.length > 1;
  const frames = pictures.map((picture, index) => {
    const frame = frameAt(index, many);
    frame.update(picture);
    return frame.node;
  });
  return h("div", { class: many ? `mosaic mosaic-${Math.min(frames.length, 5)}` : "single" }, frames);
}

/**
 * @param {any} file attachment that is not a picture
 * @returns {HTMLElement}
 */
export function fileCard(file) {
  const url = fileUrl(file.url);
  const name = file.filename ?? file.name ?? "file";
  if (url && (file.content_type ?? "").startsWith("video/"))
    return h("video", {
      class: "player",
      src: url.href,
      controls: true,
      preload: "metadata",
      "aria-label": file.description ?? name,
    });
  if (url && (file.content_type ?? "").startsWith("audio/"))
    return h("audio", {
      class: "player",
      src: url.href,
      controls: true,
      preload: "metadata",
      "aria-label": file.description ?? name,
    });
  return h(
    "div",
    { class: "file-card" },
    icon("file"),
    h(
      "div",
      { class: "file-text" },
      url
        ? h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", download: name }, name)
        : h("span", {}, name),
      h("span", { class: "file-size" }, formatBytes(file.size)),
    ),
    url &&
      h(
        "a",
        { class: "icon-button", href: url.href, download: name, "aria-label": `Download ${name}` },
        icon("download"),
      ),
  );
}
