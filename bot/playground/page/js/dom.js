// Building the page's elements: text always goes in as text nodes, never as HTML.

/**
 * Make an element. Props: `class`, `data` (dataset), `on` (listeners), attributes with a hyphen, other keys as properties.
 * Null, undefined and false props and children are left out.
 * @param {string} tag
 * @param {Object<string, any>} [props]
 * @param {...(Node|string|null|undefined|false|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) setProp(node, key, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const ATTRIBUTES = new Set(["role", "for", "list", "inputmode", "enterkeyhint", "popover"]);

function setProp(node, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === "class") node.className = value;
  else if (key === "data") Object.assign(node.dataset, value);
  else if (key === "on") for (const [name, listener] of Object.entries(value)) node.addEventListener(name, listener);
  else if (key.includes("-") || ATTRIBUTES.has(key)) node.setAttribute(key, value === true ? "true" : String(value));
  else node[key] = value;
}

/**
 * Make the children of `parent` exactly `nodes`, touching only what differs, so that what stays keeps its focus and its transitions.
 * @param {Element} parent
 * @param {Node[]} nodes
 */
export function syncChildren(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.childNodes[index] !== node) parent.insertBefore(node, parent.childNodes[index] ?? null);
  });
}

let counter = 0;

/**
 * An id that no other element of the page has.
 * @param {string} stem
 * @returns {string}
 */
export function uniqueId(stem) {
  counter += 1;
  return `${stem}-${counter}`;
}

/**
 * A nonce in the shape of a snowflake, as Discord's own client makes them.
 * @returns {string}
 */
export function makeNonce() {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] & 0x3fffff;
  return ((BigInt(Date.now() - 1420070400000) << 22n) + BigInt(random)).toString();
}

/**
 * @param {string} text
 * @returns {URL|null} the address if it is a complete http(s) one, or a path on this server
 */
export function safeUrl(text) {
  try {
    const url = new URL(String(text), location.href);
    return ["http:", "https:"].includes(url.protocol) || url.protocol === "blob:" ? url : null;
  } catch {
    return null;
  }
}

/**
 * Files of this server are asked for at the address the page itself came from, by whichever name that is reached.
 * @param {string} address of a picture or file
 * @returns {URL|null}
 */
export function fileUrl(address) {
  const url = safeUrl(address);
  return url?.pathname.startsWith("/cdn/") ? new URL(url.pathname + url.search, location.origin) : url;
}

/**
 * @param {number} bytes
 * @returns {string}
 */
export function formatBytes(bytes) {
  if (!Number.isFinite(bytes)) return "";
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}
