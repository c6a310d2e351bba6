// Serves a run of 10,000 variants that nobody computes: its results pour over the real socket into the real window at
// a fixed rate from the moment a window asks for the run.
import type { CallName } from "../src/shared/contract/contract.ts";
import type { NumberedEvent, StudioEvent } from "../src/shared/contract/events.ts";
import type { RunDetail, RunSummary } from "../src/shared/run.ts";
import type { Studio } from "../src/studio/context/studio.ts";
import { serveStudio } from "../e2e/support/serveStudio.ts";
import { EVENTS_A_SECOND, FLOOD_RUN, floodVariants, RESULTS_AN_EVENT, scoredVariant } from "./flood.ts";

const WORKERS = 2;
const TICK_MS = 4;
const CREATED = new Date().toISOString();
const JUDGE = { windows: "bos" as const, context: 512, tokens: 2048 };

const results = floodVariants();
const told: NumberedEvent[] = [];
const listeners = new Set<(event: NumberedEvent) => void>();
let done = 0;
let begun: number | null = null;

const folder = process.argv[2];
if (folder === undefined) throw new Error("Name the folder to serve.");
await serveStudio(folder, { overrides: { device: "cpu", workers: 1 } }, flooded);

/** The studio with the pouring run in place of its own runs and events. */
function flooded(studio: Studio): Studio {
  const own: Partial<Record<CallName, (args: unknown) => unknown>> = {
    "run:list": () => [summary()],
    "run:get": () => {
      pour();
      return detail();
    },
    "events:since": (args) => {
      const { seq } = args as { seq: number };
      return { events: told.slice(seq), seq: told.length, complete: true };
    },
  };
  return {
    home: studio.home,
    close: () => studio.close(),
    on: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    call: async (name, args) => {
      const answer = own[name];
      // The table's types are per call; TypeScript cannot follow them through a name that is only known when it runs.
      return answer === undefined
        ? studio.call(name, args)
        : (answer(args) as Awaited<ReturnType<typeof studio.call<typeof name>>>);
    },
  };
}

/** Tells what is due by the clock, so that a late timer makes no slower stream. */
function pour(): void {
  if (begun !== null) return;
  const start = performance.now();
  begun = start;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - start) / 1000) * EVENTS_A_SECOND);
    while (told.length < due && done < results.length) tell(nextEvent(told.length));
    if (done < results.length) return;
    clearInterval(timer);
    tell({ type: "run", run: summary() });
  }, TICK_MS);
}

function nextEvent(place: number): StudioEvent {
  if (place % 10 === 0) return { type: "run", run: summary() };
  if (place % 10 === 5) return { type: "lanes", run: FLOOD_RUN, lanes: lanes() };
  const now = performance.now() - (begun ?? 0);
  const share = results
    .slice(done, done + RESULTS_AN_EVENT)
    .map((variant, i) => scoredVariant(variant, now + i, i % WORKERS));
  results.splice(done, share.length, ...share);
  done += share.length;
  return { type: "variants", run: FLOOD_RUN, results: share };
}

function tell(event: StudioEvent): void {
  const numbered = { seq: told.length + 1, event };
  told.push(numbered);
  for (const listener of listeners) listener(numbered);
}

function lanes(): Extract<StudioEvent, { type: "lanes" }>["lanes"] {
  return Array.from({ length: WORKERS }, (_, worker) => {
    const variant = results[Math.min(results.length - 1, done + worker)];
    return {
      worker,
      variants: variant ? [variant.id] : [],
      label: variant?.label ?? "",
      fraction: (told.length % 60) / 60,
      tokensPerSecond: 5e4,
    };
  });
}

function summary(): RunSummary {
  const over = done === results.length;
  return {
    id: FLOOD_RUN,
    name: "Ten thousand",
    note: "",
    edits: 0,
    imported: null,
    model: "",
    modelName: "none",
    created: CREATED,
    updated: CREATED,
    status: over ? "done" : "running",
    done,
    failed: 0,
    total: results.length,
    best: null,
  };
}

function detail(): RunDetail {
  return {
    summary: summary(),
    judge: JUDGE,
    calibration: null,
    text: "text.txt",
    convention: null,
    superWeights: [],
    results,
    best: null,
    ranking: { by: "kl", best: null, tied: [], untested: 0 },
    pareto: [],
    baseline: {
      nll: Math.log(12),
      perplexity: 12,
      wordPerplexity: null,
      bytePerplexity: null,
      bitsPerByte: null,
      tokens: 2048,
      nllStandardError: 0.01,
    },
    workers: WORKERS,
    threadsPerWorker: 1,
    device: "cpu",
    seconds: 0,
    notes: [],
  };
}
