// node reader.mjs BASE SITE CHAPTER : what a reader does; what the pages then show, as JSON.
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { watch, withBrowser } from "./browser.mjs";

const [base, site, chapter] = process.argv.slice(2);
const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true };
const settle = (page) => page.evaluate(() => new Promise((r) => setTimeout(r, 300)));

async function visit(browser, url, viewport, complaints) {
  const page = await browser.newPage();
  watch(page, url.startsWith("file:") ? "file:" : new URL("/", base).href, complaints);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await page.setViewport(viewport);
  await page.goto(url, { waitUntil: "load" });
  return page;
}

const theme = (page) => page.evaluate(() => document.documentElement.dataset.theme);

/** The menu's button opens the chapters, a chapter can be tapped, Escape closes. */
async function menu(browser, complaints) {
  const page = await visit(browser, base + chapter, PHONE, complaints);
  const open = () => page.evaluate(() => document.querySelector("#pst-primary-sidebar-modal").open);
  const before = await open();
  await page.click("button.primary-toggle");
  await settle(page);
  const after = await open();
  const links = await page.$$eval("#pst-primary-sidebar-modal a.reference", (all) => all.length);
  await page.keyboard.press("Escape");
  await settle(page);
  return { before, after, links, closed: !(await open()) };
}

/** The theme's button goes round, and the choice is still there on the next page. */
async function themes(browser, complaints) {
  const page = await visit(browser, base + chapter, { width: 1280, height: 800 }, complaints);
  const seen = [await theme(page)];
  for (let press = 0; press < 3; press += 1) {
    await page.click("button.theme-switch-button");
    seen.push(`${await page.evaluate(() => document.documentElement.dataset.mode)}: ${await theme(page)}`);
  }
  await page.click("button.theme-switch-button");
  const chosen = await theme(page);
  await page.goto(`${base}book/index.html`, { waitUntil: "load" });
  const next = await theme(page);
  await page.evaluate(() => localStorage.clear());
  return { seen, chosen, next };
}

/** Search by keyboard from a chapter. */
async function search(browser, words, complaints) {
  const page = await visit(browser, base + chapter, { width: 1280, height: 800 }, complaints);
  await page.keyboard.down("Control");
  await page.keyboard.press("KeyK");
  await page.keyboard.up("Control");
  await page.keyboard.type(words);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  await page.waitForSelector("#search-results p.search-summary", { timeout: 20000 });
  await page.waitForFunction(() => /found/.test(document.querySelector("p.search-summary").textContent));
  return page.$$eval("#search-results li a", (all) => all.map((a) => a.getAttribute("href")));
}

/** Printing is light, with every folded part open, and the page is as before afterwards. */
async function print(browser, complaints) {
  const page = await visit(browser, base + chapter, { width: 1280, height: 800 }, complaints);
  const folded = () => page.$$eval("article details:not([open])", (all) => all.length);
  const before = { theme: await theme(page), folded: await folded() };
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  const during = { theme: await theme(page), folded: await folded() };
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  return { before, during, after: { theme: await theme(page), folded: await folded() } };
}

/** A symbol under the pointer lights its name in the code, and back; a button does it by keyboard. */
async function symbols(browser, complaints) {
  const page = await visit(browser, base + chapter, { width: 1280, height: 800 }, complaints);
  const lit = () =>
    page.$$eval(".lk-lit", (all) => ({
      names: [...new Set(all.map((e) => e.dataset.sym))],
      equation: all.filter((e) => e.closest(".katex")).length,
      code: all.filter((e) => e.closest("pre")).length,
    }));
  const over = async (selector) => {
    const handle = await page.waitForSelector(selector);
    await handle.scrollIntoView();
    await handle.hover();
    return lit();
  };
  const fromEquation = await over("div.math .katex-html [data-sym=W_hh]");
  const fromCode = await over("pre [data-sym=W_hh]");
  await page.mouse.move(2, 2);
  const away = await lit();
  await page.focus(".lk-names button[data-sym=h_prev]");
  await page.keyboard.press("Space");
  const pressed = await lit();
  await page.keyboard.press("Space");
  await page.evaluate(() => document.activeElement.blur());
  return { fromEquation, fromCode, away, pressed, names: await page.$$eval(".lk-names button", (all) => all.map((b) => b.dataset.sym)) };
}

/** From a file: same picture, same icons, no complaint. */
async function fromFile(browser, complaints) {
  const url = pathToFileURL(join(site, chapter)).href;
  const page = await visit(browser, url, { width: 1280, height: 800 }, complaints);
  await page.$eval(".katex", (equation) => equation.scrollIntoView());
  await settle(page);
  return page.evaluate(async () => {
    await document.fonts.ready;
    return [...document.fonts].filter((f) => f.status === "loaded").map((f) => f.family.replaceAll('"', ""));
  });
}

/** Without scripts: text in the light colours, nothing empty. */
async function withoutScripts(browser) {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.goto(base + chapter, { waitUntil: "load" });
  const style = await page.$eval("body", (body) => {
    const { color, backgroundColor } = getComputedStyle(body);
    return { color, backgroundColor };
  });
  const equations = await page.$$eval(
    ".katex-html",
    (all) => all.filter((e) => e.getBoundingClientRect().width > 0).length,
  );
  return { style, equations };
}

const result = await withBrowser(async (browser) => {
  const complaints = [];
  return {
    menu: await menu(browser, complaints),
    themes: await themes(browser, complaints),
    search: {
      forget_gate: await search(browser, "forget_gate", complaints),
      W_hh: await search(browser, "W_hh", complaints),
    },
    print: await print(browser, complaints),
    symbols: await symbols(browser, complaints),
    file: await fromFile(browser, complaints),
    withoutScripts: await withoutScripts(browser),
    complaints,
  };
});
process.stdout.write(JSON.stringify(result, null, 1));
