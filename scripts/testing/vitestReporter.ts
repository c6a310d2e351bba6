import { writeFileSync } from "node:fs";
import type { SerializedError } from "vitest";
import type { Reporter, TestModule, TestSpecification } from "vitest/node";
import { REPORT_VARIABLE, type TestFile, type VitestReport } from "./vitestReport.ts";

/** Writes what a run came to, errors outside every test among it, to the file that the environment names. */
export default class KeystoneReporter implements Reporter {
  #asked: readonly string[] = [];

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#asked = specifications.map(({ moduleId }) => moduleId);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const path = process.env[REPORT_VARIABLE];
    if (!path) throw new Error(`${REPORT_VARIABLE} does not say where the report goes.`);
    const told = new Set(modules.map(({ moduleId }) => moduleId));
    const files = [
      ...modules.map((module) => fileOf(module, unhandled)),
      ...this.#asked.filter((name) => !told.has(name)).map(lost),
    ];
    const report: VitestReport = {
      files,
      unattributed: unhandled
        .map(textOf)
        .filter((text) => !files.some(({ outside }) => outside.includes(text))),
    };
    writeFileSync(path, JSON.stringify(report));
  }
}

/** A file that nothing was heard of: the process that it shared with others ended. */
function lost(name: string): TestFile {
  return { name, finished: false, seconds: 0, outside: [], tests: [] };
}

function fileOf(module: TestModule, unhandled: readonly SerializedError[]): TestFile {
  const { moduleId: name } = module;
  const { collectDuration, duration } = module.diagnostic();
  return {
    name,
    // a file whose process ended stays where it was
    finished: module.state() === "passed" || module.state() === "failed" || module.state() === "skipped",
    seconds: (collectDuration + duration) / 1_000,
    outside: [...module.errors().map(textOf), ...unhandled.filter((error) => isOf(error, name)).map(textOf)],
    tests: [...module.children.allTests()].map((test) => {
      const result = test.result();
      return {
        name: test.fullName,
        state: result.state,
        errors: (result.errors ?? []).map(textOf),
      };
    }),
  };
}

/** An error that came while a file ran, or that ended its process. */
function isOf(error: SerializedError, file: string): boolean {
  return error["VITEST_TEST_PATH"] === file || textOf(error).includes(file);
}

function textOf({ message, stack, cause }: SerializedError): string {
  const own = stack?.includes(message) ? stack : `${message}\n${stack ?? ""}`;
  return cause?.message ? `${cause.message}\n${own}` : own;
}
