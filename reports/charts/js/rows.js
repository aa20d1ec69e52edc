// Rows on a common scale: the score of every seed by arm, and differences with their intervals.

// padded is a scale over values with some room at both ends.
function padded(values, low, high) {
  const [least, greatest] = range(values);
  if (!finite(least)) return d3.scaleLinear([0, 1], [low, high]);
  const pad = (greatest - least) * 0.06 || Math.abs(greatest) * 0.05 || 1;
  return d3.scaleLinear([least - pad, greatest + pad], [low, high]).nice(5);
}

// rowAxis draws the axis below rows.
function rowAxis(svg, x, title, width, height, margin) {
  const axis = d3.axisBottom(x).ticks(Math.max(3, Math.min(9, width / 70))).tickSize(-(height - margin.top - margin.bottom)).tickPadding(6);
  svg.append("g").attr("class", "chart-axis chart-grid").attr("transform", `translate(0,${height - margin.bottom})`).call(axis).select(".domain").remove();
  svg.append("text").attr("class", "chart-label").attr("x", width - margin.right).attr("y", height - 4).attr("text-anchor", "end").text(title);
}

function whisker(svg, x, low, high, y) {
  if (!finite(low) || !finite(high)) return;
  svg.append("path").attr("class", "chart-whisker").attr("d", `M${x(low)},${y}H${x(high)}M${x(low)},${y - 4}v8M${x(high)},${y - 4}v8`);
}

kinds.dots = function (chart) {
  const hidden = new Set();
  let at = null, places = [];
  chart.legend(chart.data.arms, hidden);
  const arms = () => chart.data.arms.filter((a) => !hidden.has(a.label));

  function draw(svg, width) {
    const tall = 58, margin = { top: 6, right: 46, bottom: 40, left: 6 }, shownArms = arms();
    const height = margin.top + shownArms.length * tall + margin.bottom;
    const x = padded(shownArms.flatMap((a) => [a.low, a.high, ...a.runs.map((r) => r.value)]), margin.left + 4, width - margin.right);
    rowAxis(svg, x, chart.data.axis, width, height, margin);
    places = [];
    shownArms.forEach((arm, i) => {
      const top = margin.top + i * tall, y = top + 32, row = svg.append("g").attr("fill", `var(--arm${arm.colour})`).attr("stroke", `var(--arm${arm.colour})`);
      const name = svg.append("text").attr("x", margin.left).attr("y", top + 13);
      name.append("tspan").attr("class", "chart-name").attr("fill", `var(--arm${arm.colour}-text)`).text(arm.label);
      name.append("tspan").attr("class", "chart-detail").attr("dx", 8).text(`mean ${shown(arm.mean)}` + (finite(arm.low) ? ` (${shown(arm.low)} to ${shown(arm.high)})` : ""));
      let without = 0;
      for (const run of arm.runs) {
        const place = { arm, run, y };
        if (completed(run) && finite(run.value)) {
          const pile = places.filter((p) => p.arm === arm && !p.bad && Math.abs(p.x - x(run.value)) < 6).length;
          Object.assign(place, { x: x(run.value), y: y - 3 * Math.min(pile, 3) });
          row.append("circle").attr("class", "chart-dot").attr("cx", place.x).attr("cy", place.y).attr("r", 4.5);
        } else { // it has no place on the scale
          Object.assign(place, { x: width - margin.right + 14 + 9 * (without++ % 4), bad: true });
          row.append("text").attr("class", "chart-bad").attr("stroke", "none").attr("x", place.x).attr("y", y + 4).text("✕");
        }
        places.push(place);
      }
      whisker(row, x, arm.low, arm.high, y + 13);
      if (finite(arm.mean)) row.append("path").attr("class", "chart-whisker chart-centre").attr("d", `M${x(arm.mean)},${y + 8}v10`);
    });
    return height;
  }

  // point shows a run, and the runs of other arms with the same seed.
  function point(place) {
    at = place;
    const group = chart.pointed();
    const same = places.filter((p) => p.run.seed === place.run.seed && !p.bad);
    if (same.length > 1) group.append("path").attr("class", "chart-pair").attr("d", path(same.map((p) => [p.x, p.y]), Number, Number));
    for (const p of same) group.append("circle").attr("cx", p.x).attr("cy", p.y).attr("r", p === place ? 6.5 : 5).attr("fill", `var(--arm${p.arm.colour})`);
    const others = same.filter((p) => p !== place).map((p) => ({ colour: p.arm.colour, text: `${p.arm.label}: ${shown(p.run.value)}` }));
    const value = place.bad ? (completed(place.run) ? "no number" : `${place.run.state}, no score`) : shown(place.run.value);
    chart.showTip(place.x, place.y, `seed ${place.run.seed}`, [{ colour: place.arm.colour, text: `${place.arm.label}: ${value} (run ${place.run.id})` }, ...others]);
  }

  pointing(chart, () => places, point);
  const key = (name) => step(name, places, at, point);
  const table = () => ({
    columns: ["arm", "seed", "run", "state", chart.data.axis],
    rows: chart.data.arms.flatMap((a) => a.runs.map((r) => [a.label, String(r.seed), r.id, r.state, r.value])),
  });
  return { draw, key, table, update: () => { at = null; }, help: "Arrow keys go from run to run." };
};

