import { textsOf } from "#shared/notes.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { evalReport } from "#shared/evaluation.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

it("eval says what of a recipe changes nothing: overrides of kept tensors and of none, and a recipe that quantizes nothing", async () => {
  const home = await temporaryFolder();
  const file = join(home, "recipe.json");
  const evaluate = async (more: object): Promise<{ notes: string[]; stdout: string }> => {
    await writeFile(file, JSON.stringify({ scheme: "affine", bits: 4, granularity: "group:64", ...more }));
    const argv = ["eval", DEMO.model, "--text", DEMO.text, "--tokens", "64", "--recipe", file];
    const { notes } = evalReport.parse((await runMain([...argv, "--json"])).json());
    return { notes: textsOf(notes), stdout: (await runMain(argv)).stdout };
  };
  const half = { scheme: "f16", bits: 16 };
  const kept = await evaluate({ overrides: [{ match: "*lm_head*", ...half }] });
  expect(kept.notes).toEqual([expect.stringMatching(/override for "\*lm_head\*" changes nothing: ignore/)]);
  expect(kept.stdout).toContain(kept.notes[0]);
  const none = await evaluate({ overrides: [{ match: "nomatch*", ...half }] });
  expect(none.notes).toEqual([expect.stringMatching(/"nomatch\*" matches no tensor/)]);
  const nothing = await evaluate({ ignore: ["*"] });
  expect(nothing.notes).toEqual([expect.stringMatching(/quantizes no tensor/)]);
  expect((await evaluate({})).notes).toEqual([]);
});
