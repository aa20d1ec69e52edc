// Captions: what arms say of images, side by side, and where they looked before each word.

const cardsAtOnce = 8;

// taps says, for each of n pixels along a side, which cells of the grid its weight is made of: Catmull and Rom's
// spline (1974), which passes through the weights at the centres of the regions.
function taps(grid, n) {
  return Array.from({ length: n }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) / n - grid.first) / grid.step, 0), grid.side - 1), cell = Math.floor(at), t = at - cell;
    const weights = [t * (-1 + t * (2 - t)) / 2, (2 + t * t * (3 * t - 5)) / 2, t * (1 + t * (4 - 3 * t)) / 2, t * t * (t - 1) / 2];
    return weights.map((w, k) => [Math.min(Math.max(cell + k - 1, 0), grid.side - 1), w]);
  });
}

// veil draws grey over a picture, thin where the weight is great; the root of the weight thins it.
function veil(canvas, grid, looks) {
  const bytes = Uint8Array.from(atob(looks), (c) => c.charCodeAt(0)), context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height), columns = taps(grid, canvas.width), rows = taps(grid, canvas.height);
  rows.forEach((row, y) => columns.forEach((column, x) => {
    let weight = 0;
    for (const [r, v] of row) for (const [c, u] of column) weight += v * u * bytes[r * grid.side + c];
    const share = Math.min(Math.max(weight / 255, 0), 1);
    image.data.set([122, 122, 122, 255 * 0.88 * (1 - Math.sqrt(share))], 4 * (y * canvas.width + x));
  }));
  context.putImageData(image, 0, 0);
}

