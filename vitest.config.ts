import { defineConfig } from "vitest/config";
import { keepCompiled } from "./scripts/testing/compileCache.ts";
import { testFiles } from "./scripts/testing/testFiles.ts";

keepCompiled();

const { apart, together } = testFiles();

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    // Bounds a hang, not a speed: a busy machine may take many times as long as a free one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      { extends: true, test: { name: "apart", include: apart } },
      { extends: true, test: { name: "together", include: together, isolate: false } },
    ],
  },
});
