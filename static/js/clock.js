// Keeps <time data-when> and <time data-left> current, in the words of
// approvals/templatetags/moments.py. Corrected by the server's clock; still in hidden tabs.
const skew = Number(document.body.dataset.now) * 1000 - Date.now();
const DAY = 86_400;

export function span(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = String(minutes % 60).padStart(2, "0");
  return `${Math.floor(minutes / 60)} h ${rest} min`;
}

// null: a day or more away, where the server's words are a date and stay true
export function spoken(apart) {
  const seconds = Math.floor(Math.abs(apart));
  if (seconds >= DAY) return null;
  if (seconds < 1) return t("now");
  return t(apart > 0 ? "in %(span)s" : "%(span)s ago", { span: span(seconds) });
}

export function remaining(apart) {
  const seconds = Math.floor(Math.abs(apart));
  if (seconds >= DAY) return null;
  if (apart < 0) return t("%(span)s late", { span: span(seconds) });
  if (seconds < 60 || seconds >= 600) return span(seconds);
  return `${span(seconds)} ${String(seconds % 60).padStart(2, "0")} s`;
}

function tick() {
  if (document.hidden) return;
  const now = Date.now() + skew;
  for (const time of document.querySelectorAll("time[data-when], time[data-left]")) {
    const apart = (Date.parse(time.dateTime) - now) / 1000;
    const left = time.dataset.left === "held" ? Math.max(apart, 0) : apart;
    const words = "left" in time.dataset ? remaining(left) : spoken(apart);
    if (words !== null && words !== time.textContent) time.textContent = words;
  }
  for (const dial of document.querySelectorAll("svg[data-until]")) {
    const share = (Date.parse(dial.dataset.until) - now) / 1000 / dial.dataset.span;
    const percent = Math.round(100 * Math.min(Math.max(share, 0), 1));
    dial.querySelector(".dial-arc").setAttribute("stroke-dasharray", `${percent} 100`);
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
