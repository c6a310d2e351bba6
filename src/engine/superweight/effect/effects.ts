import { coordinateOf } from "#shared/recipe.ts";
import type {
  Change,
  ColumnGroup,
  JudgedOn,
  OtherWeight,
  PairEffect,
  SuperExpert,
} from "#shared/detection.ts";
import type { LayerReader } from "#engine/evaluate/stream/layerReader.ts";
import type { Meter } from "#engine/evaluate/stream/meter.ts";
import {
  embedBatches,
  planBatches,
  scoredLabels,
  type BatchPlan,
} from "#engine/evaluate/stream/hiddenStates.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import type { HiddenBatch, LayerWeights } from "#engine/forward/forward.ts";
import { isSameNeuron, keyOf, type Proposal, type Yardstick } from "../evidence/candidates.ts";
import { probeWork, streamProbes, type Probe, type Start } from "./effectStream.ts";
import { headWork, judgeProbes, type OriginalFigures } from "./judgeProbes.ts";
import { sharesWork, type OtherPlace } from "./otherWeights.ts";
import { firstProbes, missingProbes, probeId, secondProbes, spokesOf } from "./probes.ts";
import { pairKind } from "./verdicts.ts";

/** Bytes of the original's states that are kept in front of the candidates' layers, so that a second stream begins there. */
const KEPT_BYTES = 256 * 2 ** 20;
/** Candidates whose pairs are tried: so many of the largest effects, and one less of the largest outputs. */
const PAIRED = 3;
/** Candidates that are looked at closely though none of them reaches the threshold. */
const LOOKED_AT = 3;

/** A text as effects are measured on it. */
export interface EffectText {
  /** For people. */
  readonly name: string;
  readonly windows: WindowSet;
}

/** Everything that was measured, by probe. */
export interface Effects {
  readonly original: OriginalFigures;
  readonly changes: ReadonlyMap<string, Change>;
  readonly alone: ReadonlyMap<string, Change>;
  readonly others: readonly OtherWeight[];
  readonly judged: JudgedOn;
  readonly columns: readonly ColumnGroup[];
  readonly pairs: readonly PairEffect[];
}

const NOTHING: Change = { kl: null, nllChange: null };

/** Measures what candidates are worth on one text: first each alone, every column and the null; then what matters more closely. */
export class EffectMeasure {
  private readonly engine: Engine;
  private readonly reader: LayerReader;
  private readonly meter: Meter;
  private readonly measure: Yardstick;
  private readonly text: EffectText;
  private readonly plan: BatchPlan;
  private readonly changes = new Map<string, Change>();
  private readonly kept = new Map<number, readonly HiddenBatch[]>();

  constructor(engine: Engine, reader: LayerReader, meter: Meter, measure: Yardstick, text: EffectText) {
    this.engine = engine;
    this.reader = reader;
    this.meter = meter;
    this.measure = measure;
    this.text = text;
    this.plan = planBatches(text.windows);
  }

  /**
   * Every candidate alone, whole columns, all together, the null, and whole experts.
   * @param alsoWith does more with each layer's weights, while they are in memory
   */
  async first(
    measured: readonly Proposal[],
    others: readonly OtherPlace[],
    experts: readonly Pick<SuperExpert, "layer" | "expert">[],
    alsoWith: (layer: number, weights: LayerWeights) => Promise<void>,
  ): Promise<Effects> {
    const probes = firstProbes(this.engine.architecture, measured, others, experts);
    const keepAt = this.layersToKeep(measured);
    const states = await embedBatches(this.engine, this.plan);
    const original = await this.run(probes, { layer: 0, states }, alsoWith, (layer, there) => {
      if (keepAt.has(layer)) this.kept.set(layer, there);
    });
    return this.collect(original, measured, others, []);
  }

  /** Half the value, whole rows, pairs, and candidates that were first seen with others zeroed. */
  async second(
    before: Effects,
    measured: readonly Proposal[],
    others: readonly OtherPlace[],
    later: readonly Proposal[],
  ): Promise<Effects> {
    const pairs = this.choosePairs(measured, later);
    const important = this.important(before, measured);
    const probes = secondProbes(this.engine.architecture, important, pairs, later);
    if (probes.length === 0) return before;
    await this.runFrom(probes);
    return this.collect(before.original, [...measured, ...later], others, pairs);
  }

  /** What is still unknown of weights that matter: those that only a pair, or the absence of others, has shown to do so. */
  async complete(vital: readonly Proposal[]): Promise<void> {
    const probes = missingProbes(this.engine.architecture, vital, new Set(this.changes.keys()));
    if (probes.length > 0) await this.runFrom(probes);
  }

  /** Runs probes from the last known states in front of the first of them. */
  private async runFrom(probes: readonly Probe[]): Promise<void> {
    const from = Math.min(...probes.flatMap(({ changes }) => changes.map(({ layer }) => layer)));
    await this.run(probes, await this.startBefore(from));
  }

  private async run(
    probes: readonly Probe[],
    start: Start,
    alsoWith?: (layer: number, weights: LayerWeights) => Promise<void>,
    observe?: (layer: number, states: readonly HiddenBatch[]) => void,
  ): Promise<OriginalFigures> {
    const { engine, reader, plan, meter } = this;
    meter.extend(
      probeWork(engine, plan, probes, start.layer) + probes.length * headWork(engine, plan.scored),
    );
    const stream = {
      engine,
      reader,
      plan,
      meter,
      ...(alsoWith ? { alsoWith } : {}),
      ...(observe ? { observe } : {}),
    };
    const finals = await streamProbes(stream, probes, start);
    const { original, changes } = await judgeProbes(engine, finals, scoredLabels(plan), meter);
    for (const [id, change] of changes) this.changes.set(id, change);
    return original;
  }

