import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { runExperiment } from "#engine/lab/runExperiment.ts";
import type { LabRun } from "#engine/lab/run/experiment.ts";
import type { Progress } from "#shared/contract/job.ts";
import {
  labReport,
  labRequest,
  type ExperimentName,
  type LabReport,
  type LabReportOf,
  type LabRequestInput,
} from "#shared/lab/index.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Demo } from "../golden-model/demoModel.ts";
import {
  temporaryFolder,
  writeSyntheticCheckpoint,
  type SyntheticOptions,
} from "../support/syntheticCheckpoint.ts";

const ROOT = join(import.meta.dirname, "../../resources/demo-model");

export const TEXT = join(ROOT, "eval.jsonl");
export const CALIBRATION = join(ROOT, "calibration.jsonl");
export const LAST_WORD = join(ROOT, "tasks-last-word.jsonl");
export const DEMO_SUPER_WEIGHTS: readonly Coordinate[] = [[1, 137, 401]];

/** What came of an experiment, and what was told on the way. */
export interface Conducted<E extends ExperimentName> {
  readonly report: LabReportOf<E>;
  readonly told: readonly LabReportOf<E>[];
  readonly progress: readonly Progress[];
}

type Input<E extends ExperimentName> = Omit<Extract<LabRequestInput, { experiment: E }>, "experiment">;

/** Runs an experiment; every report is checked against its schema as it comes. */
export async function runLab<E extends ExperimentName>(
  model: Demo,
  experiment: E,
  request: Input<E>,
  more: Partial<LabRun> = {},
): Promise<Conducted<E>> {
  const told: LabReportOf<E>[] = [];
  const progress: Progress[] = [];
  const checked = (report: LabReport): LabReportOf<E> => labReport.parse(report) as LabReportOf<E>;
  const report = await runExperiment({
    ...model,
    superWeights: DEMO_SUPER_WEIGHTS,
    request: labRequest.parse({ experiment, ...request }),
    onReport: (partial) => told.push(checked(partial)),
    onProgress: (at) => progress.push(at),
    ...more,
  });
  return { report: checked(report), told, progress };
}

/** Letters as tokens: token = place in the alphabet + 3; BOS is 1. */
const letters: Tokenizer = {
  encode: (text) => Array.from(text.toLowerCase().replaceAll(/[^a-z]/g, ""), (it) => it.charCodeAt(0) - 94),
  decode: (ids) => ids.map((id) => String.fromCharCode(id + 94)).join(""),
  tokenText: (id) => (id < 3 || id > 28 ? `<${id}>` : String.fromCharCode(id + 94)),
  bos: 1,
  eos: 2,
  prefix: 1,
};

/** A tiny random model over letters. The caller closes it. */
export async function openSynthetic(options: SyntheticOptions = {}): Promise<Demo> {
  const checkpoint = await openCheckpoint(await writeSyntheticCheckpoint(options));
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 1 });
  const close = async (): Promise<void> => {
    await forward.close();
    await checkpoint.close();
  };
  return { checkpoint, architecture, forward, tokenizer: letters, close };
}

/** Documents as a `.jsonl` in a folder that goes with the test. */
export async function writeText(documents: readonly string[], name = "text.jsonl"): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, documents.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  return path;
}
