// What the other scripts share. It stands in globals: file names are hashed, so none imports another.

// The words that scripts say. In English they are the scripts' own; for other languages the
// server sends them with the page (approvals/templatetags/languages.py).
const told = JSON.parse(document.body.dataset.words || "{}");

globalThis.t = (words, values = {}) =>
  (told[words] ?? words).replace(/%\((\w+)\)s/g, (_, name) => values[name]);

// Read out by screen readers.
globalThis.say = (words) => {
  const status = document.getElementById("status");
  if (status) status.textContent = words;
};

// What a person keeps of this browser is a cookie, as the server reads some of it.
globalThis.cookies = {
  has: (name, word) => document.cookie.split("; ").includes(`${name}=${word}`),
  keep(name, word) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${word}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  },
};
