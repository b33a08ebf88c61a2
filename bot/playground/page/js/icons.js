// The page's own line icons, drawn on a 24 by 24 grid.

const PATHS = {
  hash: ["M9.5 4 7 20", "M17 4l-2.5 16", "M4.5 9h16", "M3.5 15h16"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  warn: ["M12 4 2.8 19.5h18.4z", "M12 10v4.5", "M12 17v.2"],
  chat: ["M4 5h16v11H11l-4.5 3.8V16H4z"],
  plus: ["M12 5v14", "M5 12h14"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  dots: ["M5.5 12h.01", "M12 12h.01", "M18.5 12h.01"],
  down: ["M6 9.5l6 6 6-6"],
  right: ["M9.5 6l6 6-6 6"],
  left: ["M14.5 6l-6 6 6 6"],
  sun: [
    "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8z",
    "M12 2.5v2",
    "M12 19.5v2",
    "M2.5 12h2",
    "M19.5 12h2",
    "M5.3 5.3l1.4 1.4",
    "M17.3 17.3l1.4 1.4",
    "M18.7 5.3l-1.4 1.4",
    "M6.7 17.3l-1.4 1.4",
  ],
  moon: ["M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"],
  bars: ["M4 7h16", "M4 12h16", "M4 17h16"],
  people: [
    "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
    "M2.5 20c0-3.6 2.9-5.5 6.5-5.5s6.5 1.9 6.5 5.5",
    "M16 5a3.3 3.3 0 0 1 0 6.3",
    "M17.5 15c2.5.5 4 2.3 4 5",
  ],
  image: ["M4 5h16v14H4z", "M4 16l4.5-4.5 4 4 3-3L20 17", "M15.5 9h.01"],
  file: ["M6 3.5h8l4.5 4.5v12.5H6z", "M14 3.5V8h4.5"],
  download: ["M12 4v11", "M7.5 11l4.5 4.5L16.5 11", "M5 20h14"],
  external: ["M13 5h6v6", "M19 5l-9 9", "M17 14v5H5V7h5"],
  reply: ["M10 6 4.5 11.5 10 17", "M4.5 11.5H14c3.5 0 5.5 2 5.5 6"],
  bend: ["M4 19v-6.5A4.5 4.5 0 0 1 8.5 8H20"],
  trash: ["M5 7h14", "M9.5 7V4.5h5V7", "M7 7l.8 13h8.4L17 7"],
  copy: ["M9 9h11v11H9z", "M5.5 15H4V4h11v1.5"],
  spark: ["M12 3.5l2 6.5 6.5 2-6.5 2-2 6.5-2-6.5-6.5-2 6.5-2z"],
  eye: [
    "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z",
    "M12 9.3a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4z",
  ],
  send: ["M4.5 4.5 20.5 12l-16 7.5L7 12z", "M7 12h7"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  user: ["M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4.5 20.5c0-4 3.3-6 7.5-6s7.5 2 7.5 6"],
  swap: ["M7 4 3.5 7.5 7 11", "M3.5 7.5H20", "M17 13l3.5 3.5L17 20", "M20.5 16.5H4"],
  brush: [
    "M20.5 3.5c-5 2-9 6-10.5 9l2.5 2.5c3-1.5 6.5-6 8-11.5z",
    "M9.5 13.5c-3 0-4 2-4 4.5-1 .8-1.8 1-2.5 1 1.5 1.7 8.5 2.5 9-3",
  ],
};

/**
 * @param {string} name one of the names above
 * @returns {SVGElement} hidden from assistive technology: the element around it carries the name
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  for (const d of PATHS[name] ?? []) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
