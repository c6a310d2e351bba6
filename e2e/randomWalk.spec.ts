// Whatever a person does, and in whatever order: what the heading, the table, the receipt and the button of a screen say belongs to
// one model, run and variant, and the export that results is that one.
import { expect, type Page } from "@playwright/test";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { manifest } from "#engine/export/manifest/manifest.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { scaleWeights } from "./support/scaledCopy.ts";
import { startServed } from "./support/served.ts";
import {
  ask,
  momentOf,
  oneOf,
  pressOne,
  randomFrom,
  type Moment,
  type Pressed,
  type WalkedRun,
} from "./support/walk.ts";
import { test } from "./support/quietTest.ts";

/** KEYSTONE_WALK_SEED and KEYSTONE_WALK_STEPS walk another way, or further. */
const SEED = Number(process.env["KEYSTONE_WALK_SEED"] ?? 20_261_127);
const STEPS = Number(process.env["KEYSTONE_WALK_STEPS"] ?? 500);
const WALK_MS = 20 * 60_000;
const MOST_RUNS = 9;
const MOST_EXPORTS = 6;
const LONGEST_PAUSE_MS = 200;
/** How long a person waits for a button to come alive. */
const PATIENCE_MS = 4_000;
const MODELS = ["alpha", "beta"] as const;
const RUN_SCREENS = ["run", "compare", "export"];
const MODEL_SCREENS = ["overview", "super-weights", "lab", "sweep"];
const LIBRARY_SCREENS = ["home", "runs", "settings"];

/** Pairs of bits and group size, each given out once. */
const spare = [16, 32, 64].flatMap((size) =>
  [2, 3, 4, 5, 6, 7, 8].map((bits) => ({ scheme: "affine", bits, granularity: `group:${size}` })),
);

