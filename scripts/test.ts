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
}

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
for (const [name, run] of steps) {
  console.log(`\n── ${name}`);
  const started = Date.now();
  const count = run();
  total.passed += count.passed;
  total.failed += count.failed;
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  lines.push(
    `${count.failed === 0 ? "ok  " : "FAIL"} ${name}: ${count.passed} passed, ${count.failed} failed, ${seconds} s`,
  );
}
rmSync(scratch, { recursive: true, force: true });
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
  });
  return counted(status, () => {
    const read = shape.parse(JSON.parse(readFileSync(report, "utf8")));
    // A file that cannot even be loaded holds no failed test, but is a failure.
    return {
      passed: read.numPassedTests,
      failed: Math.max(read.numFailedTests, Math.min(1, read.numFailedTestSuites)),
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
    stats: z.object({ expected: z.number(), unexpected: z.number(), flaky: z.number() }),
  });
  return counted(status, () => {
    const { stats } = shape.parse(JSON.parse(readFileSync(report, "utf8")));
    return { passed: stats.expected, failed: stats.unexpected + stats.flaky };
  });
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
