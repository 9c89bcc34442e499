// A real Chromium for the walks, from PATH or from npm.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

/** Path of a Chromium: CHROMIUM, one in PATH, or that which `make test` installs. */
async function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const dir of (process.env.PATH ?? "").split(":")) {
      if (existsSync(`${dir}/${name}`)) return `${dir}/${name}`;
    }
  }
  const tools = new URL("../../.tools/chromium/package.json", import.meta.url);
  try {
    const { default: packed } = await import(createRequire(tools).resolve("@sparticuz/chromium"));
    return await packed.executablePath();
  } catch (error) {
    throw new Error(`No Chromium: install one into PATH, or run "make test-tools" (${error.message})`);
  }
}

/** Starts Chromium without a window. Its sandbox needs rights that root in a container lacks. */
export async function launch() {
  return chromium.launch({ executablePath: await findChromium(), args: ["--no-sandbox"] });
}

/**
 * Opens a page that remembers whatever went wrong on it: violations of the
 * Content-Security-Policy, errors on the console, exceptions. Requests that
 * fail on purpose are named by their path in `expected`.
 */
export async function open(browser, { width = 1280, height = 800, colorScheme = "light", expected = [] } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    locale: "en-US", // some builds take a broken one from the environment
    reducedMotion: "reduce",
    hasTouch: width < 600,
  });
  const page = await context.newPage();
  const wrong = [];
  await page.exposeFunction("reportViolation", (text) => wrong.push(`CSP: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) =>
      window.reportViolation(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`),
    );
  });
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const where = message.location().url ?? "";
    if (expected.some((path) => where.includes(path))) return;
    wrong.push(`console: ${message.text()} (${where})`);
  });
  page.on("pageerror", (error) => wrong.push(`exception: ${error.stack ?? error}`));
  return { context, page, wrong };
}

/** Findings of axe that are serious or critical, in one line each. */
export async function seriousFindings(page) {
  const axe = createRequire(import.meta.url).resolve("axe-core");
  if (!(await page.evaluate(() => "axe" in window))) {
    // By way of the debugger, which the Content-Security-Policy does not bind.
    const { readFileSync } = await import("node:fs");
    await page.evaluate(readFileSync(axe, "utf8"));
  }
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.map((v) => ({
      id: v.id,
      impact: v.impact,
      nodes: v.nodes.map((n) => `${n.html.slice(0, 160)} ${n.failureSummary}`),
    }));
  });
  return found
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `axe ${v.impact} ${v.id}: ${v.nodes.slice(0, 3).join(" | ")}`);
}

/** By how many pixels the page is wider than its window. */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
