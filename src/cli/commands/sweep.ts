import { Command } from "commander";
import { KeystoneError } from "#shared/errors.ts";
import { parsePlan } from "#shared/plan.ts";
import type { RunDetail } from "#shared/run.ts";
import { absolute, namedCalibration, readJsonFile, textFor } from "../session/files.ts";
import {
  dropUndefined,
  withCalibrationOption,
  withComputeOptions,
  type CalibrationOptions,
  type ComputeOptions,
} from "../session/options.ts";
import { resultLine, runDocument, runText } from "../output/results.ts";
import type { CommandContext } from "../session/commandContext.ts";
import { usageError } from "../session/reportError.ts";
import { wholeRunId } from "../session/runId.ts";
import type { Session } from "../session/session.ts";

interface SweepOptions extends ComputeOptions, CalibrationOptions {
  plan?: string;
  text?: string;
  name?: string;
  resume?: string;
}

/** `sweep MODEL --plan F`: every recipe of a plan, scored against the original. */
export function sweepCommand(context: CommandContext): Command {
  const command = new Command("sweep")
    .description(
      "score every recipe of a plan against the original; finished variants survive Ctrl-C, crashes and power cuts",
    )
    .argument("<model>", "folder of the checkpoint")
    .option("--plan <file>", "plan to run (required, but optional with --resume)")
    .option(
      "--text <file>",
      "text to score on, or builtin for the one that ships with Keystone (default: eval.jsonl in the model's folder or the one around it)",
    )
    .option("--name <name>", "name of the run in lists (default: the plan's name)")
    .option(
      "--resume <run>",
      "go on with this run (its id or the beginning of it) instead of starting one; refuses another model, plan, text or calibration text (default: a new run)",
    );
  return withComputeOptions(withCalibrationOption(command)).action((model: string, options: SweepOptions) =>
    context.session(options, async (session) => {
      const { job, run } =
        options.resume === undefined
          ? await start(session, model, options)
          : await resume(session, model, options, await wholeRunId(session, options.resume));
      session.note(`Run ${run}.`);
      const stopStreaming = streamRows(session, run);
      let cancelled: unknown = null;
      try {
        await session.finish(job);
      } catch (thrown) {
        if (!isCancelled(thrown)) throw thrown;
        cancelled = thrown;
      } finally {
        stopStreaming();
      }
      const detail = await session.studio.call("run:get", { run });
      session.print(runDocument(detail), () => runText(detail));
      if (cancelled !== null) throw cancelledWithAdvice(detail);
    }),
  );
}

async function start(
  session: Session,
  model: string,
  options: SweepOptions,
): Promise<{ job: string; run: string }> {
  if (options.plan === undefined) {
    throw usageError(
      "A sweep needs a plan, and none was named.",
      "Name one with --plan FILE, or go on with a run by --resume RUN.",
    );
  }
  const plan = await readPlan(session, options.plan);
  return session.studio.call("job:sweep", {
    model: absolute(session.io, model),
    plan,
    text: await textFor(session.io, options.text, model),
    ...(await namedCalibration(session.io, options.calibration)),
    ...dropUndefined({ name: options.name, workers: options.workers }),
  });
}

async function resume(
  session: Session,
  model: string,
  options: SweepOptions,
  run: string,
): Promise<{ job: string; run: string }> {
  if (options.name !== undefined)
    throw usageError(
      "--name was given with --resume, and a run that goes on keeps its name.",
      "Leave --name out; the window renames runs.",
    );
  const plan = options.plan === undefined ? undefined : await readPlan(session, options.plan);
  const text = options.text === undefined ? undefined : await textFor(session.io, options.text, model);
  const { job } = await session.studio.call("run:resume", {
    run,
    model: absolute(session.io, model),
    ...dropUndefined({ text, workers: options.workers }),
    ...(await namedCalibration(session.io, options.calibration)),
    ...(plan === undefined ? {} : { plan }),
  });
  return { job, run };
}

/** A plan file's content; checked here too, so that a mistake is told before anything starts. */
async function readPlan(session: Session, path: string): Promise<unknown> {
  const content = await readJsonFile(session.io, path, "plan");
  parsePlan(content);
  return content;
}

/** On a terminal, prints each variant's row as it finishes, above the bar. */
function streamRows(session: Session, run: string): () => void {
  if (!session.progress.live) return () => undefined;
  const shown = new Set<string>();
  let total = 0;
  return session.studio.on(({ event }) => {
    if (event.type === "run" && event.run.id === run) total = event.run.total;
    if (event.type !== "variants" || event.run !== run) return;
    for (const result of event.results) {
      const ended = result.status === "done" || result.status === "failed";
      if (!ended || shown.has(result.id)) continue;
      shown.add(result.id);
      session.progress.line(resultLine(result, shown.size, total));
    }
  });
}

function isCancelled(thrown: unknown): boolean {
  return thrown instanceof KeystoneError && thrown.code === "job/cancelled";
}

function cancelledWithAdvice(detail: RunDetail): KeystoneError {
  const { id, done, total, model } = detail.summary;
  return new KeystoneError(
    "job/cancelled",
    `The sweep was cancelled with ${done} of ${total} variants scored; they are kept.`,
    `Go on with: keystone sweep ${model} --resume ${id}`,
    { run: id, done, total },
  );
}
