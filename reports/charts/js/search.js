// Searches: the settings of trials and their scores, as parallel axes, fields of a heat map, effects of single
// settings, and in the order in which the trials were begun. Only a completed trial with a score can be the best.

const scored = (trial) => completed(trial) && finite(trial.value);

// better orders scored trials, the best first.
const better = (data) => (a, b) => (data.lowest ? a.value - b.value : b.value - a.value);

// scaleOf is where the values of a parameter lie between two ends.
function scaleOf(parameter, low, high) {
  const numbers = parameter.levels.map(Number);
  if (!parameter.number) return Object.assign(d3.scalePoint(parameter.levels, [low, high]).padding(0.3), { names: parameter.levels });
  const scale = (parameter.log ? d3.scaleLog : d3.scaleLinear)([Math.min(...numbers), Math.max(...numbers)], [low, high]);
  const few = numbers.length <= 6;
  return Object.assign((v) => (v === "" ? NaN : scale(Number(v))), { invert: scale.invert, names: few ? parameter.levels : scale.ticks(4).filter((t, i, all) => all.length < 9 || i % 3 === 0).map(String) });
}

const settingsOf = (data, trial) => data.parameters.map((p, i) => ({ text: `${p.label} = ${trial.settings[i] || "none"}` }));

function tellTrial(chart, trial, x, y) {
  const score = scored(trial) ? shown(trial.value) : completed(trial) ? "no number" : trial.state;
  chart.showTip(x, y, `${trial.id}: ${score}`, settingsOf(chart.data, trial));
}

const searchTable = (data) => ({
  columns: ["run", "seed", "state", ...data.parameters.map((p) => p.path), data.axis],
  rows: data.trials.map((t) => [t.id, String(t.seed), t.state, ...t.settings, t.value]),
});

// carried is where a place on an axis goes when new data change its scale: to the same value. An
// axis of names is as long as before.
const carried = (y, before, after) => (before.invert && after.invert ? after(before.invert(y)) : y);

