import { SvelteMap } from "svelte/reactivity";
import type { Host } from "#shared/contract/contract.ts";
import type { Candidate, DetectPass, DetectPreview, DetectReport } from "#shared/detection.ts";
import { isSuper } from "#shared/figures/detectionWords.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { ModelSummary, TensorStatistics } from "#shared/model.ts";
import { setOf } from "./collections.ts";
import { ModelTexts } from "./modelTexts.svelte.ts";
import { Pace } from "./pace.ts";
import { StatisticsQueue } from "./statisticsQueue.ts";

/** A search tells of every layer and candidate; what it has come to is shown once in so many milliseconds. */
const PREVIEW_MS = 400;

/** The checkpoint that is open in this window, with what was found in it so far. */
export class OpenModel {
  readonly summary: ModelSummary;
  /** The last search; null = not searched. */
  detection: DetectReport | null = $state.raw(null);
  /** Whether the studio was asked for it. */
  detectionRead = $state(false);
  detectionError: KeystoneErrorData | null = $state.raw(null);
  /** Passes of a search that is running now, the live half of `detection`. */
  passes: readonly DetectPass[] = $state.raw([]);
  /** Layers and candidates that it has come to; null before the first. */
  preview: DetectPreview | null = $state.raw(null);
  readonly #pace = new Pace<DetectPreview>((preview) => (this.preview = preview));
  readonly statistics = new SvelteMap<string, TensorStatistics>();
  readonly statisticsErrors = new SvelteMap<string, KeystoneErrorData>();
  /** What the last search judged to be one; evidence alone is no judgement. */
  readonly superWeights: readonly Candidate[] = $derived(this.detection?.superWeights.filter(isSuper) ?? []);
  /** Where super weights sit, for marks in tables and charts. */
  readonly superWeightTensors: ReadonlySet<string> = $derived(
    setOf(this.superWeights.map((weight) => weight.tensor)),
  );
  readonly superWeightLayers: ReadonlySet<number> = $derived(
    setOf(this.superWeights.map((weight) => weight.layer)),
  );
  /** The texts beside it, and those that every screen uses. */
  readonly texts: ModelTexts;
  readonly #host: Host;
  readonly #queue: StatisticsQueue<TensorStatistics>;

  constructor(host: Host, summary: ModelSummary) {
    this.#host = host;
    this.summary = summary;
    this.texts = new ModelTexts(host, summary.path);
    this.#queue = new StatisticsQueue(
      (name) => host.call("tensor:statistics", { path: summary.path, name }),
      (name, value, error) => {
        if (value) this.statistics.set(name, value);
        else this.statisticsErrors.set(name, toErrorData(error));
      },
    );
  }

  get path(): string {
    return this.summary.path;
  }

  /** Asks for a tensor's statistics unless they are here or on their way. */
  wishStatistics(name: string): void {
    this.#queue.wish(name);
  }

  /** Lets go of wishes for tensors that are out of sight. */
  keepStatisticsWishes(names: ReadonlySet<string>): void {
    this.#queue.keepOnly(names);
  }

  /** Reads the last search from the studio. */
  async loadDetection(): Promise<void> {
    try {
      this.detection = await this.#host.call("model:detection", { path: this.path });
      this.detectionError = null;
    } catch (thrown) {
      this.detectionError = toErrorData(thrown);
    }
    this.detectionRead = true;
  }

  /** A search begins: what an earlier one told on its way is gone. */
  beginSearch(): void {
    this.passes = [];
    this.#pace.stop();
    this.preview = null;
  }

  /** A search has ended and its report is read: until it is here, the earlier one is not shown as its answer. */
  async endSearch(): Promise<void> {
    this.detectionRead = false;
    await this.loadDetection();
  }

  /** Takes what a search that is running has come to. */
  takePreview(preview: DetectPreview): void {
    this.#pace.follow(preview, PREVIEW_MS);
  }

  /** Takes a pass of the search that is running; one that came before is replaced. */
  takePass(pass: DetectPass): void {
    this.passes = [...this.passes.filter((other) => other.pass < pass.pass), pass];
  }
}
