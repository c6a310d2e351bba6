import { labRequest, type LabRequest } from "./lab.ts";
import { ANSWERS_TASKS, CALIBRATED, SCORES_TEXT } from "./labUses.ts";
import { canonicalJson } from "./canonicalJson.ts";
import { parseRecipe, type Judge } from "./plan.ts";
import { needsCalibration, type RangeRule } from "./recipe.ts";
import type { RunDetail } from "./run.ts";

/** How to do something again from a terminal: files to write first, then one command. */
export interface Repeat {
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly argv: readonly string[];
}

/** What is pasted into a POSIX shell. */
export function repeatText({ files, argv }: Repeat): string {
  const written = files.map(
    ({ name, content }) => `cat > ${shellWord(name)} <<'EOF'\n${content.replace(/\n$/, "")}\nEOF\n`,
  );
  return `${written.join("")}${commandText(argv)}\n`;
}

/** A command longer than this, in characters, goes on in lines of its own, an option each. */
const LINE = 100;

function commandText(argv: readonly string[]): string {
  const whole = argv.map(shellWord).join(" ");
  if (whole.length <= LINE) return whole;
  return argv.map((word) => (/^--[a-z][a-z-]*$/.test(word) ? `\\\n  ${word}` : shellWord(word))).join(" ");
}

/** A word as a POSIX shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command that asks for the same experiment; what is left at its default, or means nothing to it, is left out. */
export function repeatLab(request: LabRequest, model: string): Repeat {
  const { experiment, text, calibration, tasks, taskLimit, judge } = request;
  const own = ownOptions(request);
  return {
    files: own.files,
    argv: [
      "keystone",
      "lab",
      experiment,
      model,
      "--text",
      text,
      ...(CALIBRATED.has(experiment) ? calibrationOption(calibration) : []),
      ...(ANSWERS_TASKS.has(experiment) ? tasksOptions(tasks, taskLimit) : []),
      ...own.argv,
      ...(SCORES_TEXT.has(experiment) ? judgeOptions(judge) : []),
    ],
  };
}

/** A recipe longer than this, in characters, is written in lines of its own. */
const RECIPE_LINE = 240;

/** The command that scores a recipe as an experiment did: on its text, cut as it cut it. */
export function repeatEval(
  { name, recipe }: { name: string; recipe: unknown },
  { text, calibration, judge }: LabRequest,
  model: string,
): Repeat {
  const file = `${name}.json`;
  const { activations } = parseRecipe(recipe);
  const line = JSON.stringify(recipe);
  return {
    files: [{ name: file, content: line.length <= RECIPE_LINE ? line : JSON.stringify(recipe, null, 2) }],
    argv: [
      ...["keystone", "eval", model, "--recipe", file, "--text", text],
      ...(needsCalibration({ activations }) ? calibrationOption(calibration) : []),
      ...judgeOptions(judge),
    ],
  };
}

/** The sweep with its recipes written out in full, in the plan's order, and how each is judged. */
export function repeatSweep({ summary, results, judge, text, calibration }: RunDetail): Repeat {
  const recipes = [...results].sort((a, b) => a.index - b.index).map(({ recipe }) => JSON.stringify(recipe));
  const plan = `{\n  "name": ${JSON.stringify(summary.name)},\n  "recipes": [\n    ${recipes.join(",\n    ")}\n  ],\n  "judge": ${JSON.stringify(judge)}\n}`;
  return {
    files: [{ name: "plan.json", content: plan }],
    argv: [
      "keystone",
      "sweep",
      modelWord(summary),
      "--plan",
      "plan.json",
      "--text",
      text,
      ...calibrationOption(calibration),
    ],
  };
}

/** A run's model as a command names it; a run from elsewhere has no folder here. */
export function modelWord({ model }: Pick<RunDetail["summary"], "model">): string {
  return model === "" ? "MODEL" : model;
}

function calibrationOption(calibration: string | null): string[] {
  return calibration === null ? [] : ["--calibration", calibration];
}

function tasksOptions(tasks: readonly string[], limit: number | null): string[] {
  if (tasks.length === 0) return [];
  return ["--tasks", ...tasks, ...(limit === null ? [] : ["--task-limit", String(limit)])];
}

function judgeOptions({ context, stride, tokens, windows, join }: Judge): string[] {
  const option = (name: string, value: number | string | undefined): string[] =>
    value === undefined ? [] : [name, String(value)];
  return [
    ...option("--context", context),
    ...option("--stride", stride),
    ...option("--tokens", tokens),
    ...(windows === "bos" ? [] : ["--windows", windows]),
    ...option("--join", join),
  ];
}

/** `zscore:9`, `mse`: a range as the command line reads it. */
export function rangeWord(range: RangeRule): string {
  return "threshold" in range ? `${range.method}:${range.threshold}` : range.method;
}

/** The options that belong to one experiment, by the field they fill. */
const OPTIONS: Readonly<Record<string, { option: string; word: (value: never) => string }>> = {
  promptCount: { option: "--prompt-count", word: String },
  factors: { option: "--factors", word: (value: number[]) => value.join(",") },
  granularities: { option: "--granularities", word: (value: string[]) => value.join(",") },
  granularity: { option: "--granularity", word: String },
  thresholds: { option: "--thresholds", word: (value: number[]) => value.join(",") },
  per: { option: "--per", word: (value: string[]) => value.join(",") },
  alphas: { option: "--alphas", word: (value: number[]) => value.join(",") },
  range: { option: "--range", word: rangeWord },
  bits: { option: "--bits", word: (value: number | number[]) => [value].flat().join(",") },
  methods: { option: "--methods", word: (value: string[]) => value.join(",") },
  scope: { option: "--scope", word: String },
  by: { option: "--by", word: String },
  maxTrials: { option: "--max-trials", word: String },
  maxSeconds: { option: "--max-seconds", word: String },
};

function ownOptions(request: LabRequest): { files: Repeat["files"]; argv: string[] } {
  const defaults: Record<string, unknown> = labRequest.parse({
    experiment: request.experiment,
    text: request.text,
  });
  const argv: string[] = [];
  const files: { name: string; content: string }[] = [];
  for (const [field, value] of Object.entries(request)) {
    if (canonicalJson(value) === canonicalJson(defaults[field]) || isIdle(request, field)) continue;
    const known = OPTIONS[field];
    if (known) argv.push(known.option, known.word(value as never));
    if (field === "matmuls") argv.push("--matmuls");
    if (field === "prompts") {
      files.push({ name: "prompts.jsonl", content: promptLines(value as string[]) });
      argv.push("--prompts-file", "prompts.jsonl");
    }
  }
  return { files, argv };
}

/** Whether a field of the request changes nothing: the number of prompts beside own ones, a tensor's loss beside one clip for all. */
function isIdle(request: LabRequest, field: string): boolean {
  if (field === "promptCount") return "prompts" in request && request.prompts.length > 0;
  return field === "by" && "scope" in request && request.scope === "model";
}

function promptLines(prompts: readonly string[]): string {
  return prompts.map((text) => JSON.stringify({ text })).join("\n");
}
