// Walks the page of a real server in a real browser: sign-in, list, experiment,
// a run as it happens, and the same run after its end.
//
//   DEC_URL=http://127.0.0.1:8080 DEC_CODE=… node ui/e2e/walk.mjs
//
// The server must have an experiment, the newest one, of which a run is to come
// or active. DEC_SHOTS=DIR writes pictures of what was seen, DEC_WAIT_S is how
// long the walk waits for each step of the run (300 s).
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { launch, open, overflow, seriousFindings } from "./browser.mjs";

const { DEC_URL: url, DEC_CODE: code, DEC_SHOTS: shots, DEC_WAIT_S: seconds = "300" } = process.env;
assert.ok(url && code, "DEC_URL and DEC_CODE must be set");
const timeout = 1000 * Number(seconds);
if (shots) mkdirSync(shots, { recursive: true });

const browser = await launch();
try {
  await walk();
  console.log("the walk is done: everything was there, nothing was reported");
} finally {
  await browser.close();
}

async function walk() {
  const { page, wrong } = await open(browser);
  page.setDefaultTimeout(30_000);
  await signIn(page);
  await look(page, wrong, "list");
  await toExperiment(page);
  await look(page, wrong, "experiment-running");
  await toLiveRun(page);
  await watchLive(page);
  await readChart(page);
  await look(page, wrong, "run-live");
  await awaitEnd(page);
  await look(page, wrong, "run-ended");
  await readParts(page, wrong);
  await backToExperiment(page);
  await look(page, wrong, "experiment");
  await codeWorksOnce();
  assert.deepEqual(wrong, [], "what went wrong on the pages");
}

/** Says what was seen, takes pictures in both themes and widths, and looks for faults. */
async function look(page, wrong, name) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: width < 600 ? 844 : 800 });
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      assert.ok((await overflow(page)) <= 0, `${name} is wider than ${width} px`);
      assert.deepEqual(await seriousFindings(page), [], `${name} at ${width} px, ${colorScheme}`);
      if (shots) await page.screenshot({ path: `${shots}/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.deepEqual(wrong, [], name);
  console.log(`seen: ${name}`);
}

async function signIn(page) {
  await page.goto(`${url}/#code=${encodeURIComponent(code)}`);
  await page.getByRole("heading", { level: 1, name: "Experiments" }).waitFor();
  assert.equal(new URL(page.url()).hash, "", "the code is still in the address");
  await page.getByText("Live", { exact: true }).waitFor();
}

async function toExperiment(page) {
  await page.getByRole("list", { name: "Experiments" }).getByRole("link").first().click();
  await page.getByRole("region", { name: "Verdict" }).waitFor();
  const verdict = await page.getByRole("region", { name: "Verdict" }).textContent();
  assert.match(verdict, /No verdict yet/, "a running experiment shows a verdict");
  const focused = await page.evaluate(() => document.activeElement?.tagName);
  assert.equal(focused, "H1", "the heading has no focus after navigation");
}

/** Opens the first active run, as soon as there is one. */
async function toLiveRun(page) {
  await page.getByRole("tab", { name: /runs?$/ }).click();
  const row = page
    .getByRole("row")
    .filter({ hasText: /Provisioning|Preparing|Under load|Warming up|Measuring|Draining/ });
  await row.first().waitFor({ timeout });
  await row.first().getByRole("link").click();
  await page.getByRole("list", { name: "Phases" }).waitFor();
}

/** Waits until the numbers of three seconds have been seen. */
async function watchLive(page) {
  const numbers = page.locator('dl[aria-label="Latest second"]');
  await numbers.waitFor({ timeout });
  const seen = new Set();
  await assertSoon(async () => {
    const text = await page.getByText(/^Second \d+ of the load/).textContent();
    seen.add(/\d+/.exec(text)?.[0]);
    return seen.size >= 3;
  }, "no new seconds came");
  assert.match(await numbers.textContent(), /\d+\/s/, "the live numbers have no rate");
}

async function readChart(page) {
  const chart = page.getByRole("application").first();
  await chart.focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  await page
    .locator("figure")
    .first()
    .getByText(/offered [\d,]+\/s/)
    .waitFor();
  await page.keyboard.press("t");
  const table = page.locator("figure").first().getByRole("table");
  await table.waitFor();
  assert.match(await table.textContent(), /\d+\/s/);
  await chart.focus();
  await page.keyboard.press("t");
  await table.waitFor({ state: "detached" });
}

/** Waits for the result, which comes while the run is being destroyed, and for the end. */
async function awaitEnd(page) {
  await page.locator('dl[aria-label="Result"]').waitFor({ timeout });
  await page.getByText("Infrastructure verified as gone").waitFor({ timeout });
  await page.getByText("Latency by percentile").waitFor();
  await assertSoon(async () => (await page.locator("canvas").count()) >= 5, "not all charts were drawn");
}

async function readParts(page, wrong) {
  await page.getByRole("tab", { name: "Resources: 0 live" }).click();
  await page.getByRole("cell", { name: "destroyed", exact: true }).first().waitFor();
  await look(page, wrong, "run-resources");
  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByRole("log").waitFor();
  assert.ok((await page.getByRole("log").locator("> div").count()) > 0, "the log is empty");
  await look(page, wrong, "run-log");
  await page.getByRole("tab", { name: "Configuration" }).click();
  await page.locator('dl[aria-label="Guarantees"]').waitFor();
  await look(page, wrong, "run-configuration");
}

async function backToExperiment(page) {
  await page.getByRole("main").getByRole("link").first().click();
  await page.getByRole("region", { name: "Verdict" }).waitFor();
  await page.getByRole("heading", { name: "Figures" }).waitFor();
  // On a busy machine the run may be invalid, and only runs that count are drawn.
  const none = page.getByText("There are no counted runs yet");
  const drawn = async () => (await page.locator("canvas").count()) >= 4 || (await none.isVisible());
  await assertSoon(drawn, "not all charts were drawn");
}

async function codeWorksOnce() {
  const { page, context, wrong } = await open(browser, { expected: ["/api/v1/session"] });
  await page.goto(`${url}/sign-in#code=${encodeURIComponent(code)}`);
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Token").first().waitFor();
  assert.deepEqual(wrong, [], "sign-in");
  await context.close();
}

/** Asks until it is so. */
async function assertSoon(ask, message) {
  const end = Date.now() + timeout;
  while (!(await ask())) {
    assert.ok(Date.now() < end, message);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
