// One LSTM cell, one row at a time: the same formulas as lstmkit.lstm.equations and .stages.
// A gate's weights are {W_x: (H, I), W_h: (H, H), b: (H)}; a gate that is not open is held at one.
import { dot } from "./rnn.js";

export const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** W_x x + W_h h_prev + b, what a gate squashes. */
export const preActivation = (x, hPrev, { W_x, W_h, b }) =>
  b.map((bias, j) => dot(W_x[j], x) + dot(W_h[j], hPrev) + bias);

/**
 * One step: c = f ⊙ c_prev + i ⊙ g, h = o ⊙ tanh(c).
 * `open` names the gates that exist, of "f i o"; the others are one. The candidate g always exists.
 */
export function lstmStep(x, hPrev, cPrev, weights, open = "fio") {
  const one = cPrev.map(() => 1);
  const gate = (name) => preActivation(x, hPrev, weights[name]).map(sigmoid);
  const [f, i, o] = ["f", "i", "o"].map((name) => (open.includes(name) ? gate(name) : one));
  const g = preActivation(x, hPrev, weights.g).map(Math.tanh);
  const c = cPrev.map((value, j) => f[j] * value + i[j] * g[j]);
  const h = c.map((value, j) => o[j] * Math.tanh(value));
  return { f, i, g, o, c, h };
}

/** What the cell does with nothing to read: c and h after 0, 1, … `steps` steps with x = 0. */
export function silence(h, c, weights, open, steps, inputs) {
  const nothing = Array(inputs).fill(0);
  const trace = { c: [c], h: [h] };
  for (let step = 0; step < steps; step++) {
    ({ c, h } = lstmStep(nothing, h, c, weights, open));
    trace.c.push(c);
    trace.h.push(h);
  }
  return trace;
}

/** Steps after which a factor f has halved what it multiplies: ln ½ / ln f. */
export const halfLife = (f) => Math.log(0.5) / Math.log(f);
