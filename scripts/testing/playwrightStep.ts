import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { findChromium, INSTALL_CHROMIUM } from "../findChromium.ts";
import { failure, type Count, type FileTime } from "./count.ts";
import { runNode } from "./runNode.ts";

const playwrightError = z.object({ message: z.string().optional() });
const playwrightSuite = z.object({
  specs: z.array(
    z.object({
      title: z.string(),
      file: z.string(),
      line: z.number(),
      ok: z.boolean(),
      tests: z.array(
        z.object({
          status: z.enum(["expected", "unexpected", "flaky", "skipped"]),
          results: z.array(z.object({ errors: z.array(playwrightError), duration: z.number() })),
        }),
      ),
    }),
  ),
  get suites() {
    return z.array(playwrightSuite).optional();
  },
});
type PlaywrightSuite = z.infer<typeof playwrightSuite>;
type Spec = PlaywrightSuite["specs"][number];

const playwrightReport = z.object({
  stats: z.object({ expected: z.number(), unexpected: z.number(), flaky: z.number(), skipped: z.number() }),
  errors: z.array(playwrightError),
  suites: z.array(playwrightSuite),
});

/** Runs the window in a real Chromium; without one it names the command that installs it, and has failed. */
export async function playwrightStep(scratch: string): Promise<Count> {
  if (findChromium() === null) {
    console.log(INSTALL_CHROMIUM);
    return { passed: 0, failed: 1 };
  }
  const report = join(scratch, "playwright.json");
  const { status } = await runNode(["node_modules/@playwright/test/cli.js", "test", "--reporter=list,json"], {
    environment: { PLAYWRIGHT_JSON_OUTPUT_NAME: report },
  });
  return counted(status, () => {
    const { stats, errors, suites } = playwrightReport.parse(JSON.parse(readFileSync(report, "utf8")));
    const specs = suites.flatMap(specsOf);
    return {
      times: timesOf(specs),
      passed: stats.expected,
      // A test that another's failure kept from running has not passed, and one that passed after it failed has failed.
      failed: stats.unexpected + stats.skipped + stats.flaky,
      failures: [
        ...errors.map(({ message }) => failure("the window in Chromium", message ?? "")),
        ...specs.filter(isBroken).map(told),
      ],
    };
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

function specsOf({ specs, suites }: PlaywrightSuite): Spec[] {
  return [...specs, ...(suites ?? []).flatMap(specsOf)];
}

/** How long the tests of each file took, set-up of its own left out. */
function timesOf(specs: readonly Spec[]): FileTime[] {
  const byFile = Map.groupBy(specs, ({ file }) => file);
  return [...byFile].map(([file, its]) => ({
    name: `e2e/${file}`,
    seconds:
      its
        .flatMap(({ tests }) => tests.flatMap(({ results }) => results.map(({ duration }) => duration)))
        .reduce((sum, duration) => sum + duration, 0) / 1_000,
  }));
}

function isBroken({ ok, tests }: Spec): boolean {
  return !ok || tests.some(({ status }) => status === "flaky");
}

function told({ file, line, title, tests }: Spec): string {
  return failure(
    `e2e/${file}:${line} › ${title}`,
    ...tests.flatMap(({ results }) =>
      results.flatMap(({ errors }) => errors.map(({ message }) => message ?? "")),
    ),
  );
}
