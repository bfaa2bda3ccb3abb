// What the instruments share: the stage with its two layouts, controls, motion, and the spoken line.
import { htmlSymbols, num } from "./svg.js";

let count = 0;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const ICONS = {
  reset: "M3 8a5 5 0 1 0 2-4M3 2v4h4",
  back: "M10 3 5 8l5 5",
  step: "M6 3l5 5-5 5",
  play: "M4 3l9 5-9 5z",
  pause: "M5 3v10M11 3v10",
};

/** A slider: name and value above, the native range below. */
export const slider = (key, label, colour, low, high, step, type = "range") =>
  `<div class="lk-slider" style="--lk-own:var(--lk-${colour})"><label><span>${htmlSymbols(label)}</span>` +
  `<input type="${type}" data-key="${key}" min="${low}" max="${high}" step="${step}"></label><output></output></div>`;

export const button = (key, label, icon) =>
  `<button type="button" data-do="${key}">${icon ? glyph(icon) : ""}<span>${label}</span></button>`;

const glyph = (icon) => `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;

/** One of a few, as native radio buttons that look like one bar. */
export const choice = (key, legend, options) => {
  const name = `lk-${key}-${++count}`;
  const radios = options.map(([value, label]) =>
    `<label><input type="radio" name="${name}" data-key="${key}" value="${value}"><span>${htmlSymbols(label)}</span></label>`);
  return `<fieldset class="lk-choice"><legend class="lk-hidden">${legend}</legend>${radios.join("")}</fieldset>`;
};

const ease = (u) => (u < 0.5 ? 2 * u * u : 1 - 2 * (1 - u) ** 2);

/** A custom element: subclasses give `controls()`, `picture(narrow)`, `values()`, `spoken()` and what buttons do. */
export class Instrument extends HTMLElement {
  connectedCallback() {
    if (this.panel) return;
    this.stage = this.querySelector(".lk-stage") || this.appendChild(this.make("lk-stage"));
    this.setUp();
    this.layouts = ["wide", "narrow"].map((name) => {
      const old = this.stage.querySelector(`.lk-${name}`);
      return old || this.stage.appendChild(this.make(`lk-${name}`));
    });
    this.panel = this.make("lk-controls");
    this.panel.innerHTML = this.controls() + '<p class="lk-hidden" role="status"></p>';
    this.listen();
    this.append(this.panel);
    this.refresh();
    this.dataset.ready = "";
  }

  disconnectedCallback() {
    this.stop();
  }

  make(className) {
    const node = document.createElement("div");
    node.className = className;
    return node;
  }

  listen() {
    this.addEventListener("input", ({ target }) => {
      const { key } = target.dataset;
      if (!key) return;
      this.stop();
      this.change(key, target.type === "range" ? Number(target.value) : target.type === "checkbox" ? Number(target.checked) : target.value);
      this.refresh();
      this.speak();
    });
    this.addEventListener("click", ({ target }) => {
      const pressed = target.closest("[data-do],[data-preset]");
      if (!pressed) return;
      if (pressed.dataset.preset) this.usePreset(pressed.dataset.preset);
      else this.press(pressed.dataset.do);
    });
  }

  /** Write the numbers into picture, sliders and data-values; both layouts, so that print has either. */
  refresh() {
    this.draw(true);
    for (const input of this.panel.querySelectorAll("[data-key]")) {
      const value = this.read(input.dataset.key);
      if (input.type === "radio") input.checked = input.value === value;
      else {
        if (input.type === "checkbox") input.checked = value > 0;
        else input.value = value;
        input.parentNode.nextSibling.textContent = num(value, input.step < 1 ? 2 : 0);
      }
    }
    for (const chip of this.panel.querySelectorAll("[data-preset]")) {
      chip.setAttribute("aria-pressed", this.isPreset(chip.dataset.preset));
    }
    this.dataset.values = JSON.stringify(this.values());
  }

  draw(both) {
    this.layouts.forEach((layout, index) => {
      if (both || layout.getClientRects().length) layout.innerHTML = this.picture(index === 1);
    });
  }

  /** Run `frame(u)` from 0 to 1; at once where less motion is asked for, or when the next move begins. */
  move(milliseconds, frame) {
    this.stop();
    this.frame = frame;
    const began = performance.now();
    const tick = (now) => {
      const u = (now - began) / milliseconds;
      if (u >= 1) return this.stop(), this.refresh();
      frame(ease(Math.max(0, u)));
      this.draw();
      this.request = requestAnimationFrame(tick);
    };
    if (calm.matches) {
      this.stop();
      this.refresh();
    } else {
      this.dataset.moving = "";
      this.request = requestAnimationFrame(tick);
    }
  }

  /** Arrive where the running move was going. */
  stop() {
    cancelAnimationFrame(this.request);
    if (this.frame) this.frame(1);
    this.frame = null;
    delete this.dataset.moving;
  }

  /** Say the result once the reader has paused, not at every notch of a slider. */
  speak(wait = 700) {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      this.panel.querySelector("[role=status]").textContent = this.spoken();
    }, wait);
  }
}

export { glyph };
