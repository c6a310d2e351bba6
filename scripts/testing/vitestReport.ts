import { z } from "zod";

/** Names the file that the reporter writes. */
export const REPORT_VARIABLE = "KEYSTONE_VITEST_REPORT";

const testFile = z.object({
  name: z.string(),
  /** False where its process ended before it did. */
  finished: z.boolean(),
  /** Its imports and its tests. */
  seconds: z.number(),
  /** Errors of the file itself, and those that came from no test of it: hooks, rejections that nobody heard, a process that ended. */
  outside: z.array(z.string()),
  tests: z.array(
    z.object({
      name: z.string(),
      state: z.enum(["passed", "failed", "skipped", "pending"]),
      errors: z.array(z.string()),
    }),
  ),
});
export type TestFile = z.infer<typeof testFile>;

/** What a run of Vitest came to. */
export const vitestReport = z.object({
  files: z.array(testFile),
  /** Errors that belong to no file. */
  unattributed: z.array(z.string()),
});
export type VitestReport = z.infer<typeof vitestReport>;