test.describe("a random walk", () => {
  test.setTimeout(WALK_MS);
  let served: Awaited<ReturnType<typeof startServed>>;
  const paths = new Map<string, string>();
  const fingerprints = new Map<string, string>();
  const runs: WalkedRun[] = [];
  const pressed: Pressed[] = [];
  const random = randomFrom(SEED);

  test.beforeAll(async () => {
    served = await startServed(join(import.meta.dirname, "support", "walkStudio.ts"));
    for (const [at, name] of MODELS.entries()) {
      const folder = join(served.folder, `${name}-texts`);
      cpSync(dirname(served.demoModel), folder, { recursive: true });
      const model = join(folder, name);
      cpSync(join(folder, "model"), model, { recursive: true });
      // Another checkpoint of the same shape, whose perplexities are others too.
      if (at > 0) scaleWeights(model, "model.norm.weight", 0.8);
      paths.set(name, model);
    }
  });
  test.afterAll(async ({ browser }) => {
    // A window that is left open complains that its server is gone.
    for (const context of browser.contexts()) await context.close();
    await served.close();
  });

  test(`${STEPS} steps over screens, models, runs and variants in two windows (seed ${SEED})`, async ({
    browser,
    complaints,
  }) => {
    const context = await browser.newContext({ reducedMotion: "reduce" });
    const pages = [await context.newPage(), await context.newPage()];
    for (const page of pages) {
      await page.goto(served.url);
    }
    const [first] = pages;
    if (first === undefined) throw new Error("There is no window.");
    for (const [name, path] of paths) {
      fingerprints.set(name, (await ask(first, "model:open", { path })).fingerprint);
      await sweep(first, name);
      await sweep(first, name);
    }

    for (let step = 1; step <= STEPS; step++) {
      const page = oneOf(random, pages) ?? first;
      const done = await act(page);
      await page.waitForTimeout(random() * LONGEST_PAUSE_MS);
      const moment = await momentOf(page);
      expect(wrongIn(moment), `step ${step}, seed ${SEED}, after: ${done}; at ${moment.place}`).toEqual([]);
      expect(complaints, `step ${step}, after: ${done}`).toEqual([]);
    }
    await expect
      .poll(
        async () =>
          (await ask(first, "job:list", {})).every(({ status }) => !["waiting", "running"].includes(status)),
        {
          timeout: WALK_MS / 2,
        },
      )
      .toBe(true);
    // A cancelled one leaves nothing.
    const exported = exportedOf(pressed);
    expect(exported.length, "a walk that exports nothing proves nothing").toBeGreaterThan(0);
    for (const { folder, fingerprint, label } of exported) {
      const seen = pressed.find((one) => one.folder === folder);
      expect({ fingerprint, label }, folder).toEqual({
        fingerprint: fingerprints.get(seen?.model ?? ""),
        label: seen?.label,
      });
    }
  });

  /** Begins a sweep of two variants that no other run has. */
  async function sweep(page: Page, name: string): Promise<void> {
    const path = paths.get(name) ?? "";
    const recipes = spare.splice(Math.floor(random() * (spare.length - 1)), 2);
    const plan = { recipes, judge: { context: 128, tokens: 256 } };
    const text = join(dirname(path), "eval.jsonl");
    const { run } = await ask(page, "job:sweep", { model: path, plan, text });
    const { results } = await ask(page, "run:get", { run });
    runs.push({ id: run, model: name, labels: results.map(({ recipe }) => recipeLabel(recipe)) });
  }

  /** One thing that a person could do now. @returns what it was */
  async function act(page: Page): Promise<string> {
    const turn = random();
    const run = oneOf(random, runs);
    const name = oneOf(random, MODELS) ?? "alpha";
    if (turn < 0.22) return visit(page, `#/${oneOf(random, RUN_SCREENS)}/${run?.id}`);
    // Who is about to export stays there half of the time.
    if (turn > 0.5 && page.url().includes("#/export") && random() < 0.5) return exportIt(page);
    if (turn < 0.34) return visit(page, `#/${oneOf(random, [...MODEL_SCREENS, ...RUN_SCREENS.slice(1)])}`);
    if (turn < 0.4) return visit(page, `#/${oneOf(random, LIBRARY_SCREENS)}`);
    if (turn < 0.47) return visit(page, `#/overview?model=${encodeURIComponent(paths.get(name) ?? "")}`);
    if (turn < 0.54) return left(page, () => page.goBack({ timeout: 2_000, waitUntil: "commit" }), "back");
    if (turn < 0.58)
      return left(page, () => page.goForward({ timeout: 2_000, waitUntil: "commit" }), "forward");
    if (turn < 0.61) return left(page, () => page.reload({ waitUntil: "commit" }), "reload");
    if (turn < 0.75) return press(page.getByRole("grid", { name: "Results" }).getByRole("checkbox"), "pick");
    if (turn < 0.81) return press(page.getByRole("main").getByRole("radio"), "choose a variant");
    if (turn < 0.86)
      return press(
        page.getByRole("group", { name: "Formats" }).getByRole("button", { name: "Choose" }),
        "choose a format",
      );
    if (turn < 0.92) return exportIt(page);
    if (turn < 0.94)
      return press(page.getByRole("button", { name: "Find super weights" }), "find super weights");
    if (turn < 0.96)
      return press(page.getByRole("button", { name: /^Open (alpha|beta)$/ }), "open the run's model");
    if (turn < 0.98 && runs.length < MOST_RUNS) return (await sweep(page, name), `sweep ${name}`);
    return press(page.getByRole("main").getByRole("button", { name: /^Cancel/ }), "cancel");
  }

  async function press(found: ReturnType<Page["getByRole"]>, what: string): Promise<string> {
    await pressOne(random, found);
    return what;
  }

  /** Presses Export, and keeps what was on screen as it was pressed. */
  async function exportIt(page: Page): Promise<string> {
    const button = page.getByRole("button", { name: "Export", exact: true });
    if (pressed.length >= MOST_EXPORTS) return "no export";
    const run = oneOf(random, runs);
    // Going to a run opens its model; half of the time whatever is on screen is exported, if it can be.
    if (run && random() < 0.5) {
      await visit(page, `#/run/${run.id}`);
      await expect(page.locator(".nav-model .name")).toHaveText(run.model);
      await visit(page, `#/export/${run.id}`);
    }
    // No format is proposed for the paper's own scheme: it is chosen, if it is not yet.
    if (page.url().includes("#/export")) {
      const copy = page.getByRole("region", { name: /^Safetensors/ });
      await copy
        .getByRole("button", { name: "Choose" })
        .click({ timeout: PATIENCE_MS })
        .catch(() => undefined);
      await expect(button)
        .toBeEnabled({ timeout: PATIENCE_MS })
        .catch(() => undefined);
    }
    if (!(await button.isVisible()) || !(await button.isEnabled())) return "no export";
    const folder = `export-${pressed.length}`;
    await page
      .getByLabel("New folder")
      .fill(folder, { timeout: 1_000 })
      .catch(() => undefined);
    // As a person does: what is read, and what is pressed, in one look.
    const seen = await page.evaluate(() => ({
      model: document.querySelector(".nav-model .name")?.textContent?.trim() ?? "",
      label:
        document.querySelector("input[name=variant]:checked")?.closest("label")?.querySelector(".trunc")
          ?.textContent ?? "",
      folder: document.querySelector<HTMLInputElement>("#export-name")?.value ?? "",
    }));
    if (seen.folder !== folder) return "no export";
    const begun = await button
      .click({ timeout: 1_500 })
      .then(() => true)
      .catch(() => false);
    if (begun) pressed.push(seen);
    return `export ${seen.label} of ${seen.model}`;
  }

  /** What a window says that does not belong together. */
  function wrongIn({ place, model, heading, text }: Moment): string[] {
    const [screen = "", id = ""] = place.replace(/^#\//, "").split("?")[0]?.split("/") ?? [];
    const said = runs.filter(({ labels }) => labels.some((label) => text.includes(label)));
    const wrong: string[] = [];
    if (RUN_SCREENS.includes(screen)) {
      if (id !== "" && said.some((run) => run.id !== decodeURIComponent(id)))
        wrong.push(`It shows variants of another run: ${text.slice(0, 400)}`);
      if (said.length > 1) wrong.push("It shows variants of several runs.");
      if (screen !== "run" && said.some((run) => run.model !== model))
        wrong.push(`It acts on ${model} with variants of ${said[0]?.model}.`);
    }
    if (MODEL_SCREENS.includes(screen)) {
      const other = MODELS.find((name) => name !== model);
      if (model !== null && other !== undefined && new RegExp(`\\b${other}\\b`).test(heading ?? ""))
        wrong.push(`It speaks of ${other} while ${model} is open.`);
    }
    return wrong;
  }

  /** What lies on disk, by the folder that was named. */
  function exportedOf(asked: readonly Pressed[]): { folder: string; fingerprint: string; label: string }[] {
    return asked.flatMap(({ folder }) => {
      const file = findFolder(served.folder, folder);
      if (file === null) return [];
      const { source, asked: request } = manifest.parse(
        JSON.parse(readFileSync(join(file, "keystone.json"), "utf8")),
      );
      return [
        { folder: basename(file), fingerprint: source.fingerprint, label: recipeLabel(request.recipe) },
      ];
    });
  }
});

async function visit(page: Page, hash: string): Promise<string> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  return `go to ${hash}`;
}

/** A step that may load the page again; there may be nowhere to go. */
async function left(page: Page, go: () => Promise<unknown>, what: string): Promise<string> {
  await go().catch(() => undefined);
  // Before the first place there is the empty page that every window begins with.
  if (page.url() === "about:blank") await page.goForward({ waitUntil: "commit" });
  await page.waitForFunction(() => document.querySelector("main") !== null);
  return what;
}

/** A folder of that name anywhere below another. */
function findFolder(below: string, name: string): string | null {
  const found = readdirSync(below, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isDirectory() && entry.name === name,
  );
  return found ? join(found.parentPath, found.name) : null;
}
