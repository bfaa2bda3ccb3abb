// <lk-gate-playground gates="f | f i | f i o">: one LSTM cell with one unit; gates not named are held at one.
import { button, choice, Instrument, slider } from "./instrument.js";
import { drawGates, halfLifeText, SILENCE } from "./gate-view.js";
import settings from "./gate-playground.json";
import { lstmStep, silence } from "./lstm.js";
import { lerp, num, opening } from "./svg.js";

const { presets, signals, start } = settings;
const NAMES = { f: "forget", i: "input", g: "candidate", o: "output" };
const GATES = Object.keys(NAMES);
const PARTS = [["W_{x·} value", -4, 4, 0.25], ["W_{x·} ", -10, 10, 0.5], ["W_{h·}", -4, 4, 0.25], ["b_{·}", -8, 8, 0.25]];

/** A preset says where it differs from the start. */
const preset = (name) => structuredClone({ ...start, ...presets[name] });

/** The flat list of a preset, as the cell wants it: two inputs, one unit. */
const unpack = ([value, signal, W_h, b]) => ({ W_x: [[value, signal]], W_h: [[W_h]], b: [b] });

class GatePlayground extends Instrument {
  setUp() {
    this.open = (this.getAttribute("gates") || "f").replace(/\s/g, "");
    this.signal = signals[this.open] || "signal";
    this.names = GATES.filter((name) => name === "g" || this.open.includes(name));
    this.reset();
  }

  reset() {
    this.now = preset(this.getAttribute("preset"));
    this.chosen = this.open.slice(-1);
  }

  controls() {
    const fits = Object.keys(presets).filter((name) => !presets[name].needs || this.open.includes(presets[name].needs));
    const gate = (name) =>
      `<div class="lk-grid" data-gate="${name}">${PARTS.map(([label, low, high, step], index) =>
        slider(`${name} ${index}`, label.replace("·", name) + (index === 1 ? this.signal : ""), name, low, high, step)).join("")}</div>`;
    return (
      `<div class="lk-presets">${fits.map((name) => `<button type="button" data-preset="${name}">${name}</button>`).join("")}</div>` +
      `<div class="lk-grid">${slider("x 0", "x_{1} value", "x", -2, 2, 0.1)}` +
      slider("x 1", `x_{2} ${this.signal}`, "x", 0, 1, 1, 'checkbox" role="switch') +
      `${slider("h_prev", "h_{t−1}", "h", -1, 1, 0.05)}${slider("c_prev", "c_{t−1}", "c", -3, 3, 0.1)}</div>` +
      `<div class="lk-row">${choice("chosen", "Weights of", this.names.map((name) => [name, `$${name}$ ${NAMES[name]}`]))}` +
      `<div class="lk-buttons">${button("step", "Step in silence", "step")}${button("reset", "Reset", "reset")}</div></div>` +
      this.names.map(gate).join("")
    );
  }

  weights() {
    return Object.fromEntries(GATES.map((name) => [name, unpack(this.now[name])]));
  }

  cell() {
    const { x, h_prev, c_prev } = this.now;
    const cell = lstmStep(x, [h_prev], [c_prev], this.weights(), this.open);
    return Object.fromEntries(Object.entries(cell).map(([name, [value]]) => [name, value]));
  }

  after({ h, c }) {
    const trace = silence([h], [c], this.weights(), this.open, SILENCE, 2);
    return { c: trace.c.map(([value]) => value), h: trace.h.map(([value]) => value) };
  }

  values() {
    const cell = this.cell();
    return { ...this.now, weights: this.weights(), cell, after: this.after(cell), gates: this.open };
  }

  picture(narrow) {
    const cell = this.cell();
    return drawGates({
      ...this.now, cell, after: this.after(cell), open: this.open, chosen: this.chosen, signal: this.signal, narrow,
    });
  }

  refresh() {
    super.refresh();
    for (const grid of this.panel.querySelectorAll("[data-gate]")) grid.hidden = grid.dataset.gate !== this.chosen;
  }

  read(key) {
    const [name, index] = key.split(" ");
    if (name === "chosen") return this.chosen;
    return index === undefined ? this.now[name] : this.now[name][index];
  }

  change(key, value) {
    const [name, index] = key.split(" ");
    if (name === "chosen") this.chosen = value;
    else if (index === undefined) this.now[name] = value;
    else this.now[name][index] = value;
  }

  press(what) {
    this.stop();
    if (what === "reset") this.reset();
    else {
      const { h, c } = this.cell();
      this.glide({ ...this.now, x: [0, 0], h_prev: h, c_prev: c });
    }
    this.refresh();
    this.speak(0);
  }

  usePreset(name) {
    this.chosen = presets[name].needs || "f";
    this.glide(preset(name));
    this.refresh();
    this.speak(0);
  }

  isPreset(name) {
    const goal = preset(name);
    return Object.keys(start).every((key) => String(this.now[key]) === String(goal[key]));
  }

  /** Move every number from what it is to what it will be. */
  glide(goal) {
    const from = structuredClone(this.now);
    const between = (a, b, u) => (Array.isArray(a) ? a.map((value, n) => between(value, b[n], u)) : u < 1 ? lerp(a, b, u) : b);
    this.move(500, (u) => {
      for (const key of Object.keys(start)) this.now[key] = between(from[key], goal[key], u);
    });
  }

  spoken() {
    const { f, c, h } = this.cell();
    return `f is ${opening(f)}, half-life ${halfLifeText(f)} steps; c is ${num(c)}, h is ${num(h)}.`;
  }
}

customElements.define("lk-gate-playground", GatePlayground);
