// Single keys for the queue and a request. None of them decides: a and r only go to the form,
// Ctrl+Enter or a button sends. They rest while one types, and can be switched off.
const root = document.documentElement;
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const at = (key) => document.querySelector(`[data-key="${key}"]`);
const seen = (el) => (el?.checkVisibility({ visibilityProperty: true }) ? el : null);

const kept = (name) => !cookies.has(name, "off");
function keep(name, on) {
  cookies.keep(name, on ? "on" : "off");
  show();
}
function show() {
  root.dataset.keys = kept("keys") ? "on" : "off";
  for (const box of document.querySelectorAll("[data-keep]")) box.checked = kept(box.dataset.keep);
}

// From row to row; a row decided meanwhile is passed over.
function move(step) {
  const links = [...document.querySelectorAll(".row:not(.row--decided) .row-link")].filter(seen);
  const here = links.indexOf(document.activeElement.closest(".row")?.querySelector(".row-link"));
  const from = here < 0 ? links.findIndex((link) => link.ariaCurrent === "true") : here;
  const to = from < 0 ? 0 : Math.min(Math.max(from + step, 0), links.length - 1);
  links[to]?.focus();
  links[to]?.scrollIntoView({ block: "nearest" });
}

// The verdict is chosen and shown; it goes with Ctrl+Enter.
function choose(key, verdict, words) {
  const form = document.getElementById("decide-form");
  const button = at(key);
  if (!form || !button) return;
  form.dataset.chosen = verdict;
  const told = document.getElementById("chosen");
  told.textContent = words;
  told.hidden = false;
  const reason = form.querySelector("[name=reason]") ?? form.querySelector("[name=comment]");
  const goal = verdict === "rejected" ? reason : button;
  goal.focus();
  goal.scrollIntoView({ block: "nearest" });
  say(words);
}
function send() {
  const form = document.getElementById("decide-form");
  if (!form) return;
  const button = form.querySelector(`button[value="${form.dataset.chosen}"]`);
  if (!form.querySelector("button[name=verdict]")) say(t("Nothing is left to decide; nothing was sent."));
  else if (!button) say(t("Choose first: a to approve, r to reject."));
  else if (!button.disabled) form.requestSubmit(button);
}

function edit() {
  const fields = "#decide-form :is(input:not([type=hidden]), select, textarea)";
  const goal = seen(at("e")) ?? [...document.querySelectorAll(fields)].find(seen);
  goal?.focus();
  goal?.scrollIntoView({ block: "nearest" });
}
// Ticks the row one is at, or the one whose request is open.
function select() {
  const here = document.activeElement.closest(".row") ?? document.querySelector(".row:has([aria-current])");
  seen(here?.querySelector(".select-box")?.parentElement)?.control.click();
}
function list() {
  const keys = document.getElementById("keys");
  if (keys.open) keys.close();
  else keys.showModal();
}

function search() {
  const field = seen(at("/"));
  field?.focus();
  field?.select();
}

const DOES = {
  j: () => move(1),
  k: () => move(-1),
  o: () => document.activeElement.closest(".row-link")?.click(),
  a: () => choose("a", "approved", t("Approve is chosen. Ctrl+Enter sends it.")),
  r: () => choose("r", "rejected", t("Reject is chosen. Say why; Ctrl+Enter sends it.")),
  e: edit,
  x: select,
  b: () => seen(at("b"))?.click(),
  ".": () => seen(at("."))?.click(),
  z: () => seen(at("z"))?.click(),
  "/": search,
  "?": list,
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat && !"jk".includes(event.key)) return;
  const typing = event.target.matches(TYPED);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.closest("form");
    if (form && form.id !== "decide-form") return; // what is typed there decides nothing
    event.preventDefault();
    send();
  } else if (event.key === "Escape" && typing) {
    if (event.target.type === "search") event.preventDefault(); // what was typed stays
    event.target.blur();
  } else if (!typing && kept("keys") && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const does = Object.hasOwn(DOES, event.key) ? DOES[event.key] : null;
    if (!does || (document.querySelector("dialog[open]") && event.key !== "?")) return;
    event.preventDefault();
    does();
  }
});
// Whoever turns to another form, or to a reason for rejecting, has not chosen to approve.
document.addEventListener("focusin", (event) => {
  const form = document.getElementById("decide-form");
  if (!form?.dataset.chosen) return;
  const other = event.target.closest("form");
  const rejects = event.target.name === "reason" && form.dataset.chosen === "approved";
  if (rejects || (other && other !== form)) {
    delete form.dataset.chosen;
    document.getElementById("chosen").hidden = true;
  }
});
document.addEventListener("change", (event) => {
  const name = event.target.dataset.keep;
  if (name) keep(name, event.target.checked);
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-open]")) list();
});

for (const tool of document.querySelectorAll("[data-scripted]")) tool.hidden = false;
show();
// A region that was there before it is filled is read out; one that came with the page is not.
const told = document.querySelector(".toasts")?.textContent.trim();
if (told) setTimeout(() => say(told.replace(/\s+/g, " ")), 200);
