import { chromium, type Browser, type Page } from "@playwright/test";
import { loadavg } from "node:os";
import { join } from "node:path";
import { startServed } from "../e2e/support/served.ts";
import { openModel, pastePlan, scored, startSweep, visit } from "../e2e/support/steps.ts";
import { findChromium, INSTALL_CHROMIUM } from "../scripts/findChromium.ts";
import { SEVEN_B } from "./checkpointShape.ts";
import { FLOOD_RUN } from "./flood.ts";
import { writeSparseCheckpoint } from "./sparseCheckpoint.ts";
import { addProbe, frameTimes, latency, timeUntilShown, watchFrames } from "./windowProbe.ts";

const SAMPLES = 40;
const OPENINGS = 5;
const LATENCY_GOAL_MS = 100;
const OPENING_GOAL_MS = 2000;
const FRAME_GOAL_MS = 50;
const LIMIT_MS = 120_000;
const VIEWPORT = { width: 1440, height: 900 };
/** 192 variants on enough text that the sweep outlasts the measurement. */
const PLAN = {
  base: { scheme: "affine" },
  grid: {
    bits: [8, 5, 4, 3],
    granularity: ["group:64", "flat:1024", "flat:4096", "flat:16384"],
    range: [null, 9, 7, 6, 5, 4].map((threshold) =>
      threshold === null ? null : { method: "zscore", threshold },
    ),
    restore: ["none", "super-weights"],
  },
  judge: { context: 192, tokens: 2048 },
};

const executablePath = findChromium();
if (executablePath === null) throw new Error(INSTALL_CHROMIUM);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
say(
  `Chromium ${browser.version()} without a GPU, ${VIEWPORT.width} × ${VIEWPORT.height}; other load on the machine before: ${loadavg()[0]?.toFixed(1)}`,
);
say(`${"".padEnd(52)}${["n", "median", "p95", "worst", "goal"].map((head) => head.padStart(9)).join("")}`);
try {
  await measureInteractions(browser);
  await measureOpening(browser);
  await measureFlood(browser);
} finally {
  await browser.close();
}

/** From an input to the frame after it, while both cores score variants. */
async function measureInteractions(on: Browser): Promise<void> {
  const served = await startServed();
  const page = await newPage(on);
  try {
    await page.goto(served.url);
    await openModel(page, served.demoModel);
    await pastePlan(page, PLAN);
    await startSweep(page);
    await until(async () => (await scored(page)) >= 16);
    for (const [name, measure] of Object.entries(interactions(page))) {
      const times: number[] = [];
      for (let i = 0; i < SAMPLES; i++) times.push(await measure(i));
      report(`${name}, during a sweep`, times, LATENCY_GOAL_MS);
    }
    const done = await scored(page);
    say(done < 192 ? `  (the sweep was at ${done} of 192)` : "  (THE SWEEP HAD ENDED BEFORE)");
  } finally {
    await page.context().close();
    await served.close();
  }
}

/** One sample of each interaction; the even and the odd ones undo each other. */
function interactions(page: Page): Record<string, (i: number) => Promise<number>> {
  const results = page.getByRole("grid", { name: "Results" });
  const filter = page.getByLabel("Filter results");
  const cells = page.getByRole("grid", { name: /^restored, / }).getByRole("gridcell");
  const metric = page.getByRole("group", { name: "Value" });
  const typed = "bits = 4";
  const cell = (i: number): ReturnType<Page["locator"]> => cells.nth(i % 16);
  return {
    "arrow key in the results": async (i) => {
      if (i === 0) await results.focus();
      return latency(page, "keydown", () => page.keyboard.press("ArrowDown"));
    },
    "typing in the filter": async (i) => {
      if (i === 0) await filter.focus();
      if (i % typed.length === 0) await filter.fill("");
      const taken = await latency(page, "keydown", () =>
        page.keyboard.press(
          typed.charAt(i % typed.length) === " " ? "Space" : typed.charAt(i % typed.length),
        ),
      );
      if (i === SAMPLES - 1) await filter.fill("");
      return taken;
    },
    "pointing at a heatmap cell": async (i) => {
      const box = await cell(i).boundingBox();
      if (box === null) throw new Error("The cell is not on screen.");
      return latency(page, "mousemove", () => page.mouse.move(box.x + box.width / 2, box.y + box.height / 2));
    },
    "clicking a heatmap cell": (i) => latency(page, "click", () => cell(i).click()),
    "Perplexity or KL": (i) =>
      latency(page, "click", () =>
        metric.getByRole("button", { name: i % 2 === 0 ? "KL" : "Perplexity" }).click(),
      ),
    "opening the palette": async () => {
      const taken = await latency(page, "keydown", () => page.keyboard.press("Control+k"));
      await page.keyboard.press("Escape");
      return taken;
    },
  };
}

/** From navigation to the drawn table of a checkpoint with the shape of Llama 2 7 B; each is opened for the first time. */
async function measureOpening(on: Browser): Promise<void> {
  const served = await startServed();
  try {
    const times: number[] = [];
    for (let i = 0; i < OPENINGS; i++) {
      const folder = join(served.folder, `seven-b-${i}`);
      await writeSparseCheckpoint(folder, SEVEN_B);
      const page = await newPage(on);
      await page.goto(served.url);
      await page.goto("about:blank");
      await page.goto(`${new URL(served.url).origin}/#/overview?model=${encodeURIComponent(folder)}`, {
        waitUntil: "commit",
      });
      times.push(await timeUntilShown(page, "[role=grid][aria-label=Tensors] tbody tr"));
      await page.context().close();
    }
    report("overview of 291 tensors (7 B), from navigation", times, OPENING_GOAL_MS);
  } finally {
    await served.close();
  }
}

/** Frames while 10,000 results pour in at 60 events a second. */
async function measureFlood(on: Browser): Promise<void> {
  const served = await startServed(join(import.meta.dirname, "floodServer.ts"));
  const page = await newPage(on);
  try {
    await page.goto(served.url);
    await visit(page, `#/run/${FLOOD_RUN}`);
    await until(async () => (await scored(page)) > 0);
    await watchFrames(page);
    const started = performance.now();
    await until(async () => (await scored(page)) === 10_000);
    const seconds = (performance.now() - started) / 1000;
    const times = await frameTimes(page);
    report("frames while 10,000 results pour in (60 events/s)", times, FRAME_GOAL_MS);
    const slow = times.filter((time) => time > FRAME_GOAL_MS).length;
    say(`  (${seconds.toFixed(0)} s; ${slow} of ${times.length} frames over ${FRAME_GOAL_MS} ms)`);
  } finally {
    await page.context().close();
    await served.close();
  }
}

async function newPage(on: Browser): Promise<Page> {
  const context = await on.newContext({ viewport: VIEWPORT });
  const page = await context.newPage();
  await addProbe(page);
  return page;
}

/** Looks four times a second: a busy page is not asked more often. */
async function until(reached: () => Promise<boolean>): Promise<void> {
  const late = performance.now() + LIMIT_MS;
  while (!(await reached())) {
    if (performance.now() > late) throw new Error(`The window did not get there in ${LIMIT_MS / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function report(name: string, times: readonly number[], goal: number): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  const cells = [
    String(times.length),
    ...[at(0.5), at(0.95), at(1)].map((ms) => `${ms.toFixed(0)} ms`),
    `${goal} ms`,
  ];
  say(`${name.padEnd(52)}${cells.map((cell) => cell.padStart(9)).join("")}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
