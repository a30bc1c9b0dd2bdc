"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const many = data.numbers.length;
const column = (c) => (c.distinct ? c.at.map((place) => c.distinct[place]) : c.values);
const names = column(data.names).map((name, i) => `${data.numbers[i]}: ${name}`);
const engine = column(data.engine), technology = column(data.technology), met = column(data.met), trains = column(data.trains);
const fields = data.fields.map((f) => ({ ...f, values: column(f.values) }));
const metrics = data.metrics.map((m) => ({ ...m, values: column(m.values) }));
const metric = Object.fromEntries(metrics.map((m) => [m.name, m]));
const narrow = () => window.innerWidth < 641;
const marks = data.marks;
const work = Object.fromEntries(Object.entries(data.work).map(([name, values]) => [name, column(values)]));
const known = column(data.known);
const parts = Object.fromEntries(Object.entries(data.parts).map(([i, figures]) => [i, Object.fromEntries(Object.entries(figures).map(([name, [list, ...values]]) => [name, Object.fromEntries(data.partNames[list].map((part, at) => [part, values[at]]))]))]));
let pinned = -1, walking = -1, order = [...Array(many).keys()], rowsShown = 25, sorted = null, frontView = null;

// Numbers for people: one prefix for all of a column, so that its cells can be compared.
const PREFIXES = { "-15": "f", "-12": "p", "-9": "n", "-6": "µ", "-3": "m", 0: "", 3: "k", 6: "M", 9: "G" };
const SCALED = ["J", "W", "s", "Hz", "stored", "MAC/s"];
function scaleOf(m, values) {
  if (m.unit === "share") return { by: 100, unit: "%" };
  if (!SCALED.includes(m.unit)) return { by: 1, unit: m.unit === "mm2" ? "mm²" : "" };
  const base = m.unit === "stored" ? "B" : m.unit, eight = m.unit === "stored" ? 8 : 1;
  const there = values.filter((v) => v).map((v) => Math.log10(Math.abs(v) / eight)).sort((a, b) => a - b);
  const middle = there.length ? there[there.length >> 1] : 0;
  const power = Math.min(9, Math.max(-15, 3 * Math.floor(middle / 3)));
  return { by: 1 / (10 ** power * eight), unit: PREFIXES[power] + base };
}
for (const m of metrics) m.scale = scaleOf(m, m.values);
function significant(value, digits = 4) {
  if (value === 0) return "0";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString("en-GB");
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size > 6 || size < -4) return value.toExponential(digits - 1);
  return value.toLocaleString("en-GB", { minimumFractionDigits: Math.max(0, digits - 1 - size), maximumFractionDigits: Math.max(0, digits - 1 - size) });
}
const number = (m, v) => (v === null || v === undefined ? "—" : significant(v * m.scale.by));
const text = (m, v) => (v === null || v === undefined ? "—" : `${number(m, v)}${m.scale.unit ? "\u202f" + m.scale.unit : ""}`);
const title = (m) => (m.scale.unit ? `${m.label}, ${m.scale.unit}` : m.label);
const mark = (m, i) => (!met[i] && data.clocked.includes(m.name) ? "!" : "");
const sizes = (fields.find((f) => f.name === "engine.pes") || { values: [] }).values;
const short = (i) => `${names[i].split(":")[0]}: ${engine[i]}${sizes[i] === undefined || sizes[i] === null ? "" : `, ${sizes[i]} PEs`}`;
const design = (i) => fields.filter((f) => f.values[i] !== null).map((f) => `${f.name} ${f.values[i]}`).join(", ");

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, label]) => element("option", { value, ...(String(value) === String(chosen) ? { selected: "" } : {}) }, label)));
}

