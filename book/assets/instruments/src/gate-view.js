// The picture of one cell: the belt above, the working line below, the gates between the floors.
// Loads stand on the belt (positive) or hang under it (negative), to scale.
import { arrow, circle, clamp, line, num, opening, path, picture, rect, text } from "./svg.js";
import { halfLife } from "./lstm.js";

const LIMIT = 3; // the belt shows loads up to this size; the numbers go on
const WIDE = {
  width: 720, height: 486, belt: 96, unit: 22, bar: 26, gateY: 262, box: [62, 54], work: 346, swing: 26, input: 62,
  at: { f: 152, i: 234, g: 316, o: 398 }, joint: 196, prev: 46, kept: 226, now: 390, branch: 458, tanh: 184, out: 484,
  pill: [14, 386, 112, 50], rows: [402, 426, 0, 454, 478], left: 172, ring: 13, exit: 506,
  plots: { c: [548, 692, 96, 22], h: [548, 692, 346, 26] }, captions: [[548, 200], [548, 218], [548, 248], [548, 267]],
  size: "", indent: 22, aside: 6, track: 40,
};
const NARROW = {
  width: 328, height: 582, belt: 84, unit: 17, bar: 20, gateY: 206, box: [52, 46], work: 280, swing: 20, input: 48,
  at: { f: 66, i: 124, g: 182, o: 240 }, joint: 154, prev: 24, kept: 118, now: 234, branch: 290, tanh: 150, out: 309,
  pill: [4, 308, 108, 46], rows: [472, 494, 514, 540, 562], left: 4, ring: 11, exit: 324,
  plots: { c: [128, 308, 356, 9], h: [128, 308, 424, 18] }, captions: [[124, 322], [124, 394]],
  size: "small", indent: 16, aside: -4, track: 21,
};
export const SILENCE = 20;
const GATES = [..."figo"];
const shown = (name, value) => ("fio".includes(name) ? opening(value) : num(value));

/** A load on the belt (or a swing of the working line): a bar from the line, with number and name. */
function load(x, y, unit, limit, width, value, tone, name) {
  const height = clamp(value, -limit, limit) * unit;
  const up = value >= 0;
  return (
    rect(`s${tone} f${tone} half`, x - width / 2, up ? y - height : y, width, Math.abs(height)) +
    text(x, y - height + (up ? -7 : 16), num(value), `mid halo small t${tone} bold`) +
    text(x, y + (up ? 20 : -11), name, `mid halo small t${tone}`)
  );
}

/** What an operation took away or added: an arrow from one height to another, in the gate's colour. */
function change(x, y, unit, from, to, tone) {
  const [a, b] = [from, to].map((value) => y - clamp(value, -LIMIT, LIMIT) * unit);
  return Math.abs(a - b) < 7 ? "" : arrow(`s${tone} w2`, 3.5, "M", x, a, "L", x, b);
}

/** A circle for an elementwise operation; the ring around it is filled as far as its gate is open. */
function joint(x, y, radius, symbol, tone, open) {
  let out = circle("paper sink", x, y, radius) + text(x, y + 5, symbol, "mid");
  if (open === undefined) return out;
  const angle = 2 * Math.PI * clamp(open, 0, 0.9999);
  const R = radius + 4;
  out += circle("sgrid w4", x, y, R);
  out += path(`s${tone} w4`, "M", x, y - R, "A", R, R, 0, angle > Math.PI ? 1 : 0, 1, x + R * Math.sin(angle), y - R * Math.cos(angle));
  return out;
}

/** A learned layer: its letter, what it squashes with, a gauge and its value; dashed where it is held at one. */
function gateBox(L, m, name) {
  const [width, height] = L.box;
  const [x, y] = [L.at[name], L.gateY];
  const [left, top] = [x - width / 2, y - height / 2];
  const held = name !== "g" && !m.open.includes(name);
  if (held) {
    return (
      rect("sgrid dash paper", left, top, width, height, 6) + text(x, y - 1, `$${name}$ = 1`, "mid small tmuted") +
      text(x, y + 15, "held", "mid tiny tmuted")
    );
  }
  const value = m.cell[name];
  const track = L.track;
  const middle = top + 7 + track / 2;
  const zero = name === "g" ? middle : middle + track / 2;
  const size = name === "g" ? (value * track) / 2 : value * track;
  const chosen = name === m.chosen ? " w2" : "";
  return (
    rect(`paper s${name}${chosen}`, left, top, width, height, 6) +
    rect("fgrid", left + 6, top + 7, 5, track, 2) +
    rect(`f${name}`, left + 6, Math.min(zero, zero - size), 5, Math.abs(size), 2) +
    text(x - L.aside, y - 3, `$${name}$`, `mid big t${name} bold`) +
    (m.narrow ? "" : text(x + width / 2 - 4, top + 14, name === "g" ? "tanh" : "σ", "end tiny tmuted")) +
    text(x + (m.narrow ? 0 : 6), y + (m.narrow ? 17 : 19), shown(name, value), `mid small t${name}`)
  );
}

