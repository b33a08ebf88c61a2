// The form an application opens with a modal.

import { h, uniqueId } from "./dom.js";
import { Refusal } from "./api.js";
import { fieldFor } from "./fields.js";
import { icon } from "./icons.js";
import { prose } from "./prose.js";

const ACTION_ROW = 1;
const TEXT_DISPLAY = 10;
const LABEL = 18;
const CHECKBOX = 23;

export class Modal {
  /** @param {any} app @param {any} opened the MODAL_OPEN event @param {string} channelId where it was asked for */
  constructor(app, opened, channelId) {
    this.app = app;
    this.opened = opened;
    this.channelId = channelId;
    this.entries = opened.components.map((component) => this.entry(component));
    this.trouble = h("p", { class: "modal-trouble", role: "alert" });
    this.submitButton = h("button", { type: "submit", class: "button button-primary" }, "Submit");
    const title = h("h2", { id: uniqueId("modal") }, opened.title);
    const bot = app.bot();
    this.form = h(
      "form",
      {
        class: "modal-form",
        noValidate: true,
        on: { submit: (event) => this.submit(event), input: () => this.mend(), commit: () => this.mend() },
      },
      h(
        "header",
        { class: "modal-head" },
        h(
          "div",
          {},
          title,
          h("p", { class: "modal-note" }, `This form goes to ${bot ? app.store.nameOf(bot) : "the application"}.`),
        ),
        h(
          "button",
          { type: "button", class: "icon-button", "aria-label": "Close", on: { click: () => this.close() } },
          icon("close"),
        ),
      ),
      h(
        "div",
        { class: "modal-body" },
        this.entries.map((entry) => entry.node),
      ),
      this.trouble,
      h(
        "footer",
        { class: "modal-foot" },
        h("button", { type: "button", class: "button button-quiet", on: { click: () => this.close() } }, "Cancel"),
        this.submitButton,
      ),
    );
    this.dialog = h(
      "dialog",
      {
        class: "modal",
        "aria-labelledby": title.id,
        data: { modalId: opened.id },
        on: { close: () => this.dialog.remove() },
      },
      this.form,
    );
    document.body.append(this.dialog);
    this.dialog.showModal();
    (this.entries.find((entry) => entry.field?.control)?.field.control ?? this.submitButton).focus();
  }

  close() {
    this.dialog.close();
  }

  entry(component) {
    if (component.type === TEXT_DISPLAY)
      return { component, node: h("div", { class: "prose" }, prose(component.content, this.app)) };
    const inner = component.type === ACTION_ROW ? component.components[0] : component.component;
    const name = component.type === LABEL ? component.label : (inner.label ?? inner.placeholder ?? "");
    const field = fieldFor(this.app, inner, name);
    const problem = h("p", { class: "field-problem", id: uniqueId("problem") });
    const description =
      component.description &&
      h("p", { class: "field-description", id: uniqueId("description") }, component.description);
    const required = inner.type !== CHECKBOX && (inner.required ?? true);
    const tag = field.control?.matches("input.input, textarea") ? "label" : "div";
    const label =
      inner.type !== CHECKBOX &&
      h(
        tag,
        { class: "field-label", for: tag === "label" ? field.control.id : null },
        name,
        required && h("span", { class: "field-required", "aria-hidden": "true" }, " *"),
      );
    if (tag === "label") field.control.setAttribute("aria-label", name);
    field.control?.setAttribute("aria-describedby", [description?.id, problem.id].filter(Boolean).join(" "));
    return {
      component,
      inner,
      field,
      problem,
      node: h("div", { class: "field" }, label, description, field.node, problem),
    };
  }

  /** @returns {boolean} whether every field holds what it must; the first that does not takes the focus */
  check() {
    const wrong = this.entries.filter((entry) => entry.field && this.mark(entry));
    wrong[0]?.field.control?.focus();
    return !wrong.length;
  }

  /** Show what is wrong with one field, if anything is. */
  mark({ field, problem }) {
    const sentence = field.problem();
    problem.textContent = sentence ?? "";
    field.node.classList.toggle("is-wrong", Boolean(sentence));
    if (sentence) field.control?.setAttribute("aria-invalid", "true");
    else field.control?.removeAttribute("aria-invalid");
    return Boolean(sentence);
  }

  /** A field that was found wrong is looked at again as soon as it changes. */
  mend() {
    for (const entry of this.entries) if (entry.problem?.textContent) this.mark(entry);
  }

  async submit(event) {
    event.preventDefault();
    if (this.submitButton.disabled || !this.check()) return;
    this.submitButton.disabled = true;
    this.submitButton.textContent = "Sending…";
    this.trouble.textContent = "";
    try {
      const components = await Promise.all(this.entries.map((entry) => this.answerOf(entry)));
      const payload = {
        type: 5,
        channel_id: this.channelId,
        modal_id: this.opened.id,
        data: { custom_id: this.opened.custom_id, components },
      };
      const outcome = await this.app.interactions.send(payload, { kind: "modal", label: this.opened.title });
      if (outcome.ok) this.close();
      else this.trouble.textContent = `${outcome.reason}.`;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.trouble.textContent = error.message;
    } finally {
      this.submitButton.disabled = false;
      this.submitButton.textContent = "Submit";
    }
  }

  async answerOf({ component, inner, field }) {
    const { type, id } = component;
    if (type === TEXT_DISPLAY) return { type, id };
    const answer = { type: inner.type, id: inner.id, custom_id: inner.custom_id, ...(await field.value()) };
    return type === ACTION_ROW ? { type, id, components: [answer] } : { type, id, component: answer };
  }
}
