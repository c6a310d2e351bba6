import { KeystoneError } from "#shared/errors.ts";
import type { TaskReport } from "#shared/evaluation.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { readTaskFiles } from "#engine/tasks/read/readTaskFiles.ts";
import { ORIGINAL, runTasks } from "#engine/tasks/score/runTasks.ts";
import type { TaskFile } from "#engine/tasks/datasets/taskItem.ts";
import type { Journey } from "./journey.ts";
import type { LabRun } from "./experiment.ts";

const KIND = "tasks";
/** About so many characters make a token; the first pass over the tasks tells how many there really are. */
const CHARACTERS_PER_TOKEN = 4;

/** The task files of a run, read once and answered by one variant after another. */
export class LabTasks {
  readonly #run: LabRun;
  readonly #journey: Journey;
  readonly #files: readonly TaskFile[];
  readonly #tokens: number;

  private constructor(run: LabRun, journey: Journey, files: readonly TaskFile[], tokens: number) {
    this.#run = run;
    this.#journey = journey;
    this.#files = files;
    this.#tokens = tokens;
  }

  /** Null where the request names no tasks. @throws KeystoneError tasks/… */
  static async open(run: LabRun, journey: Journey): Promise<LabTasks | null> {
    const { tasks, taskLimit } = run.request;
    if (tasks.length === 0) return null;
    const files = await readTaskFiles(tasks, { limit: taskLimit ?? undefined });
    return new LabTasks(run, journey, files, guessTokens(files));
  }

  announce(count: number): void {
    this.#journey.announce(KIND, this.#tokens * this.#run.architecture.facts.layers, count);
  }

  skip(count: number): void {
    this.#journey.skip(KIND, count);
  }

  /** @param variant null = the original */
  async answer(variant: Variant | null, label: string): Promise<TaskReport[]> {
    const [found] = await runTasks({
      ...this.#run,
      ...this.#journey.pass(KIND, `${label}, tasks`),
      files: this.#files,
      variants: [variant ?? ORIGINAL],
    });
    if (found.error) throw KeystoneError.fromData(found.error);
    return [...found.tasks];
  }
}

/** Requests of one item share their context. */
function guessTokens(files: readonly TaskFile[]): number {
  let characters = 0;
  for (const { requests } of files.flatMap(({ items }) => items)) {
    characters += requests[0]?.context.length ?? 0;
    for (const { continuation } of requests) characters += continuation.length;
  }
  return characters / CHARACTERS_PER_TOKEN;
}
