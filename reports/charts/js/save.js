// What a chart is saved as.

const drawnProperties = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "opacity", "font-family", "font-size", "font-weight", "text-anchor", "paint-order"];

// standalone is the drawing as a file: colours and typefaces are written out, since the page's style is not there.
function standalone(chart) {
  const drawing = chart.svg.node(), copy = drawing.cloneNode(true);
  const from = [drawing, ...drawing.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((node, i) => {
    const style = getComputedStyle(node);
    for (const property of drawnProperties) {
      const value = style.getPropertyValue(property);
      if (value) to[i].setAttribute(property, value);
    }
    to[i].removeAttribute("class");
  });
  for (const pointed of copy.querySelectorAll("[data-transient]")) pointed.remove();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.removeAttribute("aria-hidden");
  const svg = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const ground = svg("rect"), title = svg("title");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.body).getPropertyValue("--paper"));
  title.textContent = chart.title;
  copy.prepend(title, ground);
  return new XMLSerializer().serializeToString(copy);
}

function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = element("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function saveSVG(chart) {
  download(new Blob([standalone(chart)], { type: "image/svg+xml" }), `${chart.name}.svg`);
}

// savePNG draws the chart at twice its size.
async function savePNG(chart) {
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(standalone(chart));
  await image.decode();
  const canvas = element("canvas", { width: 2 * chart.svg.attr("width"), height: 2 * chart.svg.attr("height") });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => download(blob, `${chart.name}.png`), "image/png");
}

// csvCell keeps texts from being taken for formulas by a spreadsheet: they get a ' in front.
function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = /^[=+\-@\t\r\n＝＋－＠]/.test(value) && Number.isNaN(Number(value)) ? "'" + value : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function saveCSV(chart) {
  const { columns, rows } = chart.view.table();
  const text = [columns, ...rows].map((row) => row.map(csvCell).join(",")).join("\n") + "\n";
  download(new Blob([text], { type: "text/csv" }), `${chart.name}.csv`);
}
