// Message components of both generations, from buttons to containers.

import { h, safeUrl, syncChildren } from "./dom.js";
import { Refusal } from "./api.js";
import { icon } from "./icons.js";
import { colourOf } from "./embed.js";
import { fileCard, mosaic } from "./media.js";
import { prose } from "./prose.js";
import { SelectControl } from "./selects.js";

const BUTTON_STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "premium" };

/** The components of one message. What an edit leaves as it was keeps its element. */
export class ComponentTree {
  /** @param {import("./message.js").MessageView} view */
  constructor(view) {
    this.view = view;
    this.app = view.app;
    this.kept = new Map();
    this.node = h("div", { class: "components" });
  }

  /** @param {any[]} components */
  update(components) {
    this.seen = new Set();
    syncChildren(this.node, this.renderAll(components ?? [], "c"));
    for (const path of this.kept.keys()) if (!this.seen.has(path)) this.kept.delete(path);
    this.markBusy();
  }

  renderAll(components, path) {
    return components.map((component, index) => this.render(component, `${path}.${index}`)).filter(Boolean);
  }

  render(component, path) {
    this.seen.add(path);
    const before = this.kept.get(path);
    const source = JSON.stringify(component);
    if (before?.source === source) {
      for (const known of this.kept.keys()) if (known.startsWith(`${path}.`)) this.seen.add(known);
      return before.node;
    }
    const reuse = before && before.type === component.type ? before.node : null;
    const node = this.build(component, path, reuse);
    this.kept.set(path, { source, type: component.type, node });
    return node;
  }

  build(component, path, reuse) {
    switch (component.type) {
      case 1:
        return this.box(reuse, "action-row", this.renderAll(component.components ?? [], path));
      case 2:
        return this.button(component);
      case 9:
        return this.section(component, path, reuse);
      case 10:
        return h("div", { class: "prose text-display" }, prose(component.content, this.app));
      case 11:
        return this.thumbnail(component, path);
      case 12:
        return mosaic(component.items.map(mediaItem), (index, many) => this.view.frameAt(`${path}.item${index}`, many));
      case 13:
        return this.file(component);
      case 14:
        return h("div", {
          class: `separator ${component.spacing === 2 ? "is-large" : ""} ${component.divider === false ? "is-bare" : ""}`,
          role: component.divider === false ? null : "separator",
        });
      case 17:
        return this.container(component, path, reuse);
      default:
        return this.select(component);
    }
  }

  box(reuse, className, children) {
    const node = reuse ?? h("div", { class: className });
    syncChildren(node, children);
    return node;
  }

  section(component, path, reuse) {
    const body = this.renderAll(component.components ?? [], `${path}.body`);
    const accessory = component.accessory && this.render(component.accessory, `${path}.accessory`);
    const node =
      reuse ??
      h("div", { class: "section" }, h("div", { class: "section-body" }), h("div", { class: "section-accessory" }));
    syncChildren(node.children[0], body);
    syncChildren(node.children[1], accessory ? [accessory] : []);
    return node;
  }

  container(component, path, reuse) {
    const children = this.renderAll(component.components ?? [], path);
    const node = this.box(reuse, "container", children);
    const accented = Number.isInteger(component.accent_color);
    node.classList.toggle("is-accented", accented);
    if (accented) node.style.setProperty("--embed-colour", colourOf(component.accent_color));
    if (component.spoiler && !this.view.revealed.has(path)) this.coverWhole(node, path);
    return node;
  }

  coverWhole(node, path) {
    node.classList.add("is-hidden");
    node.append(
      h(
        "button",
        {
          type: "button",
          class: "frame-cover",
          "aria-label": "Show the hidden content",
          on: {
            click: (event) => {
              this.view.revealed.add(path);
              node.classList.remove("is-hidden");
              event.currentTarget.remove();
            },
          },
        },
        h("span", { class: "frame-cover-label" }, "Spoiler"),
      ),
    );
  }

  thumbnail(component, path) {
    const frame = this.view.frameAt(path, true);
    frame.update(mediaItem(component));
    return h("div", { class: "thumbnail" }, frame.node);
  }

  file(component) {
    const stored = this.view.message.attachments?.find(
      (file) => file.id === component.file?.attachment_id || file.url === component.file?.url,
    );
    return fileCard({
      ...stored,
      url: component.file?.url,
      filename: component.name ?? stored?.filename,
      size: component.size ?? stored?.size,
    });
  }

  button(component) {
    const style = BUTTON_STYLES[component.style] ?? "secondary";
    const face = [
      component.emoji?.name &&
        h("span", { class: "button-emoji" }, component.emoji.id ? `:${component.emoji.name}:` : component.emoji.name),
      component.label && h("span", {}, component.label),
    ];
    const name = component.label || component.emoji?.name || "Button";
    if (style === "link") {
      const url = /^https?:/i.test(component.url ?? "") ? safeUrl(component.url) : null;
      if (!url || component.disabled)
        return h(
          "button",
          { type: "button", class: "button button-secondary", disabled: true, "aria-label": name },
          face,
          icon("external"),
        );
      return h(
        "a",
        { class: "button button-secondary", href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" },
        face,
        icon("external"),
      );
    }
    return h(
      "button",
      {
        type: "button",
        class: `button button-${style}`,
        disabled: component.disabled,
        "aria-label": name,
        data: { key: `component:${component.custom_id}`, customId: component.custom_id ?? "" },
        on: { click: (event) => event.currentTarget.getAttribute("aria-busy") !== "true" && this.use(component) },
      },
      h("span", { class: "button-face" }, face),
      h("span", { class: "button-busy", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
    );
  }

  select(component) {
    if (![3, 5, 6, 7, 8].includes(component.type)) return null;
    return new SelectControl(this.app, component, { onCommit: (values) => this.use(component, values) }).node;
  }

  async use(component, values) {
    const { message } = this.view;
    const data = { custom_id: component.custom_id, component_type: component.type, ...(values && { values }) };
    if (component.style === 6)
      return this.app.toasts.show("The local Discord has no shop, so this button does nothing here.");
    try {
      await this.app.interactions.send(
        { type: 3, channel_id: message.channel_id, message_id: message.id, data },
        {
          kind: "component",
          label: component.label ?? "a component",
          messageId: message.id,
          customId: component.custom_id,
        },
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.app.toasts.show(error.message);
    }
    return undefined;
  }

  /** Show on the controls themselves which of them wait for the application. */
  markBusy() {
    const busy = new Set(
      [...this.app.store.pending.values()]
        .filter((pending) => pending.messageId === this.view.message.id && !pending.failed)
        .map((pending) => pending.customId),
    );
    for (const node of this.node.querySelectorAll("[data-custom-id]")) {
      if (busy.has(node.dataset.customId)) node.setAttribute("aria-busy", "true");
      else node.removeAttribute("aria-busy");
    }
  }
}

function mediaItem(item) {
  const media = item.media ?? {};
  return {
    url: media.url,
    width: media.width,
    height: media.height,
    description: item.description ?? media.description,
    spoiler: item.spoiler,
    name: (safeUrl(media.url)?.pathname ?? "").split("/").at(-1),
  };
}
