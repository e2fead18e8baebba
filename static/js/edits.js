// What is changed before approving is counted on the very button that sends it.

// A long text against the one that was sent, word by word, as approvals/presentation/worddiff.py
// does it: Myers' shortest edit within bounds, past which one text replaces the other.
const MOST_EDITS = 250;
const WORDS = new RegExp(
  [
    "\\n|[^\\S\\n]+",
    "[\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff]",
    "[\\p{L}\\p{N}\\p{M}_]+(?:[.,:'’/@-][\\p{L}\\p{N}\\p{M}_]+)*",
    ".",
  ].join("|"),
  "gsu",
);
// As the server shows them: characters that hide or turn others are spelled out.
const HIDDEN = /(?![\n\t])[\p{C}\p{Zl}\p{Zp}\u034f\u115f\u1160\u2800\u3164\uffa0\ufe00-\ufe0e]/gu;
const spell = (sign) => `[U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`;
const all = (part, words) => words.map((word) => [part, word]);
// How far each diagonal leads; that in the middle is of as many words put in as taken out.
const MIDDLE = MOST_EDITS + 1;
const down = (far, line, edits) =>
  line === -edits || (line !== edits && far[MIDDLE + line - 1] < far[MIDDLE + line + 1]);

function walk(old, now) {
  const far = new Int32Array(2 * MIDDLE + 1);
  const trace = [];
  for (let edits = 0, steps = 3e5; edits <= MOST_EDITS && steps > 0; edits++) {
    trace.push(far.slice());
    for (let line = -edits; line <= edits; line += 2) {
      const at = MIDDLE + line;
      let x = down(far, line, edits) ? far[at + 1] : far[at - 1] + 1;
      for (steps--; x < old.length && x - line < now.length && old[x] === now[x - line]; x++) steps--;
      far[at] = x;
      if (x >= old.length && x - line >= now.length) return trace;
    }
  }
  return null;
}

function between(old, now) {
  const trace = walk(old, now);
  if (!trace) return [...all("gone", old), ...all("new", now)];
  const pairs = [];
  let [x, y] = [old.length, now.length];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const put = down(trace[edits], x - y, edits);
    const line = x - y + (put ? 1 : -1);
    const fromX = trace[edits][MIDDLE + line];
    const fromY = fromX - line;
    for (; x > fromX && y > fromY; x--, y--) pairs.push(["same", old[x - 1]]);
    if (edits) pairs.push(put ? ["new", now[fromY]] : ["gone", old[fromX]]);
    [x, y] = [fromX, fromY];
  }
  return pairs.reverse();
}

export function wordDiff(before, after) {
  const [old, now] = [before, after].map(
    (text) => text.replace(HIDDEN, spell).match(WORDS) ?? [],
  );
  const least = Math.min(old.length, now.length);
  let head = 0;
  while (head < least && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < least - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const [end, last] = [old.length - tail, now.length - tail];
  const pairs = [
    ...all("same", old.slice(0, head)),
    ...between(old.slice(head, end), now.slice(head, last)),
    ...all("same", old.slice(end)),
  ];
  return pieces(pairs);
}

// Runs; what is gone stands before what is new, and a space between two changes goes with them.
function pieces(pairs) {
  const found = [];
  let run = { gone: "", new: "" };
  const close = () => {
    for (const part of ["gone", "new"]) if (run[part]) found.push([part, run[part]]);
    run = { gone: "", new: "" };
  };
  pairs.forEach(([part, word], at) => {
    const alone = [at - 1, at + 1].every((near) => (pairs[near]?.[0] ?? "same") !== "same");
    if (part !== "same") run[part] += word;
    else if (alone && word.trim() === "" && word !== "\n") {
      run.gone += word;
      run.new += word;
    } else {
      close();
      if (found.at(-1)?.[0] === "same") found.at(-1)[1] += word;
      else found.push(["same", word]);
    }
  });
  close();
  return found;
}

function hidden(words) {
  const span = document.createElement("span");
  span.className = "vh";
  span.textContent = words;
  return span;
}

function compare(row, field) {
  const box = row.querySelector("[data-compared]");
  if (!box) return;
  const changed = field.value !== field.dataset.was;
  box.hidden = !changed;
  const drawn = changed ? wordDiff(field.dataset.was, field.value) : [];
  box.querySelector(".marked").replaceChildren(
    ...drawn.map(([part, text]) => {
      if (part === "same") return text;
      const mark = document.createElement(part === "gone" ? "del" : "ins");
      mark.append(hidden(`[${box.dataset[part]} `), text, hidden("]"));
      return mark;
    }),
  );
}

// A long text is compared once typing rests: that takes longer than a key may.
const LONG = 5_000; // characters
const REST = 150; // milliseconds
const resting = new WeakMap();
function compareInTime(row, field) {
  clearTimeout(resting.get(row));
  if (field.value.length <= LONG) compare(row, field);
  else resting.set(row, setTimeout(compare, REST, row, field));
}

// AT: what is being changed; without it every field is looked at.
function recount(at) {
  const form = document.getElementById("decide-form");
  const rows = [...(form?.querySelectorAll("[data-edit]") ?? [])];
  if (!rows.length) return;
  const changed = rows.filter((row) => {
    const field = row.querySelector("[data-was]");
    const on = field.value !== field.dataset.was;
    row.classList.toggle("edit--on", on);
    row.querySelector("[data-put-back]").hidden = !on;
    if (row.contains(at) || !at) compareInTime(row, field);
    return on;
  });
  const count = changed.length;
  const one = count === 1;
  const names = changed.map((row) => row.querySelector("[data-was]").dataset.name);
  form.elements.edited.value = changed.length;
  for (const words of document.querySelectorAll("[data-approve]")) {
    words.textContent = changed.length
      ? t(one ? "Approve with %(count)s edit" : "Approve with %(count)s edits", { count })
      : words.dataset.approve;
  }
  const notice = form.querySelector("[data-edits]");
  notice.hidden = !changed.length;
  notice.querySelector("[data-edits-words]").textContent = changed.length
    ? t(
        one
          ? "%(count)s edit will be sent with your approval: %(names)s"
          : "%(count)s edits will be sent with your approval: %(names)s",
        { count, names: names.join(", ") },
      )
    : "";
}

document.addEventListener("input", (event) => {
  if (event.target.closest("[data-edit]")) recount(event.target);
});
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-put-back]")?.closest("[data-edit]");
  if (!row) return;
  const field = row.querySelector("[data-was]");
  field.value = field.dataset.was;
  recount(field);
  field.focus();
});
document.addEventListener("htmx:after:swap", () => recount());
// What a browser fills in again on the way back comes without an event.
addEventListener("pageshow", () => recount());
