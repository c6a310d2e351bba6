import { defineConfig } from "vitest/config";
import { keepCompiled } from "./scripts/testing/compileCache.ts";

keepCompiled();

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Bounds a hang, not a speed: a busy machine may take many times as long as a free one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
