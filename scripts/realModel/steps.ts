// What is asked of the command line, and what it answered: one JSON file a step, so that a run that was stopped goes on where it was.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { detectReport } from "#shared/detection.ts";
import { activationsReport } from "#shared/lab/reports/activationsReport.ts";
import { blockScalingReport } from "#shared/lab/reports/blockScalingReport.ts";
import { importanceReport } from "#shared/lab/reports/importanceReport.ts";
import { sensitivityReport } from "#shared/lab/reports/sensitivityReport.ts";
import { superActivationsReport } from "#shared/lab/reports/superActivationsReport.ts";
import { thresholdSearchReport } from "#shared/lab/reports/thresholdSearchReport.ts";
import { tokenProbabilitiesReport } from "#shared/lab/reports/tokenProbabilitiesReport.ts";
import { labInNewWords } from "#shared/oldWords.ts";
import { variantResult } from "#shared/run.ts";
import { scores } from "#shared/evaluation.ts";

const CLI = join(import.meta.dirname, "..", "..", "out", "main", "cli.js");

/** What the table is made of. */
export interface Setting {
  readonly model: string;
  /** Text that is judged, and text that thresholds and scales are chosen on. */
  readonly text: string;
  readonly calibration: string;
  /** Scored tokens at least, and tokens of a window. */
  readonly tokens: number;
  readonly context: number;
  /** Folder of the answers. */
  readonly keep: string;
}

type Cut = Pick<Setting, "tokens" | "context">;

/** What no runtime stores as well as groups, and where outliers cost most. */
export const LARGE_BLOCKS = "flat:16384";

/** The sweep's plan: what large blocks cost, with and without a hand on the outliers. */
export function planOf({ tokens, context }: Cut): object {
  return {
    name: "Bits, blocks, clip, restore",
    base: { codec: "rtn", bits: 4 },
    grid: {
      bits: [3, 4],
      block: ["group:64", "flat:4096", LARGE_BLOCKS],
      clip: [null, { method: "zscore", threshold: 9 }],
      restore: ["none", "super-weights"],
    },
    judge: { context, tokens },
  };
}

const sweepDocument = z.object({ baseline: scores, results: z.array(variantResult) });

/** A report as this version or an earlier one wrote it. */
function ofAnyVersion<Report extends z.ZodType>(report: Report) {
  return z.preprocess(labInNewWords, report);
}

/** Each step's answer. */
const ANSWERS = {
  detect: detectReport,
  importance: ofAnyVersion(importanceReport),
  "super-activations": ofAnyVersion(superActivationsReport),
  "token-probabilities": ofAnyVersion(tokenProbabilitiesReport),
  sensitivity: ofAnyVersion(sensitivityReport),
  activations: ofAnyVersion(activationsReport),
  "block-scaling": ofAnyVersion(blockScalingReport),
  "threshold-search": ofAnyVersion(thresholdSearchReport),
  sweep: sweepDocument,
} as const;
export type Step = keyof typeof ANSWERS;
export type Answers = { readonly [S in Step]: z.infer<(typeof ANSWERS)[S]> };
export const STEPS = Object.keys(ANSWERS) as readonly Step[];

/** What a step asks, as a person would type it; names stand for the files. */
export function argumentsOf(step: Step, { tokens, context }: Cut): string[] {
  const judged = ["--context", String(context), "--tokens", String(tokens)];
  switch (step) {
    case "detect":
      return ["detect", "MODEL"];
    case "sweep":
      return ["sweep", "MODEL", "--plan", "PLAN", "--text", "TEXT"];
    case "super-activations":
    case "token-probabilities":
      return ["lab", step, "MODEL", "--text", "TEXT"];
    case "activations":
    case "block-scaling":
      return [...onBothTexts(step), ...judged];
    case "threshold-search":
      return [...onBothTexts(step), ...judged, "--bits", "4", "--granularity", LARGE_BLOCKS];
    default:
      return ["lab", step, "MODEL", "--text", "TEXT", ...judged];
  }
}

function onBothTexts(step: Step): string[] {
  return ["lab", step, "MODEL", "--text", "TEXT", "--calibration", "CALIBRATION"];
}

/** Runs every step that has no answer yet, one after the other; the command line's own progress goes to stderr. */
export function answersOf(setting: Setting): Answers {
  mkdirSync(setting.keep, { recursive: true });
  const plan = join(setting.keep, "plan.json");
  writeFileSync(plan, JSON.stringify(planOf(setting)));
  const files: Readonly<Record<string, string>> = {
    MODEL: setting.model,
    TEXT: setting.text,
    CALIBRATION: setting.calibration,
    PLAN: plan,
  };
  const answers = STEPS.map((step) => {
    const asked = argumentsOf(step, setting).map((word) => files[word] ?? word);
    return [step, ANSWERS[step].parse(answer(step, asked, setting.keep))] as const;
  });
  return Object.fromEntries(answers) as unknown as Answers;
}

/** The kept answer to the same question, or a new one. */
function answer(step: Step, asked: readonly string[], keep: string): unknown {
  const path = join(keep, `${step}.json`);
  const kept = z.object({ asked: z.array(z.string()), answer: z.unknown() });
  if (existsSync(path)) {
    const known = kept.parse(JSON.parse(readFileSync(path, "utf8")));
    if (known.asked.join("\0") === asked.join("\0")) return known.answer;
  }
  process.stderr.write(`keystone ${asked.join(" ")}\n`);
  const { status, stdout } = spawnSync(process.execPath, [CLI, ...asked, "--json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`keystone ${step} ended with ${status}; the message above says why.`);
  const found: unknown = JSON.parse(stdout);
  writeFileSync(path, JSON.stringify({ asked, answer: found }));
  return found;
}