/** The belt: two rails, thick, with what f takes off and what i · g puts on. */
function belt(L, m) {
  const y = L.belt;
  const { f, i, c } = m.cell;
  const kept = f * m.c_prev;
  const rails = line("sc belt", 4, y, L.exit - 14, y) + line("spaper slot", 4, y, L.exit - 14, y) + arrow("sc", 8, "M", L.exit - 14, y, "L", L.exit, y);
  const bar = (x, value, name) => load(x, y, L.unit, LIMIT, L.bar, value, "c", name);
  const edge = L.bar / 2 + 6;
  return (
    bar(L.prev, m.c_prev, "c_{t−1}") + bar(L.kept, kept, "$f$ · c_{t−1}") + bar(L.now, c, "c_{t}") +
    change(L.kept - edge, y, L.unit, m.c_prev, kept, "f") + change(L.now - edge, y, L.unit, kept, c, "g") +
    rails +
    joint(L.at.f, y, L.ring, "×", "f", f) + joint(L.at.g, y, L.ring, "+") +
    (m.open.includes("i") ? joint(L.at.g, L.joint, L.ring - 2, "×", "i", i) : "")
  );
}

/** Wires from the working line up to the gates, from the gates to the belt, and from the belt down to h. */
function wires(L, m) {
  const [width, height] = L.box;
  const [top, bottom] = [L.gateY - height / 2, L.gateY + height / 2];
  const { f, i, g, o } = L.at;
  const real = GATES.filter((name) => name === "g" || m.open.includes(name));
  const last = Math.max(...real.map((name) => L.at[name]));
  const opens = (name) => m.open.includes(name);
  let out = line("sh", 4, L.work, last - 8, L.work);
  out += path("sx", "M", L.input, L.pill[1], "L", L.input, L.work + 10, "Q", L.input, L.work, L.input + 10, L.work);
  for (const name of real) {
    const x = L.at[name];
    out += arrow("sh", 4, "M", x - 8, L.work, "Q", x, L.work, x, L.work - 8, "L", x, bottom + 1);
  }
  out += arrow("sf w2", 4, "M", f, top, "L", f, L.belt + L.ring + 6) + arrow("sg w2", 4, "M", g, top, "L", g, L.belt + L.ring + 1);
  if (opens("i")) {
    out += arrow("si w2", 4, "M", i, top, "L", i, L.joint + 8, "Q", i, L.joint, i + 8, L.joint, "L", g - L.ring - 4, L.joint);
  }
  // The copy of the belt that becomes h.
  const x = L.branch;
  out += line("sc w2", x, L.belt, x, L.tanh) + circle("fc", x, L.belt, 3.5);
  out += arrow("sh w2", 4, "M", x, L.tanh, "L", x, L.work - 10, "Q", x, L.work, x + 10, L.work, "L", L.exit, L.work);
  out += rect("paper sink", x - 21, L.tanh - 13, 42, 26, 13) + text(x, L.tanh + 4, "tanh", "mid small");
  if (opens("o")) {
    out += arrow("so w2", 4, "M", o + width / 2, L.gateY, "L", x - L.ring - 4, L.gateY) +
      joint(x, L.gateY, L.ring - 2, "×", "o", m.cell.o);
  }
  return out;
}

