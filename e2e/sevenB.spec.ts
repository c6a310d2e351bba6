import { expect } from "@playwright/test";
import { join } from "node:path";
import { SEVEN_B } from "../bench/checkpointShape.ts";
import { writeSparseCheckpoint } from "../bench/sparseCheckpoint.ts";
import { test } from "./support/served.ts";
import { openModel } from "./support/steps.ts";

test("a 7 B-shaped checkpoint opens and its overview lists every tensor", async ({
  keystone: page,
  served,
}) => {
  const folder = join(served.folder, "seven-b");
  const names = await writeSparseCheckpoint(folder, SEVEN_B);
  await openModel(page, folder);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("6.74 B parameters in 32 layers");
  await expect(page.getByRole("main")).toContainText("6,738,415,616 parameters in 291 tensors · 3 files");
  const table = page.getByRole("grid", { name: "Tensors" });
  await expect(table).toHaveAttribute("aria-rowcount", String(names.length + 1));
  await table.focus();
  const listed = new Set<string>();
  await expect
    .poll(
      async () => {
        // What scrolled away is not in the page any more: the names are gathered on the way down.
        const shown = await table
          .locator("tbody td:first-child [title]")
          .evaluateAll((cells) => cells.map((cell) => cell.getAttribute("title")));
        for (const name of shown) if (name !== null) listed.add(name);
        await table.press("PageDown");
        return names.filter((name) => !listed.has(name)).length;
      },
      { intervals: [100], timeout: 60_000 },
    )
    .toBe(0);
});
