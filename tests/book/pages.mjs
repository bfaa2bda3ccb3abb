// node pages.mjs BASE PAGE… : axe-core in light on a wide screen and in dark on a
// phone, sideways scroll on the phone, and what the console and the network complain about.
import { readFileSync } from "node:fs";
import { require, watch, withBrowser } from "./browser.mjs";

const [base, ...pages] = process.argv.slice(2);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true };

/** Run axe-core in the page; one line for each element that breaks a rule. */
async function violations(page, theme) {
  await page.evaluate((value) => {
    document.documentElement.dataset.theme = value;
  }, theme);
  const found = await page.evaluate(() =>
    axe.run(document, { resultTypes: ["violations"] }).then((result) =>
      result.violations.flatMap((rule) =>
        rule.nodes.map((node) => ({
          rule: rule.id,
          target: node.target.join(" "),
          why: node.failureSummary.split("\n").slice(1).join(" ").trim(),
        })),
      ),
    ),
  );
  return found.map((violation) => ({ theme, ...violation }));
}

/** Go through the page as a reader does: what is far from the screen is not measured yet. */
async function readThrough(page) {
  await page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 10)));
    for (let y = 0; y < document.documentElement.scrollHeight; y += window.innerHeight) {
      window.scrollTo(0, y);
      await frame();
    }
    window.scrollTo(0, 0);
    await frame();
  });
}

/** Elements that stick out of a phone's screen; empty when the page does not scroll sideways. */
async function sideways(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
      .filter((e) => e.getBoundingClientRect().right > width + 1 && !e.closest(".katex"))
      .slice(0, 5)
      .map((e) => `${e.tagName.toLowerCase()}.${e.className?.baseVal ?? e.className}`)
      .concat(`page: ${document.documentElement.scrollWidth} px`);
  });
}

/** Open a page in one size and one theme, read it through, and look at it. */
async function look(browser, path, viewport, theme, result) {
  const page = await browser.newPage();
  // Colours that are still on their way from one theme to the other would be measured.
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  watch(page, new URL("/", base).href, result.complaints);
  await page.setViewport(viewport);
  await page.goto(base + path, { waitUntil: "load" });
  await readThrough(page);
  if (viewport.isMobile) result.sideways = await sideways(page);
  await page.evaluate(AXE);
  result.axe.push(...(await violations(page, theme)));
  await page.close();
}

async function audit(browser, path) {
  const result = { page: path, axe: [], sideways: [], complaints: [] };
  await look(browser, path, WIDE, "light", result);
  await look(browser, path, PHONE, "dark", result);
  return result;
}

/** Two pages at a time: a page keeps one core busy. */
const results = await withBrowser(async (browser) => {
  const waiting = [...pages.entries()];
  const all = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      all[next[0]] = await audit(browser, next[1]);
  };
  await Promise.all([worker(), worker()]);
  return all;
});
process.stdout.write(JSON.stringify(results, null, 1));
