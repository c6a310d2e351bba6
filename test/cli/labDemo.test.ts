import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { labReport } from "#shared/lab/index.ts";
import { DEMO_LOGITS, expectSum, float32Bound } from "../support/rounding.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

/** How far the model without its super weight must be from the original: measured 10⁷ on this text. */
const DESTROYED = 1e4;

it("an experiment on the demo model is run, kept and written down as a report", async () => {
  const home = await temporaryFolder();
  const keystone = (...argv: string[]) => runMain(argv, { cwd: home });

  const judge = ["--tokens", "200", "--context", "64"];
  const run = await keystone("lab", "sensitivity", DEMO.model, "--factors", "0,1", ...judge, "--json");
  expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: "" });
  const { id } = z.object({ id: z.string() }).parse(run.json());
  const report = labReport.parse(run.json());
  if (report.experiment !== "sensitivity") throw new Error(`It was ${report.experiment}.`);
  const [gone, same] = report.points;
  const original = report.original?.perplexity ?? NaN;
  expect((gone?.perplexity ?? NaN) > original * DESTROYED).toBe(true);
  expectSum(same?.perplexity, original, float32Bound({ ...DEMO_LOGITS, magnitude: original }));
  expect(report).toMatchObject({ complete: true, modelName: "demo-model", superWeights: [[1, 137, 401]] });

  const list = await keystone("lab", "list");
  expect(list.stdout).toMatch(new RegExp(`^sensitivity +${id} `, "m"));
  expect((await keystone("lab", "show", id, "--json")).json()).toEqual(run.json());

  const written = await keystone("report", id, "--out", "report.html", "--json");
  expect(written.json()).toMatchObject({ format: "html", runs: [], lab: [id] });
  const page = await readFile(join(home, "report.html"), "utf8");
  expect(page).toContain('<figure id="lab-1-sensitivity-perplexity">');
  expect(page).toContain(report.finding.text.replaceAll("'", "&#39;"));
  expect(page).toContain("its super weight was seeded before training");
  expect(page).toContain("keystone lab sensitivity");
  expect((await readdir(home)).filter((name) => name.endsWith(".part"))).toEqual([]);

  expect((await keystone("lab", "delete", id)).code).toBe(0);
  expect((await keystone("lab", "show", id)).code).toBe(1);
});
