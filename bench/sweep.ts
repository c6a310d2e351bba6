import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Shape } from "./checkpointShape.ts";
import { gemmFlops, gemmSeconds, gemmTime, type Gemm } from "./gemm.ts";
import { keystone } from "./keystone.ts";
import { writeRandomCheckpoint, type Plant } from "./randomCheckpoint.ts";
import { inTemporaryFolder } from "./temporaryFolder.ts";

const SHAPE: Shape = {
  layers: 4,
  hidden: 1024,
  intermediate: 2816,
  heads: 16,
  keyValueHeads: 8,
  vocabulary: 8192,
  context: 512,
};
const PLANT: Plant = { layer: 1, row: 300, column: 500, value: 6 };
const PLAN = {
  base: { scheme: "affine" },
  grid: {
    bits: [3, 4],
    granularity: ["group:64", "flat:16384", "tensor"],
    range: [null, { method: "zscore", threshold: 5 }],
  },
  judge: { context: 512, tokens: 4096 },
};
/** Rows of one timed product: what a batch of windows brings to a layer. */
const GEMM_ROWS = 2048;
const GOAL = 1.5;

const swept = z.object({
  baseline: z.object({ tokens: z.number() }),
  results: z.array(z.object({ status: z.string() })),
  workers: z.number(),
  threadsPerWorker: z.number(),
  seconds: z.number(),
});

await inTemporaryFolder(async (folder) => {
  const model = join(folder, "model");
  await writeRandomCheckpoint(model, SHAPE, PLANT, Infinity);
  const plan = join(folder, "plan.json");
  await writeFile(plan, JSON.stringify(PLAN));
  const text = join(import.meta.dirname, "..", "resources", "demo-model", "eval.jsonl");
  const run = await keystone([
    "sweep",
    model,
    "--plan",
    plan,
    "--text",
    text,
    "--home",
    join(folder, "home"),
    "--device",
    "cpu",
  ]);
  const report = swept.parse(run.document);
  const done = report.results.filter((result) => result.status === "done").length;
  const gemms = passGemms(report.baseline.tokens, done + 1);
  const alone = await gemmSeconds(gemms, availableParallelism());
  // One thread, since the runtime's idle threads spin and would be counted.
  const { cpuSeconds: cpuAlone } = await gemmTime(gemms, 1);
  const ratio = report.seconds / alone;
  say(
    `model        ${SHAPE.layers} layers, hidden ${SHAPE.hidden}, MLP ${SHAPE.intermediate}, vocabulary ${SHAPE.vocabulary}; ${report.baseline.tokens} tokens`,
  );
  say(
    `sweep        ${done} of ${report.results.length} variants and the original in ${report.seconds.toFixed(1)} s (${report.workers} workers × ${report.threadsPerWorker} threads; ${run.seconds.toFixed(1)} s with start and end)`,
  );
  say(
    `GEMM alone   ${alone.toFixed(1)} s on all cores, ${(gemmFlops(gemms) / alone / 1e9).toFixed(0)} GFLOP/s (linears and head; attention's own products are not counted)`,
  );
  say(`overhead     × ${ratio.toFixed(2)} of the wall time (goal: at most ${GOAL})`);
  if (run.cpuSeconds !== null) {
    say(
      `             × ${(run.cpuSeconds / cpuAlone).toFixed(2)} of the processor time, start and end included (${run.cpuSeconds.toFixed(1)} s beside ${cpuAlone.toFixed(1)} s): the fairer number on a busy machine`,
    );
  }
  if (done < report.results.length) process.exitCode = 1;
});

/** The products of `passes` forward passes over `tokens` tokens, in batches of {@link GEMM_ROWS}. */
function passGemms(tokens: number, passes: number): Gemm[] {
  const { hidden, intermediate, heads, keyValueHeads, vocabulary, layers } = SHAPE;
  const narrow = (hidden / heads) * keyValueHeads;
  const batches = (tokens / GEMM_ROWS) * passes;
  const gemm = (inner: number, outer: number, times: number): Gemm => ({
    rows: GEMM_ROWS,
    inner,
    outer,
    times: times * batches,
  });
  return [
    gemm(hidden, hidden, 2 * layers),
    gemm(hidden, narrow, 2 * layers),
    gemm(hidden, intermediate, 2 * layers),
    gemm(intermediate, hidden, layers),
    gemm(hidden, vocabulary, 1),
  ];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
