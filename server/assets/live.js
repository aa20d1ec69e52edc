// Keeps a page up to date: on an event of the server it fetches the page anew, and replaces the
// parts ([data-live]) whose HTML the server changed. Folds, focus, scroll positions, ticks and what
// was chosen in charts stay.

const every = 2000; // milliseconds between two fetches, at least
const parts = () => document.querySelectorAll("[data-live]");
const sent = new Map(); // id of a part → its HTML as the server sent it
for (const part of parts()) sent.set(part.id, part.innerHTML);

let shown = 0, wanted = 0; // versions of what the server knows
let tag = "", busy = false, last = 0, timer = 0, events = null;

const status = document.getElementById("following");
const say = (text) => { if (status && status.textContent !== text) status.textContent = text; };

// tellAges writes how long ago the times of the page are; the time itself is the element's title.
function tellAges() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
    if (!time.title) time.title = time.textContent;
    const text = seconds < 90 ? `${Math.round(seconds)} s ago`
      : seconds < 5400 ? `${Math.round(seconds / 60)} min ago`
      : seconds < 129600 ? `${Math.round(seconds / 3600)} h ago` : time.title;
    if (time.textContent !== text) time.textContent = text;
  }
}

// nameOf finds an element again in the part that takes its part's place.
function nameOf(part, element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const tag = element.localName;
  for (const attribute of ["href", "value", "name", "aria-labelledby"]) {
    if (element.hasAttribute(attribute)) return `${tag}[${attribute}="${CSS.escape(element.getAttribute(attribute))}"]`;
  }
  return { tag, place: [...part.querySelectorAll(tag)].indexOf(element) };
}

function found(part, name) {
  return typeof name === "string" ? part.querySelector(name) : part.querySelectorAll(name.tag)[name.place] || null;
}

// replace puts new HTML into a part, and back what the reader had done there.
function replace(part, html) {
  const opened = [...part.querySelectorAll("details")].map((d) => [nameOf(part, d), d.open]);
  const scrolled = [...part.querySelectorAll(".wide, .code")].filter((e) => e.scrollLeft || e.scrollTop)
    .map((e) => [nameOf(part, e), e.scrollLeft, e.scrollTop]);
  const ticked = [...part.querySelectorAll("input[type=checkbox]")].filter((c) => c.checked !== c.defaultChecked)
    .map((c) => [nameOf(part, c), c.checked]);
  const focus = part.contains(document.activeElement) ? nameOf(part, document.activeElement) : null;
  const top = window.scrollY, height = document.documentElement.scrollHeight, above = part.getBoundingClientRect().bottom < 0;
  const charts = [...part.querySelectorAll("figure.is-live")];
  part.innerHTML = html;
  for (const chart of charts) window.glimpseCharts?.keep(chart, part.querySelector(`#${CSS.escape(chart.id)}`));
  for (const [name, open] of opened) { const d = found(part, name); if (d) d.open = open; }
  for (const [name, checked] of ticked) { const c = found(part, name); if (c) c.checked = checked; }
  for (const [name, left, down] of scrolled) { const e = found(part, name); if (e) e.scrollTo(left, down); }
  if (focus) found(part, focus)?.focus({ preventScroll: true });
  if (above) window.scrollTo(0, top + document.documentElement.scrollHeight - height);
  window.glimpseCharts?.mount(part);
}

async function refresh() {
  if (busy || document.hidden) return;
  clearTimeout(timer);
  const wait = last + every - Date.now();
  if (wait > 0) { timer = setTimeout(refresh, wait); return; }
  busy = true;
  last = Date.now();
  const asked = wanted;
  try {
    const answer = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status === 401) { say("No longer followed: use the new link that glimpse serve printed."); events?.close(); return; }
    if (answer.ok) {
      tag = answer.headers.get("ETag") || "";
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts()) {
        const html = page.getElementById(part.id)?.innerHTML;
        if (html !== undefined && html !== sent.get(part.id)) {
          sent.set(part.id, html);
          replace(part, html);
        }
      }
      tellAges();
    }
    shown = asked;
    say("Follows what is recorded.");
  } catch {
    say("The server does not answer; what is shown may be old.");
  } finally {
    busy = false;
  }
  if (wanted !== shown) refresh();
}

// follow listens as long as the page is seen: a browser has few connections to a server for all
// its tabs.
function follow() {
  if (document.hidden) { events?.close(); events = null; return; }
  if (events) return;
  events = new EventSource("/live");
  events.onmessage = (event) => {
    wanted = Number(event.data);
    say("Follows what is recorded.");
    if (wanted !== shown) refresh();
  };
  events.onerror = () => {
    say("The server does not answer; what is shown may be old.");
    if (events?.readyState === EventSource.CLOSED) { events = null; setTimeout(follow, 5 * every); }
  };
}

document.documentElement.classList.add("scripted");
tellAges();
setInterval(tellAges, 5000);
if ("follows" in document.body.dataset) {
  document.addEventListener("visibilitychange", follow);
  follow();
}
