import { mkdirSync } from "node:fs";
import { availableParallelism, freemem } from "node:os";
import { join, resolve } from "node:path";
import envPaths from "env-paths";
import { silenceRuntime } from "#engine/forward/runtime/silenceRuntime.ts";
import { calls, isCallName, type Args, type CallName, type Reply } from "#shared/contract/contract.ts";
import { KeystoneError, toErrorData } from "#shared/errors.ts";
import { describeIssues } from "#shared/plan.ts";
import type { Settings } from "#shared/settings.ts";
import { createAccess } from "./models/access.ts";
import { appCalls } from "./calls/app.ts";
import { archiveCalls } from "./calls/archives.ts";
import { diffCalls } from "./calls/diffs.ts";
import { estimateCalls } from "./calls/estimates.ts";
import { exportCalls } from "./calls/exports.ts";
import { jobCalls } from "./calls/jobs.ts";
import { labCalls } from "./calls/lab.ts";
import { modelCalls } from "./calls/models.ts";
import { planCalls } from "./calls/plans.ts";
import { reportCalls } from "./calls/reports.ts";
import { runCalls } from "./calls/runs.ts";
import { sweepCalls } from "./calls/sweeps.ts";
import { textCalls } from "./calls/texts.ts";
import type { Answers, StudioContext } from "./context/context.ts";
import { Devices } from "./models/devices.ts";
import { EventStream } from "./jobs/eventStream.ts";
import { JobRegistry } from "./jobs/jobs.ts";
import { PoolKeeper, WorkerPool } from "./jobs/pool.ts";
import { soloThreads, type Machine } from "./models/sizing.ts";
import { ImportedRuns } from "./store/importedRuns.ts";
import { CacheStore } from "./store/cacheStore.ts";
import { LabStore } from "./store/labStore.ts";
import { openDatabase, storeError } from "./store/openDatabase.ts";
import { createOwner, HEARTBEAT_MS } from "./store/owner.ts";
import { RunStore } from "./store/runStore.ts";
import { RunWords } from "./store/runWords.ts";
import type { Studio, StudioOptions } from "./context/studio.ts";
import { workerFileFor } from "./jobs/workerFile.ts";

/** The run store's file in the home folder. */
const STORE_FILE = "keystone.sqlite";

/**
 * Starts a studio: opens the run store; threads start with the first job.
 * @throws KeystoneError store/unwritable, store/corrupt, store/newer
 */
export function createStudio(options: StudioOptions = {}): Studio {
  silenceRuntime();
  const home = resolve(
    options.home ?? (process.env["KEYSTONE_HOME"] || envPaths("Keystone", { suffix: "" }).data),
  );
  const file = join(home, STORE_FILE);
  const database = openDatabase(file);
  mkdirSync(home, { recursive: true });
  const events = new EventStream();
  const workerFile = options.workerFile ?? workerFileFor();
  let closing: Promise<void> | null = null;

  const kept = new CacheStore(database);
  const runs = new RunStore(database, createOwner());
  const interactivePool = new WorkerPool({ workerFile, workers: 1 });
  const settings = (): Settings => ({ ...kept.settings(), ...options.overrides });
  const machine = (): Machine => ({ cores: availableParallelism(), freeBytes: freemem() });
  const context: StudioContext = {
    home,
    options,
    access: createAccess(options.roots ?? null),
    events,
    kept,
    runs,
    words: new RunWords(database, runs),
    archives: new ImportedRuns(database),
    lab: new LabStore(database),
    jobs: new JobRegistry(events),
    pools: new PoolKeeper(workerFile),
    interactivePool,
    devices: new Devices(interactivePool, () => ({
      device: settings().device,
      threads: soloThreads(machine(), settings()),
    })),
    machine,
    settings,
    closing: () => closing !== null,
  };
  const answers = allAnswers(context);
  // Not for its own sake: a process that only waits for a heartbeat may end.
  const heart = setInterval(() => beat(runs), HEARTBEAT_MS).unref();

  async function end(): Promise<void> {
    await context.jobs.close();
    clearInterval(heart);
    await Promise.all([context.pools.close(), context.interactivePool.close()]);
    database.close();
  }

  return {
    home,
    async call<C extends CallName>(name: C, args: Args<C>): Promise<Reply<C>> {
      if (closing) throw new KeystoneError("studio/closing", "Keystone is closing.", "Start it again.");
      return answer(answers, file, name, args);
    },
    on: (listener) => events.on(listener),
    close: () => (closing ??= end()),
  };
}

/** A beat that cannot be written (the disk is full for a moment) is left out; the next one may succeed. */
function beat(runs: RunStore): void {
  try {
    runs.heartbeat();
  } catch (error) {
    if (!isStoreError(error)) throw error;
  }
}

function allAnswers(context: StudioContext): Answers<CallName> {
  return {
    ...appCalls(context),
    ...modelCalls(context),
    ...textCalls(context),
    ...jobCalls(context),
    ...diffCalls(context),
    ...sweepCalls(context),
    ...exportCalls(context),
    ...estimateCalls(context),
    ...planCalls(context),
    ...runCalls(context),
    ...archiveCalls(context),
    ...labCalls(context),
    ...reportCalls(context),
  };
}

/** One call: known, its arguments checked, its error one that can cross a boundary. */
async function answer<C extends CallName>(
  answers: Answers<CallName>,
  file: string,
  name: C,
  args: unknown,
): Promise<Reply<C>> {
  if (!isCallName(name)) {
    throw new KeystoneError(
      "usage/unknown-call",
      `There is no call ${JSON.stringify(name)}.`,
      "See src/shared/contract.ts for the calls.",
      { name: String(name) },
    );
  }
  const checked = calls[name].args.safeParse(args);
  if (!checked.success) {
    throw new KeystoneError(
      "usage/invalid-arguments",
      `The arguments of ${name} are not valid: ${describeIssues(checked.error.issues)}.`,
      "Correct them and call again.",
      { call: name },
    );
  }
  try {
    // The table's types are per call; TypeScript cannot follow them through a name that is only known when it runs.
    const run = answers[name] as (args: unknown) => Promise<Reply<C>> | Reply<C>;
    return await run(checked.data);
  } catch (error) {
    const known = isStoreError(error) ? storeError(file, error) : error;
    throw known instanceof KeystoneError ? known : KeystoneError.fromData(toErrorData(known));
  }
}

function isStoreError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";
}
