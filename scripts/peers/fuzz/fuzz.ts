import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import type { ExportReport } from "#shared/exporting.ts";
import type { LlamaLibraries } from "../gguf/llamaLibraries.ts";
import { exportVerified, score, type Attempt } from "./attempt.ts";
import type { Draft } from "./draft.ts";
import { exportsOf, type ExportKind } from "./exportsOf.ts";
import { checkpointOf, writeDraft } from "./generate.ts";
import { llamaScore } from "./llamaScore.ts";
import { referenceJob, referenceNll, type ReferenceJob } from "./reference.ts";

/** What one export, or opening itself, came to: agreement, a typed refusal, or a failure. */
export interface Ending {
  /** `opening`, or the kind of export. */
  readonly where: string;
  readonly refused: string | null;
}

/** One number beside NumPy's. */
export interface Comparison {
  readonly who: "Keystone" | "llama.cpp" | "onnxruntime";
  readonly storage: Draft["storage"];
  /** Mean NLLs in nats. */
  readonly ours: number;
  readonly numpy: number;
}

/** All that came of a seed. */
export interface Outcome {
  readonly seed: number;
  readonly disturbed: readonly string[];
  readonly broken: boolean;
  readonly endings: readonly Ending[];
  readonly comparisons: readonly Comparison[];
  /** Disagreements and crashes, one sentence each. */
  readonly failures: readonly string[];
}

export interface Tools {
  readonly libraries: LlamaLibraries;
  readonly python: string;
}

/**
 * What a mean NLL may differ from NumPy's, as a share of it: sums in f32; in llama.cpp, what goes into products of half types is
 * rounded to them.
 */
export const NLL_TOLERANCE = {
  Keystone: { F32: 1e-5, F16: 1e-5, BF16: 1e-5 },
  onnxruntime: { F32: 1e-5, F16: 1e-5, BF16: 1e-5 },
  "llama.cpp": { F32: 1e-5, F16: 1e-3, BF16: 1e-2 },
} as const;

interface Running {
  readonly seed: number;
  readonly draft: Draft;
  readonly source: string;
  readonly folder: string;
  readonly endings: Ending[];
  readonly failures: string[];
  /** Numbers that wait for NumPy's. */
  readonly found: Omit<Comparison, "numpy" | "storage">[];
}

/** Builds the checkpoints of some seeds and holds NumPy, Keystone and the runtimes of its exports against one another. */
export async function fuzz(seeds: readonly number[], tools: Tools): Promise<Outcome[]> {
  const place = await mkdtemp(join(tmpdir(), "keystone-fuzz-"));
  try {
    const jobs: ReferenceJob[] = [];
    const all: { running: Running; disturbed: readonly string[]; job: number | null }[] = [];
    for (const seed of seeds) {
      const { draft, disturbed } = checkpointOf(seed);
      const folder = join(place, `${seed}`);
      const source = await writeDraft(draft, join(folder, "model"));
      const running: Running = { seed, draft, source, folder, endings: [], failures: [], found: [] };
      const windows = await tryOne(running, tools);
      all.push({ running, disturbed, job: windows ? jobs.length : null });
      if (windows) jobs.push(await referenceJob(draft.meaning, windows.windows, folder));
    }
    const numpy = referenceNll(tools.python, jobs);
    return all.map(({ running, disturbed, job }) =>
      outcomeOf(running, disturbed, job === null ? null : (numpy[job] ?? NaN)),
    );
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Opens, scores and exports a checkpoint. The windows it was scored on; null where it was refused. */
async function tryOne(running: Running, tools: Tools): Promise<WindowSet | null> {
  const { seed, source, folder } = running;
  const scored = settle(running, "opening", await score(source, folder));
  if (!scored) return null;
  running.found.push({ who: "Keystone", ours: Math.log(scored.perplexity ?? NaN) });
  for (const kind of exportsOf(seed)) {
    const report = settle(running, kind.name, await exportVerified(source, folder, kind));
    if (report) await runExport(running, kind, { report, windows: scored.windows, tools });
  }
  return scored.windows;
}

async function runExport(
  running: Running,
  { format, lossless, name }: ExportKind,
  { report, windows, tools }: { report: ExportReport; windows: WindowSet; tools: Tools },
): Promise<void> {
  const runtime = report.verified?.runtime ?? null;
  if (lossless && format === "onnx" && runtime?.notRun === null)
    running.found.push({ who: "onnxruntime", ours: Math.log(runtime.perplexity ?? NaN) });
  if (format !== "gguf") return;
  try {
    const { nll, sameTokens } = await llamaScore(tools, { out: report.out, source: running.source }, windows);
    if (lossless) running.found.push({ who: "llama.cpp", ours: nll });
    if (!sameTokens) running.failures.push(`${name}: llama.cpp cuts the passage into other tokens`);
  } catch (error) {
    running.failures.push(`${name}: llama.cpp does not run the file (${String(error)})`);
  }
}

/** Notes how an attempt ended; its value, or null. */
function settle<T>(running: Running, where: string, attempt: Attempt<T>): T | null {
  if (attempt.kind === "crashed") running.failures.push(`${where} crashed: ${attempt.message}`);
  else running.endings.push({ where, refused: attempt.kind === "refused" ? attempt.code : null });
  return attempt.kind === "done" ? attempt.value : null;
}

function outcomeOf(
  { seed, draft, endings, failures, found }: Running,
  disturbed: readonly string[],
  numpy: number | null,
): Outcome {
  const { storage, broken } = draft;
  const comparisons = numpy === null || broken ? [] : found.map((one) => ({ ...one, storage, numpy }));
  const apart = comparisons.filter((one) => !(differenceOf(one) <= NLL_TOLERANCE[one.who][storage]));
  return {
    ...{ seed, disturbed, broken, endings, comparisons },
    failures: [
      ...failures,
      ...(broken && numpy !== null ? ["a checkpoint that describes no model was opened and scored"] : []),
      ...apart.map(({ who, ours }) => `${who} gives a mean NLL of ${ours}, NumPy ${numpy}`),
    ],
  };
}

/** Of a mean NLL, as a share of NumPy's. */
export function differenceOf({ ours, numpy }: Pick<Comparison, "ours" | "numpy">): number {
  return Math.abs(ours - numpy) / Math.max(1, numpy);
}
