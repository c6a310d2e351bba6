import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { counted, failure, type Count } from "./count.ts";
import { runNode, type RunOptions } from "./runNode.ts";

const vitestReport = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullable(),
        }),
      ),
    }),
  ),
});
type TestFile = z.infer<typeof vitestReport>["testResults"][number];

export interface VitestStep {
  /** Passed to Vitest: the tests it is to run. */
  filters: readonly string[];
  /** A folder for the report. */
  scratch: string;
  /** Whether a file that failed is run once more. */
  again: boolean;
  /** More arguments, and how it is run: for tests of this step. */
  args?: readonly string[];
  options?: RunOptions;
}

const VITEST = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");

/**
 * Runs Vitest. A file that failed is run once more by itself: V8 ends a process now and then where its compilers race on
 * few cores (nodejs/node#64841, nodejs/node#66126), and whatever the file was at is lost with it. What fails twice has
 * failed; what passes the second time is named with what was said the first time.
 */
export async function vitestStep(step: VitestStep): Promise<Count> {
  const first = await run(step, step.filters);
  const broken = first.files.filter(isBroken);
  if (!step.again || broken.length === 0) return countOf(first);
  if (!step.options?.quiet)
    console.log(`\nOnce more, by themselves: ${broken.map(({ name }) => name).join(", ")}`);
  const second = await run(
    step,
    broken.map(({ name }) => name),
  );
  const kept = first.files.filter((file) => !isBroken(file));
  return {
    ...countOf({ ...second, files: [...kept, ...second.files] }),
    secondTries: broken
      .filter(({ name }) => second.files.some((file) => file.name === name && !isBroken(file)))
      .flatMap((file) => failuresOf(file, first.lastWords)),
  };
}

interface Run {
  status: number;
  lastWords: string;
  files: TestFile[];
}

async function run({ args, options, scratch }: VitestStep, filters: readonly string[]): Promise<Run> {
  const report = join(scratch, "vitest.json");
  const ended = await runNode(
    [
      VITEST,
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...(args ?? []),
      ...filters,
    ],
    options,
  );
  return { ...ended, files: vitestReport.parse(JSON.parse(readFileSync(report, "utf8"))).testResults };
}

function isBroken({ status, assertionResults }: TestFile): boolean {
  return status !== "passed" || assertionResults.some(isUnfinished);
}

/** Begun or waiting when the process of its file ended. */
function isUnfinished({ status }: TestFile["assertionResults"][number]): boolean {
  return status === "pending";
}

function countOf({ status, lastWords, files }: Run): Count {
  return counted(status, () => {
    const tests = files.flatMap(({ assertionResults }) => assertionResults);
    const passed = tests.filter((test) => test.status === "passed").length;
    // A file that cannot even be loaded holds no failed test, but is a failure.
    const withoutTests = files.filter(
      (file) => isBroken(file) && file.assertionResults.every((test) => test.status === "passed"),
    );
    return {
      passed,
      // A test that was skipped has not passed.
      failed: tests.length - passed + withoutTests.length,
      failures: files.flatMap((file) => failuresOf(file, lastWords)),
    };
  });
}

function failuresOf(file: TestFile, lastWords: string): string[] {
  const { name, message, assertionResults } = file;
  if (!isBroken(file)) return [];
  const unfinished = assertionResults.filter(isUnfinished);
  const failed = assertionResults.filter(({ failureMessages }) => (failureMessages ?? []).length > 0);
  const said = [
    ...(message === "" ? [] : [failure(name, message)]),
    ...failed.map((test) => failure(`${name} › ${test.fullName}`, ...(test.failureMessages ?? []))),
  ];
  if (unfinished.length === 0 && said.length > 0) return said;
  const at = unfinished[0] === undefined ? "" : ` in or before › ${unfinished[0].fullName}`;
  return [...said, failure(`${name}: its process ended${at}`, lastWords)];
}
