import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KeystoneError } from "#shared/errors.ts";
import type { RunDetail } from "#shared/run.ts";
import { MAX_ARCHIVE_BYTES, MAX_ENTRY_BYTES } from "#shared/runArchive.ts";
import { createStudio } from "#studio/createStudio.ts";
import type { Studio } from "#studio/context/studio.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { DEMO, FAKE_WORKER, PLAN, startStudio, temporaryFolder, VARIANTS } from "./helpers.ts";

let here: Studio;
let there: Studio;
let home: string;
let text: string;
let run: string;
let content: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "keystone-archive-"));
  text = join(home, "text.txt");
  writeFileSync(text, "Some words to score.");
  process.env["FAKE_FAIL_BITS"] = "2";
  const overrides = { device: "cpu", workers: 2, threadsPerWorker: 1 } as const;
  here = createStudio({ workerFile: FAKE_WORKER, overrides, home, version: "1.2.3" });
  const started = await here.call("job:sweep", { model: DEMO, plan: { ...PLAN, name: "Travels" }, text });
  run = started.run;
  await waitForJob(here, started.job);
  await here.call("run:note", { run, note: "What we found:\nlarge blocks fail." });
  ({ content } = await here.call("run:export", { run }));
});
afterAll(async () => {
  await here.close();
  rmSync(home, { recursive: true });
});
beforeEach(() => {
  there = startStudio({ home: temporaryFolder() });
});

const archive = (): Record<string, Uint8Array> => unzipSync(Buffer.from(content, "base64"));
const textOf = (name: string): string => strFromU8(archive()[name] ?? new Uint8Array());
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** The archive with some files changed and the manifest made to agree. */
function forged(changes: Record<string, string | Uint8Array | null>, manifest: object = {}): string {
  const files = Object.fromEntries(
    Object.entries({ ...archive(), ...changes }).flatMap(([name, file]) =>
      file === null ? [] : [[name, typeof file === "string" ? strToU8(file) : file] as const],
    ),
  );
  const named = Object.entries(files).filter(([name]) => name !== "keystone-run.json");
  const told = {
    ...(JSON.parse(textOf("keystone-run.json")) as object),
    files: Object.fromEntries(
      named.map(([name, file]) => [
        name,
        { bytes: file.length, sha256: createHash("sha256").update(file).digest("hex") },
      ]),
    ),
    ...manifest,
  };
  return base64(zipSync({ ...files, "keystone-run.json": strToU8(JSON.stringify(told)) }));
}

/** The zip with a name of the same length in place of another. */
function renamed(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return replaced(bytes, strToU8(from), strToU8(to));
}

/** The zip with a number of 32 bits in place of another: a size that is a lie. */
function resized(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
  return replaced(bytes, word(from), word(to));
}

function replaced(bytes: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  const made = Buffer.from(bytes);
  for (let at = made.indexOf(from); at >= 0; at = made.indexOf(from, at + 1)) made.set(to, at);
  return made;
}

const refusal = (given: string): Promise<unknown> =>
  there.call("run:import", { content: given }).then(
    () => null,
    (thrown: unknown) => (thrown instanceof KeystoneError ? thrown.toData() : thrown),
  );

