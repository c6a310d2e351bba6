import { InvalidArgumentError, Option, type Command } from "commander";
import type { Settings } from "#shared/settings.ts";
import { deviceName, type DeviceName } from "#shared/device.ts";
import {
  judge,
  rowJoin,
  windowConvention,
  type Judge,
  type RowJoin,
  type WindowConvention,
} from "#shared/plan.ts";

/** Options of every command. */
export interface CommonOptions {
  json?: boolean;
  home?: string;
}

/** Options of the commands that compute. */
export interface ComputeOptions extends CommonOptions {
  device?: DeviceName;
  workers?: number;
  threads?: number;
}

/** Options that say how text is cut and counted. */
export interface JudgeOptions {
  context?: number;
  stride?: number;
  tokens?: number;
  windows?: WindowConvention;
  join?: RowJoin;
}

export function withCommonOptions(command: Command): Command {
  return command
    .option("--json", "print one JSON document on stdout and nothing else there (default: tables for people)")
    .option(
      "--home <folder>",
      "folder of the run store, settings and caches (default: KEYSTONE_HOME, else the platform's application-data folder)",
    );
}

export function withComputeOptions(command: Command): Command {
  return withCommonOptions(
    command
      .addOption(
        new Option(
          "--device <name>",
          "execution provider; auto takes the best one that agrees with the CPU (default: auto, or as set in the settings)",
        ).choices(deviceName.options),
      )
      .option(
        "--workers <n>",
        "worker threads, 1 to 64 (default: chosen from cores, memory and the model's size)",
        wholeNumber(1, 64),
      )
      .option(
        "--threads <n>",
        "threads per worker, 1 to 256 (default: the cores shared among the workers)",
        wholeNumber(1, 256),
      ),
  );
}

/** The text that SmoothQuant needs, for commands that score recipes. */
export interface CalibrationOptions {
  calibration?: string;
}

export function withCalibrationOption(command: Command): Command {
  return command.option(
    "--calibration <file>",
    "text that SmoothQuant chooses its scales on, never the judged one; read only where a recipe needs it (default: calibration.jsonl beside the text, in the model's folder or the one around it)",
  );
}

export function withJudgeOptions(command: Command): Command {
  return command
    .option(
      "--context <n>",
      "tokens per window, BOS included (default: 2048, or the model's own limit where that is smaller)",
      wholeNumber(2, 1_048_576),
    )
    .option(
      "--stride <n>",
      "new tokens per window of bos, rolling and lm-eval windows (default: the whole window)",
      wholeNumber(1, 1_048_576),
    )
    .option(
      "--tokens <n>",
      "stop after the first whole window that reaches this many scored tokens (default: the whole text)",
      wholeNumber(1),
    )
    .addOption(
      new Option(
        "--windows <convention>",
        "bos: windows led by BOS; gptq: GPTQ's; rolling: lm-eval's, with one BOS; lm-eval: lm-eval's to the letter; llama.cpp: as its perplexity tool",
      )
        .choices(windowConvention.options)
        .default("bos"),
    )
    .addOption(
      new Option(
        "--join <how>",
        "what becomes of the text's rows; rows: each a document; blank-line: joined by blank lines; concat: joined by nothing; articles: WikiText's articles as lm-eval prepares them (default: rows; blank-line for gptq, concat for llama.cpp)",
      ).choices(rowJoin.options),
    );
}

/** The judge that the options describe. */
export function judgeOf(options: JudgeOptions): Judge {
  const { context, stride, tokens, windows, join } = options;
  return judge.parse(dropUndefined({ context, stride, tokens, windows, join }));
}

/** The settings for this process that the options describe. */
export function overridesOf(options: ComputeOptions): Partial<Settings> {
  return dropUndefined({
    device: options.device,
    workers: options.workers,
    threadsPerWorker: options.threads,
  });
}

/** The object without the keys whose value is undefined: what `exactOptionalPropertyTypes` asks for. */
export function dropUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Reads a whole number in [least, most] from an option's argument. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

/** Reads a finite number in [least, most]. */
export function decimalNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
  };
}

/** Reads `0,0.5,2` as numbers. */
export function numberList(text: string): number[] {
  const parts = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (parts.every(Number.isFinite)) return parts;
  throw new InvalidArgumentError("It must be numbers with commas between them, e.g. 0,0.5,2.");
}
