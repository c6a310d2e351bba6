import { Command } from "commander";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DetectReport } from "#shared/detection.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { ExportReport } from "#shared/exporting.ts";
import { judge, type PlanFile } from "#shared/plan.ts";
import type { RunDetail, VariantResult } from "#shared/run.ts";
import { absolute } from "../session/files.ts";
import { withComputeOptions, type ComputeOptions } from "../session/options.ts";
import { count, duration, fixed, percent, perplexityDecimals, place, shortCount } from "../output/numbers.ts";
import { runDocument } from "../output/results.ts";
import { textTable } from "../output/table.ts";
import type { CommandContext } from "../session/commandContext.ts";
import type { Session } from "../session/session.ts";

/** Enough text to tell the variants apart, little enough for two cores in under two minutes. */
const JUDGE = judge.parse({ tokens: 4096 });
const CLIP = { method: "zscore", threshold: 5 } as const;
/** Three arms at each precision and block size: as it is, clipped, clipped with the super weight put back. */
const ARMS = [{}, { range: CLIP }, { range: CLIP, restore: "super-weights" }] as const;
const PLAN: PlanFile = {
  name: "Demo",
  recipes: [4, 3].flatMap((bits) =>
    ["flat:16384", "tensor"].flatMap((granularity) =>
      ARMS.map((arm) => ({ scheme: "affine", bits, granularity, ...arm })),
    ),
  ),
  judge: JUDGE,
};

/** `demo`: the main job on the demo model, from the checkpoint to a verified export. */
export function demoCommand(context: CommandContext): Command {
  const command = new Command("demo").description(
    "the main job on the demo model in under two minutes: find the super weight, sweep, export the best, prove it",
  );
  return withComputeOptions(command).action((options: ComputeOptions) =>
    context.session(options, async (session) => {
      const started = performance.now();
      const model = await demoModel(session);
      const detection = await detect(session, model);
      const detail = await sweep(session, model);
      const winner = detail.results.find((result) => result.id === detail.best);
      if (!winner)
        throw new KeystoneError(
          "demo/no-winner",
          "No variant of the demo's sweep was scored.",
          "Run it again with --workers 1.",
        );
      const exported = await exportWinner(session, model, winner);
      const seconds = (performance.now() - started) / 1000;
      session.print(
        { model, detection, sweep: runDocument(detail), winner: winner.id, export: exported, seconds },
        () => closing(detail, winner, exported, seconds),
      );
    }),
  );
}

async function demoModel(session: Session): Promise<string> {
  const { demoModel: path } = await session.studio.call("app:info", {});
  if (path === null) {
    throw new KeystoneError(
      "demo/missing",
      "The demo model (resources/demo-model) is not in this copy of Keystone.",
      "Get the whole repository, or run detect, sweep and export on a checkpoint of your own.",
    );
  }
  const { parameters, architecture } = await session.studio.call("model:open", { path });
  tell(
    session,
    `The demo model is a small Llama of ${shortCount(parameters)} parameters in ${architecture.layers} layers, trained on generated stories.`,
  );
  tell(
    session,
    "Its super weight was put there deliberately and then trained, because models this small do not grow one by themselves; its effect is real.\n",
  );
  return path;
}

async function detect(session: Session, model: string): Promise<DetectReport> {
  tell(session, "1. Finding the weights the model cannot live without …");
  const { job } = await session.studio.call("job:detect", { model });
  const { report } = await session.result(job, "detect");
  for (const weight of report.superWeights) {
    tell(
      session,
      `   Found ${weight.tensor} ${place(weight.row, weight.column)}: one weight of ${fixed(weight.value, 2)} writes ${percent(weight.share)} of an activation of ${fixed(weight.outputActivation, 1)}, while the median layer reaches ${fixed(report.medianOutput, 1)}.`,
    );
  }
  return report;
}

async function sweep(session: Session, model: string): Promise<RunDetail> {
  tell(session, "\n2. Quantizing everything else in several ways, and scoring each against the original …");
  const text = join(dirname(model), "eval.jsonl");
  const { job, run } = await session.studio.call("job:sweep", { model, plan: PLAN, text });
  await session.finish(job);
  const detail = await session.studio.call("run:get", { run });
  tell(
    session,
    `   ${detail.summary.done} variants on ${count(detail.baseline?.tokens ?? 0)} tokens in ${duration(detail.seconds)}.`,
  );
  return detail;
}

async function exportWinner(session: Session, model: string, winner: VariantResult): Promise<ExportReport> {
  tell(
    session,
    `\n3. Exporting the one of the lowest KL (${winner.label}), opening it again and scoring it …`,
  );
  const text = join(dirname(model), "eval.jsonl");
  const { job } = await session.studio.call("job:export", {
    model,
    request: { recipe: winner.recipe, out: freeFolder(session) },
    verify: { text, judge: JUDGE },
  });
  const { report } = await session.result(job, "export");
  return report;
}

/** `keystone-demo`, or the first `keystone-demo-2`, `-3` … that is not there yet. */
function freeFolder(session: Session): string {
  const named = (n: number): string => absolute(session.io, n === 1 ? "keystone-demo" : `keystone-demo-${n}`);
  let n = 1;
  while (existsSync(named(n))) n++;
  return named(n);
}

function closing(detail: RunDetail, winner: VariantResult, exported: ExportReport, seconds: number): string {
  const { verified } = exported;
  const proof = verified
    ? `Opened again, it scores ${fixed(verified.perplexity, 4, true)} on the same text (${fixed(verified.judgedPerplexity, 4, true)} before it was written).`
    : "";
  return `
${demoTable(detail, winner)}
Perplexity says how surprised the model is by the text (lower is better), KL how far its predictions moved from the original's.
Clipping alone cuts off the super weight and ruins the model; putting that one weight back exactly repairs it.

Exported: ${exported.out}
${proof}
It has the original's format and names (the quantized values stored as F16), so whatever loads the original loads it too.
Done in ${duration(seconds)}.
`;
}

function demoTable(detail: RunDetail, winner: VariantResult): string {
  const original = detail.baseline?.perplexity ?? null;
  const decimals = perplexityDecimals(
    original,
    detail.results.map((result) => result.perplexity),
  );
  const rows = detail.results.map((result) => [
    result.label,
    fixed(result.bitsPerWeight, 3),
    fixed(result.perplexity, decimals, result.notFinite),
    fixed(result.kl?.mean, 4, result.notFinite),
    result.id === winner.id ? "lowest KL: exported" : verdict(result, original),
  ]);
  return textTable(
    [
      { title: "recipe" },
      { title: "bits/weight", align: "right" },
      { title: "perplexity", align: "right" },
      { title: "KL", align: "right" },
      { title: "verdict" },
    ],
    [["original", "16.000", fixed(original, decimals), "–", "the reference"], ...rows],
  );
}

/** In words a newcomer knows; the bounds are factors on the original's perplexity. */
function verdict(result: VariantResult, original: number | null): string {
  if (result.status !== "done") return result.error?.message ?? result.status;
  if (result.perplexity === null || original === null) return "destroyed";
  const factor = result.perplexity / original;
  if (factor > 10) return "destroyed";
  if (factor > 1.05) return "noticeably worse";
  return "as good as the original";
}

/** The story goes to stdout as it happens; with --json nothing but the document may. */
function tell(session: Session, text: string): void {
  if (!session.json) session.io.stdout.write(`${text}\n`);
}
