// Points in time: snowflakes, clocks, days and the moving "in 5 minutes".

import { h } from "./dom.js";

const LANGUAGE = "en-GB";
const DISCORD_EPOCH = 1420070400000n;
const clock = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "long", year: "numeric" });
const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });
const STYLES = {
  t: { hour: "2-digit", minute: "2-digit" },
  T: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  d: { day: "2-digit", month: "2-digit", year: "numeric" },
  D: { day: "numeric", month: "long", year: "numeric" },
  f: { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" },
  F: { weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" },
  s: { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit" },
  S: { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
};
const UNITS = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** @param {string} id @returns {Date} */
export function snowflakeTime(id) {
  return new Date(Number((BigInt(id) >> 22n) + DISCORD_EPOCH));
}

/** @param {Date} date @returns {string} "14:05" */
export function clockText(date) {
  return clock.format(date);
}

/** @param {Date} date @returns {string} "20 November 2026" */
export function dayText(date) {
  return day.format(date);
}

/** @param {Date} date @returns {string} "Today at 14:05", "Yesterday at 14:05" or the date */
export function stampText(date) {
  const now = new Date();
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (date.toDateString() === now.toDateString()) return `Today at ${clockText(date)}`;
  if (date.toDateString() === yesterday.toDateString()) return `Yesterday at ${clockText(date)}`;
  return `${dayText(date)} ${clockText(date)}`;
}

/** @param {Date} date @returns {string} every part written out */
export function fullText(date) {
  return new Intl.DateTimeFormat(LANGUAGE, STYLES.F).format(date);
}

/** @param {number} unix seconds @returns {string} "in 5 minutes" */
export function relativeText(unix) {
  const seconds = Math.round(unix - Date.now() / 1000);
  const [unit, size] = UNITS.find(([, span]) => Math.abs(seconds) >= span) ?? UNITS.at(-1);
  return relative.format(Math.round(seconds / size), unit);
}

/**
 * The element for a `<t:unix:style>` mark-up; relative ones keep moving while they are on the page.
 * @param {number} unix seconds
 * @param {string} style one of Discord's letters
 * @returns {HTMLElement|null} null when no calendar holds that second
 */
export function timeElement(unix, style) {
  const date = new Date(unix * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const text =
    style === "R" ? relativeText(unix) : new Intl.DateTimeFormat(LANGUAGE, STYLES[style] ?? STYLES.f).format(date);
  const data = style === "R" ? { relative: String(unix) } : {};
  return h("time", { class: "moment", dateTime: date.toISOString(), title: fullText(date), data }, text);
}

/** Keep every relative time on the page right, once a second. */
export function startTicking() {
  setInterval(() => {
    for (const node of document.querySelectorAll("time[data-relative]")) {
      const text = relativeText(Number(node.dataset.relative));
      if (node.textContent !== text) node.textContent = text;
    }
  }, 1000);
}
