import { labRequest, type LabRequest } from "../lab/index.ts";
import { EXPERIMENTS } from "../lab/index.ts";
import { flagName, type LabOption } from "../lab/options.ts";
import { canonicalJson } from "../canonicalJson.ts";
import { parseRecipe, type Judge } from "../plan.ts";
import { needsCalibration, type RangeRule } from "../recipe.ts";
import type { RunDetail } from "../run.ts";

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
  const { uses } = EXPERIMENTS[experiment];
  return {
    files: own.files,
    argv: [
      "keystone",
      "lab",
      experiment,
      model,
      "--text",
      text,
      ...(uses.calibration ? calibrationOption(calibration) : []),
      ...(uses.tasks ? tasksOptions(tasks, taskLimit) : []),
      ...own.argv,
      ...(uses.windows ? judgeOptions(judge) : []),
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

/** A value as the command line reads it. */
function wordOf({ entry: { kind } }: LabOption, value: unknown): string {
  if (kind === "range") return rangeWord(value as RangeRule);
  return Array.isArray(value) ? value.join(",") : String(value);
}

function ownOptions(request: LabRequest): { files: Repeat["files"]; argv: string[] } {
  const { experiment, text } = request;
  const asked: Record<string, unknown> = request;
  const defaults: Record<string, unknown> = labRequest.parse({ experiment, text });
  const argv: string[] = [];
  const files: { name: string; content: string }[] = [];
  for (const option of EXPERIMENTS[experiment].options) {
    const value = asked[option.key];
    if (canonicalJson(value) === canonicalJson(defaults[option.key]) || option.idle?.(asked)) continue;
    argv.push(flagName(option));
    if (option.entry.kind === "lines") {
      files.push({ name: "prompts.jsonl", content: promptLines(value as string[]) });
      argv.push("prompts.jsonl");
    } else if (option.entry.kind !== "flag") argv.push(wordOf(option, value));
  }
  return { files, argv };
}

function promptLines(prompts: readonly string[]): string {
  return prompts.map((text) => JSON.stringify({ text })).join("\n");
}
