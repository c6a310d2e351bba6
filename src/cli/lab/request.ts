import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { labRequest, type ExperimentName, type LabRequest } from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import { describeIssues } from "#shared/plan.ts";
import { absolute, existingFile, existingPath, textFor } from "../session/files.ts";
import type { Io } from "../output/io.ts";
import { dropUndefined, judgeOf, type ComputeOptions, type JudgeOptions } from "../session/options.ts";
import { usageError } from "../session/reportError.ts";
import { ownFields, PROMPTS_FILE } from "./experimentOptions.ts";

export interface LabOptions extends ComputeOptions, JudgeOptions {
  text?: string;
  calibration?: string;
  tasks?: string[];
  taskLimit?: number;
  [own: string]: unknown;
}

/**
 * What the options ask for, checked whole.
 * @throws KeystoneError usage/arguments, usage/no-such-file
 */
export async function labRequestOf(
  io: Io,
  experiment: ExperimentName,
  model: string,
  options: LabOptions,
): Promise<LabRequest> {
  const prompts = options[PROMPTS_FILE];
  const read = labRequest.safeParse({
    experiment,
    text: await textFor(io, options.text, model),
    calibration: EXPERIMENTS[experiment].uses.calibration
      ? await calibrationFor(io, options.calibration, model)
      : null,
    judge: judgeOf(options),
    tasks: await Promise.all((options.tasks ?? []).map((path) => existingPath(io, path, "task file"))),
    ...dropUndefined({ taskLimit: options.taskLimit }),
    ...ownFields(experiment, options),
    ...(typeof prompts === "string"
      ? { prompts: (await readPrompts(io, prompts)).slice(0, promptCount(options)) }
      : {}),
  });
  if (read.success) return read.data;
  throw usageError(
    `The experiment cannot be asked for like this: ${describeIssues(read.error.issues, optionOf)}.`,
    `Correct the option; keystone lab ${experiment} --help explains each.`,
  );
}

/** How many prompts of a file are run; all where no number was given. */
function promptCount({ promptCount: count }: LabOptions): number | undefined {
  return typeof count === "number" ? count : undefined;
}

/** A place of the request as the option that fills it: `--factors, value 2`. */
function optionOf([field = "", ...inside]: readonly PropertyKey[]): string {
  const [name, ...rest] = field === "judge" ? inside : [field, ...inside];
  const option = `--${String(name).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return typeof rest[0] === "number" ? `${option}, value ${rest[0] + 1}` : option;
}

/** The calibration text named, else `calibration.jsonl` in the model's folder or the one around it, else none. */
async function calibrationFor(io: Io, named: string | undefined, model: string): Promise<string | null> {
  if (named !== undefined) return existingFile(io, named, "calibration text");
  const folder = absolute(io, model);
  const beside = [folder, dirname(folder)].map((place) => join(place, "calibration.jsonl"));
  return beside.find((path) => existsSync(path)) ?? null;
}

/**
 * One prompt a line; as .jsonl, one {"text": …} a line, so that a prompt may hold line breaks.
 * @throws KeystoneError usage/no-such-file, usage/not-prompts
 */
async function readPrompts(io: Io, path: string): Promise<string[]> {
  const file = await existingFile(io, path, "prompts file");
  const lines = (await readFile(file, "utf8")).split(/\r?\n/).filter((line) => line.trim() !== "");
  if (lines.length === 0) throw notPrompts(file, "is empty");
  if (extname(file).toLowerCase() !== ".jsonl") return lines;
  return lines.map((line, i) => {
    const text = textOfLine(line);
    if (text === null) throw notPrompts(file, `has no {"text": …} in its line ${i + 1}`);
    return text;
  });
}

function textOfLine(line: string): string | null {
  try {
    const { text } = JSON.parse(line) as { text?: unknown };
    return typeof text === "string" ? text : null;
  } catch {
    return null;
  }
}

function notPrompts(file: string, problem: string): KeystoneError {
  return new KeystoneError(
    "usage/not-prompts",
    `The prompts file ${file} ${problem}.`,
    'Write one prompt a line, or one {"text": "…"} a line as .jsonl.',
    { path: file },
  );
}