describe("a run that travels", () => {
  it("arrives with all its numbers, its note and its details, and says that it was imported", async () => {
    const sent = await here.call("run:get", { run });
    const summary = await there.call("run:import", { content });
    expect(summary).toMatchObject({
      ...{ id: run, name: "Travels", note: "What we found:\nlarge blocks fail.", status: "done", model: "" },
      ...{ modelName: sent.summary.modelName, fingerprint: sent.summary.fingerprint, edits: 0 },
      imported: { keystone: "1.2.3", detailsLeftOut: 0 },
    });
    const arrived = await there.call("run:get", { run });
    const bare = ({ results }: RunDetail): unknown[] =>
      results.map(({ error, ...rest }) => ({ ...rest, error: error && { ...error, details: {} } }));
    expect(bare(arrived)).toEqual(bare(sent));
    const { baseline, convention, judge, best, pareto, textHash } = sent;
    expect(arrived).toMatchObject({ baseline, convention, judge, best, pareto, textHash, text: "text.txt" });
    const variant = best ?? "";
    expect(await there.call("run:variant", { run, variant })).toEqual(
      await here.call("run:variant", { run, variant }),
    );
    expect((await there.call("run:list", {})).map(({ id }) => id)).toEqual([run]);
  });

  it("says what its archive had no room for, in the run and in a report of it", async () => {
    const short = forged({ "details/0001.jsonl": null }, { detailsLeftOut: 3 });
    expect((await there.call("run:import", { content: short })).imported).toMatchObject({
      detailsLeftOut: 3,
    });
    const report = await there.call("report:make", { runs: [run], format: "markdown" });
    expect(report.content).toContain("no room for the errors by layer and tensor of 3 variants.");
  });

  it("holds no weights and no path of the machine it was made on, and a plan that can be swept again", () => {
    expect(Object.keys(archive()).sort()).toEqual(
      [
        "details/0001.jsonl",
        "keystone-run.json",
        "plan.json",
        "report.html",
        "results/0001.jsonl",
        "run.json",
      ].sort(),
    );
    for (const [name, bytes] of Object.entries(archive()))
      for (const path of [home, DEMO, text, homedir()])
        expect(`${name}: ${strFromU8(bytes).includes(path)}`).toBe(`${name}: false`);
    const plan = JSON.parse(textOf("plan.json")) as { recipes: unknown[]; judge: object };
    expect(plan.recipes).toHaveLength(VARIANTS);
    expect(plan.judge).toMatchObject(PLAN.judge);
    expect(textOf("report.html")).toContain("large blocks fail.");
  });

  it("cannot be resumed or retried where it was imported, but renamed, noted, reported, exported again and deleted", async () => {
    await there.call("run:import", { content });
    for (const call of ["run:resume", "run:retry"] as const)
      await expect(there.call(call, { run })).rejects.toMatchObject({ code: "run/imported" });
    expect(await there.call("run:note", { run, name: "Theirs", note: "looked at" })).toMatchObject({
      edits: 1,
    });
    const report = await there.call("report:make", { runs: [run], format: "markdown" });
    expect(report.content).toContain("by Keystone 1.2.3");
    expect(report.content).toContain("keystone sweep MODEL");
    const again = await there.call("run:export", { run });
    await there.call("run:delete", { run });
    const third = startStudio({ home: temporaryFolder() });
    expect(await third.call("run:import", { content: again.content })).toMatchObject({
      name: "Theirs",
      done: 18,
    });
  });

  it("comes once: a second time it is refused or replaces the import, and never replaces the run itself", async () => {
    await there.call("run:import", { content });
    expect(await refusal(content)).toMatchObject({ code: "run/already-here", details: { imported: true } });
    await here.call("run:note", { run, name: "Travels again" });
    const newer = await here.call("run:export", { run });
    expect(await there.call("run:import", { content: newer.content, replace: true })).toMatchObject({
      name: "Travels again",
    });
    await expect(here.call("run:import", { content, replace: true })).rejects.toMatchObject({
      code: "run/already-here",
      details: { imported: false },
    });
    expect((await here.call("run:get", { run })).summary).toMatchObject({
      name: "Travels again",
      imported: null,
    });
  });
});

