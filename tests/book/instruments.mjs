// node instruments.mjs maths FIXTURES.json : the formulas of the page on given inputs.
// node instruments.mjs page PAGE.html      : what a reader does with keyboard and finger, what the page shows.
// Prints JSON; the expected numbers are NumPy's, in test_instruments.py.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { require, watch, withBrowser } from "./browser.mjs";

const SOURCES = new URL("../../book/assets/instruments/src/", import.meta.url);
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true };
const [job, path] = process.argv.slice(2);

async function maths() {
  const { rnnForward } = await import(new URL("rnn.js", SOURCES));
  const { halfLife, lstmStep, sigmoid, silence } = await import(new URL("lstm.js", SOURCES));
  const { rnn, lstm, numbers } = JSON.parse(readFileSync(path, "utf8"));
  return {
    rnn: rnn.map(({ x, h0, W_ih, W_hh, b }) => rnnForward(x, h0, W_ih, W_hh, b)),
    lstm: lstm.map(({ x, h, c, weights, open }) => ({
      step: lstmStep(x, h, c, weights, open),
      silence: silence(h, c, weights, open, 5, x.length),
    })),
    sigmoid: numbers.map(sigmoid),
    halfLife: numbers.map((z) => halfLife(sigmoid(z))),
  };
}

/** What an instrument says it computes, and what it shows. */
const look = (page, id) => page.$eval(`#${id}`, (figure) => {
  const host = figure.querySelector("[data-ready]");
  const panel = host.querySelector(".lk-controls");
  const outputs = [...panel.querySelectorAll("output")].map((output) => [output.parentNode.querySelector("input").dataset.key, output.textContent]);
  const seen = [...host.querySelectorAll(".lk-stage svg")].find((svg) => svg.getClientRects().length);
  return {
    values: JSON.parse(host.dataset.values),
    outputs: Object.fromEntries(outputs),
    texts: [...seen.querySelectorAll("text")].map((text) => text.textContent),
    desc: seen.querySelector("desc").textContent,
    pressed: [...panel.querySelectorAll("[aria-pressed=true]")].map((chip) => chip.textContent),
    status: panel.querySelector("[role=status]").textContent,
  };
});

const settled = (page, id) => page.waitForFunction((name) => !document.querySelector(`#${name} [data-moving]`), {}, id);

/** Tab until the wanted control of the instrument has the focus: nothing is reached by any other way. */
async function tabTo(page, id, control) {
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press("Tab");
    const there = await page.evaluate((name, selector) => {
      const element = document.activeElement;
      return element.matches(selector) && !!element.closest(`#${name}`);
    }, id, control);
    if (there) {
      const ring = await page.evaluate(() => {
        const element = document.activeElement;
        const drawn = element.type === "radio" ? element.nextSibling : element;
        return getComputedStyle(drawn).outlineStyle;
      });
      if (ring === "none") throw new Error(`no visible focus on ${control}`);
      return;
    }
  }
  throw new Error(`the keyboard does not reach ${control} of #${id}`);
}

const press = async (page, key, times = 1) => {
  for (let n = 0; n < times; n++) await page.keyboard.press(key);
};

async function loopByKeyboard(page) {
  const seen = {};
  seen.start = await look(page, "loop");
  await tabTo(page, "loop", "[data-do='word 0']");
  await press(page, "Enter");
  seen.word = await look(page, "loop");
  await tabTo(page, "loop", "[value=unrolled]");
  await press(page, "ArrowRight");
  await settled(page, "loop");
  seen.rolled = await look(page, "loop");
  await tabTo(page, "loop", "[data-do=back]");
  await press(page, "Enter", 2);
  seen.back = await look(page, "loop");
  await tabTo(page, "loop", "[data-do=step]");
  await press(page, "Space");
  await settled(page, "loop");
  seen.step = await look(page, "loop");
  await tabTo(page, "loop", "[data-key=W_ih]");
  await press(page, "ArrowLeft", 4);
  await tabTo(page, "loop", "[data-key=W_hh]");
  await press(page, "ArrowRight", 3);
  await tabTo(page, "loop", "[data-key=b]");
  await press(page, "ArrowRight", 5);
  const said = await page.$eval("#loop [role=status]", (status) => status.textContent);
  await page.waitForFunction((old) => document.querySelector("#loop [role=status]").textContent !== old, {}, said);
  seen.sliders = await look(page, "loop");
  seen.untouched = await look(page, "loop-two");
  await page.click("#loop [data-do=reset]");
  seen.reset = await look(page, "loop");
  await page.click("#loop [data-do=play]");
  await page.waitForFunction(() => {
    const { values } = document.querySelector("#loop lk-loop").dataset;
    return JSON.parse(values).t === 2;
  });
  await page.click("#loop [data-do=play]");
  await settled(page, "loop");
  seen.paused = await look(page, "loop");
  return seen;
}

