// What this person's client knows: the world, the open channel, its messages, what is still under way.

const STATE_KEY_GATE = "atelier.gate";

/** @typedef {{nonce: string, channelId: string, label: string, kind: "command"|"component"|"modal", messageId?: string, failed?: string, id?: string}} Pending */

export class Store extends EventTarget {
  constructor() {
    super();
    this.me = null;
    this.people = new Map();
    this.guild = null;
    this.channels = new Map();
    this.roles = new Map();
    this.applications = [];
    this.channelId = null;
    /** @type {Map<string, Map<string, any>>} */
    this.messages = new Map();
    /** Changes that arrived while a channel's history was on its way. @type {Map<string, (() => void)[]>} */
    this.early = new Map();
    this.complete = new Set();
    /** @type {Map<string, Pending>} */
    this.pending = new Map();
    this.unread = new Set();
    this.connected = true;
    /** Counts what may change how any message looks: names, and what is under way. */
    this.changes = 0;
  }

  /** @param {string} name @param {any} [detail] */
  emit(name, detail) {
    if (name === "state" || name === "pending") this.changes += 1;
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** @param {string} name @param {(detail: any) => void} listener */
  on(name, listener) {
    this.addEventListener(name, (event) => listener(event.detail));
  }

  /** @param {any} state the answer of GET /client/state */
  applyState(state) {
    this.me = state.me;
    this.guild = state.guild;
    this.people = new Map(state.people.map((person) => [person.user.id, person]));
    this.channels = new Map(state.channels.map((channel) => [channel.id, channel]));
    this.roles = new Map(state.roles.map((role) => [role.id, role]));
    this.applications = state.applications ?? [];
    this.emit("state");
  }

  get channel() {
    return this.channels.get(this.channelId) ?? null;
  }

  /** @param {string} channelId */
  openChannel(channelId) {
    this.channelId = channelId;
    this.unread.delete(channelId);
    this.emit("channel");
  }

  /** @param {string} channelId @returns {any[]} oldest first */
  messagesOf(channelId) {
    return [...(this.messages.get(channelId)?.values() ?? [])].sort((a, b) => compareIds(a.id, b.id));
  }

  /** Tell that a channel's history is being fetched: what happens meanwhile is applied again on top of it. @param {string} channelId */
  expectHistory(channelId) {
    const meanwhile = [];
    this.early.set(channelId, meanwhile);
    return meanwhile;
  }

  /** Whether no later fetch of the channel's history was begun. @param {string} channelId @param {any[] | null} meanwhile */
  isNewest(channelId, meanwhile) {
    return meanwhile === null || this.early.get(channelId) === meanwhile;
  }

  /** @param {string} channelId @param {any[]} list newest first @param {boolean} replace forget what was known, after a gap */
  applyHistory(channelId, list, replace) {
    const known = replace ? new Map() : (this.messages.get(channelId) ?? new Map());
    for (const message of list) known.set(message.id, message);
    this.messages.set(channelId, known);
    if (replace) {
      for (const change of this.early.get(channelId) ?? []) change();
      this.early.delete(channelId);
    }
    if (list.length < 50) this.complete.add(channelId);
    else if (replace) this.complete.delete(channelId);
    this.emit("messages", { channelId });
  }

  /** @param {any} message @param {boolean} created */
  applyMessage(message, created) {
    const known = this.messages.get(message.channel_id);
    this.early.get(message.channel_id)?.push(() => this.put(message, created));
    const fresh = created && !known?.has(message.id);
    this.put(message, created);
    const interactionId = message.interaction_metadata?.id ?? message.interaction?.id;
    if (interactionId) this.settle((pending) => pending.id === interactionId && pending.kind !== "component");
    if (
      message.channel_id !== this.channelId &&
      fresh &&
      message.author.id !== this.me.id &&
      !this.unread.has(message.channel_id)
    ) {
      this.unread.add(message.channel_id);
      this.emit("unread");
    }
    this.emit("messages", { channelId: message.channel_id, fresh: fresh ? message : null });
  }

  put(message, created) {
    const known = this.messages.get(message.channel_id);
    if (known && (created || known.has(message.id))) known.set(message.id, { ...known.get(message.id), ...message });
  }

  /** @param {string} channelId @param {string} messageId */
  dropMessage(channelId, messageId) {
    this.early.get(channelId)?.push(() => this.messages.get(channelId)?.delete(messageId));
    this.messages.get(channelId)?.delete(messageId);
    this.emit("messages", { channelId });
  }

  /** @param {Pending} pending */
  begin(pending) {
    this.pending.set(pending.nonce, pending);
    this.emit("pending", pending);
  }

  /** Forget what is under way and matches, unless it failed: failures stay until they are dismissed. @param {(pending: Pending) => boolean} matches */
  settle(matches) {
    for (const [nonce, pending] of this.pending) {
      if (!pending.failed && matches(pending)) {
        this.pending.delete(nonce);
        this.emit("pending", pending);
      }
    }
  }

  /** @param {string} nonce @param {string} reason a sentence */
  fail(nonce, reason) {
    const pending = this.pending.get(nonce);
    if (!pending) return;
    pending.failed = reason;
    this.emit("pending", pending);
  }

  /** @param {string} nonce */
  dismissPending(nonce) {
    const pending = this.pending.get(nonce);
    this.pending.delete(nonce);
    if (pending) this.emit("pending", pending);
  }

  /** @param {any} user @returns {string} the name shown for a user of this guild */
  nameOf(user) {
    if (!user) return "Unknown user";
    const member = this.people.get(user.id)?.member;
    return member?.nick ?? user.global_name ?? user.username ?? "Unknown user";
  }

  /** @param {string} channelId @returns {boolean} whether this person has confirmed their age for the channel */
  gatePassed(channelId) {
    return localStorage.getItem(`${STATE_KEY_GATE}.${this.me.id}.${channelId}`) === "yes";
  }

  /** @param {string} channelId */
  passGate(channelId) {
    localStorage.setItem(`${STATE_KEY_GATE}.${this.me.id}.${channelId}`, "yes");
    this.emit("channel");
  }

  /** @param {boolean} connected */
  setConnected(connected) {
    this.connected = connected;
    this.emit("connection");
  }
}

/** @param {string} a @param {string} b @returns {number} order of two snowflakes in time */
export function compareIds(a, b) {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
