// Debian's Chromium for the audits: headless, without background traffic, with a fresh profile.
import { createRequire } from "node:module";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export const require = createRequire(new URL("../../book/package.json", import.meta.url));
const puppeteer = require("puppeteer-core");

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** The browser named by CHROMIUM, or the first one in PATH. */
function chromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  for (const name of ["chromium", "chromium-browser", "google-chrome"])
    for (const folder of folders) if (existsSync(join(folder, name))) return join(folder, name);
  throw new Error("Chromium is missing: apt-get install chromium, or set CHROMIUM to its path");
}

/** Run `use(browser)` and close the browser and its profile, whatever happens. */
export async function withBrowser(use) {
  const profile = mkdtempSync(join(tmpdir(), "lk-chromium-"));
  const browser = await puppeteer.launch({
    executablePath: chromium(),
    userDataDir: profile,
    args: FLAGS,
  });
  try {
    return await use(browser);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Record what a page logs, throws, fails to load, or asks from another host. */
export function watch(page, base, complaints) {
  const add = (kind, text) => complaints.push({ kind, text });
  page.on("console", (message) => add(`console ${message.type()}`, message.text()));
  page.on("pageerror", (error) => add("exception", error.message));
  page.on("requestfailed", (request) => add("failed request", request.url()));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !/^(data|blob|about):/.test(url)) add("third-party request", url);
  });
  page.on("response", (response) => {
    const expected = response.url().endsWith("/404.html");
    if (response.status() >= 400 && !expected) add(`status ${response.status()}`, response.url());
  });
}
