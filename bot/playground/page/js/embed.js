// Embeds: the framed cards that applications attach to messages.

import { h, fileUrl } from "./dom.js";
import { prose, link } from "./prose.js";
import { stampText } from "./time.js";

/**
 * @param {any} embed
 * @param {any} app
 * @param {(key: string) => import("./media.js").Frame} frameAt keeps the frames of earlier edits
 * @returns {HTMLElement}
 */
export function embedCard(embed, app, frameAt) {
  const card = h("article", { class: "embed", "aria-label": embed.title ? `Embed: ${embed.title}` : "Embed" });
  if (Number.isInteger(embed.color)) card.style.setProperty("--embed-colour", colourOf(embed.color));
  const body = h(
    "div",
    { class: "embed-body" },
    embed.provider?.name && h("div", { class: "embed-provider" }, embed.provider.name),
    embed.author?.name &&
      h("div", { class: "embed-author" }, picture(embed.author.icon_url), linked(embed.author.name, embed.author.url)),
    embed.title &&
      h(
        "div",
        { class: "embed-title" },
        embed.url ? link(embed.url, prose(embed.title, app)) : prose(embed.title, app),
      ),
    embed.description && h("div", { class: "prose embed-description" }, prose(embed.description, app)),
    embed.fields?.length > 0 &&
      h(
        "dl",
        { class: "embed-fields" },
        rowsOf(embed.fields).map(([field, share]) =>
          h(
            "div",
            { class: `embed-field share-${share}` },
            h("dt", {}, prose(field.name, app)),
            h("dd", { class: "prose" }, prose(field.value, app)),
          ),
        ),
      ),
  );
  card.append(body);
  if (embed.thumbnail?.url) card.append(framed(frameAt("thumbnail"), embed.thumbnail, "embed-thumbnail"));
  if (embed.image?.url) card.append(framed(frameAt("image"), embed.image, "embed-image"));
  const foot = [embed.footer?.text, embed.timestamp && stampText(new Date(embed.timestamp))]
    .filter(Boolean)
    .join(" · ");
  if (foot) card.append(h("footer", { class: "embed-footer" }, picture(embed.footer?.icon_url), foot));
  return card;
}

/** Inline fields stand up to three in a row, and share it evenly. */
function rowsOf(fields) {
  const rows = [];
  for (const field of fields) {
    const row = rows.at(-1);
    if (field.inline && row?.[0].inline && row.length < 3) row.push(field);
    else rows.push([field]);
  }
  return rows.flatMap((row) => row.map((field) => [field, row.length]));
}

/** @param {number} colour 0xRRGGBB @returns {string} */
export function colourOf(colour) {
  return `#${colour.toString(16).padStart(6, "0").slice(-6)}`;
}

function framed(frame, media, className) {
  frame.update({ url: media.url, width: media.width, height: media.height, description: media.description });
  return h("div", { class: className }, frame.node);
}

function linked(text, address) {
  return address ? link(address, [text]) : text;
}

function picture(address) {
  const url = address && fileUrl(address);
  return url ? h("img", { class: "embed-icon", src: url.href, alt: "" }) : null;
}
