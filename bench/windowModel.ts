// The window while a real model is searched and swept: what an input waits for, and the long tasks of the main thread, screen by
// screen.
import { chromium } from "@playwright/test";
import { cpSync, mkdirSync } from "node:fs";
import { loadavg } from "node:os";
import { basename, join } from "node:path";
import { startServed } from "../e2e/support/served.ts";
import { pastePlan, scored, startSweep, visit } from "../e2e/support/steps.ts";
import { findChromium, INSTALL_CHROMIUM } from "../scripts/findChromium.ts";
import { smolLm2 } from "../scripts/peers/smolLm2.ts";
import { addProbe, latency, longTasks, watchLongTasks } from "./windowProbe.ts";

/** How long each screen is looked at, and how often a key is pressed meanwhile. */
const STAY_MS = 20_000;
const PRESS_MS = 500;
const LIMIT_MS = 900_000;
const TEXT = join(import.meta.dirname, "..", "resources", "texts", "keystone-own-text.jsonl");
/** 24 variants in waves that take minutes on two cores. */
const PLAN = {
  base: { scheme: "affine" },
  grid: {
    bits: [4, 3],
    granularity: ["group:32", "group:64", "channel"],
    clip: [null, 9, 7, 5].map((threshold) => (threshold === null ? null : { method: "zscore", threshold })),
  },
  judge: { context: 512, tokens: 2048 },
};

const executablePath = findChromium();
if (executablePath === null) throw new Error(INSTALL_CHROMIUM);
const source = smolLm2();
const served = await startServed();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await addProbe(page);
say(`${basename(source)}; Chromium ${browser.version()} without a GPU; load before: ${load()}`);
say(
  [
    "".padEnd(28),
    ...["keys", "median", "p95", "worst", "long", "> 100 ms", "longest", "load"].map((one) =>
      one.padStart(9),
    ),
  ].join(""),
);
try {
  const folder = join(served.folder, "model");
  mkdirSync(folder);
  cpSync(source, join(folder, basename(source)));
  cpSync(TEXT, join(folder, "eval.jsonl"));
  await page.goto(served.url);
  await visit(page, `#/overview?model=${encodeURIComponent(folder)}`);
  await page.getByRole("navigation", { name: "Screens" }).getByText("Sweep").waitFor({ timeout: LIMIT_MS });
  await visit(page, "#/super-weights");
  await page.getByRole("button", { name: /^Find super weights/ }).click();
  await measure("super weights, searching");
  await page.getByRole("button", { name: "Cancel" }).first().click();
  await until(async () => (await page.getByRole("contentinfo").innerText()).includes("Nothing is running"));
  await pastePlan(page, PLAN);
  const run = await startSweep(page);
  await measure("run, before the first result");
  await until(async () => (await scored(page)) >= 2);
  const boxes = page.getByRole("grid", { name: "Results" }).getByRole("checkbox", { checked: false });
  for (const place of [0, 0]) await boxes.nth(place).click();
  await measure("run, with results");
  for (const [name, hash] of Object.entries(screensOf(run))) {
    await visit(page, hash);
    await measure(name);
  }
  await visit(page, `#/run/${run}`);
  say(`(${await scored(page)} of 24 variants were scored at the end)`);
} finally {
  await browser.close();
  await served.close();
}

function screensOf(run: string): Record<string, string> {
  return {
    overview: "#/overview",
    lab: "#/lab",
    runs: "#/runs",
    "table of all runs": "#/runs/table",
    compare: `#/compare/${run}`,
    export: `#/export/${run}`,
    home: "#/home",
  };
}

/** Opens and closes the palette again and again, and notes what the main thread is busy with from the screen's first moment on. */
async function measure(name: string): Promise<void> {
  await watchLongTasks(page);
  const times: number[] = [];
  const end = performance.now() + STAY_MS;
  while (performance.now() < end) {
    times.push(await latency(page, "keydown", () => page.keyboard.press("Control+k")));
    await page.keyboard.press("Escape");
    await page.waitForTimeout(PRESS_MS);
  }
  const long = await longTasks(page);
  const cells = [
    ...[times.length, ...[0.5, 0.95, 1].map((share) => `${quantile(times, share).toFixed(0)} ms`)],
    ...[long.length, long.filter((ms) => ms > 100).length, `${quantile(long, 1).toFixed(0)} ms`, load()],
  ];
  say([name.padEnd(28), ...cells.map((cell) => String(cell).padStart(9))].join(""));
}

/** 0 where there is none. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  const late = performance.now() + LIMIT_MS;
  while (!(await reached())) {
    if (performance.now() > late) throw new Error(`The window did not get there in ${LIMIT_MS / 1000} s.`);
    await page.waitForTimeout(250);
  }
}

function load(): string {
  return loadavg()[0]?.toFixed(1) ?? "?";
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
