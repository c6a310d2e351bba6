import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { recipeId } from "#engine/recipe/recipeId.ts";
import { EARLIER } from "#shared/notes.ts";
import { parseRecipe } from "#shared/plan.ts";
import { MIGRATIONS } from "#studio/store/migrations.ts";
import { oldStore, startStudio, STORES, temporaryFolder } from "./helpers.ts";

/** Notes were sentences alone. */
function withNote(home: string, note: string): void {
  const database = new DatabaseSync(join(home, "keystone.sqlite"));
  database.prepare("UPDATE runs SET notes = ?").run(JSON.stringify([note]));
  database.close();
}

for (const file of readdirSync(STORES)) {
  describe(`a run kept in ${file}`, () => {
    it("is read whole, noted, reported and exported by this version", async () => {
      const version = Number(/version-(\d+)/.exec(file)?.[1]);
      expect(version).toBeLessThan(MIGRATIONS.length);
      const { home, run } = oldStore(version);
      withNote(home, "A note of then.");
      const studio = startStudio({ home });
      const [summary] = await studio.call("run:list", {});
      expect(summary).toMatchObject({
        ...{
          id: run,
          name: "Kept of old",
          note: "",
          edits: 0,
          imported: null,
          status: "done",
          done: 4,
          total: 4,
        },
      });
      const detail = await studio.call("run:get", { run });
      expect(detail.notes).toEqual([{ code: EARLIER, text: "A note of then." }]);
      expect(detail.results.map(({ label }) => label)).toEqual([
        "affine3, group 64",
        "affine3, group 64, restored",
        "affine4, group 64",
        "affine4, group 64, restored",
      ]);
      expect(detail.results.every(({ perplexity, kl }) => perplexity !== null && kl?.mean != null)).toBe(
        true,
      );
      expect(detail.baseline?.tokens).toBeGreaterThan(0);
      const [first] = detail.results;
      // It was kept in the words of then; its id is made of them, and is what it was.
      expect(first?.recipe).toEqual(
        parseRecipe({ scheme: "affine", bits: 3, granularity: "group:64", restore: "none" }),
      );
      expect(detail.results.map(({ id }) => id)).toEqual(
        detail.results.map(({ recipe }) => recipeId(recipe)),
      );
      const { tensors } = await studio.call("run:variant", { run, variant: first?.id ?? "" });
      expect(tensors).toHaveLength(3);

      expect(await studio.call("run:note", { run, note: "still here" })).toMatchObject({ edits: 1 });
      const report = await studio.call("report:make", { runs: [run], format: "markdown" });
      expect(report.content).toContain("still here");
      const { content } = await studio.call("run:export", { run });
      const elsewhere = startStudio({ home: temporaryFolder() });
      const imported = await elsewhere.call("run:import", { content });
      expect(imported).toMatchObject({ id: run, done: 4, note: "still here" });
      expect((await elsewhere.call("run:get", { run })).results).toEqual(detail.results);
    });
  });
}