// Figures: specifications from Altair, rows and colours from here.
const colours = () => Object.fromEntries(["ink", "pale", "line", "paper"].map((n) => [n, getComputedStyle(document.documentElement).getPropertyValue(`--${n}`).trim()]));
function recoloured(given) {
  const whole = JSON.parse(JSON.stringify(given)), now = colours();
  const swap = (part) => {
    for (const [key, value] of Object.entries(part)) {
      if (value && typeof value === "object") swap(value);
      else for (const name of Object.keys(now)) if (value === data.light[name]) part[key] = now[name];
    }
  };
  swap(whole);
  return whole;
}
function withAxes(spec, axes) {
  if (spec.layer) return { ...spec, layer: spec.layer.map((part) => withAxes(part, axes)) };
  const encoding = { ...spec.encoding };
  for (const [channel, axis] of Object.entries(axes)) {
    if (!encoding[channel]) continue;
    const { zero, ...scale } = encoding[channel].scale || {};
    encoding[channel] = { ...encoding[channel], title: axis.title, scale: axis.log ? { ...scale, type: "log" } : encoding[channel].scale };
  }
  return { ...spec, encoding };
}
function legends(spec, columns) {
  if (spec.layer) return { ...spec, layer: spec.layer.map((part) => legends(part, columns)) };
  const encoding = Object.fromEntries(Object.entries(spec.encoding).map(([k, v]) => [k, v.legend ? { ...v, legend: { ...v.legend, columns } } : v.condition && v.condition.legend ? { ...v, condition: { ...v.condition, legend: { ...v.condition.legend, columns } } } : v]));
  if (narrow() && encoding.y && encoding.y.axis && encoding.y.axis.labelLimit) encoding.y = { ...encoding.y, axis: { ...encoding.y.axis, labelLimit: 120 } };
  return { ...spec, encoding };
}
async function draw(id, spec, rows, axes, beside = []) {
  const place = byId(id), width = place.clientWidth;
  if (!rows.length) { place.replaceChildren(element("p", { class: "note" }, "No point has these figures.")); return null; }
  const target = element("div");
  place.replaceChildren(target);
  const whole = { ...recoloured(legends(withAxes(spec, axes), narrow() ? 2 : 4)), width: width - 20, height: spec.height.step ? spec.height.step * new Set(rows.map((r) => r.name)).size : spec.height, autosize: { type: "fit-x", contains: "padding" }, padding: 8, datasets: { points: rows, beside }, config: recoloured(data.config) };
  const made = await vegaEmbed(target, whole, { actions: false, logLevel: 1, renderer: rows.length > 1500 ? "canvas" : "svg", loader: { load: () => Promise.reject(new Error("nothing is fetched")) } });
  return made.view;
}
const wide = (values) => {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity), most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return values.length > 1 && least > 0 && most / least > 20;
};

// The front: of each technology the points that no other is better than in both figures.
function frontOf(places, x, y) {
  const better = (m, v) => (m.more ? -v : v), front = new Set();
  for (const name of new Set(places.map((i) => technology[i]))) {
    const own = places.filter((i) => technology[i] === name && met[i]);
    own.sort((a, b) => better(x, x.values[a]) - better(x, x.values[b]) || better(y, y.values[a]) - better(y, y.values[b]));
    let least = Infinity, at = null;
    for (const i of own) {
      const value = better(y, y.values[i]);
      if (value < least) { front.add(i); least = value; at = x.values[i]; }
      else if (value === least && x.values[i] === at) front.add(i);
    }
  }
  return front;
}
let front = new Set(), frontOrder = [];
const there = (v) => v !== null && v !== undefined;

