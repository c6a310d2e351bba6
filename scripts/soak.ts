// Runs the tests that have a long form in it: the demo model's figures over its whole text, a hundred cancelled exports of every
// format, fuzzing at length. `npm test` runs the same tests in their short form.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vitestStep } from "./testing/vitestStep.ts";

/** How a test asks which form it is to take: test/support/soak.ts, or figures that depend on it. */
const ASKS = /support\/soak\.ts"|\bFIGURES_JUDGE\b/;
const ROOT = join(import.meta.dirname, "..");

const files = ["src", "test"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(ROOT, folder, name))
    .filter((file) => ASKS.test(readFileSync(file, "utf8"))),
);
const scratch = mkdtempSync(join(tmpdir(), "keystone-soak-"));
const {
  passed,
  failed,
  failures = [],
} = await vitestStep({
  filters: files,
  scratch,
  again: false,
  options: { environment: { KEYSTONE_SOAK: "1" } },
});
rmSync(scratch, { recursive: true, force: true });
for (const text of failures) console.log(`\n✘ ${text}`);
console.log(`\nsoak, ${files.length} files: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
