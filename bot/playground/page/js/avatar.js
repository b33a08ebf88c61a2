// The round faces: a person's initial on a colour of their own, a mark for applications.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const TINTS = 8;

/**
 * @param {any} user
 * @param {string} name what is shown for them
 * @param {string} [size] "small" or "large"
 * @returns {HTMLElement} decoration only: the name stands beside it
 */
export function avatar(user, name, size = "") {
  const tint = user ? Number(BigInt(user.id) % BigInt(TINTS)) : 0;
  const face = user?.bot ? icon("brush") : [...(name || "?")][0].toUpperCase();
  return h(
    "span",
    { class: `avatar ${user?.bot ? "avatar-app" : `tint-${tint}`} ${size && `avatar-${size}`}`, "aria-hidden": "true" },
    face,
  );
}
