// A studio whose searches are made up and slow: thirty layers, twelve candidates, and an answer to every call that takes a
// while, so that what a window shows in between can be seen.
import { setTimeout as wait } from "node:timers/promises";
import type { Args, CallName, Reply } from "#shared/contract/contract.ts";
import { detectOptions, type DetectPreview, type DetectReport } from "#shared/detection.ts";
import type { NumberedEvent, StudioEvent } from "#shared/contract/events.ts";
import type { JobView } from "#shared/contract/job.ts";
import type { Studio } from "#studio/context/studio.ts";
import { LAYERS, madeUpDetection } from "../../test/support/madeUp/detection.ts";
import { serveStudio } from "./serveStudio.ts";

/** The studio's answer to a press, and each step of a search. */
const ANSWER_MS = 800;
const STEP_MS = 600;
/** A prompt in whose search nothing is found. */
export const NOTHING = "Nothing stands out.";
/** 120 characters, as a checkpoint with long prefixes has them. */
const LONG_NAME = `${"wrapped_".repeat(10)}language_model.layers.9.mlp.down_proj.weight`.padStart(120, "x");

/** A studio in which every search finds what is made up. */
export class MadeUpSearch implements Studio {
  readonly #studio: Studio;
  readonly #times: { readonly answerMs: number; readonly stepMs: number };
  readonly #listeners = new Set<(event: NumberedEvent) => void>();
  #seq = 0;
  #found: DetectReport | null = null;
  #cancelled = false;

  constructor(studio: Studio, times = { answerMs: ANSWER_MS, stepMs: STEP_MS }) {
    this.#studio = studio;
    this.#times = times;
    studio.on(({ event }) => this.#emit(event));
  }

  get home(): string {
    return this.#studio.home;
  }

  on(listener: (event: NumberedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return this.#studio.close();
  }

  async call<C extends CallName>(name: C, args: Args<C>): Promise<Reply<C>> {
    if (name === "model:detection") return this.#found as Reply<C>;
    if (name === "job:detect") return (await this.#search(args as Args<"job:detect">)) as Reply<C>;
    if (name === "job:cancel") {
      this.#cancelled = true;
      return null as Reply<C>;
    }
    const reply = await this.#studio.call(name, args);
    if (name !== "model:open") return reply;
    const summary = reply as Reply<"model:open">;
    return { ...summary, architecture: { ...summary.architecture, layers: LAYERS } } as Reply<C>;
  }

  async #search({ model, options }: Args<"job:detect">): Promise<Reply<"job:detect">> {
    await wait(this.#times.answerMs);
    this.#cancelled = false;
    const job = jobOf(model);
    void this.#run(job, reportOf(model, options));
    return { job: job.id };
  }

  async #run(job: JobView, report: DetectReport): Promise<void> {
    const previews = previewsOf(report);
    for (const [step, preview] of previews.entries()) {
      const secondsLeft = ((previews.length - step) * this.#times.stepMs) / 1_000;
      const phase =
        preview.candidates.length === 0
          ? `layer ${preview.layers.length} of ${LAYERS}`
          : "measuring candidates";
      const progress = { done: step, total: previews.length, unit: "steps", phase, rate: null, secondsLeft };
      this.#emit({ type: "job", job: { ...job, status: "running", progress } });
      this.#emit({ type: "detect-preview", job: job.id, preview });
      await wait(this.#times.stepMs);
      if (this.#cancelled) return this.#emit({ type: "job", job: { ...job, status: "cancelled" } });
    }
    this.#found = report;
    this.#emit({ type: "job", job: { ...job, status: "done" } });
  }

  #emit(event: StudioEvent): void {
    const numbered = { seq: ++this.#seq, event };
    for (const listener of this.#listeners) listener(numbered);
  }
}

let searches = 0;

function jobOf(model: string): JobView {
  return {
    id: `search-${++searches}`,
    kind: "detect",
    title: "Find the super weights",
    model,
    run: null,
    status: "running",
    progress: null,
    created: new Date().toISOString(),
    seconds: 0,
    error: null,
  };
}

function reportOf(model: string, asked: Args<"job:detect">["options"]): DetectReport {
  const options = detectOptions.parse(asked ?? {});
  const report = madeUpDetection(model);
  const named = {
    ...report,
    options,
    candidates: report.candidates.map((one) => (one.layer === 9 ? { ...one, tensor: LONG_NAME } : one)),
  };
  if (options.prompt !== NOTHING) return named;
  return {
    ...named,
    finding: {
      code: "detection/none",
      text: "No super weight: the largest effect of any candidate is KL 0.1270. The null is 0.0004.",
    },
    superWeights: [],
    columns: [],
    pairs: [],
    passes: report.passes.slice(0, 1),
  };
}

/** Ten layers at a time, then a candidate at a time: first found, then measured. */
function previewsOf({ layers, superWeights, candidates }: DetectReport): DetectPreview[] {
  const all = [...candidates, ...superWeights];
  const unmeasured = all.map((one) => {
    const bare = { ...one, verdict: "unmeasured" as const };
    delete bare.effect;
    return bare;
  });
  return [
    ...[10, 20, 30].map((count) => ({ layers: layers.slice(0, count), candidates: [] })),
    ...all.map((_, i) => ({
      layers,
      candidates: unmeasured.map((one, at) => (at < i ? { ...one, ...effectAlone(all[at]?.effect) } : one)),
    })),
  ];
}

function effectAlone(effect: DetectReport["candidates"][number]["effect"]): object {
  return effect ? { effect } : {};
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("Name the folder to serve.");
  await serveStudio(folder, {}, (studio) => new MadeUpSearch(studio));
}
