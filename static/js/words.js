// The words that scripts say. In English they are the scripts' own; for other languages the
// server sends them with the page (approvals/templatetags/languages.py).
const told = JSON.parse(document.body.dataset.words || "{}");

globalThis.t = (words, values = {}) =>
  (told[words] ?? words).replace(/%\((\w+)\)s/g, (_, name) => values[name]);
