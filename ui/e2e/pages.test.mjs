// What the pages do when the server is empty, fails, falls silent or restarts.
// `npm run build` first; then `node --test e2e/`.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { launch, open, overflow, seriousFindings } from "./browser.mjs";
import { startMock } from "./mock.mjs";
import { second, seconds } from "./sample.mjs";

let browser, mock, page, wrong, context, failuresAllowed;
before(async () => {
  browser = await launch();
});
after(() => browser.close());
beforeEach(async () => {
  mock = await startMock();
  mock.signedIn = true;
  failuresAllowed = false;
  ({ page, wrong, context } = await open(browser));
});
afterEach(async () => {
  await context.close();
  await mock.stop();
  assert.deepEqual(failuresAllowed ? wrong.filter((text) => !/Failed to load resource/.test(text)) : wrong, []);
});

const strip = () => page.locator("header").getByText(/Live|Connecting|Reconnected|As of|Draining/);
/** Requests that fail are part of this test; anything else still counts. */
const allowFailures = () => {
  failuresAllowed = true;
};

/** Waits for something that the page does not show; the runner's limit ends it. */
async function until(so) {
  while (!so()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("a sign-in link signs in, and leaves no code behind", async () => {
  mock.signedIn = false;
  const sent = [];
  page.on("request", (request) => sent.push(request.url()));
  await page.goto(`${mock.url}/runs/rdone00000?tab=log#code=good`);
  await page.getByRole("heading", { level: 1, name: "kafka #1" }).waitFor();
  assert.equal(page.url(), `${mock.url}/runs/rdone00000?tab=log`);
  assert.ok(!sent.some((url) => url.includes("good")));
});

test("a used code is refused in words, and the token signs in", async () => {
  mock.signedIn = false;
  allowFailures();
  await page.goto(`${mock.url}/#code=used`);
  await page.getByRole("alert").getByText("The code or token is not valid.").waitFor();
  await page.getByLabel("Token").first().fill("secret");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Experiments" }).waitFor();
});

test("who is not signed in comes back to the page afterwards", async () => {
  mock.signedIn = false;
  allowFailures();
  await page.goto(`${mock.url}/experiments/edone00001?tab=runs`);
  await page.getByLabel("Token").first().fill("secret");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: /^Kafka vs NATS JetStream/ }).waitFor();
  assert.equal(page.url(), `${mock.url}/experiments/edone00001?tab=runs`);
});

test("an empty list tells the next step, an empty search how to clear it", async () => {
  const all = mock.data.experiments;
  await page.goto(`${mock.url}/experiments`);
  await page.getByLabel("Search").fill("nothing like this");
  await page.getByText("No experiments match this search.").waitFor();
  await page.getByRole("link", { name: "Clear search" }).click();
  await page.getByRole("link", { name: "Port taken" }).waitFor();
  mock.data.experiments = [];
  mock.event({ kind: "notice" });
  await page.getByText("Compare two technologies under the same load").waitFor();
  await page.getByText("name: kafka vs nats, 2,000 msg/s").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  mock.data.experiments = all;
});

test("pages of the list are in the address, and filters too", async () => {
  mock.data.next = "cursor1";
  await page.goto(`${mock.url}/experiments`);
  await page.getByRole("button", { name: "Older" }).click();
  await page.waitForURL("**/experiments?pages=cursor1");
  await page.getByRole("button", { name: "Newest" }).click();
  await page.getByLabel("State").selectOption("ended");
  await page.waitForURL("**/experiments?state=ended");
  await page.getByRole("link", { name: "Kafka vs NATS, running" }).waitFor({ state: "detached" });
  assert.ok(mock.requests.includes("GET /api/v1/experiments?cursor=cursor1&limit=50"));
});

test("an error stands where it belongs, with a way to try again", async () => {
  allowFailures();
  mock.failing.set("/comparison", 422);
  await page.goto(`${mock.url}/experiments/edone00001`);
  const alert = page.getByRole("alert");
  await alert.getByText("The test wants this to fail.").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  mock.failing.clear();
  await alert.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "Figures" }).waitFor();
  await alert.waitFor({ state: "detached" });
});

test("the first page needs at most 300 kB of JavaScript, compressed", async () => {
  const scripts = [];
  page.on("response", (response) => response.url().endsWith(".js") && scripts.push(response.body()));
  await page.goto(`${mock.url}/experiments`);
  await page.getByRole("link", { name: "Port taken" }).waitFor();
  const size = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0);
  assert.ok(size > 50_000 && size <= 300_000, `${size} bytes`);
});

