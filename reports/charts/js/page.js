// The figures of a page: found, made live, fed with new data.

const kinds = {}; // name of a kind → function of a Chart that gives its view
const live = new WeakMap(); // figure → its Chart

// element makes an HTML element; texts are set as text.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const finite = (v) => typeof v === "number" && Number.isFinite(v);

// shown writes a number for people: three significant digits and more before the point.
function shown(v, digits = 1) {
  if (!finite(v)) return "no number";
  if (digits && v !== 0 && Math.abs(v) < 0.1) return String(Number(v.toPrecision(3))).replace("-", "−");
  return v.toFixed(digits && Math.abs(v) < 10 ? Math.max(digits, 2) : digits).replace("-", "−");
}

const signed = (v, digits = 1) => (finite(v) && v > 0 ? "+" : "") + shown(v, digits);

// described names a run: "seed 3", with its state where it is not completed.
const described = (run) => `seed ${run.seed}` + (completed(run) ? "" : ` (${run.state})`);

const completed = (run) => run.state === "completed";

// A Chart is a figure with its data, its controls, its drawing and the table behind it.
// A view has draw(svg, width), which gives the height, table(), which gives {columns, rows}, and perhaps
// key(name), which answers a key, and update(), which takes in new data.
class Chart {
  constructor(figure, data) {
    this.figure = figure;
    this.data = data;
    this.name = figure.id.replace(/^figure-/, "") || figure.dataset.chart;
    this.title = figure.querySelector("h3")?.textContent.trim() ?? this.name;
    this.controls = element("div", { class: "chart-controls" });
    this.tip = element("div", { class: "chart-tip", hidden: true });
    this.svg = d3.select(document.createElementNS("http://www.w3.org/2000/svg", "svg")).attr("aria-hidden", "true");
    this.stage = element("div", { class: "chart-stage", tabindex: "0", role: "group" }, this.svg.node(), this.tip);
    this.status = element("p", { class: "chart-status", role: "status" });
    this.root = element("div", { class: "chart-live" }, this.controls, this.stage, this.status);
    this.view = kinds[figure.dataset.chart](this);
    if (this.view.table) this.root.append(this.footer());
    this.stage.setAttribute("aria-label", `${this.title}. ${this.view.help ?? ""}`);
    this.stage.addEventListener("keydown", (event) => {
      if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
      const known = this.view.key?.(event.key);
      if (!known && event.key === "Escape") this.hideTip();
      if (known || event.key === "Escape") event.preventDefault();
    });
    this.stage.addEventListener("blur", () => this.hideTip());
    if (!this.view.draw) this.stage.remove();
    this.place();
    figure.classList.add("is-live");
    if (this.view.draw) new ResizeObserver(() => this.draw()).observe(this.stage);
    this.draw();
  }

  // place puts the chart into its figure and hides the stand-in.
  place() {
    const still = this.figure.querySelector(":scope > .chart-static");
    this.figure.insertBefore(this.root, still);
    if (still) still.hidden = true;
  }

  // draw draws anew where the width or anything else has changed.
  draw() {
    const width = this.view.draw ? Math.round(this.stage.clientWidth) : 0;
    if (width < 40) return;
    this.svg.selectAll("*").remove();
    const height = this.view.draw(this.svg, width);
    this.svg.attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
  }

  update(data) {
    this.data = data;
    this.view.update?.();
    this.draw();
    if (this.tableFold?.open) this.fillTable();
  }