// pointing calls point with the place nearest to the pointer; places have x and y.
function pointing(chart, places, point, reach = 40) {
  chart.stage.addEventListener("pointermove", (event) => {
    const [px, py] = d3.pointer(event, chart.svg.node());
    let best = null, least = reach;
    for (const p of places()) {
      const off = Math.hypot(p.x - px, p.y - py);
      if (off < least) [best, least] = [p, off];
    }
    if (best) point(best);
    else chart.hideTip();
  });
  chart.stage.addEventListener("pointerleave", () => chart.hideTip());
}

// step points at the place after or before the one that is pointed at, and says whether the key was for it.
function step(name, places, at, point) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[name];
  if (!by || places.length === 0) return false;
  const i = places.findIndex((p) => p === at);
  point(places[i < 0 ? 0 : Math.max(0, Math.min(places.length - 1, i + by))]);
  return true;
}

kinds.forest = function (chart) {
  let at = null, places = [];

  function draw(svg, width) {
    const tall = 44, { rows, minimum } = chart.data, margin = { top: 6, right: 12, bottom: 40, left: 6 };
    const height = margin.top + rows.length * tall + margin.bottom;
    const x = padded([0, -minimum, minimum, ...rows.flatMap((r) => [r.value, r.low, r.high])], margin.left + 4, width - margin.right);
    if (minimum > 0) svg.append("rect").attr("class", "chart-band").attr("x", x(-minimum)).attr("width", x(minimum) - x(-minimum)).attr("y", margin.top).attr("height", height - margin.top - margin.bottom);
    rowAxis(svg, x, chart.data.axis, width, height, margin);
    svg.append("path").attr("class", "chart-zero").attr("d", `M${x(0)},${margin.top}V${height - margin.bottom}`);
    places = rows.map((row, i) => {
      const top = margin.top + i * tall, y = top + 28, group = svg.append("g").attr("class", "chart-difference");
      const name = svg.append("text").attr("x", margin.left).attr("y", top + 13);
      name.append("tspan").attr("class", "chart-name").text(row.label);
      name.append("tspan").attr("class", "chart-detail").attr("dx", 8).text(signed(row.value) + (finite(row.low) ? ` (${signed(row.low)} to ${signed(row.high)})` : ""));
      whisker(group, x, row.low, row.high, y);
      group.append("rect").attr("class", row.decided ? "chart-decided" : "chart-open").attr("x", x(row.value) - 4.5).attr("y", y - 4.5).attr("width", 9).attr("height", 9);
      return { row, x: x(row.value), y };
    });
    return height;
  }

  function point(place) {
    at = place;
    const { row } = place, lines = [{ text: `difference ${signed(row.value)}` }];
    if (finite(row.low)) lines.push({ text: `${chart.data.level} interval ${signed(row.low)} to ${signed(row.high)}` });
    if (finite(row.p)) lines.push({ text: `p = ${row.p < 0.001 ? row.p.toExponential(1) : row.p.toFixed(3)} after Holm` });
    if (row.verdict) lines.push({ text: row.verdict });
    chart.showTip(place.x, place.y, row.label, lines);
  }

  pointing(chart, () => places, point, 60);
  const key = (name) => step(name, places, at, point);
  const table = () => ({
    columns: ["difference", chart.data.axis, `${chart.data.level} interval from`, "to", "p after Holm", "verdict"],
    rows: chart.data.rows.map((r) => [r.label, r.value, r.low, r.high, r.p, r.verdict]),
  });
  return { draw, key, table, update: () => { at = null; }, help: "Arrow keys go from difference to difference." };
};
