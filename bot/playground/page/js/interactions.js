// Sending interactions and following each one, by its nonce, to its end.

import { makeNonce } from "./dom.js";
import { Refusal } from "./api.js";

/** Longer than Discord's three seconds: only for an answer lost in a broken connection. */
const FORGET_AFTER_MS = 20_000;
const REASONS = { timeout: "The application did not respond", offline: "The application did not respond" };

export class Interactions {
  /** @param {import("./store.js").Store} store @param {() => import("./api.js").Api} api */
  constructor(store, api) {
    this.store = store;
    this.api = api;
    this.waiting = new Map();
  }

  /**
   * @param {Object} payload of POST /client/interactions, without nonce
   * @param {{label: string, kind: "command"|"component"|"modal", messageId?: string, customId?: string}} about what the page shows meanwhile
   * @returns {Promise<{ok: boolean, reason?: string}>} when the application has answered, or has not
   * @throws {Refusal} when the server refuses at once
   */
  async send(payload, about) {
    const nonce = makeNonce();
    const pending = { nonce, channelId: payload.channel_id, ...about };
    const outcome = new Promise((resolve) => this.waiting.set(nonce, resolve));
    this.store.begin(pending);
    const forget = setTimeout(() => this.finish(nonce, { ok: true }), FORGET_AFTER_MS);
    try {
      const answer = await this.api().interact({ ...payload, nonce });
      pending.id = answer?.id ?? pending.id;
      return await outcome;
    } catch (error) {
      this.store.dismissPending(nonce);
      throw error;
    } finally {
      clearTimeout(forget);
      this.waiting.delete(nonce);
    }
  }

  /** @param {string} name @param {any} data an INTERACTION_* event of the server */
  receive(name, data) {
    const pending = this.store.pending.get(data.nonce);
    if (pending) pending.id = data.id;
    if (name === "INTERACTION_SUCCESS") this.finish(data.nonce, { ok: true });
    if (name === "INTERACTION_FAILURE")
      this.finish(data.nonce, { ok: false, reason: REASONS[data.reason] ?? "This interaction failed" });
  }

  finish(nonce, outcome) {
    if (outcome.ok) this.store.settle((pending) => pending.nonce === nonce);
    else this.store.fail(nonce, outcome.reason);
    this.waiting.get(nonce)?.(outcome);
  }

  /**
   * @param {Object} payload of a type 4 interaction
   * @returns {Promise<{name: string, value: any}[]>} the application's choices; none when it does not answer
   */
  async complete(payload) {
    try {
      return (await this.api().interact({ ...payload, nonce: makeNonce() }))?.choices ?? [];
    } catch (error) {
      if (error instanceof Refusal) return [];
      throw error;
    }
  }
}