// Where the names of marked rows stand, off each other: as reports/points/labels.py places them.
function nameMarks(rows, width, height, logX, logY, beside = []) {
  const named = rows.filter((r) => r.mark), pad = 12, letter = 7, line = 15, off = 14, ring = 9;
  const scale = (values, pixels, log) => {
    const at = log ? values.map(Math.log) : values, least = at.reduce((a, b) => Math.min(a, b), Infinity), most = at.reduce((a, b) => Math.max(a, b), -Infinity);
    const reach = most - least || 1, room = pixels - 2 * pad;
    return { place: (v) => pad + (room * ((log ? Math.log(v) : v) - least)) / reach, value: (p) => { const w = least + ((p - pad) / room) * reach; return log ? Math.exp(w) : w; } };
  };
  const drawn = [...rows, ...beside];
  const x = scale(drawn.map((r) => r.x), width, logX), y = scale(drawn.map((r) => r.y), height, logY);
  const boxes = named.map((r) => [x.place(r.x) - ring, y.place(r.y) - ring, x.place(r.x) + ring, y.place(r.y) + ring]);
  for (const row of named.slice().sort((a, b) => b.y - a.y || a.x - b.x)) {
    const across = x.place(row.x), up = y.place(row.y), wide = letter * row.mark.length;
    const sides = across > 0.6 * width ? ["left", "right"] : ["right", "left"];
    const tried = [...Array(narrow() ? 5 : 14).keys()].flatMap((step) => (step ? [-step, step] : [0]).flatMap((lift) => sides.map((side) => [side, lift * line])));
    const boxOf = ([side, lift]) => { const start = side === "right" ? across + off : across - off - wide; return [start, up + lift - line / 2, start + wide, up + lift + line / 2]; };
    const fits = (b) => b[0] >= 0 && b[2] <= width && b[1] >= 0 && b[3] <= height && !boxes.some((o) => b[0] < o[2] && o[0] < b[2] && b[1] < o[3] && o[1] < b[3]);
    const chosen = tried.find((one) => fits(boxOf(one)));
    if (!chosen) continue;
    boxes.push(boxOf(chosen));
    Object.assign(row, { side: chosen[0], label_x: x.value(across + (chosen[0] === "right" ? off : -off)), label_y: y.value(up + chosen[1]) });
  }
}
const plotWidth = (id) => byId(id).clientWidth - 110;
const least = () => (metric.accuracy && !byId("least").disabled ? Number(byId("least").value) / 100 : 0);
function toldLeast() {
  byId("least-said").textContent = `${Number(byId("least").value).toFixed(1)}\u202f%`;
}
async function drawFront() {
  const x = metric[byId("across").value], y = metric[byId("up").value], only = byId("only").value;
  const enough = least();
  const places = order.filter((i) => there(x.values[i]) && there(y.values[i]) && (only === "" || technology[i] === only) && (!enough || metric.accuracy.values[i] >= enough - 1e-9));
  const whole = new Set(Object.values(data.fronts).flat());
  front = frontOf(places, x, y);
  frontOrder = [...front].sort((a, b) => x.values[a] - x.values[b]);
  const rows = places.map((i) => ({ i, name: names[i], design: design(i), x: x.values[i] * x.scale.by, y: y.values[i] * y.scale.by, engine: engine[i], technology: technology[i], front: front.has(i), solid: whole.has(i) || front.has(i), met: met[i], mark: marks[i] || "", x_text: `${x.label} ${text(x, x.values[i])}${mark(x, i)}`, y_text: `${y.label} ${text(y, y.values[i])}${mark(y, i)}` }));
  byId("front-figure").dataset.front = frontOrder.join(" ");
  const logX = wide(rows.map((r) => r.x)), logY = wide(rows.map((r) => r.y));
  nameMarks(rows, plotWidth("front-figure"), data.specs.front.height, logX, logY);
  const drawnNow = await draw("front-figure", data.specs.front, rows, { x: { title: title(x), log: logX }, y: { title: title(y), log: logY } });
  frontView = drawnNow;
  if (drawnNow) {
    drawnNow.signal("pinned", pinned).run();
    drawnNow.addEventListener("click", (event, item) => { if (item && item.datum && item.datum.i !== undefined) pin(item.datum.i); });
  }
}
byId("front-figure").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
  if (step && frontOrder.length) {
    event.preventDefault();
    const at = frontOrder.indexOf(walking);
    walking = frontOrder[(at + step + frontOrder.length) % frontOrder.length];
    if (frontView) frontView.signal("pinned", walking).run();
    const x = metric[byId("across").value], y = metric[byId("up").value];
    byId("said").textContent = `${names[walking]}: ${x.label} ${text(x, x.values[walking])}, ${y.label} ${text(y, y.values[walking])}. Enter pins it.`;
  } else if ((event.key === "Enter" || event.key === " ") && walking >= 0) { event.preventDefault(); pin(walking); }
});

