// Pictures are strings: a pure function of the numbers, the same in the page and when it is built.

const clean = (value, digits) => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text;
};

/** A number as the page prints it: two digits, a true minus sign, never "−0.00". */
export const num = (value, digits = 2) => clean(value, digits).replace("-", "−");

/** A gate near its ends needs more digits: 0.9997 is not one. */
export const opening = (value) => num(value, value > 0.99 || value < 0.01 ? 4 : 2);

export const lerp = (a, b, u) => a + (b - a) * u;
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Symbols in running text: `W_{hh}` and `$x$` become italic letters with a lowered index. */
const SYMBOL = /([A-Za-zσ])_\{([^}]*)\}|\$([^$]*)\$/g;

export const htmlSymbols = (text) =>
  text.replace(SYMBOL, (_, letter, index, plain) =>
    plain ? `<i>${plain}</i>` : `<i>${letter}</i><sub>${index}</sub>`);

function tspans(content, drop) {
  let out = "";
  let last = 0;
  let lowered = 0;
  const add = (piece, classes = "", low = 0) => {
    if (piece) out += `<tspan class="${classes}" dy="${low - lowered}">${piece}</tspan>`;
    if (piece) lowered = low;
  };
  for (const match of content.matchAll(SYMBOL)) {
    const [whole, letter, index = "", plain] = match;
    add(content.slice(last, match.index));
    add(plain || letter, "m");
    // Letters of an index lean, numbers stand, as in the page's equations.
    for (const part of index.split(/([a-z]+)/)) add(part, /[a-z]/.test(part) ? "m n" : "n", drop);
    last = match.index + whole.length;
  }
  add(content.slice(last));
  return out;
}

/** Text at (x, y); `mid` and `end` anchor it, t… colours it. */
export const text = (x, y, content, classes = "") =>
  `<text x="${round(x)}" y="${round(y)}" class="${classes}">${tspans(content, 4)}</text>`;

const round = (value) => (typeof value === "number" ? Math.round(value * 100) / 100 : value);
const join = (parts) => parts.map(round).join(" ");

/** A path out of letters and numbers: path("sh", "M", 0, 0, "L", 4, 4). */
export const path = (classes, ...d) => `<path class="${classes}" d="${join(d)}"/>`;

export const line = (classes, ...ends) => path(classes, "M", ...ends);

/** A path with a head at its end, along its last stretch. No marker: markers need ids. */
export function arrow(classes, size, ...d) {
  const [x0, y0, x, y] = d.filter((part) => typeof part === "number").slice(-4);
  const length = Math.hypot(x - x0, y - y0) / size || 1;
  const [dx, dy] = [(x - x0) / length, (y - y0) / length];
  const [bx, by] = [x - dx * 1.6, y - dy * 1.6];
  d.splice(-2, 2, bx, by);
  return path(classes, ...d) +
    path(`${classes} fill`, "M", x, y, "L", bx - dy, by + dx, bx + dy, by - dx, "Z");
}

export const circle = (classes, x, y, radius) =>
  `<circle class="${classes}" cx="${round(x)}" cy="${round(y)}" r="${round(radius)}"/>`;

export const rect = (classes, x, y, width, height, corner = 0) =>
  `<rect class="${classes}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${corner}"/>`;

export const group = (opacity, content) => {
  if (opacity < 0.02) return "";
  return opacity > 0.99 ? content : `<g opacity="${round(opacity)}">${content}</g>`;
};

/** The whole picture, with its two text alternatives. */
export const picture = (width, height, title, desc, content) =>
  `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">` +
  `<title>${title}</title><desc>${desc}</desc>${content}</svg>`;