/** What stands on the working line: the word that comes in, the last state, the new one. */
function entering(L, m) {
  const [x, y, width, height] = L.pill;
  return (
    rect("paper sx", x, y, width, height, 12) +
    text(x + 10, y + height / 2 - 5, `x_{1} value`, "small tx") + text(x + width - 10, y + height / 2 - 5, num(m.x[0]), "end small tx bold") +
    text(x + 10, y + height / 2 + 16, `x_{2} ${m.signal}`, "small tx") + text(x + width - 10, y + height / 2 + 16, num(m.x[1], 0), "end small tx bold") +
    load(L.prev, L.work, L.swing, 1, L.bar * 0.7, m.h_prev, "h", "h_{t−1}") +
    load(L.out, L.work, L.swing, 1, L.bar * 0.7, m.cell.h, "h", "h_{t}")
  );
}

/** Where c and h go from here if nothing more is read: each floor goes on to the right. */
function future(L, m) {
  const [f, half] = [opening(m.cell.f), `${halfLifeText(m.cell.f)} steps`];
  const words = m.narrow
    ? [`then ${SILENCE} steps of silence, $x$ = 0`, `half-life at $f$ = ${f}: ${half}`]
    : [`then ${SILENCE} steps`, "of silence, $x$ = 0", `half-life at $f$ = ${f}:`, half];
  let out = L.captions.map(([x, y], index) => text(x, y, words[index], `small ${index === 3 ? "tf bold" : "tmuted"}`)).join("");
  for (const name of ["c", "h"]) {
    const [from, to, y, unit] = L.plots[name];
    const limit = name === "c" ? LIMIT : 1;
    out += line("sgrid", from, y, to, y);
    const points = m.after[name].flatMap((value, step) =>
      [step ? "L" : "M", from + ((to - from) * step) / SILENCE, y - clamp(value, -limit, limit) * unit]);
    const [x, end] = points.slice(-2);
    if (name === "c") out += path("sc belt round", ...points) + path("spaper slot", ...points);
    else out += path("sh w2", ...points);
    out += text(x + 7, end + 5, `$${name}$`, `bold t${name}`);
  }
  return out;
}

/** The chosen gate in letters and in numbers, then what it does to c and h. */
function equations(L, m) {
  const name = m.chosen;
  const squash = name === "g" ? "tanh" : "σ";
  const { f, i, g, o, c, h } = m.cell;
  const put = m.open.includes("i") ? `${opening(i)} · ${num(g)}` : num(g);
  const emit = m.open.includes("o") ? `${opening(o)} · ` : "";
  const [value, signal, W_h, b] = m[name].map((weight) => num(weight));
  const first = `${squash}( ${value}·${num(m.x[0])} + ${signal}·${num(m.x[1], 0)}`;
  const second = `+ ${W_h}·${num(m.h_prev)} + ${b} )  =  ${shown(name, m.cell[name])}`;
  return [
    [`${name}_{t}`, name, `=  ${squash}( W_{x${name}} x_{t} + W_{h${name}} h_{t−1} + b_{${name}} )`],
    ["", name, `=  ${m.narrow ? first : `${first} ${second}`}`],
    ["", name, m.narrow ? `\u00a0\u00a0\u00a0\u00a0${second}` : ""],
    ["c_{t}", "c", `=  ${opening(f)} · ${num(m.c_prev)} + ${put}  =  ${num(c)}`],
    ["h_{t}", "h", `=  ${emit}tanh( ${num(c)} )  =  ${num(h)}`],
  ].map(([letter, tone, sum], index) =>
    text(L.left, L.rows[index], letter, `${L.size} t${tone} bold`) +
    text(L.left + L.indent, L.rows[index], sum, L.size)).join("");
}

export const halfLifeText = (f) => {
  const half = halfLife(f);
  return half < 10 ? num(half, 1) : Math.round(half).toLocaleString("en");
};

/** m: x (2), h_prev, c_prev, the four weights of f i g o, cell {f i g o c h}, after {c h}, open, chosen, signal, narrow. */
export function drawGates(m) {
  const L = m.narrow ? NARROW : WIDE;
  const read = [..."figoch"].map((name) => `${name} = ${shown(name, m.cell[name])}`).join(", ");
  return picture(
    L.width, L.height, "One cell: the belt c above, the working line h below, the gates between them",
    `The forget gate f multiplies what lies on the belt, then the candidate g is added. Now ${read}.`,
    wires(L, m) + belt(L, m) + GATES.map((name) => gateBox(L, m, name)).join("") + entering(L, m) +
      future(L, m) + equations(L, m),
  );
}
