// Curves: values over epochs, as the mean and band of each arm or as the trace of each run.

// smoothed is the exponential moving average of a curve, with the weight of what came before; its beginning is
// corrected for having nothing before it (Kingma & Ba 2015, "Adam", section 3).
function smoothed(points, weight) {
  if (weight === 0) return points;
  let sum = 0, power = 1;
  return points.map(([x, y]) => {
    if (!finite(y)) return [x, y];
    sum = weight * sum + (1 - weight) * y;
    power *= weight;
    return [x, sum / (1 - power)];
  });
}

// path is an SVG path through points, broken where there is no number.
function path(points, x, y) {
  let text = "", open = false;
  for (const [px, py] of points) {
    if (!finite(px) || !finite(py)) open = false;
    else {
      text += `${open ? "L" : "M"}${x(px).toFixed(1)},${y(py).toFixed(1)}`;
      open = true;
    }
  }
  return text;
}

// valueAxis draws the axis of values on the left, with lines across the plot.
function valueAxis(svg, y, width, margin) {
  const left = d3.axisLeft(y).ticks(5).tickSize(-(width - margin.left - margin.right)).tickPadding(6);
  svg.append("g").attr("class", "chart-axis chart-grid").attr("transform", `translate(${margin.left},0)`).call(left).select(".domain").remove();
}

const range = (values) => values.reduce(([low, high], v) => (finite(v) ? [Math.min(low, v), Math.max(high, v)] : [low, high]), [Infinity, -Infinity]);

