import { KeystoneError } from "#shared/errors.ts";
import type { Scores, TaskReport } from "#shared/evaluation.ts";
import { planBatches } from "#engine/evaluate/stream/hiddenStates.ts";
import { originalUnits, scoreOriginal, scoreWave, waveUnits } from "#engine/evaluate/score.ts";
import type { OriginalReference } from "#engine/evaluate/stream/scoring.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { Journey } from "./journey.ts";
import { LabTasks } from "./labTasks.ts";
import type { LabRun } from "./experiment.ts";

/** What a model, or a variant of it, scores on the text and the tasks. */
export interface Judged {
  readonly scores: Scores;
  /** Absent where no tasks were asked for. */
  readonly tasks?: TaskReport[];
  /**
   * Mean NLL less the original's, and the standard error of that mean over tokens, which a single token does not have; absent for
   * the original.
   */
  readonly difference?: Difference;
}

export interface Difference {
  readonly mean: number;
  readonly standardError: number | null;
}

/** Standard errors that a difference exceeds when it is more than the text's chance. */
const CERTAIN = 2;

/** Whether a text tells that a variant's NLL is above the original's. One token tells nothing. */
export function isCertainlyWorse({ mean, standardError }: Difference): boolean {
  return standardError !== null && mean > CERTAIN * standardError;
}

/** Whether a text tells that a variant's NLL is below the original's. */
export function isCertainlyBetter({ mean, standardError }: Difference): boolean {
  return standardError !== null && -mean > CERTAIN * standardError;
}

/** Scores one variant after another on one text, each as soon as it is asked for; the original is scored first. */
export class Judging {
  readonly #run: LabRun;
  readonly #windows: WindowSet;
  readonly #journey: Journey;
  readonly #tasks: LabTasks | null;
  readonly #kind: string;
  #reference: OriginalReference | null = null;

  /**
   * @param kind names the passes on the journey, e.g. `text`
   * @param tasks what variants answer too; null = nothing but the text
   */
  constructor(
    run: LabRun,
    journey: Journey,
    kind: string,
    windows: WindowSet,
    tasks: LabTasks | null = null,
  ) {
    this.#run = run;
    this.#windows = windows;
    this.#journey = journey;
    this.#tasks = tasks;
    this.#kind = kind;
  }

  /** Announces the original and the variants, in their order. */
  announce(variants: readonly Variant[]): void {
    const plan = planBatches(this.#windows);
    this.#journey.announce(this.#kind, originalUnits(this.#run, plan));
    for (const variant of variants) this.#journey.announce(this.#kind, waveUnits(this.#run, plan, [variant]));
    this.#tasks?.announce(1 + variants.length);
  }

  /** Takes back announced variants that will not be scored, the last ones. */
  skip(variants = 1): void {
    this.#journey.skip(this.#kind, variants);
    this.#tasks?.skip(variants);
  }

  /** @throws KeystoneError checkpoint/not-finite, job/cancelled, tasks/… */
  async original(label = "original"): Promise<Judged> {
    this.#reference = await scoreOriginal({
      ...this.#run,
      ...this.#journey.pass(this.#kind, label),
      windows: this.#windows,
    });
    return { scores: this.#reference.scores, ...(await this.#answers(null, label)) };
  }

  /** @throws KeystoneError what cannot be made of the variant's weights, job/cancelled, tasks/… */
  async variant(variant: Variant, label: string): Promise<Judged> {
    if (this.#reference === null) throw new Error("the original is scored before its variants");
    const [found] = await scoreWave({
      ...this.#run,
      ...this.#journey.pass(this.#kind, label),
      windows: this.#windows,
      reference: this.#reference,
      variants: [variant],
      perToken: true,
    });
    if (found.error) throw KeystoneError.fromData(found.error);
    if (found.scores === null) throw new Error(`variant ${variant.id} came back without scores`);
    return {
      scores: found.scores,
      ...(found.perToken ? { difference: paired(found.perToken.nll, this.#reference.nll) } : {}),
      ...(await this.#answers(variant, label)),
    };
  }

  async #answers(variant: Variant | null, label: string): Promise<Pick<Judged, "tasks">> {
    return this.#tasks === null ? {} : { tasks: await this.#tasks.answer(variant, label) };
  }
}

/** Mean of a − b over tokens and its standard error: token by token, so that what both find hard cancels. */
function paired(a: Float32Array, b: Float32Array): Difference {
  const n = a.length;
  let total = 0;
  for (let i = 0; i < n; i++) total += a[i] - b[i];
  const mean = total / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (a[i] - b[i] - mean) ** 2;
  return { mean, standardError: n > 1 ? Math.sqrt(squares / (n - 1) / n) : null };
}
