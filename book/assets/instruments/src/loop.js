// <lk-loop>: a one-unit recurrent network that reads six words, rolled or unrolled.
import { button, choice, glyph, Instrument, slider } from "./instrument.js";
import { drawLoop, pillBox, STEPS } from "./loop-view.js";
import settings from "./loop.json";
import { rnnForward } from "./rnn.js";
import { num } from "./svg.js";

const { words, sentence, presets, start } = settings;
const cycle = Object.keys(words);
const WEIGHTS = ["W_ih", "W_hh", "b"];

class Loop extends Instrument {
  setUp() {
    this.reset();
    // What is drawn in grey are the states before this slider was touched.
    for (const event of ["pointerdown", "focusin"]) {
      this.addEventListener(event, ({ target }) => {
        if (target.type === "range") this.remember();
      });
    }
    const box = ([left, top, width, height]) =>
      `left:${left * 100}%;top:${top * 100}%;width:${width * 100}%;height:${height * 100}%`;
    this.tokens = sentence.map((_, index) =>
      [false, true].map((narrow) => {
        const token = document.createElement("button");
        token.type = "button";
        token.className = `lk-token lk-${narrow ? "narrow" : "wide"}-only`;
        token.style.cssText = box(pillBox(narrow, index + 1));
        token.dataset.do = `word ${index}`;
        this.stage.append(token);
        return token;
      }));
  }

  reset() {
    this.view = "unrolled";
    this.unrolled = 1;
    this.sentence = [...sentence];
    this.weights = { ...presets[this.getAttribute("preset") || start] };
    this.before = null;
    this.t = STEPS;
    this.progress = 1;
  }

  controls() {
    return (
      `<div class="lk-row">${choice("view", "View", [["unrolled", "Unrolled"], ["rolled", "Rolled"]])}` +
      `<div class="lk-buttons">${button("back", "Back", "back")}${button("step", "Step", "step")}` +
      `${button("play", "Play", "play")}${button("reset", "Reset", "reset")}</div></div>` +
      `<div class="lk-presets">${Object.keys(presets)
        .map((name) => `<button type="button" data-preset="${name}">${name}</button>`).join("")}</div>` +
      `<div class="lk-grid lk-three">${slider("W_ih", "W_{ih} word", "x", -3, 3, 0.1)}` +
      `${slider("W_hh", "W_{hh} loop", "h", -2, 2, 0.05)}${slider("b", "$b$ bias", "ink", -1, 1, 0.05)}</div>`
    );
  }

  inputs() {
    return this.sentence.map((word) => words[word]);
  }

  states() {
    const { W_ih, W_hh, b } = this.weights;
    return rnnForward(this.inputs().map((x) => [x]), [0], [[W_ih]], [[W_hh]], [b]).map(([h]) => h);
  }

  values() {
    return { ...this.weights, words: this.sentence, x: this.inputs(), h: this.states(), t: this.t, view: this.view };
  }

  picture(narrow) {
    const { weights, sentence, t, progress, unrolled, before } = this;
    const h = this.states();
    const changed = before && before.some((state, k) => state !== h[k]);
    return drawLoop({
      ...weights, x: this.inputs(), words: sentence, h, t, progress, unrolled, before: changed && before, narrow,
    });
  }

  refresh() {
    super.refresh();
    this.tokens.forEach((pair, index) => {
      for (const token of pair) token.setAttribute("aria-label", `Word ${index + 1}: ${this.sentence[index]}. Change it`);
    });
    const play = this.panel.querySelector("[data-do=play]");
    const label = this.playing ? "Pause" : "Play";
    if (play.textContent !== label) play.innerHTML = `${glyph(label.toLowerCase())}<span>${label}</span>`;
  }

  read(key) {
    return key === "view" ? this.view : this.weights[key];
  }

  change(key, value) {
    if (key === "view") this.turn(value);
    else this.weights[key] = value;
  }

  turn(view) {
    this.view = view;
    const [from, to] = [this.unrolled, view === "rolled" ? 0 : 1];
    this.move(600, (u) => {
      this.unrolled = from + (to - from) * u;
    });
  }

  remember() {
    this.before = this.states();
  }

  press(what) {
    if (what !== "play") this.playing = false;
    if (what === "reset") this.reset();
    else if (what === "step") this.step(this.t < STEPS ? this.t + 1 : 1);
    else if (what === "back") [this.t, this.progress] = [Math.max(0, this.t - 1), 1];
    else if (what === "play") this.play();
    else this.nextWord(Number(what.split(" ")[1]));
    if (what !== "step" && what !== "play") this.stop();
    this.refresh();
    this.speak(what === "step" ? 0 : 300);
  }

  nextWord(index) {
    this.remember();
    this.sentence[index] = cycle[(cycle.indexOf(this.sentence[index]) + 1) % cycle.length];
  }

  usePreset(name) {
    this.remember();
    this.weights = { ...presets[name] };
    this.refresh();
    this.speak(0);
  }

  isPreset(name) {
    return WEIGHTS.every((key) => presets[name][key] === this.weights[key]);
  }

  step(t) {
    this.t = t;
    this.move(800, (u) => {
      this.progress = u;
    });
  }

  play() {
    this.playing = !this.playing;
    clearTimeout(this.timer);
    if (!this.playing) return;
    if (this.t >= STEPS) [this.t, this.progress] = [0, 1];
    const next = () => {
      if (!this.playing || !this.isConnected) return;
      this.step(this.t + 1);
      if (this.t < STEPS) this.timer = setTimeout(next, 1100);
      else {
        this.playing = false;
        this.speak();
      }
    };
    this.timer = setTimeout(next, 250);
  }

  spoken() {
    const word = this.t ? `Step ${this.t}, ${this.sentence[this.t - 1]}: ` : "Start: ";
    return `${word}h is ${num(this.states()[this.t])}. After all ${STEPS} words h is ${num(this.states()[STEPS])}.`;
  }
}

customElements.define("lk-loop", Loop);
