// Selecting rows to decide them together: by a tick, by x, by shift and a click. Without this
// the ticks are a plain form. What is selected is kept for this tab, over other pages and back.
const KEPT = "selected";
const boxes = () => [...document.querySelectorAll(".select-box")];
const chosen = () => boxes().filter((box) => box.checked);

function read() {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));
  } catch {
    return new Set();
  }
}
function write(ids) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...ids]));
  } catch {
    // A browser that keeps nothing: the ticks last as long as their page.
  }
}

function counted() {
  const { dataset } = document.getElementById("bulk-words");
  const count = chosen().length;
  if (!count) return dataset.none;
  return count === 1 ? dataset.one : dataset.many.replace("#", count);
}
function recount() {
  const words = document.getElementById("bulk-words");
  if (words && words.textContent !== counted()) words.textContent = counted();
}
function changed(told = "") {
  const kept = read();
  for (const box of boxes()) {
    if (box.checked) kept.add(box.value);
    else kept.delete(box.value);
  }
  write(kept);
  recount();
  say(told ? `${told}. ${counted()}` : counted());
}

// Shift and a click takes all between the last tick and this one.
let shift = false;
let last = null;
document.addEventListener("pointerdown", (event) => (shift = event.shiftKey), true);
document.addEventListener("keydown", () => (shift = false), true);
document.addEventListener("change", (event) => {
  const box = event.target.closest(".select-box");
  if (!box) return;
  const all = boxes();
  const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
  if (shift && from >= 0) for (const each of all.slice(from, to + 1)) each.checked = box.checked;
  [shift, last] = [false, box];
  changed(box.closest(".row").querySelector(".row-link").textContent);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-select]");
  if (!button) return;
  for (const box of boxes()) box.checked = button.dataset.select === "all";
  changed();
  if (!chosen().length) document.querySelector(".row-link")?.focus();
});
// A row that was decided elsewhere meanwhile is selected no more.
document.addEventListener("htmx:after:swap", recount);

if (document.querySelector("[data-selection-done]")) write([]);
function restore() {
  const kept = read();
  for (const box of boxes()) box.checked = kept.has(box.value);
  recount();
}
addEventListener("pageshow", (event) => {
  // A summary that the browser kept would say what stood before something was opened.
  if (event.persisted && document.querySelector("[data-fresh]")) location.reload();
  else restore();
});