  /** The latest kept states in front of a layer; the embeddings where none are. */
  private async startBefore(layer: number): Promise<Start> {
    const known = [...this.kept.keys()].filter((at) => at <= layer);
    const at = Math.max(-1, ...known);
    const states = this.kept.get(at);
    return states ? { layer: at, states } : { layer: 0, states: await embedBatches(this.engine, this.plan) };
  }

  private layersToKeep(measured: readonly Proposal[]): Set<number> {
    const bytes =
      this.plan.tokens * this.engine.architecture.facts.hiddenSize * Float32Array.BYTES_PER_ELEMENT;
    const layers = [...new Set(measured.map(({ layer }) => layer))].sort((a, b) => a - b);
    return new Set(layers.slice(0, Math.floor(KEPT_BYTES / bytes)));
  }

  /** Those beyond the threshold, alone or in their column, and the largest effects in any case. */
  private important({ alone, columns, judged }: Effects, measured: readonly Proposal[]): Proposal[] {
    const kl = (it: Proposal): number => alone.get(keyOf(it))?.kl ?? Infinity;
    const large = (change: Change | null): boolean =>
      change !== null && (change.kl ?? Infinity) >= judged.thresholdKl;
    const spokes = new Set(
      columns.filter(({ spokesTogether }) => large(spokesTogether)).flatMap((it) => it.spokes.map(String)),
    );
    return measured
      .toSorted((a, b) => kl(b) - kl(a))
      .filter((it, i) => i < LOOKED_AT || kl(it) >= judged.thresholdKl || spokes.has(keyOf(it)));
  }

  /** Pairs among the largest effects and the largest outputs; each weight that was hidden with what hid it. */
  private choosePairs(measured: readonly Proposal[], later: readonly Proposal[]): [Proposal, Proposal][] {
    const kl = (it: Proposal): number => this.changes.get(probeId.zero(it))?.kl ?? Infinity;
    const free = measured.filter((it) => !it.cancelling);
    const chosen = [
      ...new Set([...free.toSorted((a, b) => kl(b) - kl(a)).slice(0, PAIRED), ...free.slice(0, PAIRED - 1)]),
    ];
    const pairs = chosen.flatMap((first, i) =>
      chosen
        .slice(i + 1)
        // weights of one column are asked together as its spokes
        .filter((second) => !isSameNeuron(first, second))
        .map((second): [Proposal, Proposal] => [first, second]),
    );
    const hidden = later.flatMap((it): [Proposal, Proposal][] => {
      const hiding = measured.find((one) => it.after.length === 1 && keyOf(one) === it.after[0].join());
      return hiding ? [[hiding, it]] : [];
    });
    return [...pairs, ...hidden];
  }

  private collect(
    original: OriginalFigures,
    measured: readonly Proposal[],
    places: readonly OtherPlace[],
    pairs: readonly (readonly [Proposal, Proposal])[],
  ): Effects {
    const of = (id: string): Change => this.changes.get(id) ?? NOTHING;
    const others = places.map(({ tensor, row, column, value, chosen }, i): OtherWeight => ({
      ...{ tensor, row, column, value, chosen },
      ...of(probeId.other(i)),
    }));
    const apart = others.filter(
      (_, i) => !measured.some((it) => sharesWork(this.engine.architecture, places[i], it)),
    );
    const worst = apart.toSorted((a, b) => (b.kl ?? Infinity) - (a.kl ?? Infinity))[0] ?? {
      kl: 0,
      nllChange: 0,
    };
    const { options } = this.measure;
    const thresholdKl = Math.max(
      options.minEffect * original.information,
      options.nullFactor * (worst.kl ?? Infinity),
    );
    const alone = new Map(measured.map((it) => [keyOf(it), of(probeId.zero(it))]));
    return {
      original,
      changes: this.changes,
      alone,
      others,
      judged: {
        text: this.text.name,
        tokens: original.tokens,
        nll: original.nll,
        perplexity: Math.exp(original.nll),
        information: original.information,
        thresholdKl,
        null: { kl: worst.kl, nllChange: worst.nllChange },
        allTogether: this.changes.get(probeId.all) ?? null,
      },
      columns: spokesOf(measured)
        .filter((spokes) => this.changes.has(probeId.column(spokes)))
        .map((spokes): ColumnGroup => ({
          layer: spokes.layer,
          column: spokes.column,
          ...(spokes.expert === undefined ? {} : { expert: spokes.expert }),
          spokes: spokes.members.filter(({ after }) => after.length === 0).map(coordinateOf),
          whole: of(probeId.column(spokes)),
          spokesTogether: this.changes.get(probeId.spokes(spokes)) ?? null,
          rest: this.changes.get(probeId.rest(spokes)) ?? null,
        })),
      pairs: pairs.map(([first, second]): PairEffect => {
        const [both, one, other] = [
          of(probeId.pair(first, second)),
          of(probeId.zero(first)),
          of(probeId.zero(second)),
        ];
        return {
          first: coordinateOf(first),
          second: coordinateOf(second),
          both,
          alone: [one.kl, other.kl],
          kind: pairKind(both.kl ?? Infinity, one.kl ?? Infinity, other.kl ?? Infinity, thresholdKl),
        };
      }),
    };
  }
}
