// node lighthouse.mjs URL RUNS : Lighthouse on one page, phone and desktop, the median of RUNS.
import { pathToFileURL } from "node:url";
import { require, withBrowser } from "./browser.mjs";

const [url, runs] = process.argv.slice(2);
const entry = pathToFileURL(require.resolve("lighthouse")).href;
const { default: lighthouse, desktopConfig } = await import(entry);
// Lighthouse may still be asking the page something when the browser closes; nobody waits for that.
process.on("unhandledRejection", (error) => {
  if (!/Session closed|Target closed/.test(String(error))) throw error;
});
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];

function figures({ lhr }) {
  const requests = lhr.audits["network-requests"].details.items;
  const failed = CATEGORIES.slice(1).flatMap((name) =>
    lhr.categories[name].auditRefs
      .filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 1)
      .map(({ id }) => `${name}: ${lhr.audits[id].title}`),
  );
  return {
    ...Object.fromEntries(CATEGORIES.map((c) => [c, Math.round(lhr.categories[c].score * 100)])),
    largestPaint: Math.round(lhr.audits["largest-contentful-paint"].numericValue),
    blocking: Math.round(lhr.audits["total-blocking-time"].numericValue),
    benchmark: Math.round(lhr.environment.benchmarkIndex),
    shift: Number(lhr.audits["cumulative-layout-shift"].numericValue.toFixed(4)),
    requests: requests.map(({ url, resourceType, transferSize }) => ({ url, resourceType, transferSize })),
    failed,
  };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function measure(device) {
  const config = device === "desktop" ? desktopConfig : undefined;
  const all = [];
  for (let run = 0; run < Number(runs); run += 1) {
    const result = await withBrowser((browser) =>
      lighthouse(url, { port: new URL(browser.wsEndpoint()).port, onlyCategories: CATEGORIES, logLevel: "error" }, config),
    );
    all.push(figures(result));
  }
  const last = all.at(-1);
  const worst = Object.fromEntries(CATEGORIES.slice(1).map((c) => [c, Math.min(...all.map((r) => r[c]))]));
  return {
    ...last,
    ...worst,
    performance: median(all.map((r) => r.performance)),
    performances: all.map((r) => r.performance),
    largestPaint: median(all.map((r) => r.largestPaint)),
  };
}

process.stdout.write(JSON.stringify({ phone: await measure("phone"), desktop: await measure("desktop") }, null, 1));
