import type { Host } from "#shared/contract/contract.ts";
import type { ExportFormat, FormatAnswer } from "#shared/exporting.ts";
import type { ModelSummary } from "#shared/model.ts";
import type { Recipe } from "#shared/recipe.ts";
import type { RunDetail, VariantResult } from "#shared/run.ts";
import { answerTo, keyOf, type Answered } from "./answered.ts";
import { nearestRecipe } from "./fitting.ts";
import { ownPlan } from "./ownPlan.ts";

/** What the nearest recipes are found for; null while it is not known. */
export interface NearestOf {
  readonly answers: readonly FormatAnswer[];
  readonly variant: VariantResult;
  readonly model: ModelSummary;
  readonly detail: RunDetail;
}

/** Of every format that refuses a variant the nearest recipe that it stores, and what evaluating one takes. */
export class Nearest {
  readonly #of: () => NearestOf | null;
  #estimated = $state.raw<Answered<number | null> | null>(null);
  readonly #recipes: ReadonlyMap<ExportFormat, Recipe> = $derived.by(() => nearestOf(this.#of()));
  /** One question for all: each takes one more pass over the same text. */
  readonly #question: { model: string; plan: unknown; text: string } | null = $derived.by(() => {
    const of = this.#of();
    const [recipe] = this.#recipes.values();
    if (!of || !recipe) return null;
    const { judge, text } = of.detail;
    return { model: of.model.path, plan: { recipes: [recipe], judge }, text };
  });

  constructor(of: () => NearestOf | null) {
    this.#of = of;
  }

  in(format: ExportFormat): Recipe | null {
    return this.#recipes.get(format) ?? null;
  }

  /** Null while it is not known. */
  get seconds(): number | null {
    return answerTo(this.#estimated, keyOf(this.#question));
  }

  /** Asks what one takes. Without an answer the press is offered without its time. */
  estimate(host: Host): void {
    const question = this.#question;
    if (question === null) return;
    host.call("sweep:estimate", question).then(
      ({ seconds }) => (this.#estimated = { key: keyOf(question), answer: seconds }),
      () => undefined,
    );
  }
}

function nearestOf(of: NearestOf | null): ReadonlyMap<ExportFormat, Recipe> {
  const found = (of?.answers ?? []).flatMap(({ description, problems }): [ExportFormat, Recipe][] => {
    if (!of || problems.length === 0) return [];
    const { recipe, bitsPerWeight } = of.variant;
    const plan = ownPlan(description.format, { recipe, problems }, of.model);
    const nearest = plan && nearestRecipe(plan, recipe, bitsPerWeight);
    return nearest ? [[description.format, nearest]] : [];
  });
  return new Map(found);
}