async function presets(page, id) {
  const seen = {};
  const names = await page.$$eval(`#${id} [data-preset]`, (chips) => chips.map((chip) => chip.dataset.preset));
  for (const name of names) {
    await page.click(`#${id} [data-preset="${name}"]`);
    await settled(page, id);
    seen[name] = await look(page, id);
  }
  return seen;
}

async function gatesByKeyboard(page) {
  const seen = {};
  seen.start = await look(page, "forget");
  await tabTo(page, "forget", "[data-key='x 0']");
  await press(page, "ArrowLeft", 3);
  await tabTo(page, "forget", "[data-key='x 1']");
  await press(page, "Space");
  await tabTo(page, "forget", "[data-key=h_prev]");
  await press(page, "ArrowLeft", 2);
  await tabTo(page, "forget", "[data-key=c_prev]");
  await press(page, "ArrowRight", 4);
  seen.inputs = await look(page, "forget");
  await tabTo(page, "forget", "[data-key='f 0']");
  await press(page, "ArrowRight", 2);
  await tabTo(page, "forget", "[data-key='f 1']");
  await press(page, "ArrowRight", 3);
  await tabTo(page, "forget", "[data-key='f 2']");
  await press(page, "ArrowLeft", 5);
  await tabTo(page, "forget", "[data-key='f 3']");
  await press(page, "ArrowLeft", 1);
  seen.weights = await look(page, "forget");
  await page.focus("#forget [value=f]");
  await press(page, "ArrowRight");
  await tabTo(page, "forget", "[data-key='g 3']");
  await press(page, "ArrowRight", 2);
  seen.candidate = await look(page, "forget");
  await page.click("#forget [data-do=step]");
  await settled(page, "forget");
  seen.step = await look(page, "forget");
  await page.click("#forget [data-do=reset]");
  seen.reset = await look(page, "forget");
  return seen;
}

/** Fingers: tap a word, a preset and a slider; how large is what one has to hit? */
async function touch(page) {
  const seen = {};
  const tap = async (selector, along = 0.5) => {
    const handle = await page.$(selector);
    await handle.scrollIntoView();
    const { x, y, width, height } = await handle.boundingBox();
    await page.touchscreen.tap(x + width * along, y + height / 2);
  };
  await tap("#loop .lk-narrow-only[data-do='word 4']");
  await tap("#loop [data-preset=flips]");
  await tap("#loop [data-key=W_hh]", 0.9);
  seen.loop = await look(page, "loop");
  await tap("#forget [data-preset='forget now']");
  await settled(page, "forget");
  await tap("#forget [data-key='x 1']", 0.1);
  await tap("#forget [data-key='f 3']", 0.3);
  seen.forget = await look(page, "forget");
  seen.targets = await page.$$eval("figure button, figure input", (all) => all.map((element) => {
    const { width, height } = element.getBoundingClientRect();
    return { what: element.dataset.do || element.dataset.preset || element.dataset.key, width, height };
  }).filter(({ width }) => width));
  seen.width = await page.evaluate(() => document.documentElement.scrollWidth);
  return seen;
}

const colours = (page) => page.evaluate(() => {
  const paint = (selector, property) => getComputedStyle(document.querySelector(selector))[property];
  return {
    h: paint("#loop .lk-wide .sh", "stroke"),
    c: paint("#forget .lk-wide .sc", "stroke"),
    f: paint("#forget .lk-wide .sf", "stroke"),
    text: paint("#forget .lk-wide text.tf", "fill"),
    paper: paint("#forget lk-gate-playground", "backgroundColor"),
  };
});

async function themes(page) {
  const seen = {};
  for (const theme of ["light", "dark", "light"]) {
    await page.evaluate((value) => {
      document.documentElement.dataset.theme = value;
    }, theme);
    seen[theme] = await colours(page);
  }
  return seen;
}

