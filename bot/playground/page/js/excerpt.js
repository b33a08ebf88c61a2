// A message in a few plain words: for screen readers, and for the line above a reply.

import { plainText } from "./markdown.js";
import { isSpoiler } from "./media.js";
import { LOADING } from "./permissions.js";

/** @param {any} message @returns {string} what a screen reader is told about it */
export function excerpt(message) {
  const texts = [
    message.content,
    ...(message.embeds ?? []).flatMap((embed) => [embed.title, embed.description]),
    ...textsOf(message.components ?? []),
  ].filter(Boolean);
  const pictures = (message.attachments ?? []).map((file) =>
    isSpoiler(file) ? "hidden picture" : (file.description ?? file.filename),
  );
  const loading = message.flags & LOADING ? "thinking…" : "a message";
  return plainText([...texts, ...pictures].join(" ").slice(0, 300)) || loading;
}

function textsOf(components) {
  return components.flatMap((component) =>
    component.type === 10 ? [component.content] : textsOf(component.components ?? []),
  );
}