kinds.curves = function (chart) {
  const hidden = new Set();
  let traces = false, weight = 0, zoom = null, at = null, run = 0, scales = null;

  const arms = () => chart.data.arms.filter((a) => !hidden.has(a.label));
  const epochs = () => [...new Set(arms().flatMap((a) => [...a.mean, ...a.runs.flatMap((r) => r.points)].map((p) => p[0])))].sort((a, b) => a - b);
  const runs = () => arms().flatMap((arm) => arm.runs.map((r) => ({ arm, run: r })));
  const valueAt = (points, x) => points.find((p) => p[0] === x)?.[1];

  chart.legend(chart.data.arms, hidden);
  chart.toggle("Every seed", false, (on) => { traces = on; chart.draw(); });
  const smoothing = element("input", { type: "range", min: "0", max: "0.9", step: "0.1", value: "0" });
  const says = element("output", {}, "off");
  smoothing.addEventListener("input", () => {
    weight = Number(smoothing.value);
    says.textContent = weight ? weight.toFixed(1) : "off";
    chart.draw();
  });
  const reset = element("button", { type: "button", hidden: true, onclick: () => setZoom(null) }, "Whole range");
  chart.controls.append(element("label", { class: "chart-range" }, "Smoothing ", smoothing, " ", says), reset);
  const note = element("p", { class: "chart-note", hidden: true });
  chart.root.append(note);

  function setZoom(to) {
    zoom = to;
    reset.hidden = !to;
    chart.draw();
  }

  function draw(svg, width) {
    const height = Math.round(Math.max(230, Math.min(380, width * 0.62)));
    const margin = { top: 26, right: 12, bottom: 40, left: 50 };
    const all = epochs(), drawn = arms();
    const [first, last] = zoom ?? [all[0] ?? 0, all.at(-1) ?? 1];
    const x = d3.scaleLinear([first, last === first ? first + 1 : last], [margin.left, width - margin.right]);
    const inside = (points) => points.filter((p) => p[0] >= first && p[0] <= last);
    const lines = drawn.map((a) => ({ arm: a, mean: smoothed(a.mean, weight), runs: a.runs.map((r) => ({ run: r, points: smoothed(r.points, weight) })) }));
    const heights = lines.flatMap((l) => [l.mean, ...(traces || weight ? [] : [l.arm.low ?? [], l.arm.high ?? []]), ...l.runs.filter((r) => traces || !completed(r.run)).map((r) => r.points)]);
    const [low, high] = range(heights.flatMap(inside).map((p) => p[1]));
    const pad = finite(high - low) ? (high - low) * 0.05 || Math.abs(high) * 0.05 || 1 : 1;
    const y = d3.scaleLinear(finite(low) ? [low - pad, high + pad] : [0, 1], [height - margin.bottom, margin.top]);
    scales = { x, y, width, height, margin, lines };
    const wholes = x.ticks(Math.max(2, Math.min(10, width / 60))).filter(Number.isInteger);
    svg.append("g").attr("class", "chart-axis").attr("transform", `translate(0,${height - margin.bottom})`)
      .call(d3.axisBottom(x).tickSizeOuter(0).tickValues(wholes).tickFormat(String));
    valueAxis(svg, y, width, margin);
    svg.append("text").attr("class", "chart-label").attr("x", 2).attr("y", 12).text(chart.data.y);
    svg.append("text").attr("class", "chart-label").attr("x", width - margin.right).attr("y", height - 6).attr("text-anchor", "end").text(chart.data.x);
    const clip = `clip-${chart.name}`;
    svg.append("clipPath").attr("id", clip).append("rect").attr("x", margin.left - 4).attr("y", margin.top - 4)
      .attr("width", width - margin.left - margin.right + 8).attr("height", height - margin.top - margin.bottom + 8);
    const plot = svg.append("g").attr("clip-path", `url(#${clip})`);
    for (const { arm, mean, runs } of lines) {
      const colour = `var(--arm${arm.colour})`;
      if (!traces && !weight && arm.high?.length > 1) {
        plot.append("path").attr("d", path(arm.high, x, y) + path([...arm.low].reverse(), x, y).replace("M", "L") + "Z").attr("fill", colour).attr("fill-opacity", 0.18);
      }
      for (const { run, points } of runs) {
        if (!traces && completed(run)) continue;
        plot.append("path").attr("class", "chart-trace").attr("d", path(points, x, y)).attr("stroke", colour).attr("stroke-dasharray", completed(run) ? null : "4 3");
        const bad = run.points.filter((p) => !finite(p[1]));
        plot.selectAll().data(bad).join("text").attr("class", "chart-bad").attr("x", (p) => x(p[0])).attr("y", height - margin.bottom - 4).attr("fill", colour).text("✕");
      }
      if (!traces) plot.append("path").attr("class", "chart-mean").attr("d", path(mean, x, y)).attr("stroke", colour);
      for (const { run, points } of runs) {
        const chosen = valueAt(points, run.chosen);
        if (!finite(chosen) || (!traces && !completed(run))) continue;
        plot.append("circle").attr("class", "chart-chosen").attr("cx", x(run.chosen)).attr("cy", y(chosen)).attr("r", 3.2).attr("fill", colour);
      }
    }
    note.hidden = !weight;
    note.textContent = `Smoothed: an exponential moving average of weight ${weight.toFixed(1)}. Values under the pointer and in the table are not.`;
    svg.append("rect").attr("class", "chart-catch").attr("data-transient", "").attr("x", margin.left).attr("y", margin.top)
      .attr("width", Math.max(0, width - margin.left - margin.right)).attr("height", height - margin.top - margin.bottom);
    if (at !== null && !chart.tip.hidden) point(at);
    return height;
  }

  // point shows the values of an epoch.
  function point(epoch) {
    at = epoch;
    const { x, y, height, margin } = scales;
    const mark = chart.pointed();
    mark.append("line").attr("x1", x(epoch)).attr("x2", x(epoch)).attr("y1", margin.top).attr("y2", height - margin.bottom);
    let lines, top = margin.top;
    if (traces) {
      const list = runs(), one = list[Math.max(0, Math.min(run, list.length - 1))];
      const near = list.slice(Math.max(0, run - 3), Math.max(0, run - 3) + 7);
      lines = near.map(({ arm, run: r }) => ({
        colour: arm.colour,
        text: `${r === one?.run ? "▸ " : ""}${arm.label}, ${described(r)}: ${shown(valueAt(r.points, epoch))}${r.chosen === epoch ? ", the selected epoch" : ""}`,
      }));
      const value = one && valueAt(one.run.points, epoch);
      if (finite(value)) {
        top = y(value);
        mark.append("path").attr("class", "chart-mean").attr("d", path(smoothed(one.run.points, weight), x, y)).attr("stroke", `var(--arm${one.arm.colour})`);
      }
    } else {
      lines = arms().map((arm) => {
        const mean = valueAt(arm.mean, epoch), high = valueAt(arm.high ?? [], epoch);
        if (finite(mean)) mark.append("circle").attr("cx", x(epoch)).attr("cy", y(mean)).attr("r", 4).attr("fill", `var(--arm${arm.colour})`);
        return { colour: arm.colour, text: `${arm.label}: ${shown(mean)}${finite(high) ? ` ± ${shown(high - mean)}` : ""} (${arm.count} seed${arm.count === 1 ? "" : "s"})` };
      });
    }
    chart.showTip(x(epoch), top, `${chart.data.x} ${epoch}`, lines);
  }

  function nearest(px, py) {
    const all = epochs(), want = scales.x.invert(px);
    const epoch = all.reduce((best, e) => (Math.abs(e - want) < Math.abs(best - want) ? e : best), all[0]);
    if (traces) {
      let least = Infinity;
      runs().forEach(({ run: r }, i) => {
        const v = valueAt(r.points, epoch), off = finite(v) ? Math.abs(scales.y(v) - py) : Infinity;
        if (off < least) [least, run] = [off, i];
      });
    }
    return epoch;
  }

  // A drag across the plot zooms into the epochs that it covers.
  let from = null;
  chart.stage.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && scales) from = d3.pointer(event, chart.svg.node())[0];
  });
  chart.stage.addEventListener("pointermove", (event) => {
    if (!scales || epochs().length === 0) return;
    const [px, py] = d3.pointer(event, chart.svg.node());
    if (px < scales.margin.left - 8 || px > scales.width) return chart.hideTip();
    point(nearest(px, py));
    if (from !== null && event.buttons && Math.abs(px - from) > 8) {
      chart.svg.select(".chart-pointed").append("rect").attr("class", "chart-brush").attr("x", Math.min(px, from)).attr("width", Math.abs(px - from))
        .attr("y", scales.margin.top).attr("height", scales.height - scales.margin.top - scales.margin.bottom);
    }
  });
  chart.stage.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const px = d3.pointer(event, chart.svg.node())[0], ends = [from, px].map(scales.x.invert).sort((a, b) => a - b);
    from = null;
    if (Math.abs(scales.x(ends[1]) - scales.x(ends[0])) < 12) return;
    const inside = epochs().filter((e) => e >= ends[0] - 0.5 && e <= ends[1] + 0.5);
    if (inside.length > 1) setZoom([inside[0], inside.at(-1)]);
  });
  chart.stage.addEventListener("pointerleave", () => { from = null; chart.hideTip(); });
  chart.stage.addEventListener("dblclick", () => setZoom(null));

  function key(name) {
    const all = epochs(), i = Math.max(0, all.indexOf(at));
    if (name === "ArrowRight" || name === "ArrowLeft") point(at === null ? all[0] : all[Math.max(0, Math.min(all.length - 1, i + (name === "ArrowRight" ? 1 : -1)))]);
    else if (traces && (name === "ArrowDown" || name === "ArrowUp")) {
      run = Math.max(0, Math.min(runs().length - 1, run + (name === "ArrowDown" ? 1 : -1)));
      point(at ?? all[0]);
    } else if (name === "+" && all.length > 2) {
      const [a, b] = zoom ?? [all[0], all.at(-1)], quarter = Math.max(1, Math.round((b - a) / 4));
      if (b - a > 2 * quarter) setZoom([a + quarter, b - quarter]);
    } else if (name === "-" || name === "0" || name === "Escape") {
      setZoom(null);
      chart.hideTip();
    } else return false;
    return true;
  }

  const table = () => ({
    columns: ["arm", "seed", "run", "state", chart.data.x, chart.data.y, "selected"],
    rows: chart.data.arms.flatMap((a) => a.runs.flatMap((r) => r.points.map(([x, y]) => [a.label, String(r.seed), r.id, r.state, x, y, r.chosen === x ? "yes" : ""]))),
  });
  return { draw, key, table, update: () => { at = null; }, help: "Arrow keys read the values, plus zooms in, Escape shows the whole range; drag to zoom." };
};
