// Progressive enhancement only: every page works with plain links and forms.
const root = document.documentElement;

// Controls that do nothing without this script are hidden until it runs.
function reveal() {
  const tools = document.querySelectorAll("[data-scheme-toggle], [data-copy], [data-copy-text]");
  for (const tool of tools) tool.hidden = false;
}

// The choice is a cookie, so that the server renders it and nothing flashes.
function toggleScheme() {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  const paper = getComputedStyle(document.body).backgroundColor;
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.content = paper;
  cookies.keep("scheme", root.dataset.theme);
}

async function copy(button) {
  const near = button.closest("details, .raw")?.querySelector("pre");
  const text = button.dataset.copy ?? near?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    say(t("Copied"));
  } catch {
    say(t("The browser did not allow copying"));
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-scheme-toggle]")) toggleScheme();
  const button = event.target.closest("[data-copy], [data-copy-text]");
  if (button) copy(button);
});

// Forms bring their own token; this is for htmx requests that stand outside one.
document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && !["GET", "HEAD"].includes(request.method)) request.headers["X-CSRFToken"] = token;
});

// Polling rests in a hidden tab and catches up at once when the tab is seen again.
const polled = (ctx) => ["every", "awake"].includes(ctx?.sourceEvent?.type);
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden && polled(event.detail.ctx)) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.body.dispatchEvent(new CustomEvent("awake"));
});

// Whether live updates arrive, in the rail.
function live(words, ok) {
  const line = document.getElementById("live");
  if (!line) return;
  line.hidden = false;
  line.classList.toggle("live--off", !ok);
  const place = document.getElementById("live-words");
  if (place.textContent !== words) place.textContent = words;
}
// One look that failed may be a restart; the second says so in the page itself.
const PATIENCE = 4_000;
let lost = 0;
function offline(away, pressed = false) {
  const notice = document.getElementById("offline");
  if (!notice || (!away && notice.hidden)) return;
  notice.hidden = !away;
  document.getElementById("offline-pressed").hidden = !pressed;
  document.getElementById("offline-looks").hidden = pressed;
}
function looked(ok) {
  live(ok ? t("Live") : t("Live updates stopped"), ok);
  const pressed = document.getElementById("offline-pressed")?.hidden === false;
  if (ok) lost = 0;
  else lost ||= Date.now();
  // What was pressed in vain stays said until something pressed arrives.
  if (ok && !pressed) offline(false);
  else if (!ok && Date.now() - lost > PATIENCE) offline(true, pressed);
}
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (polled(ctx)) looked(ctx.response.status < 400);
  else if (ctx.response.status < 500) offline(false);
});
document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (polled(ctx)) looked(false);
  else if (!ctx?.response) offline(true, ctx?.request?.method !== "GET");
});
addEventListener("offline", () => offline(true));
addEventListener("online", () => document.body.dispatchEvent(new CustomEvent("awake")));

// A proxy's "bad gateway" takes the place of nothing: neither of what is looked at again and
// again, nor of a form with what was typed.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 500) return;
  event.preventDefault();
  if (!polled(ctx)) offline(true, ctx.request.method !== "GET");
});

// What came back with an error or a conflict takes the focus.
function focusWhatMatters() {
  const goal = document.querySelector("[data-focus]");
  goal?.focus();
  goal?.removeAttribute("data-focus"); // once: the next swap has a goal of its own
}
document.addEventListener("htmx:after:swap", (event) => {
  reveal();
  if (!polled(event.detail.ctx)) focusWhatMatters();
});

reveal();
focusWhatMatters();