// The pinned point.
function pin(i) {
  pinned = walking = i;
  if (frontView) frontView.signal("pinned", i).run();
  for (const row of byId("points").tBodies[0].rows) row.classList.toggle("pinned", Number(row.dataset.i) === i);
  const broken = parts[i];
  const tables = [];
  const listing = (caption, rows) => element("table", {}, element("caption", {}, caption), element("tbody", {}, ...rows));
  const line = (head, ...cells) => element("tr", {}, element("th", { class: "word", scope: "row" }, head), ...cells);
  tables.push(listing("Figures", metrics.filter((m) => m.values[i] !== null && m.values[i] !== undefined).map((m) => line(m.label, element("td", { "data-metric": m.name, title: String(m.values[i]) }, text(scaledFor(m.name, [m.values[i]]), m.values[i]) + mark(m, i))))));
  if (fields.length) tables.push(listing("Design", fields.map((f) => line(f.name, element("td", {}, f.values[i] === null ? "—" : String(f.values[i]))))));
  for (const [name, components] of Object.entries(broken || {})) {
    const values = Object.entries(components).sort((a, b) => b[1] - a[1]);
    const m = scaledFor(name, values.slice(0, 1).map(([, v]) => v)), all = values.reduce((sum, [, v]) => sum + v, 0), most = values.length ? values[0][1] : 1;
    tables.push(listing(`${m.label} by component`, values.map(([part, v]) => line(part, element("td", { title: String(v) }, text(m, v)), element("td", { class: "word", style: "width: 34%" }, element("span", { class: "share", style: `width: ${Math.max(0, (50 * v) / (most || 1))}%` }), ` ${((100 * v) / (all || 1)).toFixed(1)}%`)))));
  }
  const panel = byId("pinned");
  panel.replaceChildren(element("h3", {}, names[i]), ...(broken ? [] : [element("p", { class: "note" }, known[i] ? "By component: kept in the store, and left out of this page for its size; archsim report with --where shows fewer points." : "By component: not known, the store of this point is of the first format.")]), element("div", { class: "columns" }, ...tables));
  panel.dataset.i = i;
  drawParts();
  drawRoof();
  if (data.runs[i]) byId("run-of").value = i;
  drawRun();
  if (broken && byId("to").querySelector(`option[value="${i}"]`)) { byId("to").value = i; drawSteps(); }
}