test("what does not exist says so", async () => {
  allowFailures();
  await page.goto(`${mock.url}/runs/rnothing00`);
  await page.getByRole("alert").getByText("There is no /runs/rnothing00.").waitFor();
  await page.goto(`${mock.url}/nowhere`);
  await page.getByRole("heading", { name: "Page not found" }).waitFor();
});

test("cancelling asks first, keeps by default, and shows what the server says", async () => {
  await page.goto(`${mock.url}/experiments/erun000001`);
  await page.getByRole("button", { name: "Cancel…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("1 active run").waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent === "Keep running");
  assert.deepEqual(await seriousFindings(page), []);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.ok(!mock.requests.some((r) => r.startsWith("POST")));
  await page.getByRole("button", { name: "Cancel…" }).click();
  await page.getByRole("button", { name: "Cancel and destroy" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.ok(mock.requests.includes("POST /api/v1/experiments/erun000001/cancel"));
  Object.assign(mock.data.experiments[0], { reason: "cancelled by admin", allowed: [] });
  mock.event({ kind: "phase", experiment: "erun000001", run: "rrun000004", phase: "destroy" });
  await page.getByText("cancelled by admin").waitFor();
  await page.getByRole("button", { name: "Cancel…" }).waitFor({ state: "detached" });
});

test("a conflict is told in the dialog, in the server's words", async () => {
  allowFailures();
  mock.failing.set("/cancel", 409);
  await page.goto(`${mock.url}/runs/rrun000004`);
  await page.getByRole("button", { name: "Cancel run…" }).click();
  await page.getByRole("button", { name: "Cancel and destroy" }).click();
  await page.getByRole("dialog").getByText("The test wants this to fail.").waitFor();
});

test("deleting leads back to the list", async () => {
  await page.goto(`${mock.url}/experiments/edone00001`);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete results" }).click();
  await page.getByRole("heading", { level: 1, name: "Experiments" }).waitFor();
  assert.ok(mock.requests.includes("DELETE /api/v1/experiments/edone00001"));
});

test("seconds appear as they happen, and missing ones are read again", async () => {
  await page.goto(`${mock.url}/runs/rrun000004`);
  await page.getByText("Second 30 of the load").waitFor();
  await strip().getByText("Live").waitFor();
  mock.snapshot("rrun000004", second(30));
  await page.getByText("Second 31 of the load").waitFor();
  mock.snapshot("rother0000", second(31));
  mock.data.live = seconds(35);
  mock.snapshot("rrun000004", second(35));
  await page.getByText("Second 36 of the load").waitFor();
  assert.ok(mock.requests.includes("GET /api/v1/runs/rrun000004/timeline?after=30"));
});

test("a restart of the server is told, and nothing is lost or doubled", async () => {
  allowFailures();
  await page.goto(`${mock.url}/runs/rrun000004`);
  await strip().getByText("Live").waitFor();
  await page.getByText("Second 30 of the load").waitFor();
  mock.event({ kind: "notice", run: "rrun000004" });
  await until(() => mock.requests.filter((r) => r === "GET /api/v1/runs/rrun000004").length > 1);
  const { port, data } = mock;
  await mock.stop();
  await page.getByText(/As of \d\d:\d\d:\d\d/).waitFor();
  assert.equal(await page.locator('dl[aria-label="Latest second"]').getAttribute("data-stale"), "true");
  await page.getByRole("button", { name: "Cancel run…" }).click();
  await page.getByText("nothing can be changed now").waitFor();
  assert.ok(await page.getByRole("button", { name: "Cancel and destroy" }).isDisabled());
  await page.keyboard.press("Escape");
  data.live = seconds(41);
  mock = await startMock(data, port);
  Object.assign(mock, { signedIn: true, refuse: 1 });
  await page.getByRole("button", { name: "Retry now" }).click();
  await page.getByText(/Reconnected, caught up on/).waitFor();
  await page.getByText("Second 41 of the load").waitFor();
  const resumed = mock.requests.find((r) => r.startsWith("GET /api/v1/events"));
  assert.equal(resumed, "GET /api/v1/events?after=101");
  await strip().getByText("Live").waitFor();
});

test("a drain and an upgrade are told on every page", async () => {
  await page.goto(`${mock.url}/experiments`);
  await strip().getByText("Live").waitFor();
  mock.beat({ draining: true });
  await page.getByText("no new runs start").waitFor();
  await page.getByText("Waiting for kafka #3, about 1 min left. The next server will start 5 queued runs.").waitFor();
  mock.beat({ version: "1.5.0" });
  await page.getByText("DEC was upgraded to 1.5.0").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
});

test("windows share one stream, and another one takes over", async () => {
  await page.goto(`${mock.url}/experiments`);
  await strip().getByText("Live").waitFor();
  const other = await context.newPage();
  await other.goto(`${mock.url}/runs/rrun000004`);
  await other.getByText("Live", { exact: true }).waitFor();
  assert.equal(mock.streams.size, 1);
  mock.snapshot("rrun000004", second(30));
  await other.getByText("Second 31 of the load").waitFor();
  await page.close();
  const resumed = () => mock.requests.filter((r) => r.startsWith("GET /api/v1/events")).length;
  await until(() => resumed() > 1);
  mock.snapshot("rrun000004", second(31));
  await other.getByText("Second 32 of the load").waitFor();
});

test("how wrong the figures may be stands beside the verdict, and in each run", async () => {
  await page.goto(`${mock.url}/experiments/edone00001`);
  await page.getByText("Instrument: p50 error ±30.0 µs, p99 ±400 µs at 1,000/s (out of bounds).").waitFor();
  await page.goto(`${mock.url}/runs/rdone00001?tab=config`);
  await page.getByText("Out of bounds: the error of the p99 is +400 µs; the limit is ±300 µs").waitFor();
});

test("a chart is read by keys, hides a line, zooms, and shows its table", async () => {
  await page.goto(`${mock.url}/experiments/edone00001`);
  const figure = page.locator("figure").first();
  await figure.locator("canvas").waitFor();
  await figure.getByRole("application").focus();
  await page.keyboard.press("End");
  await figure.getByText(/^p99.9: kafka [\d.]+ ms, nats [\d.]+ ms$/).waitFor();
  await figure.getByText(/^p99.9, kafka: [\d.]+ ms$/).waitFor({ state: "attached" });
  await page.keyboard.press("t");
  assert.deepEqual(await figure.getByRole("rowheader").allInnerTexts(), ["min", "p50", "p90", "p99", "p99.9"]);
  await figure.getByRole("button", { name: "kafka" }).click();
  await page.waitForURL("**?hide=kafka");
  const time = page.locator("figure").nth(1);
  await time.getByRole("application").focus();
  await page.keyboard.press("+");
  await page.waitForURL(/from=-?\d+&to=\d+/);
  await page.keyboard.press("0");
  await page.waitForURL((url) => !url.search.includes("from"));
});

test("charts are drawn in a browser whose language does not exist", async () => {
  await page.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, "language", { get: () => "en-US@posix", configurable: true }),
  );
  await page.goto(`${mock.url}/experiments/edone00001`);
  await page.locator("figure canvas").first().waitFor();
});

test("the colours of the page follow the choice, also after a reload", async () => {
  await page.goto(`${mock.url}/experiments`);
  await page.getByRole("button", { name: "Account: admin" }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await page.reload();
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(await page.locator("html").getAttribute("data-mantine-color-scheme"), "dark");
});

test("signing out ends the session", async () => {
  allowFailures();
  await page.goto(`${mock.url}/experiments`);
  await page.getByRole("button", { name: "Account: admin" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to DEC" }).waitFor();
  assert.ok(!mock.signedIn);
});

const everywhere = [
  "/experiments",
  "/experiments/edone00001",
  "/experiments/erun000001",
  "/experiments/efail00001",
  "/experiments/edone00001?tab=runs",
  "/experiments/edone00001?tab=config",
  "/runs/rdone00000",
  "/runs/rdone00000?tab=resources",
  "/runs/rdone00000?tab=log",
  "/runs/rdone00000?tab=config",
  "/runs/rrun000004",
  "/runs/rrun000009",
  "/sign-in",
  "/nowhere",
];
for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 390, 320]) {
    test(`every page fits ${width} px and has no serious finding, ${colorScheme}`, async () => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 844 });
      for (const path of everywhere) {
        await page.goto(mock.url + path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.waitForLoadState("load");
        await page.locator('[role="status"]:has-text("Loading")').first().waitFor({ state: "detached" });
        assert.deepEqual(await seriousFindings(page), [], path);
        assert.ok((await overflow(page)) <= 0, `${path} is wider than ${width} px`);
      }
    });
  }
}
