import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach } from "vitest";
import type { NumberedEvent } from "#shared/contract/events.ts";
import type { RunDetail, VariantResult } from "#shared/run.ts";
import { createStudio } from "#studio/createStudio.ts";
import type { Studio, StudioOptions } from "#studio/context/studio.ts";

export const DEMO = join(import.meta.dirname, "../../resources/demo-model/model");
/** Run stores as earlier versions wrote them. */
export const STORES = join(import.meta.dirname, "../golden/store");
export const FAKE_WORKER = join(import.meta.dirname, "fakeWorker.ts");

/** 21 variants: 7 bits × 3 blocks. */
export const PLAN = {
  base: { scheme: "affine" },
  grid: { bits: [2, 3, 4, 5, 6, 7, 8], granularity: ["group:64", "channel", "tensor"] },
  judge: { tokens: 100 },
};
export const VARIANTS = 21;

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
  for (const name of Object.keys(process.env))
    if (name.startsWith("FAKE_")) Reflect.deleteProperty(process.env, name);
});

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keystone-studio-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A studio that is closed after the test. It computes on one core, since files of tests run side by side. */
export function startStudio(options: StudioOptions): Studio {
  const studio = createStudio({ ...options, overrides: { threadsPerWorker: 1, ...options.overrides } });
  cleanups.push(() => studio.close());
  return studio;
}

/** A studio with the fake worker, in a home of its own, and a text to name. */
export function fakeStudio(options: StudioOptions = {}): { studio: Studio; home: string; text: string } {
  const home = options.home ?? temporaryFolder();
  const text = join(home, "text.txt");
  writeFileSync(text, "Some words to score.");
  return {
    studio: startStudio({
      workerFile: FAKE_WORKER,
      overrides: { device: "cpu", workers: 2, threadsPerWorker: 1 },
      ...options,
      home,
    }),
    home,
    text,
  };
}

/** A store of an earlier version of Keystone with one finished sweep of four variants of the demo model. */
export function oldStore(version = 4): { home: string; run: string } {
  const home = temporaryFolder();
  const database = new DatabaseSync(join(home, "keystone.sqlite"));
  database.exec(readFileSync(join(STORES, `version-${version}.sql`), "utf8"));
  const run = String(database.prepare("SELECT id FROM runs").get()?.["id"]);
  database.close();
  return { home, run };
}

/** Resolves with the first event that `wanted` accepts. */
export function eventOf(
  studio: Studio,
  wanted: (event: NumberedEvent["event"]) => boolean,
): Promise<NumberedEvent> {
  return new Promise((resolve) => {
    const stop = studio.on((numbered) => {
      if (!wanted(numbered.event)) return;
      stop();
      resolve(numbered);
    });
  });
}

/** Resolves when so many variants of a run are done. */
export async function untilDone(studio: Studio, run: string, count: number): Promise<void> {
  const done = new Set<string>();
  await eventOf(studio, (event) => {
    if (event.type === "variants" && event.run === run) {
      for (const { id, status } of event.results) if (status === "done") done.add(id);
    }
    return done.size >= count;
  });
}

/** How many variants have each status. */
export function tally({
  results,
}: Pick<RunDetail, "results">): Partial<Record<VariantResult["status"], number>> {
  const counts: Partial<Record<VariantResult["status"], number>> = {};
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
