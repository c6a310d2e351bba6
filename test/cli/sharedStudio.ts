import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Studio } from "#studio/context/studio.ts";
import type { Dependencies } from "../../src/cli/session/dependencies.ts";
import { runMain, type Outcome, type RunOptions } from "./runMain.ts";

/**
 * Runs command lines whose studios, of one file of tests, are one: its threads and the model they hold open serve every command, and
 * what was found once (super weights) is known to the next. Its home goes with the file; a home that a command names counts for
 * nothing. It computes on one core where a command does not say otherwise, since files run side by side. Not for tests of a
 * command's start, end or home.
 */
export function sharedStudio(): (argv: readonly string[], options?: RunOptions) => Promise<Outcome> {
  const home = mkdtempSync(join(tmpdir(), "keystone-test-"));
  const studios = new Map<string, Studio>();
  afterAll(async () => {
    for (const studio of studios.values()) await studio.close();
    rmSync(home, { recursive: true, force: true });
  });
  const dependencies: Dependencies = {
    createStudio: async (options) => {
      const { createStudio } = await import("#studio/createStudio.ts");
      const overrides = { device: "cpu", threadsPerWorker: 1, ...options.overrides } as const;
      const key = JSON.stringify(overrides);
      const studio =
        studios.get(key) ?? createStudio({ ...options, overrides, home: join(home, String(studios.size)) });
      studios.set(key, studio);
      return { ...studio, close: () => Promise.resolve() };
    },
  };
  return (argv, options) => runMain(argv, { dependencies, ...options });
}
