import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { KeystoneError } from "#shared/errors.ts";
import { judge, parseRecipe } from "#shared/plan.ts";
import type { VariantResult } from "#shared/run.ts";
import { EventStream } from "#studio/jobs/eventStream.ts";
import type { JobContext } from "#studio/jobs/jobs.ts";
import { CacheStore } from "#studio/store/cacheStore.ts";
import type { Lease } from "#studio/store/leases.ts";
import { openDatabase } from "#studio/store/openDatabase.ts";
import { createOwner } from "#studio/store/owner.ts";
import { RunStore } from "#studio/store/runStore.ts";
import { newVariant } from "#studio/store/variantRows.ts";
import type { Executor, Prepared, RunSpec, Scoring } from "#studio/sweep/executor.ts";
import { SweepReporter } from "#studio/sweep/reporter.ts";
import { RunClock } from "#studio/sweep/runClock.ts";
import { runSweep } from "#studio/sweep/sweep.ts";
import type { VariantOutcome } from "#worker/protocol/task.ts";
import { temporaryFolder } from "./helpers.ts";

const RUN = "run-1";
const SPEC = { fingerprint: "f", textHash: "t", calibrationHash: null, judge: judge.parse({}) };
const SCORES = {
  perplexity: 2,
  nll: 0.7,
  tokens: 100,
  kl: { mean: 0.1, median: 0.1, p99: 1, max: 1, topAgreement: 1 },
};

const VARIANTS: readonly VariantResult[] = [2, 3, 4, 5, 6].map((bits, index) =>
  newVariant({
    ...{ id: `v${bits}`, index, label: `${bits} bits`, attempts: 0 },
    recipe: parseRecipe({ scheme: "affine", bits, granularity: "channel" }),
  }),
);

function outcomeOf(id: string): VariantOutcome {
  const scores = { ...SCORES, bitsPerWeight: 4, fileBitsPerWeight: 5, sqnrDb: 20, seconds: 1 };
  return { ok: true, id, scores, detail: { id, tensors: [], layers: [] } };
}

/** A run in a store of its own, executed by whatever is given. */
async function executed(executor: Executor): Promise<{ runs: RunStore; results: VariantResult[] }> {
  const database = openDatabase(join(temporaryFolder(), "store.sqlite"));
  onTestFinished(() => database.close());
  const runs = new RunStore(database, createOwner());
  runs.create({
    ...{ id: RUN, name: "A run", model: "/m", modelName: "m", planHash: "p", text: "/t", calibration: null },
    ...{ fingerprint: SPEC.fingerprint, textHash: SPEC.textHash, judge: SPEC.judge },
    ...{ variants: VARIANTS, order: VARIANTS.map(({ index }) => index) },
  });
  watched = runs;
  const stop = new AbortController();
  const job: JobContext = {
    ...{ id: "job", control: new Int32Array(new SharedArrayBuffer(4)), signal: stop.signal },
    ...{ progress: () => undefined, keep: () => undefined },
    ...{ cancelled: () => stop.signal.aborted, cancel: () => stop.abort() },
  };
  const clock = new RunClock(0);
  const size = { workers: 2, threadsPerWorker: 1, variantsPerWave: 2, peakBytes: 0, availableBytes: 0 };
  const reporter = new SweepReporter(new EventStream(), RUN);
  await runSweep(
    { run: RUN, spec: SPEC, shape: { linearWeights: 1 } as never, variants: VARIANTS, size },
    { runs, kept: new CacheStore(database), executor, reporter, clock, job, closing: () => false },
  );
  return { runs, results: runs.results(RUN) };
}
let watched: RunStore;

/** One that computes nothing and lies somewhere else: whatever it is given and gives passes through JSON. */
class DistantExecutor implements Executor {
  readonly workers = 2;
  readonly leases: Lease[] = [];
  /** As the store has them while each lease is worked on. */
  readonly seen: (string | number | null)[][] = [];
  spec: RunSpec | null = null;
  deaths = 0;

  prepare(spec: RunSpec): Promise<Prepared> {
    this.spec = sent(spec);
    const twins = [{ id: "v6", sameAs: "v5", bitsPerWeight: 6, fileBitsPerWeight: 7 }];
    return Promise.resolve(sent({ tokens: 100, device: "elsewhere", twins }));
  }

  score(lease: Lease, heard: Scoring): Promise<void> {
    const { variants } = sent(lease);
    this.leases.push(lease);
    const stored = new Map(watched.results(RUN).map((row) => [row.id, row]));
    this.seen.push(
      variants.flatMap(({ id }) => [stored.get(id)?.status ?? null, stored.get(id)?.worker ?? null]),
    );
    if (this.deaths-- > 0) return Promise.reject(new KeystoneError("worker/died", "It is gone.", "Again."));
    for (const { id } of variants) heard.variant(sent(outcomeOf(id)));
    return Promise.resolve();
  }
}

const sent = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe("an executor that is no pool of threads", () => {
  it("is given the run by what its files hold, and leases that the store has as running", async () => {
    const executor = new DistantExecutor();
    const { results } = await executed(executor);
    expect(executor.spec).toMatchObject(SPEC);
    expect(executor.spec?.variants.map(({ id }) => id)).toEqual(VARIANTS.map(({ id }) => id));
    expect(results.map(({ status, nll }) => [status, nll])).toEqual(VARIANTS.map(() => ["done", 0.7]));
    for (const [i, lease] of executor.leases.entries())
      expect(executor.seen[i]).toEqual(lease.variants.flatMap(() => ["running", lease.worker]));
    // the twin was never leased and has the scores of the one it equals, at its own bits
    expect(executor.leases.flatMap(({ variants }) => variants.map(({ id }) => id))).not.toContain("v6");
    expect(results.at(-1)).toMatchObject({ sameAs: "v5", bitsPerWeight: 6, worker: null });
  });

  it("loses a lease when it dies: what was in it waits again and is scored by another", async () => {
    const executor = new DistantExecutor();
    executor.deaths = 1;
    const { results } = await executed(executor);
    expect(results.every(({ status }) => status === "done")).toBe(true);
    const again = executor.leases[0]?.variants.map(({ id }) => id) ?? [];
    expect(results.filter(({ attempts }) => attempts === 2).map(({ id }) => id)).toEqual(again);
  });
});
