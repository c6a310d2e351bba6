// Runs everything there is to run and ends with one line that counts it: types, lint, format, unit + integration +
// golden tests, and the window in a real Chromium. Arguments are passed to Vitest and run only the tests they name.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checksStep } from "./testing/checks.ts";
import { slowest, type Count, type FileTime } from "./testing/count.ts";
import { playwrightStep } from "./testing/playwrightStep.ts";
import { vitestStep } from "./testing/vitestStep.ts";

const scratch = mkdtempSync(join(tmpdir(), "keystone-test-"));
const only = process.argv.slice(2);

const steps: [name: string, run: () => Promise<Count>][] =
  only.length > 0
    ? [["tests", () => vitestStep({ filters: only, scratch, again: false })]]
    : [
        ["types, lint and format", () => checksStep()],
        ["unit, integration and golden tests", () => vitestStep({ filters: [], scratch, again: true })],
        ["the window in Chromium", () => playwrightStep(scratch)],
        ["the package's layout", () => checksStep([["the package's layout", ["scripts/checkPackage.ts"]]])],
      ];

const total = { passed: 0, failed: 0 };
const lines: string[] = [];
const failures: string[] = [];
const secondTries: string[] = [];
const times: FileTime[] = [];
for (const [name, run] of steps) {
  console.log(`\n── ${name}`);
  const started = Date.now();
  const count = await run();
  total.passed += count.passed;
  total.failed += count.failed;
  failures.push(...(count.failures ?? []));
  secondTries.push(...(count.secondTries ?? []));
  times.push(...(count.times ?? []));
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const tries = count.secondTries?.length ? `, ${count.secondTries.length} run a second time` : "";
  lines.push(
    `${count.failed === 0 ? "ok  " : "FAIL"} ${name}: ${count.passed} passed, ${count.failed} failed${tries}, ${seconds} s`,
  );
}
rmSync(scratch, { recursive: true, force: true });
for (const text of failures) console.log(`\n✘ ${text}`);
for (const text of secondTries) console.log(`\n↻ run a second time: ${text}`);
console.log(`\nThe slowest files:\n${slowest(times).join("\n")}`);
console.log(`\n${lines.join("\n")}\n`);
console.log(`${secondTries.length} test files run a second time, because their process had ended`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
