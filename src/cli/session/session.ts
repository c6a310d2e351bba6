import type { Reply } from "#shared/contract/contract.ts";
import { isCancellation } from "#shared/errors.ts";
import type { JobView } from "#shared/contract/job.ts";
import type { Studio } from "#studio/context/studio.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import type { Io } from "../output/io.ts";
import type { Dependencies } from "./dependencies.ts";
import { overridesOf, type ComputeOptions } from "./options.ts";
import { demoModelFolder, ownTextFile, version } from "./root.ts";
import { createProgress, type ProgressDisplay } from "../output/progress.ts";
import { printJson } from "../output/json.ts";

/** One command at work: its studio, where it writes, how it waits. */
export interface Session {
  readonly studio: Studio;
  readonly io: Io;
  readonly json: boolean;
  readonly progress: ProgressDisplay;
  /** Waits for a job, showing its progress; Ctrl-C cancels it. @throws the job's error */
  finish(job: string): Promise<void>;
  /** {@link finish}, then the job's result, which must be of this kind. */
  result<K extends JobResult["kind"]>(job: string, kind: K): Promise<Extract<JobResult, { kind: K }>>;
  /**
   * Waits for a job and prints its result; of a cancelled one what it had made, where that is kept.
   * @throws the job's error, its cancellation after what it had made
   */
  printResult<K extends JobResult["kind"]>(
    job: string,
    kind: K,
    print: (result: Extract<JobResult, { kind: K }>) => void,
  ): Promise<void>;
  /** A sentence for people: stderr, and only where somebody reads it. */
  note(text: string): void;
  /** Prints the command's outcome: the document with --json, otherwise the text. */
  print(document: object, text: () => string): void;
}

type JobResult = Reply<"job:result">;

/** Starts a studio, hands it to `body` and closes it whatever happens. */
export async function withSession(
  io: Io,
  dependencies: Dependencies,
  options: ComputeOptions,
  body: (session: Session) => Promise<void>,
): Promise<void> {
  const json = options.json === true;
  const home = options.home ?? io.env["KEYSTONE_HOME"];
  const studio = await dependencies.createStudio({
    ...(home ? { home } : {}),
    demoModel: demoModelFolder(),
    ownText: ownTextFile(),
    version: version(),
    overrides: overridesOf(options),
  });
  const progress = createProgress(io.stderr, { json });
  try {
    await body(createSession(studio, io, json, progress));
  } finally {
    progress.stop();
    await studio.close();
  }
}

function createSession(studio: Studio, io: Io, json: boolean, progress: ProgressDisplay): Session {
  const finish = async (job: string): Promise<void> => {
    const stopListening = io.onInterrupt(() => {
      progress.line("Cancelling. Ctrl-C again leaves at once.");
      // A job that has just ended cannot be cancelled any more; its end is what we wait for anyway.
      studio.call("job:cancel", { job }).catch(() => undefined);
    });
    try {
      await waitForJob(studio, job, {
        onProgress: (view: JobView) => view.progress && progress.update(view.progress),
      });
    } finally {
      stopListening();
      progress.stop();
    }
  };
  const resultOf = async <K extends JobResult["kind"]>(
    job: string,
    kind: K,
  ): Promise<Extract<JobResult, { kind: K }>> => {
    const result = await studio.call("job:result", { job });
    if (!isKind(result, kind)) throw new Error(`Job ${job} ended as ${result.kind}, not ${kind}.`);
    return result;
  };
  return {
    studio,
    io,
    json,
    progress,
    finish,
    async result(job, kind) {
      await finish(job);
      return resultOf(job, kind);
    },
    async printResult(job, kind, print) {
      const cancelled = await finish(job).then(
        () => null,
        (thrown: unknown) => {
          if (!isCancellation(thrown)) throw thrown;
          return { thrown };
        },
      );
      // Of a cancelled job that kept nothing this is its cancellation.
      print(await resultOf(job, kind));
      if (cancelled !== null) throw cancelled.thrown;
    },
    note(text) {
      if (!json || io.stderr.isTTY) progress.line(text);
    },
    print(document, text) {
      if (json) printJson(io.stdout, document);
      else io.stdout.write(text());
    },
  };
}

function isKind<K extends JobResult["kind"]>(
  result: JobResult,
  kind: K,
): result is Extract<JobResult, { kind: K }> {
  return result.kind === kind;
}
