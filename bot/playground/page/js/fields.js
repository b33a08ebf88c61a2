// The fields a modal may hold. Each gives its node, what is wrong with it, and what is sent for it.

import { h, uniqueId, formatBytes } from "./dom.js";
import { icon } from "./icons.js";
import { SelectControl } from "./selects.js";

const PARAGRAPH = 2;
const REQUIRED = "This field is required.";

/**
 * @typedef {{node: HTMLElement, control: HTMLElement|null, problem: () => string|null, value: () => Promise<Object>, dispose?: () => void}} Field
 * @param {any} app
 * @param {any} component the component inside a label
 * @param {string} name the label's text
 * @returns {Field}
 */
export function fieldFor(app, component, name) {
  switch (component.type) {
    case 4:
      return textField(component);
    case 19:
      return uploadField(app, component, name);
    case 21:
      return choiceField(component, name, "radio");
    case 22:
      return choiceField(component, name, "checkbox");
    case 23:
      return checkboxField(component, name);
    default:
      return selectField(app, component, name);
  }
}

/** Tell the form about a change that no native event tells. */
function changed(node) {
  node.dispatchEvent(new Event("commit", { bubbles: true }));
}

function textField(component) {
  const required = component.required ?? true;
  const paragraph = component.style === PARAGRAPH;
  const input = h(paragraph ? "textarea" : "input", {
    class: "input",
    id: uniqueId("field"),
    rows: paragraph ? 4 : null,
    type: paragraph ? null : "text",
    placeholder: component.placeholder ?? "",
    value: component.value ?? "",
    maxLength: component.max_length ?? 4000,
    "aria-required": required || null,
    autocomplete: "off",
    name: component.custom_id,
  });
  const counter = h("span", { class: "input-counter", "aria-hidden": "true" });
  const count = () => {
    counter.textContent = component.max_length ? `${input.value.length}/${component.max_length}` : "";
  };
  input.addEventListener("input", count);
  count();
  return {
    node: h("div", { class: "input-box" }, input, counter),
    control: input,
    problem: () => {
      const { length } = input.value;
      if (!length) return required ? REQUIRED : null;
      if (component.min_length && length < component.min_length)
        return `Write at least ${component.min_length} characters; this is ${length}.`;
      if (component.max_length && length > component.max_length)
        return `Write at most ${component.max_length} characters; this is ${length}.`;
      return null;
    },
    value: async () => ({ value: input.value }),
  };
}

function selectField(app, component, name) {
  const required = component.required ?? true;
  const select = new SelectControl(app, component, { label: name, onCommit: () => changed(select.node) });
  return {
    node: select.node,
    control: select.button,
    problem: () => {
      const { length } = select.values;
      if (!length) return required ? REQUIRED : null;
      return length < (component.min_values ?? 1) ? `Choose at least ${component.min_values}.` : null;
    },
    value: async () => ({ values: select.values }),
  };
}

function choiceField(component, name, kind) {
  const group = uniqueId("choice");
  const required = component.required ?? true;
  const inputs = (component.options ?? []).map((option) =>
    h("input", {
      type: kind,
      name: group,
      value: option.value,
      checked: Boolean(option.default),
      id: uniqueId("choice"),
    }),
  );
  const rows = inputs.map((input, index) => {
    const option = component.options[index];
    return h(
      "label",
      { class: "choice", for: input.id },
      input,
      h(
        "span",
        { class: "choice-text" },
        h("span", {}, option.label),
        option.description && h("span", { class: "choice-description" }, option.description),
      ),
    );
  });
  const chosen = () => inputs.filter((input) => input.checked).map((input) => input.value);
  const most = component.max_values ?? inputs.length;
  const least = component.min_values ?? (required ? 1 : 0);
  return {
    node: h(
      "div",
      {
        class: "choices",
        role: kind === "radio" ? "radiogroup" : "group",
        "aria-label": name,
        "aria-required": (kind === "radio" && required) || null,
      },
      rows,
    ),
    control: inputs[0],
    problem: () => {
      const { length } = chosen();
      if (!length) return required ? REQUIRED : null;
      if (kind === "radio") return null;
      if (length < least) return `Choose at least ${least}.`;
      return length > most ? `Choose at most ${most}.` : null;
    },
    value: async () => (kind === "radio" ? { value: chosen()[0] ?? null } : { values: chosen() }),
  };
}

function checkboxField(component, name) {
  const input = h("input", { type: "checkbox", id: uniqueId("check"), checked: Boolean(component.default) });
  return {
    node: h("label", { class: "choice", for: input.id }, input, h("span", { class: "choice-text" }, name)),
    control: input,
    problem: () => null,
    value: async () => ({ value: input.checked }),
  };
}

function uploadField(app, component, name) {
  const required = component.required ?? true;
  const most = component.max_values ?? 1;
  const least = component.min_values ?? 1;
  let files = [];
  const list = h("ul", { class: "upload-list" });
  const input = h("input", {
    type: "file",
    multiple: most > 1,
    class: "visually-hidden",
    tabIndex: -1,
    "aria-label": `${name}: file`,
  });
  const button = h(
    "button",
    { type: "button", class: "upload-drop", "aria-label": name, on: { click: () => input.click() } },
    icon("image"),
    h("span", {}, "Drop ", most > 1 ? `up to ${most} files` : "a file", " here, or choose"),
  );
  const paint = () =>
    list.replaceChildren(
      ...files.map((file, index) =>
        h(
          "li",
          {},
          icon("file"),
          h("span", { class: "tray-name" }, file.name),
          h("span", { class: "file-size" }, formatBytes(file.size)),
          h(
            "button",
            {
              type: "button",
              class: "icon-button",
              "aria-label": `Remove ${file.name}`,
              on: {
                click: () => {
                  files.splice(index, 1);
                  paint();
                },
              },
            },
            icon("close"),
          ),
        ),
      ),
    );
  const add = (more) => {
    files = most === 1 ? [...more].slice(0, 1) : [...files, ...more].slice(0, most);
    paint();
    changed(list);
  };
  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
  const node = h(
    "div",
    {
      class: "upload",
      on: {
        dragover: (event) => event.preventDefault(),
        drop: (event) => {
          event.preventDefault();
          event.stopPropagation();
          add(event.dataTransfer.files);
        },
      },
    },
    button,
    input,
    list,
  );
  return {
    node,
    control: button,
    problem: () => {
      if (!files.length) return required && least > 0 ? REQUIRED : null;
      return files.length < least ? `Add at least ${least} files.` : null;
    },
    value: async () => ({ values: await Promise.all(files.map(async (file) => (await app.api.upload(file)).id)) }),
  };
}
