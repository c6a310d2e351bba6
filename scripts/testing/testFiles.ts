import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** Folders whose tests start studios, servers and processes, or stand for a window. */
const APART = /^(test\/(cli|electron|peers|scripts|serve|studio)|src\/renderer)\//;
/** What a test does to its process that another file's tests would see: modules, globals, clocks and the environment. */
const LEAVES_TRACES = /\bvi\.(?!fn\b)|\bprocess\.env\b|\bprocess\.chdir\b|\bglobalThis\b/;

/**
 * Every file of tests, as paths below the project's folder: those that need a process of their own, and those that share one with
 * others. A process and the modules it loads cost more than most tests of the engine.
 */
export function testFiles(): { apart: string[]; together: string[] } {
  const files = globSync("{src,test}/**/*.test.ts", { cwd: ROOT })
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
  const { apart = [], together = [] } = Object.groupBy(files, (file) =>
    needsProcess(file, readFileSync(join(ROOT, file), "utf8")) ? "apart" : "together",
  );
  return { apart, together };
}

/** Whether a file of tests, by its place and its text, may not share a process. */
export function needsProcess(file: string, text: string): boolean {
  return APART.test(file) || LEAVES_TRACES.test(text);
}
