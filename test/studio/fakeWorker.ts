import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DetectReport } from "#shared/detection.ts";
import type { TextInfo } from "#shared/estimate.ts";
import { KeystoneError, toErrorData } from "#shared/errors.ts";
import type { Scores } from "#shared/evaluation.ts";
import type { LabReport } from "#shared/lab/index.ts";
import { onTheWay } from "#shared/lab/reports/unfinished.ts";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { waitOrThrow } from "#worker/protocol/control.ts";
import type { Baseline, Task, TaskMessage, TaskReply, Twin, VariantRequest } from "#worker/protocol/task.ts";

/**
 * A worker without an engine: the same tasks, made-up numbers. What it does beside that is told by the environment:
 * FAKE_STEP_MS   time of one of a wave's ten steps
 * FAKE_DIE_BITS  the thread ends when a variant of so many bits is in its wave …
 * FAKE_DIE_ONCE  … but only until this folder holds a mark, which it leaves before it ends
 * FAKE_FAIL_BITS variants of so many bits fail
 * FAKE_LAB_MS    time of each of an experiment's rows
 * FAKE_LAB_FAIL an experiment fails after so many rows
 * FAKE_SAME_Z    z-scores from this on clip nothing
 * FAKE_DEAF      it does not listen to pausing and cancelling, and takes for ever with everything after the first wave
 */
const STEPS = 10;
/** How often an experiment tells its report, and in how many rows where they take a while. */
const LAB_TOLD = 500;
const LAB_ROWS = 6;

type TaskOf<K extends Task["kind"]> = Extract<Task, { kind: K }>;

export default async function fakeWorker(task: Task): Promise<TaskReply> {
  const post = (message: TaskMessage): void => task.port.postMessage(message);
  try {
    return { ok: true, value: await run(task, post) };
  } catch (error) {
    return { ok: false, error: toErrorData(error) };
  } finally {
    post({ type: "end" });
    task.port.close();
  }
}

async function run(
  task: Task,
  post: (message: TaskMessage) => void,
): Promise<Baseline | LabReport | DetectReport | TextInfo | readonly Twin[] | null> {
  switch (task.kind) {
    case "baseline":
      return baseline();
    case "detect":
      return detection(task);
    case "describe":
      return described(task);
    case "lab":
      return lab(task, post);
    case "same":
      return same(task);
    case "wave":
      await wave(task.variants, task, post);
      return null;
    default:
      throw new Error(`the fake worker knows no ${task.kind}`);
  }
}

async function wave(
  variants: readonly VariantRequest[],
  task: Task,
  post: (message: TaskMessage) => void,
): Promise<void> {
  for (let step = 1; step <= STEPS; step++) {
    await sleep(Number(process.env["FAKE_STEP_MS"] ?? 1));
    if (process.env["FAKE_DEAF"]) await deafly();
    else waitOrThrow(task.control);
    post({
      type: "progress",
      progress: { done: step, total: STEPS, unit: "steps", phase: "", rate: null, secondsLeft: null },
    });
    if (step === STEPS / 2 && variants.filter(isDeadly).length > 0) process.exit(7);
  }
  for (const variant of variants) post({ type: "variant", outcome: outcome(variant) });
}

let deafWaves = 0;

async function deafly(): Promise<void> {
  if (++deafWaves > STEPS) await sleep(3_600_000);
}

function isDeadly({ recipe, id }: VariantRequest): boolean {
  if (recipe.bits !== Number(process.env["FAKE_DIE_BITS"])) return false;
  const folder = process.env["FAKE_DIE_ONCE"];
  if (!folder) return true;
  const mark = join(folder, id);
  if (existsSync(mark)) return false;
  writeFileSync(mark, "");
  return true;
}

/** Variants that differ only in a z-score beyond FAKE_SAME_Z. */
function same({ variants }: TaskOf<"same">): Twin[] {
  const most = Number(process.env["FAKE_SAME_Z"] ?? Infinity);
  return variants.flatMap(({ id, recipe }) => {
    const { range } = recipe;
    const original = variants.find(
      (other) => canonicalJson(other.recipe) === canonicalJson({ ...recipe, range: null }),
    );
    if (range?.method !== "zscore" || range.threshold < most || !original) return [];
    return [{ id, sameAs: original.id, bitsPerWeight: recipe.bits, fileBitsPerWeight: recipe.bits + 1 }];
  });
}

/** A text whose words are its tokens. */
function described({ path }: TaskOf<"describe">): TextInfo {
  const text = readFileSync(path, "utf8");
  const tokens = text.split(/\s+/).filter((word) => word !== "").length;
  return { path, name: basename(path), bytes: text.length, documents: 1, tokens };
}

