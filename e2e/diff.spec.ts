import { expect, type Page } from "@playwright/test";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { expectAccessible, openModel, visit } from "./support/steps.ts";

/** Of the weight that is changed: the file's first bytes are its header. */
const TENSOR = "model.layers.2.mlp.up_proj.weight";

test.describe("a diff of two checkpoints", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;

  test.beforeAll(async ({ browser }) => {
    served = await startServed();
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    await page.goto(served.url);
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("opens from the overview and from the list of models, and shows what differs", async () => {
    const other = join(served.folder, "changed");
    cpSync(served.demoModel, other, { recursive: true });
    changeOne(join(other, "model.safetensors"));
    await openModel(page, other);
    await openModel(page, served.demoModel);
    await page.getByRole("button", { name: "Diff…" }).click();
    await expect(page.getByRole("region", { name: "A, the reference" })).toContainText("demo-model");
    await page.getByRole("combobox", { name: "Opened before, B" }).selectOption({ label: "changed" });
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Of 57 tensors 1 differ, 56 equal", {
      timeout: 60_000,
    });
    const table = page.getByRole("grid", { name: "Tensors" });
    await expect(table.getByRole("row")).toHaveCount(2);
    // 0x3c00 is 1 in f16; the weight that was there is small.
    await expect(table.getByRole("row").nth(1)).toContainText(TENSOR);
    await expect(table.getByRole("row").nth(1)).toContainText("differs");
    await page.getByLabel("Only what differs").uncheck();
    await expect(table.getByRole("row")).toHaveCount(58);
    await expectAccessible(page);

    await visit(page, "#/home");
    await page.getByRole("button", { name: "Diff with demo-model" }).click();
    await expect(page.getByRole("region", { name: "B", exact: true })).toContainText("not chosen");
    await visit(page, `#/diff?a=${encodeURIComponent(other)}&b=${encodeURIComponent(other)}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("All 57 tensors are equal", {
      timeout: 60_000,
    });
  });
});

/** Sets a tensor's first weight to 1. */
function changeOne(file: string): void {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<
    string,
    { data_offsets: [number, number] } | undefined
  >;
  bytes.writeUInt16LE(0x3c00, 8 + length + (header[TENSOR]?.data_offsets[0] ?? NaN));
  writeFileSync(file, bytes);
}
