import { readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { failure, type Count } from "./count.ts";
import { runNode, type RunOptions } from "./runNode.ts";
import { REPORT_VARIABLE, vitestReport, type TestFile, type VitestReport } from "./vitestReport.ts";

export interface VitestStep {
  /** Passed to Vitest: the tests it is to run. */
  filters: readonly string[];
  /** A folder for the report. */
  scratch: string;
  /** Whether a file whose process ended is run once more. */
  again: boolean;
  /** More arguments, and how it is run: for tests of this step. */
  args?: readonly string[];
  options?: RunOptions;
}

const ROOT = join(import.meta.dirname, "../..");
const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");
const REPORTER = join(import.meta.dirname, "vitestReporter.ts");

/**
 * Runs Vitest. A file whose process ended is run once more by itself: V8 ends one now and then where its compilers race on few
 * cores (nodejs/node#64841, nodejs/node#66126), and whatever the file was at is lost with it. Every such file is named, whatever
 * comes of the second try. A test that failed has failed: nothing that holds a failed assertion is run again.
 */
export async function vitestStep(step: VitestStep): Promise<Count> {
  const first = await run(step, step.filters);
  const ended = first.files.filter(onlyEnded);
  if (!step.again || ended.length === 0) return countOf(first);
  const names = ended.map(({ name }) => name);
  if (!step.options?.quiet) console.log(`\nOnce more, by themselves: ${names.join(", ")}`);
  const second = await run(step, names);
  return {
    ...countOf({
      lastWords: second.lastWords || first.lastWords,
      // a file that the second run says nothing of is as it was
      files: first.files.map(
        (file) => (onlyEnded(file) && second.files.find(({ name }) => name === file.name)) || file,
      ),
      unattributed: [...first.unattributed, ...second.unattributed],
    }),
    secondTries: ended.flatMap((file) => failuresOf(file, first.lastWords)),
  };
}

interface Run extends VitestReport {
  lastWords: string;
}

async function run({ args, options, scratch }: VitestStep, filters: readonly string[]): Promise<Run> {
  const path = join(scratch, "vitest.json");
  rmSync(path, { force: true });
  const { status, lastWords } = await runNode(
    [VITEST, "run", "--reporter=default", `--reporter=${REPORTER}`, ...(args ?? []), ...filters],
    { ...options, environment: { ...options?.environment, [REPORT_VARIABLE]: path } },
  );
  const report = readReport(path);
  const unexplained = status !== 0 && !report.files.some(isBroken) && report.unattributed.length === 0;
  const unattributed = unexplained ? [`Vitest ended with ${status}.`] : report.unattributed;
  return { ...report, unattributed, lastWords };
}

/** A run that left no report has found nothing, and says so. */
function readReport(path: string): VitestReport {
  try {
    return vitestReport.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return { files: [], unattributed: ["Vitest left no report."] };
  }
}

/** Its process ended, and until then nothing had failed. */
function onlyEnded({ finished, tests }: TestFile): boolean {
  return !finished && tests.every(({ state }) => state !== "failed");
}

function isBroken({ finished, outside, tests }: TestFile): boolean {
  return (
    !finished || outside.length > 0 || tests.some(({ state }) => state === "failed" || state === "pending")
  );
}

/** A test that was skipped has not passed. A file that is broken outside its tests is one failure more, and so is an error of no file. */
function countOf({ files, unattributed, lastWords }: Run): Count {
  const tests = files.flatMap((file) => file.tests);
  const passed = tests.filter(({ state }) => state === "passed").length;
  const outside = files.filter(
    (file) => isBroken(file) && file.tests.every(({ state }) => state === "passed"),
  );
  const nothing = files.length === 0 && unattributed.length === 0 ? ["No test was found."] : [];
  const others = [...unattributed, ...nothing].map((text) => failure("outside every test", text, lastWords));
  return {
    passed,
    failed: tests.length - passed + outside.length + others.length,
    failures: [...files.flatMap((file) => failuresOf(file, lastWords)), ...others],
    times: files.map(({ name, seconds }) => ({ name: relative(ROOT, name), seconds })),
  };
}

function failuresOf(file: TestFile, lastWords: string): string[] {
  const { name, finished, outside, tests } = file;
  const failed = tests
    .filter(({ state }) => state === "failed")
    .map((test) => failure(`${name} › ${test.name}`, ...test.errors));
  if (finished) return [...failed, ...outside.map((text) => failure(name, text))];
  const [at] = tests.filter(({ state }) => state === "pending");
  const place = at === undefined ? "" : ` in or before › ${at.name}`;
  return [...failed, failure(`${name}: its process ended${place}`, lastWords, ...outside)];
}
