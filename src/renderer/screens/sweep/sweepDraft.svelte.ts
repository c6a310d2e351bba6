import type { Args, Host } from "#shared/contract/contract.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { PlanEstimate, TextInfo } from "#shared/estimate.ts";
import { parsePlan } from "#shared/plan.ts";
import { needsCalibration, type Recipe } from "#shared/recipe.ts";
import type { ModelTexts } from "#renderer/state/modelTexts.svelte.ts";
import { commonOf, countVariants, fromPlan, newDraft, toPlan, withCommon, type Draft } from "./draft.ts";

/** What the studio said to a question: an estimate or why there is none. */
interface Answer {
  question: Args<"sweep:estimate">;
  estimate: PlanEstimate | null;
  error: KeystoneErrorData | null;
}

/** What the form says and what it will cost. A plan that the form cannot say is held as it was read. */
export class SweepDraft {
  form: Draft = $state.raw(newDraft());
  /** A plan the form cannot say but for its name and its judge; it is shown as JSON. */
  raw: unknown = $state.raw(null);
  /** Null = as many as the studio finds right. */
  workers: number | null = $state(null);
  readonly plan: unknown = $derived.by(() =>
    this.raw === null ? toPlan(this.form) : withCommon(this.raw, this.form),
  );
  readonly variants: number = $derived.by(() =>
    this.raw === null ? countVariants(this.form) : recipesOf(this.raw).length,
  );
  readonly calibrates: boolean = $derived.by(() =>
    this.raw === null ? needsCalibration(this.form.rest) : recipesOf(this.raw).some(needsCalibration),
  );
  /** What the estimate depends on. */
  readonly question: Args<"sweep:estimate"> = $derived.by(() => ({
    model: this.#model,
    plan: $state.snapshot(this.plan),
    text: this.text?.path ?? null,
    ...this.#calibrated(),
    ...(this.workers === null ? {} : { workers: this.workers }),
    // Asked again once the text's tokens are counted.
    ...(this.text?.tokens == null ? {} : { textTokens: this.text.tokens }),
  }));
  /** Whether what is answered is something else than what the form says now. */
  readonly estimating: boolean = $derived.by(() => this.#answer?.question !== this.question);
  /** What the plan will cost; none while `estimating`: an answer about another plan says nothing of this one. */
  readonly estimate: PlanEstimate | null = $derived.by(() =>
    this.estimating ? null : (this.#answer?.estimate ?? null),
  );
  readonly error: KeystoneErrorData | null = $derived.by(() =>
    this.estimating ? null : (this.#answer?.error ?? null),
  );
  /** Whether what is estimated is what the form says now and can start. */
  readonly valid: boolean = $derived.by(
    () => this.variants > 0 && this.text !== null && !this.estimating && this.estimate?.problems.length === 0,
  );
  readonly #host: Host;
  readonly #model: string;
  readonly #texts: ModelTexts;
  /** Of the last question asked. */
  #turn = 0;
  #answer: Answer | null = $state.raw(null);

  constructor(host: Host, model: string, texts: ModelTexts) {
    this.#host = host;
    this.#model = model;
    this.#texts = texts;
  }

  /** What is evaluated on: the text of the model's screens. */
  get text(): TextInfo | null {
    return this.#texts.chosen;
  }

  /** Whether the texts at hand are known. */
  get textsRead(): boolean {
    return this.#texts.read;
  }

  /** Where SmoothQuant's scales are chosen; asked only where a recipe has any. */
  get calibration(): TextInfo | null {
    return this.#texts.chosenCalibration;
  }

  change(values: Partial<Draft>): void {
    this.form = { ...this.form, ...values };
  }

  /** Takes a plan over, as a form where that says the same. @throws KeystoneError as parsePlan */
  take(plan: unknown, name?: string): void {
    const draft = fromPlan(plan);
    this.raw = draft === null ? plan : null;
    const taken = draft ?? { ...this.form, ...commonOf(plan) };
    this.form = { ...taken, name: taken.name || (name ?? "") };
  }

  /** Asks what the plan will cost. An answer that comes after the form has changed is void. */
  async ask(question: Args<"sweep:estimate">): Promise<void> {
    const turn = ++this.#turn;
    const answer = await this.#host.call("sweep:estimate", question).then(
      (estimate): Answer => ({ question, estimate, error: null }),
      (thrown: unknown): Answer => ({ question, estimate: null, error: toErrorData(thrown) }),
    );
    // The form may be gone by now: whether the question is still its own is for who reads the answer.
    if (turn === this.#turn) this.#answer = answer;
  }

  #calibrated(): { calibration?: string } {
    return this.calibrates && this.calibration !== null ? { calibration: this.calibration.path } : {};
  }

  /** Starts the sweep. @returns the run's id */
  async start(): Promise<string> {
    if (this.text === null) throw new Error("A sweep needs a text.");
    const { run } = await this.#host.call("job:sweep", {
      model: this.#model,
      plan: $state.snapshot(this.plan),
      text: this.text.path,
      ...this.#calibrated(),
      ...(this.form.name.trim() === "" ? {} : { name: this.form.name.trim() }),
      ...(this.workers === null ? {} : { workers: this.workers }),
    });
    return run;
  }
}

/** None where it is not a plan: the estimate says why. */
function recipesOf(plan: unknown): readonly Recipe[] {
  try {
    return parsePlan(plan).recipes;
  } catch {
    return [];
  }
}
