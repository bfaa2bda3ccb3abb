// The picture of the loop. `unrolled` runs from 0 (one box with its loop) to 1 (one box a step);
// `progress` runs from 0 to 1 while step `t` is being made.
import { arrow, circle, clamp, group, lerp, line, num, path, picture, rect, text } from "./svg.js";

const WIDE = {
  width: 720, height: 442, first: 52, pitch: 102, box: [56, 46], boxY: 214, pill: [74, 40], pillY: 300,
  plotY: 88, scale: 42, up: 162, over: 176, stub: 20, bend: 12, head: 4, rows: [382, 406, 430],
  columns: [166, 192, 228, 278, 308, 330, 362, 400, 432, 464, 500, 536, 566],
};
const NARROW = {
  width: 328, height: 400, first: 18, pitch: 48.6, box: [31, 36], boxY: 198, pill: [46, 44], pillY: 275,
  plotY: 88, scale: 38, up: 154, over: 168, stub: 11, bend: 8, head: 3, rows: [344, 366, 388],
  columns: [10, 27, 54, 95, 115, 128, 147, 176, 196, 218, 246, 274, 296],
};
export const STEPS = 6;

/** Where the wires and boxes stand; the page lays its word buttons over the pills. */
const wireX = (L, k) => L.first + k * L.pitch;
const boxX = (L, k) => L.first + (k - 0.5) * L.pitch;
export const pillBox = (narrow, k) => {
  const L = narrow ? NARROW : WIDE;
  const [width, height] = L.pill;
  return [(boxX(L, k) - width / 2) / L.width, (L.pillY - height / 2) / L.height, width / L.width, height / L.height];
};

const sign = (value) => (value > 0 ? "+" : "") + num(value, 0);

function words(L, m) {
  const [width, height] = L.pill;
  return m.x.map((value, index) => {
    const k = index + 1;
    const x = boxX(L, k);
    const tone = k === m.t ? "sx w2" : k < m.t ? "sx" : "sgrid";
    return (
      rect(`${tone} paper`, x - width / 2, L.pillY - height / 2, width, height, 20) +
      text(x, L.pillY + 5, m.words[index], `mid ${k > m.t ? "tmuted" : "tink"}${k === m.t ? " bold" : ""}`) +
      text(x, L.pillY + height / 2 + 17, m.narrow ? sign(value) : `x_{${k}} = ${sign(value)}`, "mid small tx")
    );
  }).join("");
}

/** The states so far, as stems from zero; the states before the last change in grey. */
function states(L, m) {
  const at = (value) => L.plotY - value * L.scale;
  const end = wireX(L, STEPS);
  let out = text(m.narrow ? 2 : 8, 18, "hidden state $h$ after each word", "small tmuted");
  for (const level of [1, 0, -1]) {
    out += line("sgrid", L.first - 12, at(level), end + 12, at(level));
    if (!m.narrow) out += text(L.first - 20, at(level) + 4, num(level, 0), "end small tmuted");
  }
  if (m.before) {
    const points = m.before.flatMap((value, k) => [k ? "L" : "M", wireX(L, k), at(value)]);
    out += path("smuted dash", ...points);
    out += m.before.map((value, k) => circle("smuted paper", wireX(L, k), at(value), 4)).join("");
    const label = at(m.before[STEPS]);
    const clash = Math.abs(label - at(m.h[STEPS])) < 14;
    out += m.narrow
      ? text(L.width - 1, 18, "○ before", "end small tmuted")
      : text(end + 14, label + (clash ? 18 : 4), "before", "small tmuted");
  }
  const grown = clamp(m.progress * 2 - 1, 0, 1);
  let trace = [];
  let dots = "";
  for (let k = 0; k <= m.t; k++) {
    const moving = k === m.t && k > 0 && m.progress < 1;
    if (moving && !grown) break;
    const value = m.h[k] * (moving ? grown : 1);
    const [x, y] = [wireX(L, k), at(value)];
    trace.push(k ? "L" : "M", x, y);
    dots += line("sh faint", x, at(0), x, y) + circle("fh", x, y, k === m.t ? 5.5 : 4);
    const crowded = !!m.before && (at(m.before[k]) - y) * (value < 0 ? 1 : -1) > 4;
    dots += text(x, y + ((value < 0) !== crowded ? 19 : -10), num(value), `mid small halo th${k === m.t ? " bold" : ""}`);
  }
  return out + path("sh thin", ...trace) + dots;
}

