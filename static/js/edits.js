// What is changed before approving is counted on the very button that sends it.

function recount() {
  const form = document.getElementById("decide-form");
  const rows = [...(form?.querySelectorAll("[data-edit]") ?? [])];
  if (!rows.length) return;
  const changed = rows.filter((row) => {
    const field = row.querySelector("[data-was]");
    const on = field.value !== field.dataset.was;
    row.classList.toggle("edit--on", on);
    row.querySelector("[data-put-back]").hidden = !on;
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
  if (event.target.closest("[data-edit]")) recount();
});
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-put-back]")?.closest("[data-edit]");
  if (!row) return;
  const field = row.querySelector("[data-was]");
  field.value = field.dataset.was;
  recount();
  field.focus();
});
document.addEventListener("htmx:after:swap", recount);
// What a browser fills in again on the way back comes without an event.
addEventListener("pageshow", recount);