/** The made-up report of the experiment, told many times on the way, or row by row. */
async function lab(task: TaskOf<"lab">, post: (message: TaskMessage) => void): Promise<LabReport> {
  const { model, request, superWeights } = task;
  // Loaded where they are needed: a thread is started for almost every test of the studio, and few of them ask for this.
  const { summarizeModel } = await import("#studio/context/summarizeModel.ts");
  const { labReportOf } = await import("../support/labReports.ts");
  const report: LabReport = {
    ...labReportOf(request.experiment),
    model: model.path,
    modelName: basename(model.path),
    fingerprint: (await summarizeModel(model.path)).fingerprint,
    text: request.text,
    calibration: request.calibration,
    superWeights: superWeights.map((coordinate) => [...coordinate] as [number, number, number]),
  };
  const rowMs = Number(process.env["FAKE_LAB_MS"] ?? 0);
  if (rowMs > 0) await rowByRow(report, rowMs, task, post);
  else
    for (let i = 0; i < LAB_TOLD; i++) post({ type: "lab-report", report: { ...report, complete: false } });
  return report;
}

async function rowByRow(
  report: LabReport,
  rowMs: number,
  task: Task,
  post: (message: TaskMessage) => void,
): Promise<void> {
  for (let done = 0; done <= LAB_ROWS; done++) {
    const reached = { done, of: LAB_ROWS, unit: "row" };
    const soFar = { ...report, complete: false, reached, finding: onTheWay(reached) };
    const shortened =
      soFar.experiment === "sensitivity" ? { ...soFar, points: soFar.points.slice(0, done) } : soFar;
    post({ type: "lab-report", report: shortened });
    await sleep(rowMs);
    waitOrThrow(task.control);
    if (done === Number(process.env["FAKE_LAB_FAIL"]))
      throw new KeystoneError("text/read-failed", "The text cannot be read.", "Choose another one.");
  }
}

function detection({ model, options }: TaskOf<"detect">): DetectReport {
  return {
    model: model.path,
    fingerprint: model.revision,
    revision: model.revision,
    options,
    tokens: [],
    superWeights: [
      {
        layer: 1,
        row: 137,
        column: 401,
        tensor: "model.layers.1.mlp.down_proj.weight",
        value: 1.9004,
        inputActivation: 128,
        outputActivation: 242.6,
        contribution: 243.2,
        share: 1.003,
        token: 0,
        pass: 1,
        after: [],
        carried: 0,
        normGain: null,
        carriers: [],
        rank: 1,
        sigma: 60,
        timesMedian: 10.8,
        published: null,
        nextLargest: [],
        verdict: "super",
        reason: "Made up.",
      },
    ],
    finding: { code: "made-up", text: "Made up." },
    candidates: [],
    columns: [],
    pairs: [],
    others: [],
    judged: null,
    maximum: { value: 250, token: 0, channel: 137, layer: 1, text: "<s>" },
    experts: null,
    publishedResults: [],
    open: [],
    layers: [],
    passes: [],
    medianOutput: 22.5,
    thresholdOutput: 180,
    device: "cpu",
    seconds: 0,
    peakRssBytes: 0,
  };
}

function outcome({ id, recipe }: VariantRequest): Extract<TaskMessage, { type: "variant" }>["outcome"] {
  if (recipe.bits === Number(process.env["FAKE_FAIL_BITS"])) {
    return {
      ok: false,
      id,
      error: { code: "quantize/made-up", message: "This one cannot be made.", next: "Nothing.", details: {} },
    };
  }
  const kl = 1 / recipe.bits;
  return {
    ok: true,
    id,
    scores: {
      bitsPerWeight: recipe.bits,
      fileBitsPerWeight: recipe.bits + 1,
      perplexity: 2 + kl,
      nll: Math.log(2 + kl),
      tokens: 100,
      kl: { mean: kl, median: kl, p99: kl, max: kl, topAgreement: 1 - kl },
      sqnrDb: 6 * recipe.bits,
      seconds: 0.01,
    },
    detail: { id, tensors: [], layers: [{ layer: 0, relative: kl }] },
  };
}

function baseline(): Baseline {
  const scores: Scores = {
    nll: Math.log(2),
    perplexity: 2,
    wordPerplexity: null,
    bytePerplexity: null,
    bitsPerByte: null,
    tokens: 100,
    nllStandardError: 0,
  };
  const convention = {
    windows: "bos" as const,
    context: 100,
    stride: 99,
    bos: true,
    documents: 1,
    windowCount: 1,
    text: "Made up.",
  };
  return {
    maxima: null,
    windows: {
      windows: [],
      scored: 100,
      ...{ textTokens: 100, words: 1, bytes: 1 },
      ...{ texts: [], prefix: null },
      convention,
    },
    original: { hidden: new Float32Array(new SharedArrayBuffer(16)), nll: new Float32Array(100), scores },
    device: { asked: "cpu", used: "cpu", reason: "made up", tried: [] },
  };
}
