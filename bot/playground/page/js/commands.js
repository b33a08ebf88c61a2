// Application commands without any elements: which are offered here, matching what is typed, checking values, the data to send.

const CHAT_INPUT = 1;
const SUBCOMMAND = 1;
const SUBCOMMAND_GROUP = 2;
const DIRECT_MESSAGE = 1;

export const OPTION = {
  STRING: 3,
  INTEGER: 4,
  BOOLEAN: 5,
  USER: 6,
  CHANNEL: 7,
  ROLE: 8,
  MENTIONABLE: 9,
  NUMBER: 10,
  ATTACHMENT: 11,
};

/** @typedef {{name: string, path: string[], description: string, options: any[], command: any, application: any}} Leaf a command, or one subcommand of it */

/**
 * @param {import("./store.js").Store} store
 * @param {number} type 1 slash, 2 user, 3 message
 * @returns {{application: any, command: any}[]} commands this person may use in the open channel
 */
export function commandsHere(store, type = CHAT_INPUT) {
  const { channel } = store;
  if (!channel) return [];
  const direct = channel.type === DIRECT_MESSAGE;
  const context = direct ? 1 : 0;
  return store.applications.flatMap((application) =>
    (application.commands ?? [])
      .filter((command) => (command.type ?? CHAT_INPUT) === type)
      .filter((command) => !(direct && (command.guild_id || command.dm_permission === false)))
      .filter((command) => !command.contexts || command.contexts.includes(context))
      .filter((command) => !command.nsfw || channel.nsfw || direct)
      .map((command) => ({ application, command })),
  );
}

/** @param {import("./store.js").Store} store @returns {Leaf[]} every slash command and subcommand, by name */
export function leavesHere(store) {
  const leaves = commandsHere(store).flatMap(({ application, command }) => leavesOf(application, command));
  return leaves.sort((a, b) => a.name.localeCompare(b.name));
}

function leavesOf(application, command) {
  const walk = (node, path) => {
    const inner = (node.options ?? []).filter(
      (option) => option.type === SUBCOMMAND || option.type === SUBCOMMAND_GROUP,
    );
    if (inner.length) return inner.flatMap((option) => walk(option, [...path, option.name]));
    return [
      {
        name: [command.name, ...path].join(" "),
        path,
        description: node.description,
        options: node.options ?? [],
        command,
        application,
      },
    ];
  };
  return walk(command, []);
}

/** @param {Leaf[]} leaves @param {string} text what stands after the slash @returns {Leaf[]} best first */
export function matchLeaves(leaves, text) {
  const wanted = text.toLowerCase();
  const rank = (leaf) =>
    leaf.name.startsWith(wanted)
      ? 0
      : leaf.name.includes(wanted)
        ? 1
        : leaf.description.toLowerCase().includes(wanted) && wanted.length > 2
          ? 2
          : 3;
  return leaves.filter((leaf) => rank(leaf) < 3).sort((a, b) => rank(a) - rank(b));
}

/**
 * Typed text that already names a command and goes on after it.
 * @param {Leaf[]} leaves
 * @param {string} text of the whole field
 * @returns {{leaf: Leaf, rest: string}|null}
 */
export function takeCommand(leaves, text) {
  if (!text.startsWith("/")) return null;
  const found = leaves
    .filter((leaf) => text.slice(1).toLowerCase().startsWith(`${leaf.name} `))
    .sort((a, b) => b.name.length - a.name.length)[0];
  return found ? { leaf: found, rest: text.slice(found.name.length + 2) } : null;
}

/**
 * Text pasted behind a command: `name: value` pairs where it begins with one, otherwise all of it for the first option that takes text.
 * @param {Leaf} leaf
 * @param {string} rest
 * @returns {Object<string, string>} by option name
 */
export function splitRest(leaf, rest) {
  const names = leaf.options.map((option) => option.name).sort((a, b) => b.length - a.length);
  const marker = new RegExp(`(?:^|\\s)(${names.map(escapePattern).join("|")}):\\s?`, "g");
  if (names.length && rest.search(marker) === 0) {
    const found = [...rest.matchAll(marker)];
    return Object.fromEntries(
      found.map((match, index) => [
        match[1],
        rest.slice(match.index + match[0].length, found[index + 1]?.index).trim(),
      ]),
    );
  }
  const first =
    leaf.options.find((option) => option.required) ?? leaf.options.find((option) => option.type === OPTION.STRING);
  return first && rest ? { [first.name]: rest } : {};
}

function escapePattern(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * Typed text as an option's value.
 * @param {any} option
 * @param {string} text
 * @returns {{value?: any, problem?: string}} `problem` is a sentence for the person
 */
export function readValue(option, text) {
  const trimmed = text.trim();
  if (option.choices?.length) {
    const choice = option.choices.find((one) => one.name.toLowerCase() === trimmed.toLowerCase());
    return choice ? { value: choice.value } : { problem: "Choose one of the listed values." };
  }
  if (option.type === OPTION.STRING) return readString(option, text);
  if (option.type === OPTION.INTEGER || option.type === OPTION.NUMBER) return readNumber(option, trimmed);
  if (option.type === OPTION.BOOLEAN) {
    const value = { true: true, yes: true, false: false, no: false }[trimmed.toLowerCase()];
    return value === undefined ? { problem: "Choose True or False." } : { value };
  }
  return { problem: "Choose one from the list." };
}

function readString(option, text) {
  const length = [...text].length;
  if (option.min_length && length < option.min_length)
    return { problem: `Must be at least ${option.min_length} characters long.` };
  const longest = option.max_length ?? 6000;
  if (length > longest) return { problem: `Must be at most ${longest} characters long; this is ${length}.` };
  return { value: text };
}

function readNumber(option, text) {
  const whole = option.type === OPTION.INTEGER;
  const value = Number(text);
  if (!(whole ? /^[+-]?\d{1,20}$/ : /^[+-]?(\d+\.?\d*|\.\d+)$/).test(text))
    return { problem: whole ? "Must be a whole number." : "Must be a number." };
  if (whole && !Number.isSafeInteger(value)) return { problem: "That number is too large." };
  const { min_value: low, max_value: high } = option;
  const range =
    low !== undefined && high !== undefined
      ? `between ${low} and ${high}`
      : low !== undefined
        ? `at least ${low}`
        : `at most ${high}`;
  if ((low !== undefined && value < low) || (high !== undefined && value > high))
    return { problem: `Must be ${range}.` };
  return { value };
}

/**
 * @param {Leaf} leaf
 * @param {{name: string, type: number, value: any, focused?: boolean}[]} options
 * @returns {Object} the `data` of an interaction
 */
export function interactionData(leaf, options) {
  let nested = options;
  for (let i = leaf.path.length - 1; i >= 0; i -= 1) {
    const type = i === leaf.path.length - 1 ? SUBCOMMAND : SUBCOMMAND_GROUP;
    nested = [{ type, name: leaf.path[i], options: nested }];
  }
  return {
    id: leaf.command.id,
    name: leaf.command.name,
    type: CHAT_INPUT,
    ...(leaf.command.guild_id && { guild_id: leaf.command.guild_id }),
    options: nested,
  };
}

/** @param {any} option @returns {string} what may be given, for the hint under its name */
export function limitsText(option) {
  const { min_value: low, max_value: high, max_length: longest } = option;
  if (option.choices?.length) return "";
  if (low !== undefined && high !== undefined) return `${low} to ${high}`;
  if (low !== undefined) return `${low} or more`;
  if (high !== undefined) return `up to ${high}`;
  return longest ? `up to ${longest} characters` : "";
}