// The table.
const columns = [...fields.map((f) => ({ name: f.name, head: f.name, values: f.values, word: !f.values.some((v) => typeof v === "number"), show: (i) => (f.values[i] === null ? "—" : String(f.values[i])) })), ...metrics.map((m) => ({ name: m.name, head: title(m), values: m.values, show: (i) => number(m, m.values[i]) + mark(m, i) }))];
function headings() {
  const head = element("tr", {}, element("th", { class: "word", scope: "col" }, "point"), ...columns.map((c) => element("th", { scope: "col", class: c.word ? "word" : null, "data-name": c.name, "aria-sort": sorted && sorted.name === c.name ? (sorted.up ? "ascending" : "descending") : "none" }, element("button", { type: "button", title: `sort by ${c.name}`, onclick: () => sortBy(c) }, c.head))));
  byId("points").tHead.replaceChildren(head);
}
function sortBy(c) {
  sorted = { name: c.name, up: !(sorted && sorted.name === c.name && sorted.up) };
  const sign = sorted.up ? 1 : -1;
  const empty = (v) => v === null || v === undefined;
  order.sort((a, b) => {
    const [v, w] = [c.values[a], c.values[b]];
    if (empty(v) || empty(w)) return empty(v) - empty(w) || a - b;
    return sign * (typeof v === "number" && typeof w === "number" ? v - w : String(v).localeCompare(String(w))) || a - b;
  });
  headings(); body();
  byId("points").querySelector(`th[data-name="${c.name}"] button`).focus();
}
function body() {
  const rows = order.slice(0, rowsShown).map((i) => element("tr", { "data-i": i, class: i === pinned ? "pinned" : null }, element("td", { class: "word" }, element("button", { type: "button", "aria-label": `pin ${names[i]}`, onclick: () => { pin(i); byId("pinned").scrollIntoView({ block: "nearest" }); } }, names[i].split(":")[0])), ...columns.map((c) => element("td", { class: c.word ? "word" : null, title: typeof c.values[i] === "number" ? String(c.values[i]) : null }, c.show(i)))));
  byId("points").tBodies[0].replaceChildren(...rows);
  byId("more").hidden = rowsShown >= order.length;
  byId("shown").textContent = `${order.length.toLocaleString("en-GB")} of ${many.toLocaleString("en-GB")} points${rowsShown < order.length ? `, the first ${rowsShown} here` : ""}`;
}
byId("more").addEventListener("click", () => { rowsShown += 200; body(); });
const values = Object.fromEntries(columns.map((c) => [c.name, c.values]));
values["engine.kind"] = engine; values.technology = technology;
const searched = names.map((name, i) => `${name} ${technology[i]} ${fields.map((f) => f.values[i]).join(" ")}`.toLowerCase());
function asked(word) {
  const parts = /^([\w.]+)(<=|>=|!=|=|<|>)(.+)$/.exec(word), given = parts && (values[parts[1]] || values[`engine.${parts[1]}`]);
  if (!given) return (i) => searched[i].includes(word.toLowerCase());
  const compare = { "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b, "=": (a, b) => a === b, "!=": (a, b) => a !== b }[parts[2]];
  const wanted = Number(parts[3]);
  return (i) => given[i] !== null && given[i] !== undefined && (Number.isNaN(wanted) ? compare(String(given[i]), parts[3]) : compare(Number(given[i]), wanted));
}
let waiting = 0;
byId("filter").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const tests = byId("filter").value.trim().split(/\s+/).filter(Boolean).map(asked);
    order = [...Array(many).keys()].filter((i) => tests.every((test) => test(i)));
    rowsShown = 25;
    const c = sorted && columns.find((each) => each.name === sorted.name);
    if (c) { sorted.up = !sorted.up; const at = document.activeElement; sortBy(c); at.focus(); } else body();
    drawFront();
    drawRoof();
  }, 120);
});

