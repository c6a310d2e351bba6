import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { oldStore, temporaryFolder } from "../studio/helpers.ts";
import { runMain, type Outcome } from "./runMain.ts";

const listed = z.object({
  runs: z.array(z.object({ id: z.string(), note: z.string(), imported: z.unknown() })),
});

function at(home: string): (...argv: string[]) => Promise<Outcome> {
  return (...argv) => runMain(argv, { env: { KEYSTONE_HOME: home }, cwd: home });
}

describe("runs note", () => {
  it("writes, shows, undoes and removes a note, and changes the title", async () => {
    const { home, run } = oldStore();
    const keystone = at(home);
    const short = run.slice(0, 8);
    expect((await keystone("runs", "note", short, "Group 64 is enough.")).stdout).toBe(
      "Kept of old\nGroup 64 is enough.\n",
    );
    expect((await keystone("runs", "show", short)).stdout).toContain("Group 64 is enough.");
    const titled = await keystone("runs", "note", run, "--title", "Blocks", "--json");
    expect(titled.json()).toMatchObject({ id: run, name: "Blocks", note: "Group 64 is enough.", edits: 2 });
    expect((await keystone("runs", "note", run, "--undo")).stdout).toBe("Kept of old\nGroup 64 is enough.\n");
    expect((await keystone("runs", "note", run, "")).stdout).toBe("Kept of old\nNo note.\n");
    expect((await keystone("runs", "note", run)).stdout).toBe("Kept of old\nNo note.\n");
  });

  it("refuses an undo with a text, an undo of nothing, and a run that is not there", async () => {
    const { home, run } = oldStore();
    const keystone = at(home);
    expect(await keystone("runs", "note", run, "x", "--undo")).toMatchObject({ code: 2, stdout: "" });
    const nothing = await keystone("runs", "note", run, "--undo");
    expect(nothing).toMatchObject({ code: 1 });
    expect(nothing.stderr).toContain("is left to undo");
    expect((await keystone("runs", "note", "nowhere", "x")).stderr).toContain("There is no run nowhere");
  });
});

describe("runs export and runs import", () => {
  it("carry a run from one store to another, where it is listed as imported", async () => {
    const from = oldStore();
    const [here, home] = [at(from.home), temporaryFolder()];
    const there = at(home);
    await here("runs", "note", from.run, "travels");
    const file = join(from.home, "a run.keystone-run");
    const written = await here("runs", "export", from.run, "-o", file, "--json");
    expect(written.json()).toMatchObject({ run: from.run, out: file, bytes: readFileSync(file).length });
    const imported = await there("runs", "import", file);
    expect(imported.stdout).toBe(`Imported run ${from.run} (Kept of old): 4 of 4 variants scored.\n`);
    const { runs } = listed.parse((await there("runs", "--json")).json());
    expect(runs).toMatchObject([
      { id: from.run, note: "travels", imported: { keystone: expect.any(String) as string } },
    ]);
    expect((await there("runs")).stdout).toContain("done, imported");
    expect((await there("runs", "show", from.run)).stdout).toMatch(
      /Imported \d{4}-\d\d-\d\d: scored elsewhere in demo-model/,
    );
    expect((await there("runs", "import", file)).stderr).toContain("was imported already");
    expect(await there("runs", "import", file, "--replace")).toMatchObject({ code: 0 });
    expect((await there("sweep", from.home, "--plan", file, "--resume", from.run)).code).not.toBe(0);
  });

  it("names the file itself, overwrites only when asked, and takes nothing that is no archive", async () => {
    const { home, run } = oldStore();
    const keystone = at(home);
    const named = z
      .object({ out: z.string() })
      .parse((await keystone("runs", "export", run, "--json")).json()).out;
    expect(named).toMatch(new RegExp(`keystone-demo-model-.*-${run.slice(0, 8)}\\.keystone-run$`));
    expect(existsSync(named)).toBe(true);
    expect(await keystone("runs", "export", run, "-o", named)).toMatchObject({ code: 2 });
    expect(await keystone("runs", "export", run, "-o", named, "--overwrite")).toMatchObject({ code: 0 });
    const wrong = join(home, "wrong.zip");
    writeFileSync(wrong, "no zip");
    const refused = await keystone("runs", "import", wrong);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^error: This is no zip file that can be read .*\n$/);
    expect(await keystone("runs", "import", join(home, "missing"))).toMatchObject({ code: 2 });
  });
});

describe("runs table", () => {
  it("sets all variants of several runs side by side, with what is equal above", async () => {
    const [one, two] = [oldStore(), oldStore(3)];
    const here = at(one.home);
    const file = join(two.home, "second.keystone-run");
    await at(two.home)("runs", "export", two.run, "-o", file);
    await here("runs", "import", file);
    const shown = (await here("runs", "table")).stdout;
    expect(shown).toContain("Equal everywhere: Run Kept of old · Model demo-model");
    expect(shown).toMatch(/From +Scheme/);
    expect(shown.split("\n").filter((line) => line.includes("affine"))).toHaveLength(8);
    const whole = z
      .object({
        measured: z.array(z.unknown()),
        rows: z.array(z.object({ run: z.string(), imported: z.boolean() })),
      })
      .parse((await here("runs", "table", one.run, two.run, "--json")).json());
    expect(whole.rows.map(({ imported }) => imported)).toEqual(Array.from({ length: 8 }, (_, i) => i >= 4));
    expect(whole.measured).toHaveLength(1);
  });

  it("is written to a file by its ending, and refuses endings that name no format", async () => {
    const { home, run } = oldStore();
    const keystone = at(home);
    for (const [ending, begin] of [
      ["csv", "Run,Model"],
      ["md", "Equal everywhere"],
      ["json", "{"],
    ] as const) {
      const out = join(home, `table.${ending}`);
      expect(await keystone("runs", "table", run.slice(0, 8), "-o", out)).toMatchObject({ code: 0 });
      expect(readFileSync(out, "utf8").startsWith(begin)).toBe(true);
      expect(await keystone("runs", "table", run, "-o", out)).toMatchObject({ code: 2 });
    }
    for (const wrong of ["table.xlsx", "table", "x.constructor"])
      expect(await keystone("runs", "table", run, "-o", join(home, wrong))).toMatchObject({ code: 2 });
  });
});