  // toggle adds a button to the controls that is pressed or not.
  toggle(label, pressed, changed, attributes = {}) {
    const button = element("button", {
      type: "button", "aria-pressed": String(pressed), ...attributes,
      onclick: () => {
        const now = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(now));
        changed(now);
      },
    }, label);
    this.controls.append(button);
    return button;
  }

  // legend adds a toggle for each arm; hidden is the set of labels that are switched off.
  legend(arms, hidden) {
    const list = element("div", { class: "chart-legend", role: "group", "aria-label": "Arms" });
    for (const arm of arms) {
      const button = this.toggle(arm.label, !hidden.has(arm.label), (on) => {
        if (on) hidden.delete(arm.label);
        else hidden.add(arm.label);
        this.draw();
      }, { class: `chart-arm c${arm.colour}` });
      list.append(button);
    }
    this.controls.prepend(list);
  }

  // showTip shows lines of text beside a place of the drawing, and says them to screen readers.
  showTip(x, y, title, lines) {
    this.tip.replaceChildren(element("strong", {}, title), ...lines.map(({ text, colour }) =>
      element("span", { class: colour === undefined ? "" : `chart-key c${colour}` }, text)));
    this.tip.hidden = false;
    const room = this.stage.getBoundingClientRect(), box = this.tip.getBoundingClientRect();
    const left = x + 14 + box.width > room.width ? Math.max(0, x - box.width - 14) : x + 14;
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${Math.max(0, Math.min(y - 10, room.height - box.height))}px`;
    if (document.activeElement === this.stage) this.status.textContent = [title, ...lines.map((l) => l.text)].join("; ");
  }

  // pointed gives a group for what is marked under the pointer, in place of what was.
  pointed() {
    this.svg.selectAll(".chart-pointed").remove();
    return this.svg.append("g").attr("class", "chart-pointed").attr("data-transient", "");
  }

  hideTip() {
    this.tip.hidden = true;
    this.status.textContent = "";
    this.svg.selectAll(".chart-pointed").remove();
  }

  // footer holds the table and the exports.
  footer() {
    this.tableFold = element("details", { class: "chart-table" }, element("summary", {}, "Table"));
    this.tableFold.addEventListener("toggle", () => this.tableFold.open && this.fillTable());
    const drawn = (button) => (this.view.draw ? [button] : []);
    const save = (kind, write) => element("button", { type: "button", "aria-label": `Save ${this.title} as ${kind}`, onclick: write }, kind);
    return element("div", { class: "chart-footer" }, element("div", { class: "chart-exports" }, "Save as ",
      ...drawn(save("SVG", () => saveSVG(this))), ...drawn(save("PNG", () => savePNG(this))), save("CSV", () => saveCSV(this))), this.tableFold);
  }

  fillTable() {
    const { columns, rows } = this.view.table();
    const cell = (value) => (typeof value === "number" || value === null ? element("td", { class: "number" }, shown(value, 2)) : element("td", {}, value));
    const table = element("table", {},
      element("thead", {}, element("tr", {}, ...columns.map((c) => element("th", { scope: "col" }, c)))),
      element("tbody", {}, ...rows.slice(0, 2000).map((row) => element("tr", {}, ...row.map(cell)))));
    const more = rows.length > 2000 ? [element("p", {}, `The first 2,000 of ${rows.length} rows; the CSV file has all.`)] : [];
    this.tableFold.replaceChildren(this.tableFold.firstChild,
      element("div", { class: "chart-scroll", tabindex: "0", role: "region", "aria-label": `Table of ${this.title}` }, table), ...more);
  }
}

// dataOf gives a figure's data, from the page or from where data-source says.
async function dataOf(figure) {
  const embedded = (holder) => JSON.parse(holder.querySelector(':scope > script[type="application/json"]').textContent);
  if (figure.dataset.source?.startsWith("#")) return embedded(document.querySelector(figure.dataset.source));
  if (figure.dataset.source) {
    const answer = await fetch(figure.dataset.source, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${figure.dataset.source}: ${answer.status} ${answer.statusText}`);
    return answer.json();
  }
  return embedded(figure);
}

// makeLive makes a chart of a figure, or has the one that it has take in the figure's data; other arms or
// parameters need a new one.
async function makeLive(figure) {
  const chart = live.get(figure) ?? null;
  live.set(figure, chart);
  try {
    const data = await dataOf(figure);
    const choices = (of) => JSON.stringify([of.arms?.map((a) => [a.label, a.colour]), of.parameters?.map((p) => p.path)]);
    if (chart && choices(chart.data) === choices(data)) {
      chart.update(data);
      return;
    }
    chart?.root.remove();
    live.set(figure, new Chart(figure, data));
  } catch (error) {
    console.error(`chart ${figure.id}:`, error);
    figure.append(element("p", { class: "chart-failed", role: "alert" }, `The live chart cannot be shown: ${error.message}`));
  }
}

// Figures become live when they come near the window, also by a fold that is opened.
const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    makeLive(target);
  }
}, { rootMargin: "50%" });

function mount(root = document) {
  for (const figure of root.querySelectorAll("figure.chart[data-chart]")) {
    if (!live.has(figure) && kinds[figure.dataset.chart]) near.observe(figure);
  }
}

// Before a page is printed, figures that have nothing else to show become live.
globalThis.addEventListener("beforeprint", () => {
  for (const figure of document.querySelectorAll("figure.chart[data-chart]")) {
    if (!live.has(figure) && kinds[figure.dataset.chart] && !figure.querySelector("svg, img, table")) makeLive(figure);
  }
});

// keep has a live figure take the place of fresh, its new HTML, and takes in what that says.
function keep(figure, fresh) {
  const chart = live.get(figure);
  if (!chart || fresh?.dataset.chart !== figure.dataset.chart || fresh.dataset.source !== figure.dataset.source) return;
  figure.replaceChildren(...fresh.childNodes);
  chart.place();
  fresh.replaceWith(figure);
  makeLive(figure);
}

// start is called once all kinds are known.
function start() {
  globalThis.glimpseCharts = { mount, keep };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => mount());
  else mount();
}
