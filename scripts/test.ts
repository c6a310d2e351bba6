// Runs everything there is to run and ends with one line that counts it: types, lint, format, unit + integration +
// golden tests, and the window in a real Chromium. Arguments are passed to Vitest and run only the tests they name.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { findChromium, INSTALL_CHROMIUM } from "./findChromium.ts";

interface Count {
  passed: number;
  failed: number;
  /** What failed and why, repeated at the end: a log that was cut keeps its last lines. */
  failures?: readonly string[];
}

/** Of a failed test's message at the end of the output: enough for the assertion and where it stands. */
const MESSAGE_LINES = 25;

const playwrightError = z.object({ message: z.string().optional() });
const playwrightSuite = z.object({
  specs: z.array(
    z.object({
      title: z.string(),
      file: z.string(),
      line: z.number(),
      ok: z.boolean(),
      tests: z.array(z.object({ results: z.array(z.object({ errors: z.array(playwrightError) })) })),
    }),
  ),
  get suites() {
    return z.array(playwrightSuite).optional();
  },
});
type PlaywrightSuite = z.infer<typeof playwrightSuite>;

const scratch = mkdtempSync(join(tmpdir(), "keystone-test-"));
const only = process.argv.slice(2);

const steps: [name: string, run: () => Count][] =
  only.length > 0
    ? [["tests", () => vitest(only)]]
    : [
        ["types", () => check(["scripts/typecheck.ts"])],
        ["lint", () => check(["node_modules/eslint/bin/eslint.js", "."])],
        [
          "format",
          () => check(["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."]),
        ],
        ["unit, integration and golden tests", () => vitest([])],
        ["the window in Chromium", playwright],
        ["the package's layout", () => check(["scripts/checkPackage.ts"])],
      ];

const total: Count = { passed: 0, failed: 0 };
const lines: string[] = [];
const failures: string[] = [];
for (const [name, run] of steps) {
  console.log(`\n── ${name}`);
  const started = Date.now();
  const count = run();
  total.passed += count.passed;
  total.failed += count.failed;
  failures.push(...(count.failures ?? []));
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  lines.push(
    `${count.failed === 0 ? "ok  " : "FAIL"} ${name}: ${count.passed} passed, ${count.failed} failed, ${seconds} s`,
  );
}
rmSync(scratch, { recursive: true, force: true });
for (const failure of failures) console.log(`\n✘ ${failure}`);
console.log(`\n${lines.join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

function node(args: string[], environment: Record<string, string> = {}): number {
  const done = spawnSync(process.execPath, args, {
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  return done.status ?? 1;
}

/** A step that is one check: it passes or fails as a whole. */
function check(args: string[]): Count {
  return node(args) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function vitest(filters: string[]): Count {
  const report = join(scratch, "vitest.json");
  const status = node([
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...filters,
  ]);
  const shape = z.object({
    numPassedTests: z.number(),
    numFailedTests: z.number(),
    numFailedTestSuites: z.number(),
    numPendingTests: z.number(),
    testResults: z.array(
      z.object({
        name: z.string(),
        message: z.string(),
        assertionResults: z.array(
          z.object({ fullName: z.string(), failureMessages: z.array(z.string()).nullable() }),
        ),
      }),
    ),
  });
  return counted(status, () => {
    const read = shape.parse(JSON.parse(readFileSync(report, "utf8")));
    // A file that cannot even be loaded holds no failed test, but is a failure.
    return {
      passed: read.numPassedTests,
      // A test that was skipped has not passed.
      failed: Math.max(read.numFailedTests, Math.min(1, read.numFailedTestSuites)) + read.numPendingTests,
      failures: read.testResults.flatMap(({ name, message, assertionResults }) => [
        ...(message === "" ? [] : [failure(name, message)]),
        ...assertionResults
          .filter(({ failureMessages }) => (failureMessages ?? []).length > 0)
          .map(({ fullName, failureMessages }) =>
            failure(`${name} › ${fullName}`, ...(failureMessages ?? [])),
          ),
      ]),
    };
  });
}

function playwright(): Count {
  if (findChromium() === null) {
    console.log(INSTALL_CHROMIUM);
    return { passed: 0, failed: 1 };
  }
  const report = join(scratch, "playwright.json");
  const status = node(["node_modules/@playwright/test/cli.js", "test", "--reporter=list,json"], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: report,
  });
  const shape = z.object({
    stats: z.object({ expected: z.number(), unexpected: z.number(), flaky: z.number(), skipped: z.number() }),
    errors: z.array(playwrightError),
    suites: z.array(playwrightSuite),
  });
  return counted(status, () => {
    const { stats, errors, suites } = shape.parse(JSON.parse(readFileSync(report, "utf8")));
    return {
      passed: stats.expected,
      // A test that another's failure kept from running has not passed.
      failed: stats.unexpected + stats.flaky + stats.skipped,
      failures: [
        ...errors.map(({ message }) => failure("the window in Chromium", message ?? "")),
        ...suites.flatMap(failuresOf),
      ],
    };
  });
}

function failuresOf({ specs, suites }: PlaywrightSuite): string[] {
  return [
    ...specs
      .filter(({ ok }) => !ok)
      .map(({ file, line, title, tests }) =>
        failure(
          `e2e/${file}:${line} › ${title}`,
          ...tests.flatMap(({ results }) =>
            results.flatMap(({ errors }) => errors.map(({ message }) => message ?? "")),
          ),
        ),
      ),
    ...(suites ?? []).flatMap(failuresOf),
  ];
}

/** A failed test's name and the beginning of its messages. */
function failure(name: string, ...messages: string[]): string {
  const text = messages.map((message) => message.split("\n").slice(0, MESSAGE_LINES).join("\n"));
  return [name, ...text].join("\n");
}

/** Counts as the runner reported them; a runner that failed without a failed test, or left no report, is one failure. */
function counted(status: number, read: () => Count): Count {
  try {
    const count = read();
    return status !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count;
  } catch {
    return { passed: 0, failed: 1 };
  }
}
