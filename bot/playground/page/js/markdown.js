// Discord's markdown as a tree. Scanning is by hand, not by nested patterns, so that no message can make it slow.

const DEEPEST = 8;
const PLAIN = /[^\\`*_~|<[@h]+/y;
const INLINE_MARKS = [
  { mark: "||", type: "spoiler" },
  { mark: "**", type: "bold" },
  { mark: "__", type: "underline" },
  { mark: "~~", type: "strike" },
  { mark: "*", type: "italic" },
  { mark: "_", type: "italic" },
];
const TOKENS = [
  [/\\([^\w\s])/y, (m) => ({ type: "text", text: m[1] })],
  [
    /```(?:([\w+#.-]{1,32})\n)?\n?([^`](?:[^`]|`(?!``))*?)\n?```/y,
    (m) => ({ type: "codeblock", language: m[1] ?? "", text: m[2] }),
  ],
  [/``((?:[^`]|`(?!`))+)``/y, (m) => ({ type: "code", text: m[1].trim() })],
  [/`([^`]+)`/y, (m) => ({ type: "code", text: m[1] })],
  [
    /\[([^[\]\n]{1,300})\]\(<?(https?:\/\/[^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)?)>?(?: "[^"\n]*")?\)/iy,
    (m, depth) => ({ type: "link", url: m[2], children: parseInline(m[1], depth + 1) }),
  ],
  [/<(https?:\/\/[^\s<>]+)>/iy, (m) => ({ type: "link", url: m[1], children: [{ type: "text", text: m[1] }] })],
  [
    /https?:\/\/[^\s<]*[^\s<.,:;"'\]!?)]/iy,
    (m) => ({ type: "link", url: m[0], children: [{ type: "text", text: m[0] }] }),
  ],
  [/<@!?(\d{1,20})>/y, (m) => ({ type: "user", id: m[1] })],
  [/<@&(\d{1,20})>/y, (m) => ({ type: "role", id: m[1] })],
  [/<#(\d{1,20})>/y, (m) => ({ type: "channel", id: m[1] })],
  [/<\/([-_'\p{L}\p{N} ]{1,100}):(\d{1,20})>/uy, (m) => ({ type: "command", name: m[1], id: m[2] })],
  [/<a?:(\w{1,32}):(\d{1,20})>/y, (m) => ({ type: "text", text: `:${m[1]}:` })],
  [/<t:(-?\d{1,13})(?::([tTdDfFsSR]))?>/y, (m) => ({ type: "time", unix: Number(m[1]), style: m[2] ?? "f" })],
  [/@(everyone|here)\b/y, (m) => ({ type: "everyone", name: m[1] })],
];

/**
 * @typedef {{type: string, text?: string, children?: Node[], [key: string]: any}} Node
 * @param {string} source the content of a message, an embed or a text display
 * @returns {Node[]} blocks
 */
export function parse(source) {
  return parseBlocks(String(source ?? "").replaceAll("\r\n", "\n"), 0);
}

function parseBlocks(text, depth) {
  const blocks = [];
  let plain = "";
  let rest = text;
  const flush = () => {
    if (plain) blocks.push({ type: "paragraph", children: parseInline(plain.replace(/\n$/, ""), depth) });
    plain = "";
  };
  while (rest) {
    const [line, after] = takeLine(rest);
    const found = depth < DEEPEST ? blockAt(line, rest, depth) : null;
    if (found) {
      flush();
      blocks.push(found.block);
      rest = found.rest;
      continue;
    }
    const fence = line.indexOf("```");
    const close = fence >= 0 ? rest.indexOf("```", fence + 3) : -1;
    if (close >= line.length) {
      const [tail, afterFence] = takeLine(rest.slice(close + 3));
      plain += rest.slice(0, close + 3) + tail;
      rest = afterFence;
    } else {
      plain += line;
      rest = after;
    }
  }
  flush();
  return blocks;
}

/** The first line with its line break, and what follows. */
function takeLine(text) {
  const end = text.indexOf("\n");
  return end < 0 ? [text, ""] : [text.slice(0, end + 1), text.slice(end + 1)];
}

function blockAt(line, rest, depth) {
  const bare = line.replace(/\n$/, "");
  if (bare.startsWith(">>> "))
    return { block: { type: "quote", children: parseBlocks(rest.slice(4), depth + 1) }, rest: "" };
  if (bare.startsWith("> "))
    return takeRun(rest, /^> /, (lines) => ({ type: "quote", children: parseBlocks(lines.join("\n"), depth + 1) }));
  const heading = /^(#{1,3}) +(\S.*)$/.exec(bare);
  if (heading)
    return oneLine(rest, { type: "heading", level: heading[1].length, children: parseInline(heading[2], depth + 1) });
  if (/^-# +\S/.test(bare))
    return oneLine(rest, { type: "subtext", children: parseInline(bare.slice(3).trim(), depth + 1) });
  if (/^ *[-*] +\S/.test(bare)) return takeRun(rest, /^ *[-*] +(?=\S)/, (lines) => listOf(lines, false, depth));
  if (/^ *\d{1,9}\. +\S/.test(bare))
    return takeRun(rest, /^ *\d{1,9}\. +(?=\S)/, (lines) => listOf(lines, true, depth));
  return null;
}

function oneLine(rest, block) {
  return { block, rest: takeLine(rest)[1] };
}

function takeRun(rest, prefix, build) {
  const lines = [];
  let remaining = rest;
  while (remaining && prefix.test(remaining)) {
    const [line, after] = takeLine(remaining);
    lines.push(line.replace(/\n$/, "").replace(prefix, ""));
    remaining = after;
  }
  return { block: build(lines), rest: remaining };
}

function listOf(lines, ordered, depth) {
  return { type: "list", ordered, items: lines.map((line) => parseInline(line, depth + 1)) };
}

function parseInline(text, depth) {
  const nodes = [];
  const hopeless = new Set();
  let at = 0;
  const addText = (piece) => {
    const last = nodes.at(-1);
    if (last?.type === "text") last.text += piece;
    else nodes.push({ type: "text", text: piece });
  };
  while (at < text.length) {
    PLAIN.lastIndex = at;
    const plain = PLAIN.exec(text);
    if (plain) {
      addText(plain[0]);
      at += plain[0].length;
      continue;
    }
    const found = (depth < DEEPEST && (tokenAt(text, at, depth) ?? markAt(text, at, depth, hopeless))) || null;
    if (found?.node.type === "text") addText(found.node.text);
    else if (found) nodes.push(found.node);
    else addText(text[at]);
    at = found?.end ?? at + 1;
  }
  return nodes;
}

function tokenAt(text, at, depth) {
  for (const [pattern, build] of TOKENS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) {
      const end = pattern.lastIndex;
      return { node: build(match, depth), end };
    }
  }
  return null;
}

function markAt(text, at, depth, hopeless) {
  for (const { mark, type } of INLINE_MARKS) {
    if (!text.startsWith(mark, at) || hopeless.has(mark)) continue;
    const start = at + mark.length;
    if (mark === "*" && /\s/.test(text[start] ?? " ")) continue;
    if (mark === "_" && /\w/.test(text[at - 1] ?? "")) continue;
    const close = closeOf(text, start, mark);
    if (close < 0) {
      hopeless.add(mark);
      continue;
    }
    if (close === start) continue;
    return { node: { type, children: parseInline(text.slice(start, close), depth + 1) }, end: close + mark.length };
  }
  return null;
}

/** Where the closing mark stands; escapes and code in between do not count. */
function closeOf(text, start, mark) {
  for (let i = start; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === "`" && i > start) {
      const end = text.indexOf("`", i + 1);
      if (end > 0) i = end;
    } else if (text.startsWith(mark, i)) {
      const doubled = mark.length === 1 && text[i + 1] === mark;
      if (doubled) i += 1;
      else if (mark === "_" && /\w/.test(text[i + 1] ?? "")) continue;
      else if (mark === "**" && text[i + 2] === "*") return i + 1;
      else return i;
    }
  }
  return -1;
}

/**
 * @param {string} source markdown
 * @returns {string} the words alone, for announcements and reply lines; spoilers stay covered
 */
export function plainText(source) {
  const words = (nodes) =>
    nodes
      .map((node) => {
        if (node.type === "spoiler") return "(spoiler)";
        if (node.type === "list") return node.items.map(words).join(" ");
        if (node.children)
          return words(node.children) + (node.type === "paragraph" || node.type === "heading" ? " " : "");
        return node.text ?? "";
      })
      .join("");
  return words(parse(source)).replace(/\s+/g, " ").trim();
}
