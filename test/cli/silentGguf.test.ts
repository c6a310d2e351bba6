import { copyFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { evalReport } from "#shared/evaluation.ts";
import { exportReport } from "#shared/exporting.ts";
import { modelSummary } from "#shared/model.ts";
import { textsOf } from "#shared/notes.ts";
import { editedGguf } from "../support/editedGguf.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { demoGguf } from "./demoGguf.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

const SAID = /tokenizer\.ggml\.pre is missing/;

it("a GGUF file that leaves BOS and rules to llama.cpp's defaults is judged by them, and inspect, eval and export say so", async () => {
  const file = await demoGguf(runMain, await temporaryFolder());
  const home = await temporaryFolder();
  const evaluate = async (model: string) =>
    evalReport.parse(
      (await runMain(["eval", model, "--text", DEMO.text, "--tokens", "400", "--json"])).json(),
    );
  const whole = await evaluate(file);

  const silent = await editedGguf(file, join(home, "silent.gguf"), (metadata) => {
    metadata.delete("tokenizer.ggml.add_bos_token");
    metadata.set("tokenizer.ggml.pre", { type: "string", value: "llama-bpe" });
  });
  const led = await evaluate(silent);
  expect(led.convention).toEqual(whole.convention);
  expect(led.notes).toEqual([]);

  const out = await temporaryFolder();
  const nameless = await editedGguf(file, join(out, "nameless.gguf"), (metadata) => {
    metadata.delete("tokenizer.ggml.pre");
  });
  const inspected = modelSummary
    .pick({ notes: true })
    .parse((await runMain(["inspect", nameless, "--json"])).json());
  expect(textsOf(inspected.notes)).toContainEqual(expect.stringMatching(SAID));
  expect(textsOf((await evaluate(nameless)).notes)).toEqual([expect.stringMatching(SAID)]);
  const recipe = join(home, "recipe.json");
  await writeFile(recipe, JSON.stringify({ scheme: "q8_0", bits: 8, granularity: "group:32" }));
  const argv = [
    "export",
    nameless,
    "--recipe",
    recipe,
    "--format",
    "gguf",
    "--out",
    join(home, "again"),
    "--json",
  ];
  const exported = exportReport.parse((await runMain(argv)).json());
  expect(textsOf(exported.notes)).toContainEqual(expect.stringMatching(SAID));

  // a tokenizer.json beside it goes first, so there is nothing to say
  await copyFile(join(DEMO.model, "tokenizer.json"), join(dirname(nameless), "tokenizer.json"));
  expect((await evaluate(dirname(nameless))).notes).toEqual([]);
});