// The roofline: what points compute a second, under what their engines could.
function roofOf(peak, bytes, from, to, more) {
  const ridge = peak / bytes, ends = [from, ...(ridge > from && ridge < to ? [ridge] : []), to];
  return ends.map((x) => ({ x, y: Math.min(peak, bytes * x), ...more }));
}
async function drawRoof() {
  const of = byId("roof-technology").value;
  const places = order.filter((i) => technology[i] === of && there(work.macs_per_s[i]));
  const speed = { label: "speed", scale: scaleOf({ unit: "MAC/s" }, places.map((i) => work.macs_per_s[i])) };
  const share = (i) => work.macs_per_s[i] / Math.min(work.peak_macs_per_s[i], work.peak_bytes_per_s[i] * work.macs_per_byte[i]);
  const rows = places.map((i) => ({ i, name: names[i], design: design(i), x: work.macs_per_byte[i], y: work.macs_per_s[i], engine: engine[i], technology: technology[i], solid: data.fronts[of].includes(i), met: met[i], mark: marks[i] || "", x_text: `${significant(work.macs_per_byte[i])}\u202fMAC/B`, y_text: `${text(speed, work.macs_per_s[i])}, ${(100 * share(i)).toFixed(1)}\u202f% of its roof` }));
  const highest = (name, kind) => places.filter((i) => engine[i] === kind && met[i]).reduce((most, i) => Math.max(most, work[name][i]), 0);
  const sides = [...new Set(rows.map((r) => r.engine))].map((kind) => [kind, highest("peak_macs_per_s", kind), highest("peak_bytes_per_s", kind)]).filter(([, peak]) => peak);
  const xs = [...rows.map((r) => r.x), ...sides.map(([, peak, bytes]) => peak / bytes)];
  const from = xs.reduce((a, b) => Math.min(a, b), Infinity) / 2, to = xs.reduce((a, b) => Math.max(a, b), 0) * 2;
  const roofs = sides.flatMap(([kind, peak, bytes]) => roofOf(peak, bytes, from, to, { engine: kind, kind: "engine" }));
  if (places.includes(pinned)) roofs.push(...roofOf(work.peak_macs_per_s[pinned], work.peak_bytes_per_s[pinned], from, to, { engine: engine[pinned], kind: "pinned" }));
  nameMarks(rows, plotWidth("roof-figure"), data.specs.roofline.height, true, true, roofs);
  byId("roof-figure").dataset.of = of;
  const view = await draw("roof-figure", data.specs.roofline, rows, { x: { title: narrow() ? "MAC per byte of weights and indices" : data.roofline[0], log: true }, y: { title: narrow() ? "MAC/s" : data.roofline[1], log: true } }, roofs);
  if (view) {
    view.signal("pinned", pinned).run();
    view.addEventListener("click", (event, item) => { if (item && item.datum && item.datum.i !== undefined) pin(item.datum.i); });
  }
  const all = rows.slice().sort((a, b) => b.y - a.y).slice(0, 25);
  tableOf("roof-table", ["point", "MAC/B", "MAC/s", "MAC/s at most: multipliers", "B/s at most: memories", "of its roof, %"], all.map((r) => [r.name, significant(r.x), significant(r.y), significant(work.peak_macs_per_s[r.i]), significant(work.peak_bytes_per_s[r.i]), (100 * share(r.i)).toFixed(1)]));
}

