import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { slowest, type Count } from "../../scripts/testing/count.ts";
import { vitestStep } from "../../scripts/testing/vitestStep.ts";

const PASSES = `it("holds", () => {});`;
/** Fails until the file beside it is there, which it leaves. */
const onlyTheFirstTime = (doing: string): string => `
  import { existsSync, writeFileSync, writeSync } from "node:fs";
  it("is calm", () => {});
  it("is moody", () => {
    const been = import.meta.filename + ".been";
    if (existsSync(been)) return;
    writeFileSync(been, "");
    ${doing}
  });
  it("comes after", () => {});`;
/** As V8 does when a check of its own fails. */
const ABORTS = onlyTheFirstTime(
  `writeSync(2, "# Fatal error in , line 0\\n# Check failed: it_holds.\\n"); process.abort();`,
);

/** Runs the step on tests of these texts. */
async function stepOn(
  files: Readonly<Record<string, string>>,
  again = true,
  more: readonly string[] = [],
): Promise<Count> {
  const cwd = mkdtempSync(join(tmpdir(), "keystone-vitest-step-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, `${name}.test.js`), text);
  return vitestStep({
    ...{ filters: [], scratch: cwd, again, options: { cwd, quiet: true } },
    args: ["--root", cwd, "--globals", "--pool=forks", "--maxWorkers=1", ...more],
  });
}

it("a file whose process ends is run once more, and named though it passes then", async () => {
  const count = await stepOn({ good: PASSES, crashing: ABORTS });
  expect(count).toMatchObject({ passed: 4, failed: 0, failures: [] });
  expect(count.secondTries).toEqual([expect.stringMatching(/crashing\.test\.js: its process ended/)]);
});

it("where files share a process, one that ends it takes no other with it: none is lost", async () => {
  const count = await stepOn({ a: PASSES, crashing: ABORTS, z: PASSES }, true, ["--no-isolate"]);
  expect(count).toMatchObject({ passed: 5, failed: 0, failures: [] });
  expect(count.secondTries).toContainEqual(expect.stringMatching(/crashing\.test\.js: its process ended/));
  const every = ABORTS.replace("if (existsSync(been)) return;", "");
  const never = await stepOn({ a: PASSES, crashing: every, z: PASSES }, true, ["--no-isolate"]);
  expect(never.failed).toBeGreaterThan(0);
});

/** Time for what failed to reach the runner: what a process keeps to itself is lost with it. */
const REPORTED = `it("takes a while", () => new Promise((resolve) => setTimeout(resolve, 1500)));`;
const MOODY = onlyTheFirstTime("expect(1).toBe(2);");

it("a test that failed has failed, though it would pass the second time", async () => {
  const count = await stepOn({ moody: MOODY });
  expect(count).toMatchObject({ passed: 2, failed: 1 });
  expect(count.secondTries ?? []).toEqual([]);
  expect(count.failures).toEqual([expect.stringMatching(/moody\.test\.js › .*is moody[\s\S]*to be 2/)]);
});

it("it has failed too where another file's process ended, or its own did afterwards", async () => {
  const beside = await stepOn({ crashing: ABORTS, moody: MOODY });
  expect(beside).toMatchObject({ passed: 5, failed: 1 });
  expect(beside.failures).toEqual([expect.stringMatching(/moody\.test\.js › .*is moody/)]);
  expect(beside.secondTries).toEqual([expect.stringMatching(/crashing\.test\.js: its process ended/)]);
  const before = await stepOn({ both: `it("is wrong", () => expect(1).toBe(2));${REPORTED}${ABORTS}` });
  expect(before.failures?.[0]).toMatch(/both\.test\.js › .*is wrong[\s\S]*to be 2/);
  expect(before.secondTries ?? []).toEqual([]);
});

it("a process that ends every time is a failure that says where, with every test that it kept from running", async () => {
  const count = await stepOn({ crashing: ABORTS.replace("if (existsSync(been)) return;", "") });
  expect(count.passed + count.failed).toBe(3);
  expect(count.failed).toBeGreaterThanOrEqual(2);
  expect(count.failures).toEqual([
    expect.stringMatching(/crashing\.test\.js: its process ended[\s\S]*Check failed: it_holds/),
  ]);
  expect(count.secondTries).toHaveLength(1);
});

const UNHEARD = `it("holds", () => void Promise.reject(new Error("nobody hears")));`;

it("an error outside every test fails its file, whatever else is run once more", async () => {
  const alone = await stepOn({ good: UNHEARD });
  expect(alone).toMatchObject({ passed: 1, failed: 1 });
  expect(alone.failures).toEqual([expect.stringMatching(/good\.test\.js[\s\S]*nobody hears/)]);
  const beside = await stepOn({ good: UNHEARD, crashing: ABORTS });
  expect(beside).toMatchObject({ passed: 4, failed: 1 });
  expect(beside.failures).toEqual([expect.stringMatching(/good\.test\.js[\s\S]*nobody hears/)]);
  expect(beside.secondTries).toHaveLength(1);
});

it("a runner that leaves no report, or finds nothing, is a failure and no end of the others", async () => {
  const nowhere = await stepOn({ good: PASSES }, true, ["--config", "/nowhere/vitest.config.ts"]);
  expect(nowhere).toMatchObject({ passed: 0, failed: 1 });
  expect(nowhere.failures).toEqual([expect.stringContaining("left no report")]);
  expect(await stepOn({})).toMatchObject({ passed: 0, failed: 1 });
});

it("nothing is run again where nobody asked for it; a test that is skipped has not passed", async () => {
  const count = await stepOn({ crashing: ABORTS }, false);
  expect(count.failed).toBeGreaterThan(0);
  expect(await stepOn({ lazy: `it.skip("later", () => {});` })).toMatchObject({ passed: 0, failed: 1 });
});

it("says of each file how long it took, and names the slowest first", async () => {
  const { times = [] } = await stepOn({ good: PASSES, slow: REPORTED });
  expect(times.map(({ name }) => basename(name)).toSorted()).toEqual(["good.test.js", "slow.test.js"]);
  const [first, second] = slowest(times);
  expect(first).toMatch(/^ +\d+ s {2}.*slow\.test\.js$/);
  expect(second).toContain("good.test.js");
});
