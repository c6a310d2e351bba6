import { runNode } from "./runNode.ts";
import type { Count } from "./count.ts";

/** Checks that pass or fail as a whole. Those of one group run side by side: each keeps one core busy. */
type Check = readonly [name: string, args: readonly string[]];

const ESLINT = "node_modules/eslint/bin/eslint.js";
/** The window and its tests have types of their own, so that linting them apart computes nothing twice. */
const WINDOW = ["src/renderer", "e2e"];
const LINT: readonly Check[] = [
  ["lint of the window", [ESLINT, ...WINDOW]],
  ["lint of all else", [ESLINT, ".", ...WINDOW.flatMap((folder) => ["--ignore-pattern", folder])]],
];
export const CHECKS: readonly Check[] = [
  ...LINT,
  ["types", ["scripts/typecheck.ts"]],
  ["format", ["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."]],
];

/** Runs checks side by side; what each printed comes in one piece when it has ended. */
export async function checksStep(checks: readonly Check[] = CHECKS): Promise<Count> {
  const counts = await Promise.all(
    checks.map(async ([name, args]): Promise<Count> => {
      const started = Date.now();
      const { status, output } = await runNode(args, { collect: true });
      const seconds = ((Date.now() - started) / 1000).toFixed(0);
      console.log(`${status === 0 ? "ok  " : "FAIL"} ${name}, ${seconds} s\n${output}`.trimEnd());
      return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, failures: [name] };
    }),
  );
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
    failures: counts.flatMap(({ failures }) => failures ?? []),
  };
}
