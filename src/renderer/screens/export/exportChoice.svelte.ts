import type { Host, Reply } from "#shared/contract/contract.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import { exportFormat, type ExportFormat, type FormatAnswer, type KeptModule } from "#shared/exporting.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import type { ModelSummary } from "#shared/model.ts";
import { joinPath } from "#shared/paths.ts";
import type { VariantResult } from "#shared/run.ts";
import { isRestored } from "#shared/recipe.ts";
import { answerTo, keyOf, type Answered } from "./answered.ts";
import { folderName } from "./exportText.ts";
import { preselected } from "./fitting.ts";

const CHECK_MS = 200;

/** A variant that can be exported, with its letter where it was picked. */
export interface Offered {
  readonly result: VariantResult;
  readonly letter: string | null;
}

/** What an export is of: the model at hand, the variants that are offered, and the folder to begin with. */
export interface ExportOf {
  readonly model: ModelSummary | null;
  readonly offered: readonly Offered[];
  /** Where new folders go unless another place was chosen. */
  readonly base: string | null;
  /** Nothing is asked while an export is written. */
  readonly busy: boolean;
}

/**
 * What a person chose on the export screen, and what the studio answers to it. An answer counts for its own question alone: with
 * anything else asked about there is none until it comes.
 */
export class ExportChoice {
  /** Id of the variant; null = the first that is offered. */
  chosen: string | null = $state(null);
  /** The format that was chosen; null = the one that fits the variant. */
  wanted: ExportFormat | null = $state(null);
  kept: KeptModule = $state("unquantized");
  embedding: KeptModule = $state("unquantized");
  /** The folder in which the export's own folder is made; null = where it begins. */
  where: string | null = $state(null);
  typed: string | null = $state(null);
  overwrite = $state(false);
  verify = $state(true);
  error: KeystoneErrorData | null = $state.raw(null);
  /** Every format held against a variant. */
  #held = $state.raw<Answered<readonly FormatAnswer[]> | null>(null);
  #looked = $state.raw<Answered<Reply<"export:check"> | KeystoneErrorData> | null>(null);
  readonly #of: () => ExportOf;

  readonly model = $derived.by(() => this.#of().model);
  readonly variant: VariantResult | null = $derived.by(() => {
    const { offered } = this.#of();
    return (offered.find(({ result }) => result.id === this.chosen) ?? offered[0])?.result ?? null;
  });
  readonly base: string | null = $derived.by(() => this.where ?? this.#of().base);
  readonly #formatsKey = $derived.by(() => {
    const { kept, embedding } = this;
    return keyOf({ model: this.model?.path, recipe: this.variant?.recipe, kept, embedding });
  });
  readonly answers: readonly FormatAnswer[] | null = $derived.by(() =>
    answerTo(this.#held, this.#formatsKey),
  );
  /** What is wanted, where it holds the variant; otherwise the format that fits it, or none. */
  readonly answer: FormatAnswer | null = $derived.by(() => {
    const { answers, variant, wanted } = this;
    if (answers === null || !variant) return null;
    const holding = answers.filter(({ problems }) => problems.length === 0);
    const named = (format: ExportFormat | null): FormatAnswer | undefined =>
      holding.find(({ description }) => description.format === format);
    return named(wanted) ?? named(preselected(answers, variant.recipe)) ?? null;
  });
  readonly format: ExportFormat = $derived.by(
    () => this.answer?.description.format ?? this.wanted ?? "safetensors",
  );
  readonly restores: boolean = $derived.by(() => this.variant !== null && isRestored(this.variant.recipe));
  /** What tensors with super weights may become. */
  readonly keptChoices: readonly KeptModule[] = $derived.by(() =>
    this.restores ? (this.answer?.description.kept ?? []) : [],
  );
  /** A choice that the format at hand does not offer is no part of what is asked of it. */
  readonly #embeddingAsked: KeptModule = $derived.by(() =>
    exportFormatOf(this.format).keptEmbedding.includes(this.embedding) ? this.embedding : "unquantized",
  );
  /** The new folder's name. */
  readonly name: string = $derived.by(() => {
    const { model, variant } = this;
    return this.typed ?? (model && variant ? folderName(model.name, variant.recipe, this.format) : "");
  });
  readonly out: string | null = $derived.by(() =>
    this.base === null || this.name.trim() === "" ? null : joinPath(this.base, this.name.trim()),
  );
  readonly request = $derived.by(() => {
    const { variant, out, format, overwrite, kept } = this;
    return variant && out !== null && this.answer !== null
      ? { recipe: variant.recipe, format, out, overwrite, kept, embedding: this.#embeddingAsked }
      : null;
  });
  readonly #checkKey = $derived.by(() => keyOf({ model: this.model?.path, request: this.request }));
  readonly #seen = $derived.by(() => answerTo(this.#looked, this.#checkKey));
  readonly check: Reply<"export:check"> | null = $derived.by(() =>
    this.#seen !== null && !("code" in this.#seen) ? this.#seen : null,
  );
  readonly checkError: KeystoneErrorData | null = $derived.by(() =>
    this.#seen !== null && "code" in this.#seen ? this.#seen : null,
  );
  /** What the check waits for. */
  readonly waiting: string = $derived.by(() => {
    if (this.out === null) return "Choose a folder.";
    return this.answers !== null && this.answer === null ? "Choose a format." : "Checking…";
  });
  /** What a report is asked for: above another question's form it does not stand. */
  readonly reportKey: string = $derived.by(() =>
    keyOf({
      ...{ variant: this.variant?.id, format: this.format },
      ...{ kept: this.restores ? this.kept : null, embedding: this.#embeddingAsked },
    }),
  );

  /** @param query of the address: the variant and format it names */
  constructor(query: URLSearchParams, of: () => ExportOf) {
    this.#of = of;
    this.chosen = query.get("variant");
    this.wanted = exportFormat.safeParse(query.get("format")).data ?? null;
  }

  /** Asks the studio whatever is to be known of the choice; call inside a component. */
  ask(host: Host): void {
    $effect(() => this.#askFormats(host));
    $effect(() => this.#askCheck(host));
  }

  /** What each format makes of the variant. */
  #askFormats(host: Host): (() => void) | undefined {
    const path = this.model?.path;
    const recipe = $state.snapshot(this.variant?.recipe);
    const { kept, embedding } = this;
    const key = this.#formatsKey;
    let current = true;
    if (path === undefined || !recipe) return undefined;
    host.call("format:list", { model: path, recipe, kept, embedding }).then(
      (answer) => current && (this.#held = { key, answer }),
      (thrown: unknown) => current && (this.error = toErrorData(thrown)),
    );
    return () => (current = false);
  }

  /** Every change is looked at before a byte is written. */
  #askCheck(host: Host): (() => void) | undefined {
    const asked = $state.snapshot(this.request);
    const path = this.model?.path;
    if (!asked || path === undefined || this.#of().busy) return undefined;
    const key = this.#checkKey;
    const timer = setTimeout(() => {
      host.call("export:check", { model: path, request: asked }).then(
        (answer) => (this.#looked = { key, answer }),
        (thrown: unknown) => (this.#looked = { key, answer: toErrorData(thrown) }),
      );
    }, CHECK_MS);
    return () => clearTimeout(timer);
  }
}
