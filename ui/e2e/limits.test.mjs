// What the pages tell of a variant that is an emulator and refuses messages.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, open, overflow, seriousFindings } from "./browser.mjs";
import { limit, throttledSecond } from "./limited.mjs";
import { startMock } from "./mock.mjs";
import { seconds } from "./sample.mjs";

let browser, mock, page, wrong, context;
before(async () => {
  browser = await launch();
});
after(() => browser.close());
beforeEach(async () => {
  mock = await startMock();
  mock.signedIn = true;
  limit(mock.data);
  ({ page, wrong, context } = await open(browser));
});
afterEach(async () => {
  await context.close();
  await mock.stop();
  assert.deepEqual(wrong, []);
});

const figure = (title) => page.locator("figure").filter({ has: page.getByRole("heading", { name: title }) });
const badges = () => page.getByText("emulator", { exact: true });

test("the list and every table mark the emulator", async () => {
  await page.goto(`${mock.url}/experiments`);
  await page.getByText("kinesis (emulator) is faster").waitFor();
  assert.equal(await badges().count(), 3);
  for (const [tab, marks] of [
    ["", 2], // beside the marks of the runs, and above the figures
    ["?tab=runs", 5],
    ["?tab=config", 2],
  ]) {
    await page.goto(`${mock.url}/experiments/edone00001${tab}`);
    await page.getByText("which stands for Amazon Kinesis").waitFor();
    await badges()
      .nth(marks - 1)
      .waitFor();
    assert.equal(await badges().count(), marks, tab);
  }
});

test("the answer says what was refused, and the figures and charts show it", async () => {
  await page.goto(`${mock.url}/experiments/edone00001`);
  await page.getByText("it took 1,000 of the 1,500 messages offered each second").waitFor();
  const row = page.getByRole("row", { name: /^Writes refused for now \(throttled\)/ });
  assert.deepEqual(await row.getByRole("cell").allInnerTexts(), ["–", "113,000"]);
  await figure("Writes refused for now (throttled) per second").locator("canvas").waitFor();
  await figure("Back-pressure wait, p99 of each second").locator("canvas").waitFor();
  await figure("Messages received per second")
    .getByRole("button", { name: "kinesis (emulator)", exact: true })
    .waitFor();
  assert.equal(await figure(/Reads refused/).count(), 0);
});

test("what would make guarantees equal stands beside what differs", async () => {
  await page.goto(`${mock.url}/experiments/edone00001?tab=config`);
  const guarantees = page.getByRole("table").filter({ hasText: "To make them equal" });
  await guarantees.getByText("page cache; no fsync of messages fell into the measure stage").waitFor();
  assert.deepEqual(
    await guarantees
      .getByRole("row", { name: /^Acknowledged by/ })
      .getByRole("cell")
      .allInnerTexts(),
    ["all", "all", ""],
  );
  await page.getByText("kafka with brokers: 3 and workload.topology.replicas: 3").waitFor();
  await page.getByText("kinesis (emulator) cannot be raised", { exact: true }).waitFor();
  await page.getByText("Amazon Kinesis keeps every record").waitFor();
});

test("a run shows throttles and retries in each second", async () => {
  await page.goto(`${mock.url}/runs/rdone00001`);
  await page.getByText("Measured on kinesalite 3.3.3, an emulator").waitFor();
  const chart = figure("Limits, retries and reconnects per second");
  await chart.getByRole("button", { name: "Show as table" }).click();
  assert.deepEqual(await chart.getByRole("columnheader").allInnerTexts(), [
    "Time since the start of the measure stage",
    "throttled writes",
    "retried sends",
  ]);
  await page.getByText("22,600 messages").first().waitFor();
  const names = page.locator('dl[aria-label="Result"] dt');
  assert.deepEqual(await names.allInnerTexts(), [
    "End-to-end p50",
    "End-to-end p99",
    "Publish p99",
    "Throughput",
    "Delivered",
    "Lost",
    "Broker CPU",
  ]);
  await page.goto(`${mock.url}/runs/rdone00000`);
  await figure("Backlog and messages in flight").waitFor();
  assert.equal(await chart.count(), 0);
});

test("throttles appear while a run is loaded, below what is there already", async () => {
  mock.data.live = seconds(30);
  await page.goto(`${mock.url}/runs/rrun000004`);
  await page.getByText("Second 30 of the load").waitFor();
  await page.locator("header").getByText("Live").waitFor();
  const before = await page.getByRole("heading", { level: 3 }).allInnerTexts();
  mock.snapshot("rrun000004", throttledSecond(30));
  await figure("Limits, retries and reconnects per second").waitFor();
  const titles = await page.getByRole("heading", { level: 3 }).allInnerTexts();
  assert.deepEqual(titles.slice(0, before.length), before);
  assert.deepEqual(titles.slice(before.length), [
    "Limits, retries and reconnects per second",
    "Back-pressure wait, p99 of each second",
  ]);
  await page.locator('dl[aria-label="Latest second"]').getByText("550/s held back by a limit").waitFor();
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 390, 320]) {
    test(`marks and charts fit ${width} px and have no serious finding, ${colorScheme}`, async () => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 844 });
      for (const path of [
        "/experiments",
        "/experiments/edone00001",
        "/experiments/edone00001?tab=runs",
        "/experiments/edone00001?tab=config",
        "/runs/rdone00001",
        "/runs/rrun000004",
      ]) {
        await page.goto(mock.url + path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.waitForLoadState("load");
        await badges()
          .first()
          .waitFor({ state: path.startsWith("/runs/rrun") ? "detached" : "visible" });
        await page.locator('[role="status"]:has-text("Loading")').first().waitFor({ state: "detached" });
        assert.deepEqual(await seriousFindings(page), [], path);
        assert.ok((await overflow(page)) <= 0, `${path} is wider than ${width} px`);
      }
    });
  }
}