describe("an archive from who knows where", () => {
  it("that is no zip, empty, cut off or another zip is refused", async () => {
    const whole = Buffer.from(content, "base64");
    for (const bytes of [
      strToU8("not a zip at all"),
      whole.subarray(0, whole.length - 30),
      new Uint8Array([0]),
    ])
      expect(await refusal(base64(bytes))).toMatchObject({ code: "archive/not-an-archive" });
    expect(await refusal("")).toMatchObject({ code: "archive/not-an-archive" });
    expect(await refusal(base64(zipSync({})))).toMatchObject({ code: "archive/not-an-archive" });
  });

  it("whose names lead elsewhere, are foreign or stand twice is refused by name", async () => {
    for (const name of [
      "../../etc/passwd",
      "/etc/passwd",
      "results/../run.json",
      "C:\\x",
      "__proto__",
      "notes.txt",
    ]) {
      const stand = "x".repeat(name.length);
      expect(await refusal(base64(renamed(zipSync({ [stand]: strToU8("?") }), stand, name)))).toMatchObject({
        code: "archive/unexpected-file",
        message: expect.stringContaining(JSON.stringify(name)) as string,
      });
    }
    const twin = renamed(
      zipSync({ "run.json": strToU8("{}"), "ran.json": strToU8("{}") }),
      "ran.json",
      "run.json",
    );
    expect(await refusal(base64(twin))).toMatchObject({ code: "archive/unexpected-file" });
  });

  it("that unpacks to more than a run can be is refused before it is unpacked", async () => {
    const zeros = new Uint8Array(777_777);
    const bomb = resized(zipSync({ "results/0001.jsonl": zeros }), zeros.length, MAX_ENTRY_BYTES + 1);
    expect(await refusal(base64(bomb))).toMatchObject({ code: "archive/too-large" });
    const many = Object.fromEntries(
      Array.from({ length: 17 }, (_, i) => [`details/00${10 + i}.jsonl`, zeros]),
    );
    expect(await refusal(base64(resized(zipSync(many), zeros.length, MAX_ENTRY_BYTES)))).toMatchObject({
      code: "archive/too-large",
    });
    const crowd = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`details/${1000 + i}.jsonl`, new Uint8Array()]),
    );
    expect(await refusal(base64(zipSync(crowd)))).toMatchObject({ code: "archive/unexpected-file" });
    await expect(
      there.call("run:import", { content: "A".repeat(Math.ceil(MAX_ARCHIVE_BYTES / 3) * 4 + 4) }),
    ).rejects.toMatchObject({ code: "usage/invalid-arguments" });
  });

  it("that lies about a file's size unpacks no more than it said, and is refused", async () => {
    const bytes = resized(zipSync({ "results/0001.jsonl": new Uint8Array(777_777) }), 777_777, 10);
    expect(await refusal(base64(bytes))).toMatchObject({ code: "archive/not-an-archive" });
  });

  it("of version 1, whose recipes are in the earlier words and whose notes are sentences alone, is read", async () => {
    const earlier = (text: string): string =>
      text
        .replaceAll('"scheme":"affine"', '"codec":"rtn"')
        .replaceAll('"granularity":', '"block":')
        .replaceAll('"range":', '"clip":')
        .replaceAll('"ignore":', '"keep":')
        .replaceAll('"excludeFromRange":', '"holdOut":');
    const rows = earlier(textOf("results/0001.jsonl"));
    expect(rows).toContain('"codec":"rtn"');
    const kept = JSON.stringify({
      ...(JSON.parse(textOf("run.json")) as object),
      notes: ["A  note of then."],
    });
    const content = forged({ "results/0001.jsonl": rows, "run.json": kept }, { version: 1 });
    const fresh = startStudio({ home: temporaryFolder() });
    await fresh.call("run:import", { content });
    const { results, notes } = await fresh.call("run:get", { run });
    expect(notes).toEqual([{ code: "earlier", text: "A note of then." }]);
    expect(results.map(({ id, recipe }) => [id, recipe.scheme])).toEqual(
      (await here.call("run:get", { run })).results.map(({ id, recipe }) => [id, recipe.scheme]),
    );
  });

  it("of a later version, or of another shape, says which", async () => {
    expect(await refusal(forged({}, { version: 3 }))).toMatchObject({
      code: "archive/newer",
      message: "The archive has version 3; this Keystone reads versions up to 2.",
    });
    const cases: [Record<string, string | null>, RegExp][] = [
      [{ "run.json": "[]" }, /run\.json/],
      [{ "run.json": "{" }, /run\.json is not JSON/],
      [{ "run.json": textOf("run.json").replace(run, "../../x") }, /run\.json: .*id/],
      [{ "run.json": textOf("run.json").replace('"done"', '"running"') }, /status/],
      [
        {
          "results/0001.jsonl": textOf("results/0001.jsonl").replace('"scheme":"affine"', '"scheme":"evil"'),
        },
        /line 1/,
      ],
      [{ "results/0001.jsonl": textOf("results/0001.jsonl").repeat(2) }, /twice/],
      [{ "results/0001.jsonl": '{"id":"x"}\n' }, /line 1/],
      [{ "details/0001.jsonl": textOf("details/0001.jsonl").repeat(2) }, /twice/],
    ];
    for (const [changes, message] of cases)
      expect(await refusal(forged(changes))).toMatchObject({
        code: "archive/invalid",
        message: expect.stringMatching(message) as string,
      });
    expect(await there.call("run:list", {})).toEqual([]);
  });

  it("with a file changed, missing or unannounced is damaged", async () => {
    const changed = base64(zipSync({ ...archive(), "run.json": strToU8(`${textOf("run.json")} `) }));
    const without = archive();
    delete without["run.json"];
    for (const given of [
      changed,
      base64(zipSync(without)),
      base64(zipSync({ ...archive(), "details/0009.jsonl": strToU8("{}") })),
    ])
      expect(await refusal(given)).toMatchObject({ code: "archive/damaged" });
  });

  it("cannot put control characters, a false label or a page of its own into the window", async () => {
    const given = forged({
      "run.json": textOf("run.json").replace('"Travels"', JSON.stringify("a\u001b[2J\u202Eb\nc")),
      "results/0001.jsonl": textOf("results/0001.jsonl").replaceAll(
        /"label":"[^"]*"/g,
        '"label":"the best of all"',
      ),
      "report.html": "<script>alert(1)</script>",
    });
    expect(await there.call("run:import", { content: given })).toMatchObject({ name: "a [2J b c" });
    const detail = await there.call("run:get", { run });
    expect(detail.results[0]?.label).toBe("affine2, group 64");
    const report = await there.call("report:make", { runs: [run] });
    expect(report.content).not.toContain("alert(1)");
  });

  it("is refused with an archive error whatever bytes it holds, and nothing is kept of it", async () => {
    const whole = Buffer.from(content, "base64");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 24,
        }),
        fc.option(fc.nat(whole.length - 1)),
        async (changes, cut) => {
          const bytes = Uint8Array.from(cut === null ? whole : whole.subarray(0, cut));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const error = await refusal(base64(bytes));
          // Bytes of the report, or of the zip's own idle fields, change nothing that is read.
          if (error === null) await there.call("run:delete", { run });
          else expect(error).toMatchObject({ code: expect.stringMatching(/^archive\//) as string });
          expect(await there.call("run:list", {})).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  }, 120_000);
});
