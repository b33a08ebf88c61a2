// The server's page interface over HTTP, spoken as one person.

/** What the server answered instead of doing it: `message` is a sentence for the person. */
export class Refusal extends Error {
  /** @param {string} sentence @param {number} status @param {any} body */
  constructor(sentence, status, body) {
    super(sentence);
    this.name = "Refusal";
    this.status = status;
    this.body = body;
  }
}

export class Api {
  /** @param {string|null} as id of the person whose client this is; null lets the server choose */
  constructor(as) {
    this.as = as;
  }

  /** @param {string} path @param {Object<string, any>} [query] @returns {string} */
  url(path, query = {}) {
    const params = new URLSearchParams();
    if (this.as) params.set("as", this.as);
    for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== null) params.set(key, value);
    return `/client${path}?${params}`;
  }

  /**
   * @param {string} method
   * @param {string} path below /client
   * @param {{query?: Object, body?: any, form?: FormData}} [options]
   * @returns {Promise<any>} the decoded answer
   * @throws {Refusal}
   */
  async request(method, path, { query, body, form } = {}) {
    const init = { method, headers: {} };
    if (form) init.body = form;
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers["Content-Type"] = "application/json";
    }
    let response;
    try {
      response = await fetch(this.url(path, query), init);
    } catch {
      throw new Refusal("The server cannot be reached. It may be restarting.", 0, null);
    }
    const text = await response.text();
    const answer = decode(text);
    if (response.ok) return answer;
    throw new Refusal(
      answer?.message ?? answer?.error ?? `The server refused this (${response.status}).`,
      response.status,
      answer,
    );
  }

  /** @returns {Promise<any>} */
  state() {
    return this.request("GET", "/state");
  }

  /** @param {string} channelId @param {string} [before] @returns {Promise<any[]>} newest first */
  messages(channelId, before) {
    return this.request("GET", `/channels/${channelId}/messages`, { query: { before, limit: 50 } });
  }

  /** @param {string} channelId @param {Object} payload @param {File[]} files @returns {Promise<any>} */
  send(channelId, payload, files) {
    if (!files.length) return this.request("POST", `/channels/${channelId}/messages`, { body: payload });
    const form = new FormData();
    form.append("payload_json", JSON.stringify(payload));
    files.forEach((file, index) => form.append(`files[${index}]`, file, file.name));
    return this.request("POST", `/channels/${channelId}/messages`, { form });
  }

  /** @param {string} channelId @param {string} messageId @returns {Promise<any>} */
  remove(channelId, messageId) {
    return this.request("DELETE", `/channels/${channelId}/messages/${messageId}`);
  }

  /** @param {File} file @returns {Promise<any>} the stored attachment; its id goes into options and modals */
  upload(file) {
    const form = new FormData();
    form.append("file", file, file.name);
    return this.request("POST", "/uploads", { form });
  }

  /** @param {Object} payload @returns {Promise<any>} */
  interact(payload) {
    return this.request("POST", "/interactions", { body: payload });
  }
}

function decode(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