// Components, and from one point to another.
const broken = Object.keys(parts).map(Number);
const kinds = [...new Set(broken.flatMap((i) => Object.keys(parts[i])))];
const label = (name) => (metric[name] ? metric[name].label : name);
const tableOf = (id, heads, rows) => {
  byId(id).tHead.replaceChildren(element("tr", {}, ...heads.map((h, n) => element("th", { class: n ? null : "word" }, h))));
  byId(id).tBodies[0].replaceChildren(...rows.map((r) => element("tr", {}, ...r.map((cell, n) => element("td", { class: n ? null : "word" }, cell)))));
};
const scaledFor = (name, all) => { const m = metric[name] || { label: name, unit: "count" }; return { ...m, scale: scaleOf(m, all) }; };
async function drawParts() {
  const name = byId("parts-metric").value, of = byId("parts-technology").value;
  const chosen = [...new Set([...data.named, ...data.fronts[of], ...(pinned >= 0 ? [pinned] : [])])].filter((i) => technology[i] === of && parts[i] && parts[i][name]).slice(0, 12);
  if (pinned >= 0 && technology[pinned] === of && (parts[pinned] || {})[name] && !chosen.includes(pinned)) chosen.push(pinned);
  const m = scaledFor(name, chosen.flatMap((i) => metric[name].values[i]));
  const rows = [];
  for (const [place, i] of chosen.entries()) {
    const sums = {};
    for (const [part, v] of Object.entries(parts[i][name])) sums[data.group[part]] = (sums[data.group[part]] || 0) + v;
    for (const [at, group] of data.groups.entries()) if (sums[group]) rows.push({ name: short(i), place, group, order: at, value: sums[group] * m.scale.by, text: text(m, sums[group]) });
  }
  await draw("parts-figure", data.specs.bars, rows, { x: { title: title(m) } });
  const all = [...new Set(chosen.flatMap((i) => Object.keys(parts[i][name])))];
  tableOf("parts-table", [title(m), ...chosen.map(short)], all.map((part) => [part, ...chosen.map((i) => number(m, parts[i][name][part] ?? null))]));
}
async function drawSteps() {
  const from = Number(byId("from").value), to = Number(byId("to").value), name = byId("steps-metric").value;
  const before = (parts[from] || {})[name], after = (parts[to] || {})[name];
  if (!before || !after) { await draw("steps-figure", data.specs.waterfall, [], {}); byId("steps-said").textContent = "Both points need this figure by component."; tableOf("steps-table", [], []); return; }
  const sum = (parts) => Object.values(parts).reduce((all, v) => all + v, 0), first = sum(before), last = sum(after);
  const m = scaledFor(name, [first, last]);
  const steps = [...new Set([...Object.keys(before), ...Object.keys(after)])].map((part) => [part, (after[part] || 0) - (before[part] || 0)]).filter(([, v]) => v).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  let at = first;
  const by = m.scale.by, signed = (v) => `${v > 0 ? "+" : "−"}${text(m, Math.abs(v))}`;
  const rows = [{ name: "from", place: 0, start: 0, end: first * by, right: first * by, kind: "total", text: text(m, first) }];
  for (const [part, v] of steps) {
    rows.push({ name: part, place: rows.length, start: at * by, end: (at + v) * by, right: Math.max(at, at + v) * by, kind: v > 0 ? "more" : "less", text: signed(v) });
    at += v;
  }
  rows.push({ name: "to", place: rows.length, start: 0, end: last * by, right: last * by, kind: "total", text: text(m, last) });
  byId("steps-said").textContent = `${m.label}: from ${names[from]} (${text(m, first)}) to ${names[to]} (${text(m, last)}), the largest step first; steps add up to the difference.`;
  await draw("steps-figure", data.specs.waterfall, rows, { x: { title: title(m) } });
  tableOf("steps-table", ["component", title(m)], [["from", number(m, first)], ...steps.map(([part, v]) => [part, (v > 0 ? "+" : "−") + number(m, Math.abs(v))]), ["to", number(m, last)]]);
}

// A run over time: of each unit what it does in each part of an inference.
async function drawRun() {
  const i = Number(byId("run-of").value), run = data.runs[i];
  if (!run) { await draw("run-figure", data.specs.run, [], {}); byId("run-said").textContent = "No run of these points can be shown."; tableOf("run-table", [], []); return; }
  const kinds = ["busy", "stalled", "waiting"], percent = (v) => `${(100 * v).toFixed(0)}\u202f%`;
  const rows = run.units.flatMap(({ unit, spans }, place) => spans.map(([start, end, ...told]) => {
    const shares = told.slice(0, 3), most = shares.indexOf(Math.max(...shares));
    return { name: unit, place, start, end, kind: kinds[most], share: shares[most], cycles: `${start} to ${end}`, text: `${kinds.map((kind, n) => `${kind} ${percent(shares[n])}`).join(", ")}; longest: ${told[3]}` };
  })).filter((row) => row.share > 0);
  await draw("run-figure", data.specs.run, rows, {}, run.stages.map((s) => ({ start: s.start_cycle, name: s.number })));
  byId("run-said").textContent = `${trains[i] ? "One step" : "One inference"} of ${names[i]}, from the cycle of start, event by event; the colour is what a unit does longest in a part of the run, the paler the shorter, and nothing where it is idle. Dashed lines are where stages begin. Runs are shown of ${Object.keys(data.runs).length} points${pinned >= 0 && !data.runs[pinned] ? "; the pinned one is not among them, archsim trace shows it" : ""}.`;
  const spent = (spans, at) => spans.reduce((sum, span) => sum + (span[1] - span[0]) * span[2 + at], 0) / run.last_cycle;
  tableOf("run-table", ["unit, % of the cycles", ...kinds], run.units.map(({ unit, spans }) => [unit, ...kinds.map((kind, n) => (100 * spent(spans, n)).toFixed(1))]));
}

