import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { bestVariant, paretoFront } from "#shared/ranking.ts";
import { variantResult, type VariantResult } from "#shared/run.ts";
import { DEMO } from "./demo.ts";
import { start, type Running } from "./process.ts";
import { runMain, type Outcome } from "./runMain.ts";

/** 48 variants: two of the blocks need every weight of a tensor at once, two do not. */
const PLAN = {
  name: "Forty-eight",
  base: { scheme: "affine" },
  grid: {
    bits: [2, 3, 4],
    granularity: ["group:64", "flat:4096", "flat:16384", "tensor"],
    range: [null, { method: "zscore", threshold: 5 }],
    restore: ["none", "super-weights"],
  },
  judge: { context: 192, tokens: 300 },
};
const VARIANTS = 48;

const sweepDocument = z.object({
  run: z.string(),
  status: z.string(),
  done: z.number(),
  total: z.number(),
  baseline: z.object({ perplexity: z.number(), tokens: z.number() }).nullable(),
  results: z.array(variantResult),
  best: z.string().nullable(),
  pareto: z.array(z.string()),
});
type SweepDocument = z.infer<typeof sweepDocument>;

let home = "";
let plan = "";
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "keystone-test-"));
  plan = join(home, "plan.json");
  await writeFile(plan, JSON.stringify(PLAN));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const keystone = (...argv: string[]): Promise<Outcome> =>
  runMain([...argv, "--json"], { env: { KEYSTONE_HOME: home } });

async function show(run: string): Promise<SweepDocument> {
  const shown = await keystone("runs", "show", run);
  expect(shown.stderr).toBe("");
  return sweepDocument.parse(shown.json());
}

/** Waits, looking from this process while the other one writes, until the newest run has at least so many done. */
async function untilDone(least: number, running: Running): Promise<string> {
  const list = z.object({ runs: z.array(z.object({ id: z.string(), done: z.number(), total: z.number() })) });
  for (;;) {
    const { runs } = list.parse((await keystone("runs")).json());
    const newest = runs[0];
    if (newest && newest.done >= least) return newest.id;
    if (running.child.exitCode !== null)
      throw new Error(`The sweep ended early: ${(await running.ended).stderr}`);
    await sleep(100);
  }
}

const doneOf = (document: SweepDocument): VariantResult[] =>
  document.results.filter((row) => row.status === "done");

/** What was scored before is there as it was: nothing was computed again. */
function expectKept(before: readonly VariantResult[], after: SweepDocument): void {
  for (const row of before) expect(after.results.find((it) => it.id === row.id)).toEqual(row);
}

describe("a sweep of 48 recipes", () => {
  let run = "";
  let kept: VariantResult[] = [];

  it("is killed with SIGKILL in the middle, and what was done is there", async () => {
    const sweep = start(["sweep", DEMO.model, "--plan", plan, "--json"], home);
    run = await untilDone(6, sweep);
    sweep.child.kill("SIGKILL");
    expect((await sweep.ended).signal).toBe("SIGKILL");
    const document = await show(run);
    kept = doneOf(document);
    expect(document.total).toBe(VARIANTS);
    expect(kept.length).toBeGreaterThanOrEqual(6);
    expect(kept.length).toBeLessThan(VARIANTS);
    expect(document.status).toBe("interrupted");
  });

  it("refuses to go on with another plan, text or model", async () => {
    const other = join(home, "other.json");
    await writeFile(other, JSON.stringify({ ...PLAN, grid: { ...PLAN.grid, bits: [3, 4] } }));
    for (const [argv, sentence] of [
      [["--plan", other], /another plan/],
      [["--text", join(DEMO.folder, "calibration.jsonl")], /another text/],
    ] as const) {
      const { code, stderr } = await keystone("sweep", DEMO.model, "--resume", run, ...argv);
      expect(stderr).toMatch(sentence);
      expect(code).toBeGreaterThan(0);
    }
  });

  it("goes on, is cancelled with Ctrl-C, says how to go on, and leaves a consistent store", async () => {
    const sweep = start(["sweep", DEMO.model, "--plan", plan, "--resume", run, "--json"], home);
    await untilDone(kept.length + 4, sweep);
    sweep.child.kill("SIGINT");
    const { code, stdout, stderr } = await sweep.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^error: The sweep was cancelled with \\d+ of 48 variants scored.*--resume ${run}\\n$`),
    );
    const printed = sweepDocument.parse(JSON.parse(stdout));
    const document = await show(run);
    expect(document).toEqual(printed);
    expect(document.status).toBe("cancelled");
    expect(document.results.map((row) => row.status).filter((status) => status === "running")).toEqual([]);
    expect(doneOf(document).length).toBe(document.done);
    expect(document.done).toBeGreaterThanOrEqual(kept.length + 4);
    expect(document.done).toBeLessThan(VARIANTS);
    expectKept(kept, document);
    kept = doneOf(document);
  });

  it("goes on to its end without scoring anything twice", async () => {
    const outcome = await keystone("sweep", DEMO.model, "--resume", run);
    expect(outcome.stderr).toBe("");
    expect(outcome.code).toBe(0);
    const document = sweepDocument.parse(outcome.json());
    expect(document).toMatchObject({ run, status: "done", done: VARIANTS, total: VARIANTS });
    expectKept(kept, document);
    expect(doneOf(document)).toHaveLength(VARIANTS);
    expect(document.best).toBe(bestVariant(document.results));
    expect(document.pareto).toEqual(paretoFront(document.results));
    for (const row of document.results) {
      expect(row.kl?.mean).toEqual(expect.any(Number));
      expect(row.bitsPerWeight).toBeGreaterThan(1.9);
    }
  });

  it("has nothing left to do afterwards, and prints a table for people", async () => {
    const { code, stdout } = await runMain(["sweep", DEMO.model, "--resume", run], {
      env: { KEYSTONE_HOME: home },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Run ${run} \\(Forty-eight\\), done: 48 of 48 variants scored\\.`));
    expect(stdout).toMatch(/^★ +affine/m);
    expect(stdout.split("\n").filter((line) => / affine[234], /.test(line)).length).toBeGreaterThanOrEqual(
      VARIANTS,
    );
  });

  it("stands first in the list of runs", async () => {
    const { stdout } = await runMain(["runs"], { env: { KEYSTONE_HOME: home } });
    expect(stdout).toContain(run);
    expect(stdout).toMatch(/done +48 +0 +48$/m);
  });
});