/** One copy of the network: the word comes from below, the last state from the left. */
function copy(L, m, k, x, opacity, current) {
  const [width, height] = L.box;
  const half = L.pitch / 2;
  const done = k < m.t || (k === m.t && m.progress >= 0.5);
  const tone = done ? "sh" : "sgrid";
  const weight = current ? " w2" : "";
  const next = lerp(x, boxX(L, k + 1), m.unrolled);
  const wire = x + half;
  const [top, bottom] = [L.boxY - height / 2, L.boxY + height / 2];
  const pillTop = L.pillY - L.pill[1] / 2;
  const fed = k <= m.t ? "sx" : "sgrid";
  let out = arrow(fed + weight, L.head, "M", boxX(L, k), pillTop, "C", boxX(L, k), pillTop - 16, x, bottom + 24, x, bottom + 1);
  out += arrow(tone + weight, L.head, "M", x + width / 2, L.boxY, "L", wire - 8, L.boxY, "Q", wire, L.boxY, wire, L.boxY - 8,
    "L", wire, L.up);
  // From the branch back into this box (rolled), or on into the next one (unrolled).
  const goal = (k === STEPS && m.unrolled > 0.5 ? wire + L.stub : next - width / 2) - 1;
  const [left, bend] = [x - half, L.bend];
  const around = [
    wire, L.over, x + bend, L.over, x, L.over, left + bend, L.over, left, L.over, left, L.over, left, L.over + bend,
    left, L.boxY, left, L.boxY, x - width / 2 - 1, L.boxY,
  ];
  const p = around.map((value, n) => lerp(value, n % 2 ? L.boxY : lerp(wire, goal, n / 18), m.unrolled));
  out += arrow(tone + weight, L.head, "M", p[0], p[1], "C", ...p.slice(2));
  out += circle(done ? "fh" : "fgrid", wire, lerp(L.over, L.boxY, m.unrolled), L.head - 1);

  out += rect(`paper ${current ? "sink w2" : done ? "sink" : "sgrid dash"}`, x - width / 2, top, width, height, 6);
  if (current) out += rect("fh tint", x - width / 2, top, width, height, 6);
  out += text(x, L.boxY + 5, "tanh", `mid ${m.narrow ? "tiny" : ""} ${k <= m.t ? "tink" : "tmuted"}`);
  if (!m.narrow) {
    out += text(x + 8, bottom + 24, "W_{ih}", "small tmuted");
    out += text(x - (half + width / 2) / 2 - 3, L.boxY + 18, "W_{hh}", "mid tiny tmuted");
  }
  if (done) out += text(wire + 6, L.up + 10, `h_{${k}}`, "small th");
  return group(opacity, out);
}

/** The first state, and its way into the first box. */
function start(L, m) {
  const x = wireX(L, 0);
  return group(
    m.unrolled,
    arrow("sh", L.head, "M", x, L.boxY, "L", x, L.up) +
      arrow("sh", L.head, "M", x, L.boxY, "L", boxX(L, 1) - L.box[0] / 2 - 1, L.boxY) +
      circle("fh", x, L.boxY, L.head - 1) + text(x + 6, L.up + 10, "h_{0}", "small th"),
  );
}

/** What travels while a step is made: the word and the last state into the box, the new one out. */
function travellers(L, m, x) {
  if (m.progress >= 1 || m.t === 0) return "";
  const way = m.progress * 2;
  const half = L.pitch / 2;
  if (way < 1) {
    return (
      circle("fh", lerp(x - half, x - L.box[0] / 2, way), L.boxY, 5) +
      circle("fx", x, lerp(L.pillY - L.pill[1] / 2, L.boxY + L.box[1] / 2, way), 5)
    );
  }
  return circle("fh", lerp(x + L.box[0] / 2, x + half, way - 1), L.boxY, 5);
}

/** The step in letters, the same step in numbers under it, and what tanh makes of the sum. */
function equation(L, m) {
  const k = m.t;
  if (!k) return text(L.columns[0], L.rows[1], "h_{0} = 0: nothing has been read yet", "tink");
  const [x, hPrev] = [m.x[k - 1], m.h[k - 1]];
  const size = m.narrow ? "mid small " : "mid ";
  const row = (index, cells) => cells.map(([column, content, tone]) =>
    text(L.columns[column], L.rows[index], content, size + (tone || ""))).join("");
  const frame = [[1, "="], [2, "tanh("]];
  const sum = [...frame, [6, "+"], [10, "+"], [12, ")"]];
  return (
    row(0, [...sum, [0, `h_{${k}}`, "th bold"], [3, "W_{ih}"], [5, `x_{${k}}`, "tx"], [7, "W_{hh}"],
      [9, `h_{${k - 1}}`, "th"], [11, "$b$"]]) +
    row(1, [...sum, [3, num(m.W_ih)], [4, "·"], [5, num(x, 0), "tx"], [7, num(m.W_hh)], [8, "·"],
      [9, num(hPrev), "th"], [11, num(m.b)]]) +
    row(2, [...frame, [3, num(m.W_ih * x + m.W_hh * hPrev + m.b)], [4, ")"], [5, "="], [7, num(m.h[k]), "th bold"]])
  );
}

/** m: x, words, W_ih, W_hh, b, h (start included), t, progress, unrolled, before (or null), narrow. */
export function drawLoop(m) {
  const L = m.narrow ? NARROW : WIDE;
  const from = boxX(L, Math.max(1, m.t - 1));
  const here = lerp(from, boxX(L, Math.max(1, m.t)), clamp(m.progress * 2.5, 0, 1));
  const current = Math.max(1, m.t);
  let copies = "";
  for (let k = 1; k <= STEPS; k++) {
    if (k !== current) copies += copy(L, m, k, lerp(here, boxX(L, k), m.unrolled), m.unrolled, false);
  }
  const x = lerp(here, boxX(L, current), m.unrolled);
  copies += copy(L, m, current, x, 1, m.t > 0);
  const read = m.words.map((word, k) => `${word}: h_${k + 1} = ${num(m.h[k + 1])}`).slice(0, m.t).join(", ");
  return picture(
    L.width, L.height, `The loop, ${m.unrolled ? "unrolled: one copy of the network for each word" : "rolled: one network that feeds itself"}`,
    `Each step takes a word x and the last state h, and makes the next state. ${read || "Nothing has been read yet."}`,
    words(L, m) + start(L, m) + copies + travellers(L, m, x) + states(L, m) + equation(L, m),
  );
}