kinds.captions = function (chart) {
  const state = { text: "", kind: "", low: NaN, high: NaN, order: "split", a: chart.data.against[0], b: chart.data.against[1], most: cardsAtOnce };
  const cards = element("div", { class: "chart-cards" });
  const found = element("p", { class: "chart-note", role: "status" });
  const more = element("button", { type: "button", onclick: () => { state.most += 3 * cardsAtOnce; list(); } }, "More images");
  const hiddenArms = new Set();

  const changed = (name, read) => (event) => { state[name] = read(event.target); state.most = cardsAtOnce; list(); };
  const select = (label, name, options, read = (t) => t.value) => element("label", {}, label, " ",
    element("select", { onchange: changed(name, read) }, ...options.map(([value, text]) => element("option", { value, selected: String(state[name]) === String(value) }, text))));
  const number = (label, name) => element("label", {}, label, " ", element("input", { type: "number", class: "chart-number", oninput: changed(name, (t) => t.valueAsNumber) }));
  const arms = chart.data.arms.map((a, i) => [i, a.label]);
  const controls = [element("label", {}, "Search ", element("input", { type: "search", placeholder: "words or image", oninput: changed("text", (t) => t.value.trim().toLowerCase()) }))];
  if (chart.data.classes) controls.push(select("in", "kind", [["", "all words"], ...chart.data.classes.map((name, i) => [i, name])]));
  controls.push(select("Sort by", "order", [["split", "order of the list"], ["gain", "greatest gain"], ["loss", "greatest loss"], ["high", "highest score"], ["low", "lowest score"]]));
  if (arms.length > 1) controls.push(select("of", "b", arms, (t) => Number(t.value)), select("over", "a", arms, (t) => Number(t.value)));
  controls.push(number(`${chart.data.score} from`, "low"), number("to", "high"));
  chart.controls.append(element("div", { class: "chart-search", role: "search", "aria-label": chart.title }, ...controls));
  if (arms.length > 1) {
    chart.legend(chart.data.arms, hiddenArms);
    chart.controls.firstChild.addEventListener("click", () => list());
  }
  chart.root.append(found, cards, more);

  // scoreOf is the score of an arm for an image: the mean of the seeds or, where that is not known, of the caption.
  function scoreOf(image, arm) {
    const said = image.captions.find((c) => c.arm === arm);
    return said ? said.mean ?? said.score : NaN;
  }
  const difference = (image) => scoreOf(image, state.b) - scoreOf(image, state.a);

  function matches(image) {
    const captions = image.captions.filter((c) => !hiddenArms.has(chart.data.arms[c.arm].label));
    if (!captions.length) return false;
    if (finite(state.low) && !captions.some((c) => finite(c.score) && c.score >= state.low && !(c.score > state.high))) return false;
    if (!finite(state.low) && finite(state.high) && !captions.some((c) => finite(c.score) && c.score <= state.high)) return false;
    if (state.kind !== "") return captions.some((c) => c.words.split(" ").some((w, i) => c.classes?.[i] === state.kind && w.includes(state.text)));
    return !state.text || image.name.toLowerCase().includes(state.text) || captions.some((c) => c.words.includes(state.text));
  }

  function chosen() {
    const images = chart.data.images.filter(matches);
    const by = {
      gain: (i) => -difference(i), loss: difference, high: (i) => -scoreOf(i, state.b), low: (i) => scoreOf(i, state.b),
    }[state.order];
    if (!by) return images;
    return images.map((image) => [finite(by(image)) ? by(image) : Infinity, image]).sort((x, y) => x[0] - y[0]).map(([, image]) => image);
  }

  function list() {
    const images = chosen();
    cards.replaceChildren(...images.slice(0, state.most).map(card));
    more.hidden = images.length <= state.most;
    found.textContent = `${images.length} of ${chart.data.images.length} images${chart.data.selected ? `: ${chart.data.selected}` : ""}`;
  }

  function card(image) {
    const title = element("h4", {}, image.name, " ");
    if (arms.length > 1 && finite(difference(image))) title.append(element("span", { class: "score" }, `${signed(difference(image))} points`));
    const article = element("article", { class: "chart-card" }, title);
    let canvas = null;
    if (image.picture || image.ground) {
      const frame = element("div", { class: "chart-picture" });
      canvas = element("canvas", { "aria-hidden": "true", hidden: true });
      const size = (width, height) => {
        const scale = 160 / Math.max(width, height);
        frame.style.aspectRatio = `${width} / ${height}`;
        frame.style.maxWidth = `min(20rem, ${22 * width / height}rem, ${Math.max(160, 1.6 * width)}px)`; // so that a tall one is not squeezed
        canvas.width = Math.max(1, Math.round(width * scale));
        canvas.height = Math.max(1, Math.round(height * scale));
      };
      size(image.width || 4, image.height || 3);
      if (image.picture) {
        const picture = element("img", { src: image.picture, alt: `The picture ${image.name}`, loading: "lazy", decoding: "async" });
        if (!image.width) picture.addEventListener("load", () => size(picture.naturalWidth, picture.naturalHeight));
        picture.addEventListener("error", () => frame.remove()); // without it the captions still say something
        frame.append(picture);
      } else frame.append(element("div", { class: image.ground, role: "img", "aria-label": `The picture ${image.name}` }));
      frame.append(canvas);
      article.append(frame);
    }
    const said = element("div", { class: "chart-said" });
    for (const caption of image.captions) {
      if (!hiddenArms.has(chart.data.arms[caption.arm].label)) said.append(...sentence(caption, canvas));
    }
    if (image.references?.length) {
      said.append(element("details", {}, element("summary", {}, `${image.references.length} reference caption${image.references.length === 1 ? "" : "s"}`),
        element("ul", {}, ...image.references.map((r) => element("li", {}, r)))));
    }
    article.append(said);
    return article;
  }

  // sentence is a caption whose words answer to the pointer and to arrow keys.
  function sentence(caption, canvas) {
    const arm = chart.data.arms[caption.arm], words = caption.words.split(" ").filter(Boolean);
    const told = element("span", { class: "chart-told", role: "status" });
    const spans = words.map((w, i) => {
      const hit = (state.kind !== "" && caption.classes?.[i] === state.kind && w.includes(state.text)) || (state.kind === "" && state.text && w.includes(state.text));
      return element("span", { class: hit ? "chart-word chart-hit" : "chart-word" }, w);
    });
    const line = element("p", { class: "chart-sentence" });
    spans.forEach((span, i) => line.append(i ? " " : "", span));
    if (!words.length) line.append("(an empty caption)");
    if (finite(caption.score)) line.append(element("span", { class: "score" }, ` (${shown(caption.score, 0)})`));
    const label = element("p", { class: "chart-speaker" }, element("span", { class: `arm${arm.colour}` }, arm.label), element("span", { class: "score" }, ` seed ${caption.seed} `), told);
    const looks = canvas && caption.regions && caption.looks;
    if (!looks && !caption.beta) return [label, line];
    let at = -1;
    const leave = () => {
      spans[at]?.classList.remove("chart-now");
      at = -1;
      told.textContent = "";
      if (canvas) canvas.hidden = true;
    };
    const go = (i) => {
      if (i < 0 || i >= spans.length) return;
      leave();
      at = i;
      spans[i].classList.add("chart-now");
      const facts = [words[i]];
      if (finite(caption.beta?.[i])) facts.push(`β ${caption.beta[i].toFixed(2)}`);
      if (looks) {
        canvas.hidden = false;
        veil(canvas, caption.regions, caption.looks[i]);
        facts.push(`clear: ${shown(100 * caption.full, 0)} % on a region`);
      }
      told.textContent = facts.join(", ");
    };
    spans.forEach((span, i) => span.addEventListener("pointerenter", () => go(i)));
    line.addEventListener("pointerleave", leave);
    line.addEventListener("blur", leave);
    line.tabIndex = 0;
    line.setAttribute("role", "group");
    line.setAttribute("aria-label", `${arm.label}: ${caption.words}. Arrow keys go from word to word.`);
    line.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (by) go(Math.max(0, Math.min(spans.length - 1, at + by)));
      else if (event.key === "Escape") leave();
      else return;
      event.preventDefault();
    });
    return [label, line];
  }

  const table = () => ({
    columns: ["image", "arm", "seed", "caption", chart.data.score, "mean of the seeds"],
    rows: chosen().flatMap((image) => image.captions.map((c) => [image.name, chart.data.arms[c.arm].label, String(c.seed), c.words, c.score ?? null, c.mean ?? null])),
  });
  list();
  return { table, update: list };
};
