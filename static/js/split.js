// On wide screens a request opens beside its list; without this, and on small ones, its page
// opens whole. The address is the request's either way.
const wide = matchMedia("(width >= 64rem)");

function mark(link) {
  for (const row of document.querySelectorAll(".row-link")) row.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".split .row-link");
  const other = event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (!link || other || event.defaultPrevented || !wide.matches) return;
  event.preventDefault();
  mark(link);
  const path = link.getAttribute("href");
  htmx.ajax("GET", path, { source: "#pane", target: "#pane" });
});

// Anything but the request, such as "there is nothing here for you", needs the whole window.
document.addEventListener("htmx:before:swap", (event) => {
  const { target, response, request } = event.detail.ctx;
  if (target?.id !== "pane" || response.status < 400) return;
  event.preventDefault();
  location.assign(request.action);
});

document.querySelector(".split .row-link[aria-current]")?.scrollIntoView({ block: "nearest" });