kinds.parallel = function (chart) {
  const brushes = new Map(); // place of an axis → [low, high] in pixels
  let at = null, places = [], axesDrawn = [], from = null;
  const clear = element("button", { type: "button", hidden: true, onclick: () => { brushes.clear(); chart.draw(); } }, "All trials");
  const says = element("span", { class: "chart-range" });
  chart.controls.append(says, clear);

  function draw(svg, width) {
    const { parameters, trials } = chart.data, height = 320, top = 40, bottom = height - 30;
    const across = d3.scalePoint([...parameters.keys(), "score"], [34, width - 34]);
    const score = padded(trials.filter(scored).map((t) => t.value), bottom, top);
    const before = axesDrawn;
    axesDrawn = parameters.map((p, i) => ({ x: across(i), name: p.label, scale: scaleOf(p, bottom, top), of: (t) => t.settings[i] }));
    axesDrawn.push({ x: across("score"), name: chart.data.axis.split(/[,(]/)[0], scale: Object.assign((v) => (finite(v) ? score(v) : bottom + 18), { invert: score.invert, names: score.ticks(5).map(String) }), of: (t) => (scored(t) ? t.value : NaN) });
    for (const [k, ends] of brushes) brushes.set(k, ends.map((y) => (y < top || y > bottom ? y : carried(y, before[k].scale, axesDrawn[k].scale))));
    const inside = (line) => [...brushes].every(([k, [low, high]]) => line[k][1] >= low && line[k][1] <= high);
    const best = new Set(trials.filter(scored).sort(better(chart.data)).slice(0, Math.max(1, Math.round(trials.length / 10))));
    places = [];
    const rest = svg.append("g"), front = svg.append("g");
    let chosen = 0;
    for (const trial of trials) {
      const line = axesDrawn.map((a) => [a.x, a.scale(a.of(trial))]);
      const on = inside(line);
      chosen += on;
      const kind = !on ? "chart-off" : best.has(trial) ? "chart-best" : scored(trial) ? "chart-line" : "chart-unscored";
      (best.has(trial) && on ? front : rest).append("path").attr("class", kind).attr("d", path(line, Number, Number));
      if (on) for (const [x, y] of line) if (finite(y)) places.push({ trial, line, x, y });
    }
    axesDrawn.forEach((a, k) => {
      const axis = svg.append("g").attr("class", "chart-axis").attr("transform", `translate(${a.x},0)`);
      axis.append("line").attr("y1", top).attr("y2", bottom);
      for (const name of a.scale.names) {
        const y = a.scale(typeof a.of(trials[0] ?? {}) === "number" ? Number(name) : name);
        if (!finite(y)) continue;
        axis.append("text").attr("class", "chart-tick").attr("x", k === axesDrawn.length - 1 ? -6 : 6).attr("text-anchor", k === axesDrawn.length - 1 ? "end" : "start").attr("y", y + 4).text(name);
      }
      axis.append("text").attr("class", "chart-name").attr("text-anchor", "middle").attr("y", k % 2 ? 14 : 28).text(a.name);
      const brush = brushes.get(k);
      if (brush) axis.append("rect").attr("class", "chart-brush").attr("data-transient", "").attr("x", -9).attr("width", 18).attr("y", brush[0]).attr("height", Math.max(2, brush[1] - brush[0]));
    });
    if (trials.some((t) => !scored(t))) svg.append("text").attr("class", "chart-label").attr("x", width - 2).attr("y", height - 4).attr("text-anchor", "end").text("dashed: no score");
    clear.hidden = brushes.size === 0;
    says.textContent = brushes.size ? `${chosen} of ${trials.length} trials` : "Drag along an axis to choose trials";
    return height;
  }

  function point(place) {
    at = place;
    chart.pointed().append("path").attr("class", "chart-mean").attr("d", path(place.line, Number, Number)).attr("stroke", "var(--ink)");
    tellTrial(chart, place.trial, place.x, place.y);
  }

  chart.stage.addEventListener("pointerdown", (event) => {
    const [px, py] = d3.pointer(event, chart.svg.node());
    const k = axesDrawn.findIndex((a) => Math.abs(a.x - px) < 14);
    if (k < 0) return;
    from = { k, y: py };
    event.preventDefault();
  });
  chart.stage.addEventListener("pointermove", (event) => {
    if (!from) return;
    brushes.set(from.k, [Math.min(from.y, d3.pointer(event, chart.svg.node())[1]), Math.max(from.y, d3.pointer(event, chart.svg.node())[1])]);
    chart.draw();
  });
  globalThis.addEventListener("pointerup", () => {
    if (from && brushes.has(from.k) && brushes.get(from.k)[1] - brushes.get(from.k)[0] < 5) brushes.delete(from.k);
    if (from) chart.draw();
    from = null;
  });
  pointing(chart, () => (from ? [] : places), point, 24);
  const oneEach = () => places.filter((p, i, all) => i === 0 || all[i - 1].trial !== p.trial);
  const key = (name) => step(name, oneEach(), at && oneEach().find((p) => p.trial === at.trial), point)
    || (name === "Escape" && (brushes.clear(), chart.hideTip(), chart.draw(), true));
  return { draw, key, table: () => searchTable(chart.data), update: () => { at = null; }, help: "Arrow keys go from trial to trial; drag along an axis to choose trials, Escape shows all." };
};

// chooser adds a list of the parameters to the controls.
function chooser(chart, label, chosen, changed) {
  const list = element("select", { onchange: () => changed(Number(list.value)) });
  chart.data.parameters.forEach((p, i) => list.append(element("option", { value: i, selected: i === chosen }, p.path)));
  chart.controls.append(element("label", { class: "chart-range" }, label, " ", list));
}

// binsOf divides trials by the levels of a parameter, or by five ranges of one with many numbers.
function binsOf(parameter) {
  if (!parameter.number || parameter.levels.length <= 8) return { names: parameter.levels, of: (v) => parameter.levels.indexOf(v) };
  const scale = scaleOf(parameter, 0, 5), numbers = parameter.levels.map(Number), low = Math.min(...numbers), high = Math.max(...numbers);
  const edge = (i) => Number((parameter.log ? low * (high / low) ** (i / 5) : low + ((high - low) * i) / 5).toPrecision(2));
  return { names: [0, 1, 2, 3, 4].map((i) => `${edge(i)} to ${edge(i + 1)}`), of: (v) => (v === "" ? -1 : Math.min(4, Math.floor(scale(v)))) };
}

const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

kinds.heat = function (chart) {
  let across = 0, up = Math.min(1, chart.data.parameters.length - 1), at = null, places = [];
  chooser(chart, "Across", across, (i) => { across = i; chart.draw(); });
  chooser(chart, "Up", up, (i) => { up = i; chart.draw(); });

  function draw(svg, width) {
    const [p, q] = [chart.data.parameters[across], chart.data.parameters[up]], [a, b] = [binsOf(p), binsOf(q)];
    const margin = { top: 24, right: 8, bottom: 46, left: Math.min(150, 16 + 7 * Math.max(...b.names.map((n) => n.length))) };
    const height = margin.top + margin.bottom + 40 * b.names.length;
    const x = d3.scaleBand(a.names, [margin.left, width - margin.right]).padding(0.04), y = d3.scaleBand(b.names, [height - margin.bottom, margin.top]).padding(0.04);
    places = a.names.flatMap((na, i) => b.names.map((nb, k) => {
      const trials = chart.data.trials.filter((t) => a.of(t.settings[across]) === i && b.of(t.settings[up]) === k), with_ = trials.filter(scored);
      return { na, nb, trials, value: with_.length ? mean(with_.map((t) => t.value)) : NaN, scored: with_.length, x: x(na) + x.bandwidth() / 2, y: y(nb) + y.bandwidth() / 2 };
    }));
    const [low, high] = range(places.map((f) => f.value));
    for (const field of places) {
      const share = high > low ? (field.value - low) / (high - low) : 1, shade = Math.min(4, Math.floor((chart.data.lowest ? 1 - share : share) * 5));
      svg.append("rect").attr("x", x(field.na)).attr("y", y(field.nb)).attr("width", x.bandwidth()).attr("height", y.bandwidth())
        .attr("class", finite(field.value) ? "" : "chart-empty").attr("fill", finite(field.value) ? `var(--heat${shade})` : null);
      svg.append("text").attr("x", field.x).attr("y", field.y + 4).attr("text-anchor", "middle").text(finite(field.value) ? shown(field.value) : field.trials.length ? "✕" : "");
    }
    svg.append("g").attr("class", "chart-axis").attr("transform", `translate(0,${height - margin.bottom})`).call(d3.axisBottom(x).tickSize(0).tickPadding(8)).select(".domain").remove();
    svg.append("g").attr("class", "chart-axis").attr("transform", `translate(${margin.left},0)`).call(d3.axisLeft(y).tickSize(0).tickPadding(8)).select(".domain").remove();
    svg.append("text").attr("class", "chart-label").attr("x", 2).attr("y", 13).text(q.path);
    svg.append("text").attr("class", "chart-label").attr("x", width - margin.right).attr("y", height - 8).attr("text-anchor", "end").text(p.path);
    return height;
  }

  function point(field) {
    at = field;
    const rest = field.trials.length - field.scored, [p, q] = [chart.data.parameters[across], chart.data.parameters[up]];
    chart.showTip(field.x, field.y, finite(field.value) ? `mean ${shown(field.value)}` : "no score", [
      { text: `${p.label} = ${field.na}` }, { text: `${q.label} = ${field.nb}` },
      { text: `${field.scored} trial${field.scored === 1 ? "" : "s"}${rest ? `, ${rest} without a score` : ""}` }]);
  }

  pointing(chart, () => places, point, 60);
  const key = (name) => step(name, places, at, point);
  return { draw, key, table: () => searchTable(chart.data), update: () => { at = null; }, help: "Arrow keys go from field to field." };
};

// scatter draws trials as dots over x, those without a score along the foot; it gives their places.
function scatter(svg, chart, trials, x, y, foot) {
  const best = trials.filter(scored).sort(better(chart.data))[0];
  return trials.map((trial, i) => {
    const place = { trial, x: x(trial, i), y: scored(trial) ? y(trial.value) : foot };
    if (!finite(place.x)) return null;
    if (scored(trial)) svg.append("circle").attr("class", trial === best ? "chart-dot chart-top" : "chart-dot chart-one").attr("cx", place.x).attr("cy", place.y).attr("r", trial === best ? 5.5 : 4);
    else svg.append("text").attr("class", "chart-bad").attr("x", place.x).attr("y", foot + 3).text("✕");
    return place;
  }).filter(Boolean);
}

// overview is a view of trials as dots; prepare gives x, the axis below and what lies over the dots.
function overview(chart, prepare, help) {
  let at = null, places = [];
  function draw(svg, width) {
    const height = 260, margin = { top: 26, right: 16, bottom: 58, left: 50 };
    const y = padded(chart.data.trials.filter(scored).map((t) => t.value), height - margin.bottom, margin.top);
    const { x, axis, title, over } = prepare(margin.left + 12, width - margin.right - 12);
    valueAxis(svg, y, width, margin);
    axis(svg.append("g").attr("class", "chart-axis").attr("transform", `translate(0,${height - margin.bottom + 16})`));
    svg.append("text").attr("class", "chart-label").attr("x", 2).attr("y", 12).text(chart.data.axis);
    svg.append("text").attr("class", "chart-label").attr("x", width - margin.right).attr("y", height - 4).attr("text-anchor", "end").text(title);
    places = scatter(svg, chart, chart.data.trials, x, y, height - margin.bottom + 8);
    over?.(svg, y);
    return height;
  }
  function point(place) {
    at = place;
    chart.pointed().append("circle").attr("cx", place.x).attr("cy", place.y).attr("r", 6).attr("fill", "var(--ink)");
    tellTrial(chart, place.trial, place.x, place.y);
  }
  pointing(chart, () => places, point);
  const key = (name) => step(name, places, at, point);
  return { draw, key, table: () => searchTable(chart.data), update: () => { at = null; }, help };
}

kinds.effects = function (chart) {
  let of = 0;
  chooser(chart, "Setting", of, (i) => { of = i; chart.draw(); });
  return overview(chart, (low, high) => {
    const p = chart.data.parameters[of], scale = scaleOf(p, low, high), bins = binsOf(p);
    const axis = (g) => {
      g.append("line").attr("x1", low - 12).attr("x2", high + 12);
      for (const name of scale.names) g.append("text").attr("x", scale(name)).attr("y", 16).attr("text-anchor", "middle").text(name);
    };
    const over = (svg, y) => bins.names.forEach((_, i) => {
      const group = chart.data.trials.filter((t) => scored(t) && bins.of(t.settings[of]) === i);
      if (!group.length) return;
      const m = mean(group.map((t) => t.value)), middle = mean(group.map((t) => scale(t.settings[of])));
      svg.append("path").attr("class", "chart-bar").attr("d", `M${middle - 16},${y(m)}h32`);
    });
    return { x: (t) => scale(t.settings[of]), axis, title: p.log ? `${p.path} (logarithmic)` : p.path, over };
  }, "Arrow keys go from trial to trial. Bars are means of trials with the value, or near it.");
};

kinds.history = function (chart) {
  return overview(chart, (low, high) => {
    const { trials } = chart.data, x = d3.scaleLinear([1, Math.max(2, trials.length)], [low, high]);
    const over = (svg, y) => {
      let best = null;
      const steps = trials.map((t, i) => {
        if (scored(t) && (!best || better(chart.data)(t, best) < 0)) best = t;
        return best && `${x(i + 1)},${y(best.value)}`;
      }).filter(Boolean);
      if (steps.length) svg.append("path").attr("class", "chart-record").attr("d", "M" + steps.reduce((text, s) => `${text}H${s.split(",")[0]}V${s.split(",")[1]}`));
    };
    return { x: (_, i) => x(i + 1), axis: (g) => g.call(d3.axisBottom(x).ticks(6).tickFormat((v) => (Number.isInteger(v) ? v : ""))), title: "trials in the order in which they were begun", over };
  }, "Arrow keys go from trial to trial. The line is the best score so far.");
};