async function calm(page) {
  const moving = () => page.$eval("#loop lk-loop", (host) => "moving" in host.dataset);
  await page.click("#loop [data-do=step]");
  const usual = await moving();
  await settled(page, "loop");
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  await page.click("#loop [data-do=step]");
  const reduced = await moving();
  await page.click("#forget [data-preset='bias 0']");
  return { usual, reduced, loop: await look(page, "loop"), forget: await look(page, "forget") };
}

async function axe(page) {
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const found = [];
  for (const theme of ["light", "dark"]) {
    found.push(...await page.evaluate(async (value) => {
      document.documentElement.dataset.theme = value;
      const result = await axe.run("figure.lk-instrument", { resultTypes: ["violations"], preload: false });
      return result.violations.flatMap((rule) => rule.nodes.map((node) => `${value}: ${rule.id} ${node.target} ${node.failureSummary}`));
    }, theme));
  }
  return found;
}

/** The page as it comes: the picture first, the script late; nothing may jump. */
async function arrival(page) {
  await page.evaluateOnNewDocument(() => {
    window.shifts = [];
    new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((entry) => entry.value)))
      .observe({ type: "layout-shift", buffered: true });
  });
  let still = null;
  await page.setRequestInterception(true);
  page.on("request", async (request) => {
    if (/lk-.*\.js/.test(request.url())) await new Promise((done) => setTimeout(done, 400));
    request.continue();
  });
  const loading = page.goto(pathToFileURL(path).href, { waitUntil: "load" });
  await page.waitForSelector("#forget .lk-wide svg");
  await new Promise((done) => setTimeout(done, 150));
  const pictures = () => page.$$eval(".lk-stage > div", (all) => all.map((one) => one.innerHTML));
  still = await pictures();
  await loading;
  await page.waitForSelector("#forget [data-ready]");
  await new Promise((done) => setTimeout(done, 150));
  return {
    still,
    live: await pictures(),
    shifts: await page.evaluate(() => window.shifts),
    ids: await page.$$eval("[id]", (all) => all.map((one) => one.id)),
    radios: await page.$$eval("fieldset", (all) => all.map((one) => one.querySelector("input").name)),
    unnamed: await page.$$eval("figure button, figure input", (all) => all
      .filter((one) => !(one.getAttribute("aria-label") || one.textContent || one.labels?.[0]?.textContent || "").trim()).length),
  };
}

async function withoutScripts(page) {
  await page.setJavaScriptEnabled(false);
  await page.goto(pathToFileURL(path).href);
  return page.$$eval("figure.lk-instrument", (all) => all.map((figure) => {
    const svgs = [...figure.querySelectorAll("svg")].filter((svg) => svg.getClientRects().length);
    const element = figure.firstElementChild;
    return {
      pictures: svgs.length,
      title: svgs[0].querySelector("title").textContent,
      desc: svgs[0].querySelector("desc").textContent,
      controls: figure.querySelectorAll("button, input").length,
      empty: element.getBoundingClientRect().height - svgs[0].getBoundingClientRect().height,
    };
  }));
}

async function onPaper(page) {
  await page.emulateMediaType("print");
  return page.evaluate(() => ({
    controls: [...document.querySelectorAll(".lk-controls, .lk-token")].filter((one) => one.getClientRects().length).length,
    pictures: [...document.querySelectorAll(".lk-stage svg")].filter((one) => one.getClientRects().length).length,
  }));
}

async function drive(browser) {
  const seen = { complaints: [] };
  const visit = async (name, work, viewport = WIDE, go = true) => {
    const page = await browser.newPage();
    watch(page, "file://", seen.complaints);
    await page.setViewport(viewport);
    if (go) await page.goto(pathToFileURL(path).href, { waitUntil: "load" });
    seen[name] = await work(page);
    await page.close();
  };
  await visit("loop", loopByKeyboard);
  await visit("loop presets", (page) => presets(page, "loop"));
  await visit("forget", gatesByKeyboard);
  for (const id of ["forget", "write", "whole"]) await visit(`${id} presets`, (page) => presets(page, id));
  await visit("touch", touch, PHONE);
  await visit("themes", themes);
  await visit("calm", calm);
  await visit("axe", axe);
  await visit("axe on a phone", axe, PHONE);
  await visit("arrival", arrival, WIDE, false);
  await visit("arrival on a phone", arrival, PHONE, false);
  await visit("without scripts", withoutScripts, WIDE, false);
  await visit("on paper", onPaper);
  return seen;
}

const result = job === "maths" ? await maths() : await withBrowser(drive);
process.stdout.write(JSON.stringify(result));