function start() {
  const choices = metrics.filter((m) => m.values.some((v) => v !== null && v !== undefined)).map((m) => [m.name, m.label]);
  fill(byId("across"), choices, data.axes[0]);
  fill(byId("up"), choices, data.axes[1]);
  fill(byId("only"), [["", "all technologies"], ...Object.keys(data.fronts).map((t) => [t, t])], "");
  for (const id of ["across", "up", "only"]) byId(id).addEventListener("change", drawFront);
  const reached = metric.accuracy ? [...new Set(metric.accuracy.values.filter(there))].sort((a, b) => a - b) : [];
  byId("least").disabled = reached.length < 2;
  byId("least-label").hidden = reached.length < 2;
  if (reached.length > 1) {
    byId("least").min = Math.floor(reached[0] * 1000) / 10;
    byId("least").max = Math.floor(reached[reached.length - 1] * 1000) / 10;
    byId("least").value = byId("least").min;
    toldLeast();
    byId("least").addEventListener("input", () => { toldLeast(); clearTimeout(waiting); waiting = setTimeout(drawFront, 120); });
  }
  const parted = kinds.filter((k) => metric[k]).map((k) => [k, label(k)]);
  for (const id of ["parts-metric", "steps-metric"]) fill(byId(id), parted, "energy_j");
  const others = data.named.filter((i) => parts[i]);
  const priced = others.find((i) => metric.area_mm2 && metric.area_mm2.values[i] !== null) ?? others[0];
  const alike = others.filter((i) => technology[i] === technology[priced]);
  const goal = alike[0] ?? broken[0];
  const origin = [...alike].reverse().concat(broken.filter((i) => technology[i] === technology[goal]), broken).find((i) => i !== goal) ?? goal;
  fill(byId("from"), broken.map((i) => [i, names[i]]), origin);
  fill(byId("to"), broken.map((i) => [i, names[i]]), goal);
  const sized = Object.keys(data.fronts);
  fill(byId("parts-technology"), sized.map((t) => [t, t]), priced === undefined ? sized[0] : technology[priced]);
  const fetching = sized.filter((t) => technology.some((of, i) => of === t && there(work.macs_per_s[i])));
  fill(byId("roof-technology"), fetching.map((t) => [t, t]), fetching[0]);
  byId("roof-technology").addEventListener("change", drawRoof);
  for (const id of ["parts-metric", "parts-technology"]) byId(id).addEventListener("change", drawParts);
  for (const id of ["from", "to", "steps-metric"]) byId(id).addEventListener("change", drawSteps);
  fill(byId("run-of"), Object.keys(data.runs).map((i) => [i, names[i]]), Object.keys(data.runs)[0]);
  byId("run-of").addEventListener("change", drawRun);
  headings(); body();
  const all = () => Promise.all([drawFront(), drawRoof(), drawParts(), drawSteps(), drawRun()]).then(() => { document.body.dataset.drawn = "yes"; });
  byId("pinned").replaceChildren(element("p", { class: "note" }, "No point is pinned yet."));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  let last = window.innerWidth, resizing = 0;
  addEventListener("resize", () => { if (window.innerWidth !== last) { last = window.innerWidth; clearTimeout(resizing); resizing = setTimeout(all, 150); } });
  all();
}
start();
