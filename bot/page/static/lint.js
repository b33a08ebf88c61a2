// While a rule is typed, says what it would hit. Without this script the button “Check first” does the same.

const PAUSE = 350; // milliseconds after the last key

const form = document.getElementById("add");
const input = form.elements.rule;
const findings = document.getElementById("findings");
const number = new Intl.NumberFormat("en");

let timer = 0;
let asking = new AbortController();

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function list(items, className) {
  const made = element("ul", "", className);
  made.append(...items.map((item) => element("li", item)));
  return made;
}

function sentence(count, all, what) {
  if (all === 0) return `There are no ${what} to compare with.`;
  const none = count === 0 ? "None" : number.format(count);
  return `${none} of ${number.format(all)} ${what}${count === 0 ? "." : ":"}`;
}

function show(found, rule) {
  const parts = [element("h3", `${rule} would hit`)];
  parts.push(element("p", sentence(found.word_count, found.dictionary, "other words of the dictionary")));
  if (found.words.length) parts.push(list(found.words, "hits"));
  parts.push(element("p", sentence(found.prompt_count, found.looked_at, "prompts of the last 30 days")));
  if (found.prompts.length) parts.push(list(found.prompts, "hits prompts"));
  findings.replaceChildren(...parts);
}

async function ask() {
  const rule = input.value.trim();
  if (!rule) return;
  asking.abort();
  asking = new AbortController();
  findings.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(form.dataset.lint, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": form.elements.csrf.value },
      body: JSON.stringify(Object.fromEntries(new FormData(form))),
      signal: asking.signal,
    });
    const answer = await response.json();
    if (response.ok) show(answer, rule);
    else findings.replaceChildren(element("p", answer.error, "problem"));
  } catch (error) {
    if (error.name === "AbortError") return;
    findings.replaceChildren(element("p", "The check did not answer; the rule can be added all the same.", "problem"));
  }
  findings.removeAttribute("aria-busy");
}

input.addEventListener("input", () => {
  clearTimeout(timer);
  const rule = input.value.trim();
  if (!rule) {
    asking.abort();
    findings.replaceChildren();
    return;
  }
  timer = setTimeout(ask, PAUSE);
});

for (const select of form.querySelectorAll("select")) select.addEventListener("change", ask);
for (const button of form.querySelectorAll(".plainly")) button.hidden = true;
